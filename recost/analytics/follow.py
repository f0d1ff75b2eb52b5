"""Following files as lines come: through rotation, and through what `recost prune` leaves of them."""

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
"""After so many a line is looked at, from the end."""
_SHOWN: Final = 32
"""Bytes of a line over the limit that stand for it; no window is as short."""
_STAYS_OPEN: Final = os.name == "posix"
"""Elsewhere a file that is open cannot be rotated, which would stop its writer."""
_Id = tuple[int, int]


@dataclass
class _Open:
    """A file that is read on, by whatever name it has now."""

    file: BinaryIO
    project: str
    path: Path
    position: int = 0
    """The end of the last whole line."""
    last: bytes = b""
    """That line, as `_bounded` returns it."""
    begun: bytearray = field(default_factory=bytearray)
    """What there is of the line after it; of one over the limit, only the beginning."""
    seen: int = 0
    """How many bytes of that line there are."""
    nameless: bool = False
    """It had no name any more when it was last looked at."""

    def begin_at(self, position: int) -> None:
        """Read on from here."""
        self.position, self.seen = position, 0
        self.begun.clear()


class Follower:
    """Yields the lines that files get.

    A file is known by what it is, not by its name, and stays open: one that is rotated is read to its end,
    and the one that takes its name from its beginning. One that takes its place with the same last line in
    it, as `recost prune` writes it, is read on after that line.

    Args:
        find: Returns the files that there are now; compressed ones are passed over.
    """

    def __init__(self, find: Callable[[], Sequence[Source]]) -> None:
        self._find = find
        self._open: dict[_Id, _Open] = {}

    def start(self, count: int) -> list[tuple[str, bytes]]:
        """Return project and line of the last lines of each file, in its order; follow from there on."""
        found = []
        for each in self._appeared():
            lines, end = last_lines(each.file, max(count, 1))
            each.begin_at(end)
            each.last = lines[-1] if lines else b""
            found += [(each.project, line) for line in lines[:count]]
        self._let_go()
        return found

    def start_after(self, old: Callable[[bytes], bool]) -> list[tuple[str, bytes]]:
        """Return project and line of the last lines of each file, back to one that is old; follow from there.

        Lines before that one may be returned, too.

        Args:
            old: Returns whether a line, and with it all that stand before it, is of no interest.
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
        """Yield project and line of what has come since."""
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

    def _appeared(self) -> list[_Open]:
        """Open the files that were not there before; tell the others their names of now."""
        fresh = []
        for source in self._find():
            if source.compressed:
                continue
            try:
                file = source.path.open("rb")
            except FileNotFoundError:  # rotated this moment: it has another name the next time
                continue
            status = os.fstat(file.fileno())
            key = (status.st_dev, status.st_ino)
            known = self._open.get(key)
            if known is None:
                self._open[key] = known = _Open(file, source.project, source.path)
                fresh.append(known)
            else:
                (file if _STAYS_OPEN else known.file).close()
                known.file = known.file if _STAYS_OPEN else file
                known.path = source.path
        return fresh

    def _continue(self, fresh: _Open, before: Sequence[_Open]) -> None:
        for old in before:
            if old.path == fresh.path and old.last:
                fresh.position = _after(fresh.file, old.last)
                return

    def _let_go(self) -> None:
        """Close the files that have no name any more, the second time: nothing is written to them.

        The first time they may have lost it just now, and what has taken their place has not been met.
        """
        for key, each in list(self._open.items()):
            if not _STAYS_OPEN:
                each.file.close()
            elif each.nameless:
                each.file.close()
                del self._open[key]
            else:
                each.nameless = os.fstat(each.file.fileno()).st_nlink == 0


def _lines(each: _Open) -> Iterator[tuple[str, bytes]]:
    """Yield the whole lines after the position; what is being written waits for its end, and is read once."""
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
    """Return a line without a byte order mark; of one over the limit its beginning, which is a bad line."""
    if size > MAX_LINE_BYTES + 1:
        return line[:_SHOWN] + b"\n"
    return line[len(codecs.BOM_UTF8) :] if position == 0 and line.startswith(codecs.BOM_UTF8) else line


def _lines_after(file: BinaryIO, old: Callable[[bytes], bool]) -> tuple[list[bytes], int]:
    """Return the last whole lines of a file, from one that is old on, and where they end."""
    found: list[bytes] = []
    end = 0
    for position, line in _backwards(file):
        end = end or position
        found.append(line)
        if len(found) % _LINES == 0 and old(line):
            break
    return found[::-1], end


def last_lines(file: BinaryIO, count: int) -> tuple[list[bytes], int]:
    """Return the last whole lines of a file, and where they end."""
    found: list[bytes] = []
    end = 0
    for position, line in _backwards(file):
        end = end or position
        if len(found) == count:
            break
        found.append(line)
    return found[::-1], end


def _backwards(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield where each whole line of a file ends, and the line, from the last on; each block is read once."""
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
    """Return where a line ends in a file; 0 when it isn't there."""
    return next((end for end, line in _backwards(file) if line == last), 0)
