"""The counters of stored windows on the disk. They never fall, also over restarts and prunes.

A file has the counters, and for each file of windows the position up to which they are counted. Both are
written together, every few seconds. What was stored since is counted from the files at the next start.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, Callable, Final, NamedTuple, Optional

from recost.analytics.ingest.sources import Source
from recost.collector.spend import FAMILIES, Change, Spend
from recost.collector.stores.appending import Position, position_at
from recost.collector.stores.counting import content_of, count_lines, count_packed, last_line, place_of
from recost.collector.stores.private_base import opened
from recost.collector.windows import ReceivedWindow

__all__ = ["SavedCounters"]

_SAVED_EVERY_S: Final = 10.0
_LONGEST_TAIL: Final = 64 << 10
_VERSION: Final = 1
_SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS series (
    family TEXT NOT NULL, labels TEXT NOT NULL, value TEXT NOT NULL, shown INTEGER NOT NULL,
    PRIMARY KEY (family, labels)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, inode TEXT NOT NULL, offset INTEGER NOT NULL, seen BLOB NOT NULL,
    tail BLOB NOT NULL
);
PRAGMA user_version = {_VERSION};
"""


class _CountedUpTo(NamedTuple):
    """Up to where a file is counted."""

    position: Position
    tail: bytes
    """The last counted line, by which the place is found in a file that was pruned."""


class SavedCounters:
    """The counters of one folder, for one thread at a time.

    Args:
        path: The file. A damaged one is replaced by one that is made from the files of windows.
        spend: The counters.
        monotonic: Seconds, for tests.

    Raises:
        OSError: The file cannot be opened, or is not private.
        sqlite3.Error: The file cannot be made.
    """

    def __init__(self, path: Path, spend: Spend, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._spend = spend
        self._monotonic = monotonic
        self.every_s: Final = min(_SAVED_EVERY_S, spend.hold_s / 4)
        """Seconds between two times that counters are saved."""
        self._saved = monotonic()
        self._known: dict[str, _CountedUpTo] = {}
        self._changed: set[str] = set()
        # A series is shown when the disk knows that it is.
        self._base = opened(path, _SCHEMA, synchronous="FULL", journal_bytes=16 << 20, check=_check_version)
        self._new = self._load()
        spend.kept = True

    def _load(self) -> bool:
        """Restore the counters. Return whether the file is new."""
        rows = self._base.execute("SELECT family, labels, value, shown FROM series").fetchall()
        found = [
            (
                family,
                tuple(json.loads(labels)),
                Decimal(value) if family == "cost" else int(value),
                bool(shown),
            )
            for family, labels, value, shown in rows
            if family in FAMILIES
        ]
        if not self._spend.restore(found):  # fewer are allowed than before
            self._base.execute("DELETE FROM series")
        for path, inode, offset, seen, tail in self._base.execute("SELECT * FROM files"):
            self._known[path] = _CountedUpTo(Position(int(inode), offset, seen), tail)
        return not self._known and not rows

    def recover(self, sources: Sequence[Source]) -> None:
        """Count what the files have beyond the known positions, and save it.

        The first time that is all of it, and the series are shown at once: the past is not an increase.

        Raises:
            OSError: A file cannot be read.
            sqlite3.Error: The counters cannot be written.
        """
        before, self._known = self._known, {}
        inodes = {_inode(source.path) for source in sources}
        for source in sources:
            with suppress(FileNotFoundError, PermissionError):  # reports can't read it either
                if not source.compressed:
                    self._recover(source, before, inodes)
                elif self._new:
                    count_packed(source, self._spend)
        self._new = False
        self._base.execute("DELETE FROM files")
        self.save()

    def _recover(
        self, source: Source, before: Mapping[str, _CountedUpTo], inodes: AbstractSet[Optional[int]]
    ) -> None:
        path = str(source.path)
        with source.path.open("rb", buffering=0) as probe, source.path.open("rb") as file:
            fd = probe.fileno()
            inode, size = os.fstat(fd).st_ino, os.fstat(fd).st_size
            start = next(
                (
                    place_of(fd, each.position, b"")
                    for each in before.values()
                    if each.position.inode == inode
                ),
                None,
            )
            if start is None:
                start = _start_of(fd, before.get(path), inodes - {inode})
            count_lines(file, start, size, source.project, self._spend, shown=self._new)
            self._remember(path, position_at(fd, size), last_line(fd, size, _LONGEST_TAIL))

    def _remember(self, path: str, position: Position, tail: bytes) -> None:
        self._known[path] = _CountedUpTo(position, tail)
        self._changed.add(path)

    def stored(self, project: str, path: Path, windows: Sequence[ReceivedWindow], position: Position) -> None:
        """Count windows that were appended to a file, and what others have appended before.

        Args:
            project: Their project.
            path: The file.
            windows: The windows, which end at the position.
            position: The end of the file.
        """
        known = self._known.get(str(path))
        start = position.offset - sum(len(window.line) + 1 for window in windows)
        offset = 0 if known is None else known.position.offset
        if start > offset and (known is None or known.position.inode == position.inode):
            with suppress(OSError), path.open("rb") as file:
                if os.fstat(file.fileno()).st_ino == position.inode:
                    count_lines(file, offset, start, project, self._spend)
        for window in windows:
            content = content_of(window.line) if window.content is None else window.content
            if content is not None:
                self._spend.add(project, content)
        self._remember(str(path), position, windows[-1].line[-_LONGEST_TAIL:] + b"\n")

    def save_if_due(self) -> None:
        """Save the counters if that was last done some seconds ago.

        Raises:
            sqlite3.Error: They cannot be written.
        """
        if self._monotonic() - self._saved >= self.every_s:
            self.save()

    def save(self) -> None:
        """Save what has changed since.

        Raises:
            sqlite3.Error: It cannot be written.
        """
        self._saved = self._monotonic()
        changes, paths = self._spend.changes(), list(self._changed)
        if not changes and not paths:
            return
        rows = [(path, self._known[path]) for path in paths]
        try:
            with self._base:
                self._base.execute("BEGIN")
                self._base.executemany(
                    "INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?)",
                    [_row(each) for each in changes],
                )
                self._base.executemany(
                    "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)",
                    [
                        (
                            path,
                            str(known.position.inode),
                            known.position.offset,
                            known.position.seen,
                            known.tail,
                        )
                        for path, known in rows
                    ],
                )
        except BaseException:
            self._spend.keep(changes)
            raise
        self._spend.show(changes)
        self._changed.difference_update(paths)

    def close(self) -> None:
        """Save the counters, and close the file."""
        try:
            with suppress(sqlite3.Error):  # the next start counts from the files
                self.save()
        finally:
            self._base.close()


def _row(change: Change) -> tuple[str, str, str, bool]:
    return change.series.family, json.dumps(change.series.labels), str(change.value), change.due


def _inode(path: Path) -> Optional[int]:
    try:
        return path.stat().st_ino
    except OSError:
        return None


def _start_of(fd: int, known: Optional[_CountedUpTo], others: AbstractSet[Optional[int]]) -> int:
    """Return from where a file is counted whose inode is not known.

    A file of a new name is counted whole, and so is one whose predecessor was given another name. Otherwise
    it was pruned, and is counted after the line that was the last one.
    """
    if known is None or known.position.inode in others:
        return 0
    found = place_of(fd, None, known.tail)
    return os.fstat(fd).st_size if found is None else found


def _check_version(base: Any) -> None:
    if base.execute("PRAGMA user_version").fetchone()[0] not in {0, _VERSION}:
        raise sqlite3.DatabaseError("another version")
