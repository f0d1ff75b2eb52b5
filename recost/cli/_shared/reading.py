"""Reading of files for a command, with stdin, progress and error messages."""

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
from recost.analytics.databases.reading import database
from recost.analytics.filters import FILTERS, refuse_unknown_tags, refuse_unmatched, refuse_unreadable
from recost.analytics.ingest.sources import STDIN, SourceError, passed_over, spool
from recost.analytics.query import QuestionError
from recost.analytics.store import Readings, consult, troubles
from recost.cli._shared.arguments import names_in, telemetry_folder
from recost.cli._shared.progress import ReadingBar
from recost.cli._shared.refusal import refused
from recost.errors import RecostError

__all__ = ["read"]

_T = TypeVar("_T")


def read(arguments: argparse.Namespace, use: Callable[[Readings], _T], *, live: bool = False) -> Optional[_T]:
    """Return the result of ``use`` on the files of the arguments. On failure, print why and return None.

    Args:
        arguments: The arguments of the command.
        use: A function of the files.
        live: Whether a filter may match nothing yet. Otherwise it is refused.
    """
    try:
        with ReadingBar() as progress:

            def done(found: Readings) -> _T:
                progress.end()  # before anything is printed, and while the connection is open
                _list_malformed(found, verbose=arguments.verbose)
                if not live:
                    refuse_unreadable(found)
                    refuse_unmatched(found, _filters(arguments))
                    refuse_unknown_tags(found, names_in(getattr(arguments, "by", None) or ""))
                return use(found)

            if arguments.store is not None:
                return _read_database(arguments, done)
            return _read_files(arguments, done, progress)
    except BrokenPipeError:
        raise
    except (RecostError, ValueError, OSError) as error:
        refused(error)
    except engine.errors() as error:
        refused(f"DuckDB: {str(error).splitlines()[0]}")
    return None


def _read_files(arguments: argparse.Namespace, done: Callable[[Readings], _T], progress: ReadingBar) -> _T:
    _warn_of_ignored(arguments.paths)
    with engine.interruptible(), _paths(arguments.paths) as (paths, spooled):
        keep = not (arguments.no_cache or spooled)
        return consult(paths, telemetry_folder(), done, progress, keep=keep)


def _read_database(arguments: argparse.Namespace, done: Callable[[Readings], _T]) -> _T:
    if arguments.paths:
        raise QuestionError("recost: --store reads a database: expected no PATH with it")
    with database(arguments.store) as found:
        return done(found)


def _warn_of_ignored(arguments: list[str]) -> None:
    names = [path.name for path in passed_over(arguments, telemetry_folder())]
    if names:
        text = f"recost: ignored files {', '.join(names)}: expected *.jsonl, *.jsonl.gz or a rotated name"
        print(printable(text), file=sys.stderr)


def _filters(arguments: argparse.Namespace) -> dict[str, Sequence[Any]]:
    return {name: getattr(arguments, name, None) or () for name in FILTERS}


def _list_malformed(found: Readings, *, verbose: bool) -> None:
    if verbose:
        for path, line, what in troubles(found):
            print(printable(f"{path}:{line}: {what}"), file=sys.stderr)


@contextmanager
def _paths(arguments: list[str]) -> Iterator[tuple[list[str], bool]]:
    """Yield the paths with a file in place of stdin, and whether there is one."""
    if STDIN not in arguments:
        yield arguments, False
        return
    if sys.stdin is None:
        raise SourceError("recost: stdin is closed: expected a file, a pipe or a terminal")
    with tempfile.TemporaryDirectory(prefix="recost-") as folder:
        copy = spool(sys.stdin.buffer, Path(folder))
        yield [str(copy) if path == STDIN else path for path in arguments], True
