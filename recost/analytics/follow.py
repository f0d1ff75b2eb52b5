"""Following files as lines are appended, also through rotation and `recost prune`."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Callable, Final, Optional

from recost.analytics.ingest.sources import Source
from recost.wire.parsing import MAX_LINE_BYTES

__all__ = ["Follower", "last_lines"]

_BLOCK: Final = 1 << 16
_LINES: Final = 64
"""The number of lines after which one is checked when reading backwards."""
_SHOWN: Final = 32
"""The bytes of a line over the limit that are returned for it. Valid windows are longer."""
_STAYS_OPEN: Final = os.name == "posix"
"""False where an open file cannot be renamed: keeping it open would break the writer's rotation."""
_Id = tuple[int, int]


@dataclass
class _FollowedFile:
    """A file that is followed, whatever its current name is."""

    file: BinaryIO
    project: str
    path: Path
    position: int = 0
    """The end of the last whole line."""
    last: bytes = b""
    """The last whole line, as `_bounded` returns it."""
    begun: bytearray = field(default_factory=bytearray)
    """The beginning of the line after it. A line over the limit is cut."""
    seen: int = 0
    """The number of bytes of that line."""
    nameless: bool = False
    """True if the file had no name at the last check."""

    def begin_at(self, position: int) -> None:
        """Continue at a position."""
        self.position, self.seen = position, 0
        self.begun.clear()


class Follower:
    """A reader of the lines that are appended to files.

    Files are identified by device and inode, not by name, and stay open. A rotated file is read to its end,
    and its successor from the beginning. A replacement that contains the same last line, as `recost prune`
    writes it, is continued after that line.

    Args:
        find: Returns the current files. Compressed ones are ignored.
    """

    def __init__(self, find: Callable[[], Sequence[Source]]) -> None:
        self._find = find
        self._open: dict[_Id, _FollowedFile] = {}

    def start(self, count: int) -> list[tuple[str, bytes]]:
        """Return project and line of the last lines of each file, in file order, and follow from there."""
        found = []
        for each in self._appeared():
            lines, end = last_lines(each.file, max(count, 1))
            each.begin_at(end)
            each.last = lines[-1] if lines else b""
            found += [(each.project, line) for line in lines[:count]]
        self._let_go()
        return found

    def start_after(self, old: Callable[[bytes], bool]) -> list[tuple[str, bytes]]:
        """Return project and line of the last lines of each file, and follow from there.

        Each file is read backwards until an old line is found. Older lines may be included.

        Args:
            old: Returns whether a line, and so all lines before it, can be ignored.
        """
        found = []
        for each in self._appeared():
            lines, end = _lines_after(each.file, old)
            each.begin_at(end)
            each.last = lines[-1] if lines else b""
            found += [(each.project, line) for line in lines]
        self._let_go()
        return found

    def news(self) -> Iterator[tuple[str, bytes]]:
        """Yield project and line of the lines appended since."""
        before = list(self._open)
        fresh = self._appeared()
        for key in before:
            if not self._open[key].file.closed:
                yield from _lines(self._open[key])
        for each in fresh:
            self._continue(each, [self._open[key] for key in before])
            yield from _lines(each)
        self._let_go()

    def close(self) -> None:
        """Close all files."""
        for each in self._open.values():
            each.file.close()
        self._open.clear()

    def _appeared(self) -> list[_FollowedFile]:
        """Open new files, and update the names of known ones."""
        fresh = []
        for source in self._find():
            if source.compressed:
                continue
            try:
                file = source.path.open("rb")
            except FileNotFoundError:  # just rotated: the next call finds its new name
                continue
            status = os.fstat(file.fileno())
            key = (status.st_dev, status.st_ino)
            known = self._open.get(key)
            if known is None:
                self._open[key] = known = _FollowedFile(file, source.project, source.path)
                fresh.append(known)
            else:
                (file if _STAYS_OPEN else known.file).close()
                known.file = known.file if _STAYS_OPEN else file
                known.path = source.path
        return fresh

    def _continue(self, fresh: _FollowedFile, before: Sequence[_FollowedFile]) -> None:
        for old in before:
            if old.path == fresh.path and old.last:
                fresh.position = _after(fresh.file, old.last)
                return

    def _let_go(self) -> None:
        """Close files that had no name at two checks: nothing is written to them.

        After the first check, the replacement of a deleted file may not have been found yet.
        """
        for key, each in list(self._open.items()):
            if not _STAYS_OPEN:
                each.file.close()
            elif each.nameless:
                each.file.close()
                del self._open[key]
            else:
                each.nameless = os.fstat(each.file.fileno()).st_nlink == 0


