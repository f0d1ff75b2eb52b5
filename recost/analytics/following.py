"""Following files as lines come: through rotation, and through what `recost prune` leaves of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Callable, Final

from recost.analytics.sources import Source

__all__ = ["Follower", "last_lines"]

_BLOCK: Final = 1 << 16
_LINES: Final = 64
"""That are looked at first, from the end."""
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
    """That line."""
    nameless: bool = False
    """It had no name any more when it was last looked at."""


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
            lines, each.position = last_lines(each.file, max(count, 1))
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
            lines, each.position = _lines_after(each.file, old)
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
    """Yield the whole lines after the position; what is being written waits for its end."""
    if os.fstat(each.file.fileno()).st_size < each.position:  # emptied by another tool
        each.position = 0
    each.file.seek(each.position)
    for line in each.file:
        if not line.endswith(b"\n"):
            return
        each.position += len(line)
        each.last = line
        yield each.project, line


def _lines_after(file: BinaryIO, old: Callable[[bytes], bool]) -> tuple[list[bytes], int]:
    count = _LINES
    while True:
        lines, position = last_lines(file, count)
        if len(lines) < count or old(lines[0]):
            return lines, position
        count *= 4


def last_lines(file: BinaryIO, count: int) -> tuple[list[bytes], int]:
    """Return the last whole lines of a file, and where they end."""
    position = file.seek(0, os.SEEK_END)
    tail = b""
    while position > 0 and tail.count(b"\n") <= count:
        step = min(position, _BLOCK)
        position -= step
        file.seek(position)
        tail = file.read(step) + tail
    end = tail.rfind(b"\n") + 1
    lines = [line + b"\n" for line in tail[:end].split(b"\n")[:-1]]
    return lines[len(lines) - min(count, len(lines)) :], position + end


def _after(file: BinaryIO, last: bytes) -> int:
    """Return where a line ends in a file; 0 when it isn't there."""
    file.seek(0)
    position, found = 0, 0
    for line in file:
        position += len(line)
        if line == last:
            found = position
    return found
