"""Reading the files for a command: stdin, progress, and what went wrong in words."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Optional, TypeVar

from recost._text import printable
from recost.analytics import engine
from recost.analytics.filters import FILTERS, refuse_unmatched
from recost.analytics.ingest.sources import STDIN, SourceError, passed_over, spool
from recost.analytics.store import Readings, consult, troubles
from recost.cli._shared.arguments import telemetry_folder
from recost.cli._shared.progress import ReadingBar
from recost.cli._shared.refusal import refused
from recost.errors import RecostError

__all__ = ["read"]

_T = TypeVar("_T")


def read(arguments: argparse.Namespace, use: Callable[[Readings], _T], *, live: bool = False) -> Optional[_T]:
    """Return what ``use`` makes of the files that were named; None, with words on stderr, if it fails.

    Args:
        arguments: Of the command. A filter that matches nothing is refused, unless ``live``.
        use: What is made of the files.
        live: More is expected to be recorded.
    """
    try:
        _name_passed_over(arguments.paths)
        with engine.interruptible(), _paths(arguments.paths) as (paths, spooled), ReadingBar() as progress:

            def done(found: Readings) -> _T:
                progress.end()  # before anything is printed, and while the connection is open
                if not live:
                    refuse_unmatched(found, _filters(arguments))
                return use(_told(found, verbose=arguments.verbose))

            return consult(
                paths,
                telemetry_folder(),
                done,
                progress,
                keep=not (arguments.no_cache or spooled),
            )
    except BrokenPipeError:
        raise
    except (RecostError, ValueError, OSError) as error:
        refused(error)
    except engine.errors() as error:
        refused(f"DuckDB: {str(error).splitlines()[0]}")
    return None


def _name_passed_over(arguments: list[str]) -> None:
    names = [path.name for path in passed_over(arguments, telemetry_folder())]
    if names:
        text = f"recost: not read: {', '.join(names)}: expected .jsonl, .jsonl.gz or a name of logrotate's"
        print(printable(text), file=sys.stderr)


def _filters(arguments: argparse.Namespace) -> dict[str, Sequence[Any]]:
    return {name: getattr(arguments, name, None) or () for name in FILTERS}


def _told(found: Readings, *, verbose: bool) -> Readings:
    if verbose:
        for path, line, what in troubles(found):
            print(printable(f"{path}:{line}: {what}"), file=sys.stderr)
    return found


@contextmanager
def _paths(arguments: list[str]) -> Iterator[tuple[list[str], bool]]:
    """Yield the paths, with a file in place of stdin."""
    if STDIN not in arguments:
        yield arguments, False
        return
    if sys.stdin is None:
        raise SourceError("recost: stdin is closed: expected a file, a pipe or a terminal")
    with tempfile.TemporaryDirectory(prefix="recost-") as folder:
        copy = spool(sys.stdin.buffer, Path(folder))
        yield [str(copy) if path == STDIN else path for path in arguments], True
