"""A private file of SQLite that can be made anew from the files of windows."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Callable

from recost import _files

__all__ = ["opened"]


def opened(
    path: Path,
    schema: str,
    *,
    synchronous: str,
    journal_bytes: int,
    check: Callable[[sqlite3.Connection], None] = lambda _: None,
) -> sqlite3.Connection:
    """Open the file. A damaged one is replaced by an empty one.

    Args:
        path: The file.
        schema: Statements that make the tables that are missing, ``files`` among them.
        synchronous: SQLite's ``PRAGMA synchronous``.
        journal_bytes: The size to which the journal is cut.
        check: Raises a `sqlite3.DatabaseError` if the file is of another version.

    Raises:
        OSError: The file cannot be opened, or is not private.
        sqlite3.Error: The file cannot be made.
    """

    def attempt() -> sqlite3.Connection:
        os.close(_files.open_private(path, os.O_RDWR | os.O_CREAT))  # SQLite would make it readable by others
        base = sqlite3.connect(str(path), isolation_level=None, check_same_thread=False)
        try:
            check(base)
            base.execute("PRAGMA journal_mode = WAL")
            base.execute(f"PRAGMA synchronous = {synchronous}")
            base.execute(f"PRAGMA journal_size_limit = {journal_bytes}")
            base.executescript(schema)
            base.execute("SELECT count(*) FROM files").fetchone()
        except BaseException:
            base.close()
            raise
        return base

    try:
        return attempt()
    except sqlite3.DatabaseError:
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                path.with_name(path.name + suffix).unlink()
        return attempt()
