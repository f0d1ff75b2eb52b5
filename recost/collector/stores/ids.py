"""The window ids of the last days, on disk.

They are an index of the files of windows. Each transaction has ids, and the position up to which a file's ids
are known. So an index that was damaged, or is behind after a crash, is completed from the files.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Callable, Final, Optional

from recost.collector.stores.appending import Position
from recost.collector.stores.private_base import opened

__all__ = ["IDS_KEPT_S", "MAX_IDS", "WindowIds", "key_of"]

IDS_KEPT_S: Final = 7 * 24 * 3600
"""The time for which an id is kept, in seconds."""
MAX_IDS: Final = 20_000_000
"""Maximum number of ids that are kept, about 1.5 GB. Beyond it the oldest are forgotten."""
_AT_ONCE: Final = 500
"""Maximum number of parameters of a statement. Older versions of SQLite allow 999."""
_PURGED: Final = 2000
"""Maximum number of ids that are forgotten with one transaction, in addition to as many as are new."""
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS ids (
    number INTEGER PRIMARY KEY, arrived INTEGER NOT NULL, id BLOB NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS files (
    inode TEXT PRIMARY KEY, offset INTEGER NOT NULL, seen BLOB NOT NULL
);
"""


def key_of(project: str, window_id: bytes) -> bytes:
    """Return the 16 bytes by which the window of a project is known."""
    return hashlib.blake2b(window_id + project.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class WindowIds:
    """An index of window ids, for one thread at a time.

    Args:
        path: The file. A damaged one is replaced by an empty one.
        clock: Seconds since the epoch, for tests.
        most: Maximum number of ids that are kept, for tests.

    Raises:
        OSError: The file cannot be opened, or is not private.
        sqlite3.Error: The file cannot be made.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time, most: int = MAX_IDS) -> None:
        self._clock = clock
        self._most = most
        # What a crash takes is completed from the files.
        self._base = opened(path, _SCHEMA, synchronous="NORMAL", journal_bytes=64 << 20)

    def known(self, keys: Collection[bytes]) -> set[bytes]:
        """Return which of these ids are known.

        Raises:
            sqlite3.Error: The file cannot be read.
        """
        found: set[bytes] = set()
        wanted = list(keys)
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            marks = ",".join("?" * len(some))
            rows = self._base.execute(f"SELECT id FROM ids WHERE id IN ({marks})", some)
            found.update(row[0] for row in rows)
        return found

    def add(self, keys: Iterable[bytes], positions: Iterable[Position]) -> None:
        """Add ids, and the positions up to which the files' ids are known, all or nothing.

        Raises:
            sqlite3.Error: The file cannot be written.
        """
        arrived = int(self._clock())
        rows = [(arrived, key) for key in keys]
        with self._base:
            self._base.execute("BEGIN")
            self._base.executemany("INSERT OR IGNORE INTO ids (arrived, id) VALUES (?, ?)", rows)
            self._base.executemany(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?)",
                [(str(each.inode), each.offset, each.seen) for each in positions],
            )
            self._purge(arrived, len(rows) + _PURGED)

    def position_in(self, inode: int) -> Optional[Position]:
        """Return the position up to which a file's ids are known."""
        row = self._base.execute("SELECT offset, seen FROM files WHERE inode = ?", (str(inode),)).fetchone()
        return None if row is None else Position(inode, *row)

    def forget_files(self, present: Sequence[int]) -> None:
        """Forget the positions in files that are gone."""
        with self._base:
            gone = {row[0] for row in self._base.execute("SELECT inode FROM files")} - set(map(str, present))
            self._base.executemany("DELETE FROM files WHERE inode = ?", [(each,) for each in gone])

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def _purge(self, now: int, most: int) -> None:
        """Forget ids that are too old or too many, oldest first."""
        first, last = self._base.execute("SELECT min(number), max(number) FROM ids").fetchone()
        if first is None:
            return
        until = min(first + most, last + 1)
        kept = self._base.execute(
            "SELECT min(number) FROM ids WHERE number >= ? AND number < ? AND arrived >= ?",
            (first, until, now - IDS_KEPT_S),
        ).fetchone()[0]
        before = max(until if kept is None else kept, min(last + 1 - self._most, until))
        self._base.execute("DELETE FROM ids WHERE number < ?", (before,))
