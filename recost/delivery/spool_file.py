"""One file of a spool: a line for each window, locked by the process that owns it.

A line begins with ``+``, or with ``?`` once it may have been accepted. It is done when that byte is replaced
by ``-``, which no crash can interrupt. New lines come at the end. A process that dies leaves whole lines, and
at most one that is torn, which the next owner skips. The lock ends with the process, so a file that can be
locked has no owner.

The parts of a window are written as lines that begin with ``*`` and have the place of the whole behind a tab.
They count from the moment at which the byte of the whole is replaced by ``/``: at every moment either counts.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Optional

from recost import _files

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["MAX_LINE_BYTES", "SpoolFile"]

MAX_LINE_BYTES: Final = 8 << 20
"""The longest line that is written or read back."""
_PENDING: Final = b"+"
_UNCERTAIN: Final = b"?"
_DONE: Final = b"-"
_PART: Final = b"*"
_REPLACED: Final = b"/"
_FIRST_BLOCK: Final = 1 << 12
_BLOCK: Final = 1 << 16


class SpoolFile:
    """A file that this process owns. Made by `create` or `take`."""

    def __init__(self, held: _files.LockedFile) -> None:
        self._held = held
        self._at = 0
        """Position of the next line."""
        self._done: set[int] = set()
        """Lines that are done and could not be marked."""
        self._torn = False
        self.left = 0
        """Number of lines that were passed over since `rewind`."""

    @classmethod
    def create(cls, path: Path) -> Optional[SpoolFile]:
        """Make a file. Return None if locks are not supported there, or another process was faster.

        Raises:
            OSError: It can't be made.
        """
        return cls._owned(path, os.O_RDWR | os.O_CREAT)

    @classmethod
    def take(cls, path: Path) -> Optional[SpoolFile]:
        """Take over a file. Return None if it has an owner, or is gone.

        Raises:
            OSError: It can't be opened, or is not private to this user.
        """
        try:
            return cls._owned(path, os.O_RDWR)
        except FileNotFoundError:
            return None

    @classmethod
    def _owned(cls, path: Path, flags: int) -> Optional[SpoolFile]:
        held = _files.hold(path, flags, deadline=0.0)
        try:
            if held.acquired and held.is_current():  # else its former owner has just removed it
                return cls(held)
        except BaseException:
            held.close()
            raise
        held.close()
        return None

    @property
    def name(self) -> str:
        """File name."""
        return self._held.path.name

    @property
    def size(self) -> int:
        """Size in bytes."""
        return os.fstat(self._held.fd).st_size

    def append(self, line: bytes, *, uncertain: bool = False) -> None:
        """Add a window, and whether it may have been accepted.

        Raises:
            OSError: It can't be written. Nothing of it is left.
        """
        mark = _UNCERTAIN if uncertain else _PENDING
        self._append(mark + line + b"\n")

    def replace(self, place: int, parts: Iterable[bytes]) -> None:
        """Replace a window by its parts, whole or not at all, whenever the process is killed.

        Raises:
            OSError: They can't be written. The window is still there.
        """
        reference = b"\t%016x\n" % place
        places = [self._append(_PART + part + reference) for part in parts]
        os.fsync(self._held.fd)
        _write_at(self._held.fd, place, _REPLACED)
        self._done.add(place)
        for each in places:
            self._promote(each)

    def _append(self, line: bytes) -> int:
        """Add a line, and return its place."""
        fd, written = self._held.fd, 0
        start = os.lseek(fd, 0, os.SEEK_END)
        data = memoryview((b"\n" if self._is_torn(start) else b"") + line)
        self._torn = True
        try:
            while written < len(data):
                written += os.write(fd, data[written:])
        except BaseException:
            if written:
                os.ftruncate(fd, start)
            self._torn = False
            raise
        self._torn = False
        return start + len(data) - len(line)

    def _is_torn(self, size: int) -> bool:
        """Return whether the last line has no end, as a process was killed while it wrote that."""
        return self._torn or (size > 0 and _read_at(self._held.fd, size - 1, 1) != b"\n")

    def _promote(self, place: int) -> None:
        """Make a part of a replaced window a line like any other."""
        with suppress(OSError):  # it counts as it is
            _write_at(self._held.fd, place, _PENDING)

    def _counts(self, place: int, text: bytes) -> bool:
        """Return whether a line is pending. A part is, if its whole was replaced."""
        mark = text[:1]
        if not text or mark in (_DONE, _REPLACED) or place in self._done:
            return False
        if mark != _PART:
            return True
        whole = _place_in(text)
        if whole is None or not whole < place or _read_at(self._held.fd, whole, 1) != _REPLACED:
            return False
        self._promote(place)
        return True

    def next(self) -> Optional[tuple[int, bytes]]:
        """Return the place and the text of the next line that is not done. None at the end.

        The text is empty for a line that is too long, and anything for one that is damaged.
        """
        while (found := self._line()) is not None:
            place, text = found
            if self._counts(place, text):
                line = text[1:].partition(b"\t")[0]  # JSON has no tab
                return place, line if len(line) <= MAX_LINE_BYTES else b""
        return None

    def finish(self, place: int) -> None:
        """Mark a line as done."""
        self._done.add(place)
        with suppress(OSError):  # at worst a later owner sends it again, with the same id
            _write_at(self._held.fd, place, _DONE)

    def mark_uncertain(self, place: int, *, uncertain: bool = True) -> bool:
        """Note whether the window of a line may have been accepted. Return False if that is impossible."""
        try:
            _write_at(self._held.fd, place, _UNCERTAIN if uncertain else _PENDING)
        except OSError:
            return False
        return True

    def is_uncertain(self, place: int) -> bool:
        """Return whether the window of a line may have been accepted."""
        return _read_at(self._held.fd, place, 1) == _UNCERTAIN

    def back_to(self, place: int) -> None:
        """Make this line the next one again."""
        self._at = place

    def rewind(self) -> None:
        """Make the first line the next one."""
        self._at = self.left = 0

    def remove(self) -> None:
        """Delete the file."""
        path = self._held.path
        try:
            path.unlink()
        except PermissionError:  # Windows: an open file stays
            os.ftruncate(self._held.fd, 0)
            self._held.close()
            with suppress(OSError):
                path.unlink()
        finally:
            self._held.close()

    def close(self) -> None:
        """Leave the file to other processes."""
        self._held.close()

    def abandon(self) -> None:
        """Close the copy that a forked child has. The parent keeps its lock."""
        self._held.acquired = False
        self._held.close()

    def _line(self) -> Optional[tuple[int, bytes]]:
        """Read a line, and hold a bounded part of it. None at the end."""
        place = position = self._at
        parts: list[bytes] = []
        held, step = 0, _FIRST_BLOCK
        while True:
            block = _read_at(self._held.fd, position, step)
            feed = block.find(b"\n")
            piece = block if feed < 0 else block[:feed]
            position += len(piece)
            if held <= MAX_LINE_BYTES + 1:
                parts.append(piece)
                held += len(piece)
            if feed >= 0 or not block:
                break
            step = _BLOCK
        if not block and position == place:
            return None
        self._at = position + (1 if block else 0)
        return place, b"".join(parts)


def _place_in(part: bytes) -> Optional[int]:
    """Return the place of the whole window that the line of a part refers to. None if that is damaged."""
    try:
        return int.from_bytes(bytes.fromhex(part.rpartition(b"\t")[2].decode()), "big")
    except ValueError:
        return None


def _read_at(fd: int, position: int, size: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(fd, size, position)
    os.lseek(fd, position, os.SEEK_SET)
    return os.read(fd, size)


def _write_at(fd: int, position: int, data: bytes) -> None:
    if hasattr(os, "pwrite"):
        os.pwrite(fd, data, position)
        return
    os.lseek(fd, position, os.SEEK_SET)
    os.write(fd, data)
