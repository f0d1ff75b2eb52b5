"""``recost prune``: the deletion of old windows, as a dry run by default."""

from __future__ import annotations

import argparse
import gzip
import os
import sys
import time
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Final, Optional

from recost import _files
from recost.analytics.ingest.content import DamagedError, pieces, read_blocks, unpack
from recost.analytics.ingest.sources import STDIN, SourceError, find_sources
from recost.analytics.periods import PeriodError, parse_moment, parse_zone
from recost.cli._shared.arguments import add_paths, add_zone, naming, right_now, telemetry_folder
from recost.cli._shared.formats import format_bytes
from recost.cli._shared.parser import add_examples
from recost.cli._shared.refusal import refused
from recost.cli._shared.tables import Column, Table
from recost.cli._shared.terminal import Style
from recost.errors import RecostError
from recost.wire.parsing import parse_start

__all__ = ["configure", "run"]

_LOCK_WITHIN_S: Final = 10.0
_EXAMPLES = """examples:
  recost prune --older-than 90d          show what would be deleted
  recost prune --older-than 90d --yes    delete it
  recost prune --older-than 2026-01-01 --yes ~/.recost/local-telemetry/shop*.jsonl

Lines that cannot be read are kept: their age is not known."""


@dataclass
class _Count:
    """Lines and bytes of a file."""

    dropped: int = 0
    dropped_bytes: int = 0
    kept: int = 0
    unreadable: int = 0


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_examples(parser, _EXAMPLES)
    add_paths(parser)
    parser.add_argument(
        "--older-than", required=True, metavar="WHEN", help="age or time: 90d, 2026-01-01, last-month"
    )
    add_zone(parser)
    parser.add_argument("--yes", action="store_true", help="delete the windows (default: a dry run)")


def run(arguments: argparse.Namespace) -> int:
    """Count old windows, and delete them with ``--yes``. Return 2 for a file that failed, or wrong usage."""
    try:
        zone = naming("--tz", parse_zone, arguments.tz)
        before = naming("--older-than", parse_moment, arguments.older_than, zone, right_now())
        if STDIN in arguments.paths:
            raise SourceError("recost: cannot prune stdin: expected files or folders")
        sources = find_sources(arguments.paths, telemetry_folder())
    except (PeriodError, RecostError, ValueError) as error:
        return refused(error)
    failed = False
    found: list[tuple[Path, _Count]] = []
    for source in sources:
        try:
            found.append((source.path, _prune(source.path, before, really=arguments.yes)))
        except (OSError, DamagedError) as error:  # noqa: PERF203 - other files may succeed
            failed = True
            refused(f"cannot prune {source.path}: {_files.reason_of(error)}")
    if found:
        _report(found, before, really=arguments.yes)
    return 2 if failed else 0


def _prune(path: Path, before: datetime, *, really: bool) -> _Count:
    path = path.resolve()  # the target of a link is replaced, and the link stays
    if not really:
        return _sift(path, None, before)
    with _locked(path) as held, _files.replaced_path(path, os.fstat(held.fd)) as fresh:
        with fresh.open("xb") as new:
            with _packed(new, path) as kept:
                count = _sift(path, kept, before)
            new.flush()
            os.fsync(new.fileno())
        if count.dropped and os.name != "posix":  # a file that is open can't be replaced there
            held.close()
        if not (count.dropped and (count.kept or count.unreadable)):
            fresh.unlink()
            if count.dropped:  # nothing is left
                path.unlink()
    return count


def _sift(path: Path, kept: Optional[IO[bytes]], before: datetime) -> _Count:
    count = _Count()
    for number, (data, line) in enumerate(pieces((unpack if path.suffix == ".gz" else read_blocks)(path))):
        began = None if line is None else parse_start(line.removeprefix(BOM_UTF8) if number == 0 else line)
        if began is not None and began < before:
            count.dropped += 1
            count.dropped_bytes += len(data)
            continue
        count.unreadable += began is None and bool(line and line.strip())
        count.kept += began is not None
        if kept is not None:
            kept.write(data)
    return count


@contextmanager
def _packed(file: IO[bytes], path: Path) -> Iterator[IO[bytes]]:
    if path.suffix == ".gz":
        with gzip.GzipFile(fileobj=file, mode="wb") as packed:
            yield packed  # type: ignore[misc]
    else:
        yield file


@contextmanager
def _locked(path: Path) -> Iterator[_files.LockedFile]:
    with _files.hold(path, os.O_RDWR, time.monotonic() + _LOCK_WITHIN_S, private=False) as file:
        if file.acquired is False:
            raise OSError("another process holds its lock")
        if not file.is_current():
            raise OSError("it was rotated meanwhile")
        yield file


def _report(found: list[tuple[Path, _Count]], before: datetime, *, really: bool) -> None:
    style = Style.of(sys.stdout)
    verb = "deleted" if really else "to delete"
    columns = (
        Column("file", least=16), Column(verb, right=True), Column("bytes", right=True),
        Column("kept", right=True), Column("unreadable", right=True),
    )  # fmt: skip
    table = Table(columns)
    for path, count in found:
        table.rows.append(
            [
                path.name,
                f"{count.dropped:,}",
                format_bytes(count.dropped_bytes),
                f"{count.kept:,}",
                f"{count.unreadable:,}",
            ]
        )
    print(f"Windows before {before.isoformat(timespec='minutes')}")
    print()
    print(table.render(style))
    if not really and any(count.dropped for _, count in found):
        print("\nNothing was changed: --yes deletes them.")
