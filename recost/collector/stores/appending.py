"""Durable appends to a file of windows that other processes may write, too."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Final, NamedTuple

from recost import _files
from recost.wire.parsing import MAX_LINE_BYTES, parse_start

__all__ = ["Position", "append", "mended", "position_at"]

_FLAGS: Final = os.O_RDWR | os.O_APPEND | os.O_CREAT
_SEEN: Final = 256
"""Bytes before a position by which it is recognised."""


class Position(NamedTuple):
    """A place between two lines of a file, whatever its name is."""

    inode: int
    offset: int
    seen: bytes
    """A digest of the bytes before it: the inode of a deleted file is used again."""


def append(path: Path, data: bytes, wait_s: float) -> Position:
    """Append whole lines, and return the position after them when they are on the disk.

    Args:
        path: The file. It is made with mode 0600.
        data: Lines with their line feeds.
        wait_s: How long to wait for another process's lock.

    Raises:
        OSError: They could not be written. Nothing of them is left in the file.
    """
    deadline = time.monotonic() + wait_s
    while True:
        with _files.hold(path, _FLAGS, deadline) as file:
            if file.acquired is False:
                raise _files.UnusableFileError("another process holds its lock")
            if file.is_current():  # otherwise it was rotated or pruned while we waited
                return _append(file, data)


def _append(file: _files.LockedFile, data: bytes) -> Position:
    start = mended(file.fd)
    try:
        _files.write_all(file.fd, data)
        os.fsync(file.fd)
        if start == 0:
            _sync_folder(file.path.parent)
    except BaseException:  # a full disk, or a limit of the process
        os.ftruncate(file.fd, start)
        raise
    return position_at(file.fd, start + len(data))


def mended(fd: int) -> int:
    """Repair the last line of a locked file, and return its size.

    A line that lacks its end was left by a process that was killed. It gets its line feed if it is a window,
    and is removed otherwise: nobody has got a response for it.

    Raises:
        OSError: The file cannot be read or written.
    """
    size = os.fstat(fd).st_size
    if not size or _read_at(fd, size - 1, 1) == b"\n":
        return size
    rest = _read_at(fd, max(size - MAX_LINE_BYTES, 0), min(size, MAX_LINE_BYTES))
    line = rest[rest.rfind(b"\n") + 1 :]
    if parse_start(line) is None:
        if len(line) == len(rest) < size:  # longer than any window: not ours
            os.write(fd, b"\n")
            return size + 1
        os.ftruncate(fd, size - len(line))
        return size - len(line)
    os.write(fd, b"\n")
    return size + 1


def position_at(fd: int, offset: int) -> Position:
    """Return a position of an open file."""
    first = max(offset - _SEEN, 0)
    seen = hashlib.blake2b(_read_at(fd, first, offset - first), digest_size=16).digest()
    return Position(os.fstat(fd).st_ino, offset, seen)


def _read_at(fd: int, offset: int, count: int) -> bytes:
    os.lseek(fd, offset, os.SEEK_SET)
    parts, left = [], count
    while left and (part := os.read(fd, left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _sync_folder(folder: Path) -> None:
    """Make the name of a new file durable. Windows can't, and need not."""
    if hasattr(os, "O_DIRECTORY"):
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