def _lines(each: _FollowedFile) -> Iterator[tuple[str, bytes]]:
    """Yield the whole lines after the position. Each byte is read once, also of an unfinished line."""
    if os.fstat(each.file.fileno()).st_size < each.position + each.seen:  # emptied by another tool
        each.begin_at(0)
    each.file.seek(each.position + each.seen)
    while block := each.file.read(_BLOCK):
        *ends, rest = block.split(b"\n")
        for end in ends:
            each.seen += len(end) + 1
            each.begun += end + b"\n"
            line = _bounded(bytes(each.begun), each.seen, each.position)
            each.begin_at(each.position + each.seen)
            each.last = line
            yield each.project, line
        each.seen += len(rest)
        if len(each.begun) <= MAX_LINE_BYTES:
            each.begun += rest


def _bounded(line: bytes, size: int, position: int) -> bytes:
    """Return a line without a byte order mark. A line over the limit is cut, which makes it a bad line."""
    if size > MAX_LINE_BYTES + 1:
        return line[:_SHOWN] + b"\n"
    return line[len(codecs.BOM_UTF8) :] if position == 0 and line.startswith(codecs.BOM_UTF8) else line


def _lines_after(file: BinaryIO, old: Callable[[bytes], bool]) -> tuple[list[bytes], int]:
    """Return the last whole lines of a file, back to an old one, and the position of their end."""
    found: list[bytes] = []
    end = 0
    for position, line in _backwards(file):
        end = end or position
        found.append(line)
        if len(found) % _LINES == 0 and old(line):
            break
    return found[::-1], end


def last_lines(file: BinaryIO, count: int) -> tuple[list[bytes], int]:
    """Return the last whole lines of a file, and the position of their end."""
    found: list[bytes] = []
    end = 0
    for position, line in _backwards(file):
        end = end or position
        if len(found) == count:
            break
        found.append(line)
    return found[::-1], end


def _backwards(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield end position and content of each whole line, last line first. Each block is read once."""
    position = file.seek(0, os.SEEK_END)
    end: Optional[int] = None
    parts: list[bytes] = []  # of the line that ends there, the last part first
    held = 0
    while position > 0:
        step = min(position, _BLOCK)
        position -= step
        file.seek(position)
        block = file.read(step)
        stop = len(block)
        while (feed := block.rfind(b"\n", 0, stop)) >= 0:
            if end is not None:
                start = position + feed + 1
                yield end, _joined([*parts, block[feed + 1 : stop]], end - start, start)
            end = position + feed + 1
            parts, held = [b"\n"], 1
            stop = feed
        if end is not None:
            if held > MAX_LINE_BYTES:  # only its beginning is of use
                parts = parts[-1:]
            parts.append(block[:stop])
            held += stop
    if end is not None:
        yield end, _joined(parts, end, 0)


def _joined(parts: list[bytes], size: int, start: int) -> bytes:
    return _bounded(b"".join(reversed(parts)), size, start)


def _after(file: BinaryIO, last: bytes) -> int:
    """Return the end position of a line in a file, or 0 if it is missing."""
    return next((end for end, line in _backwards(file) if line == last), 0)
