"""Where the bad lines are: file and line number."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from recost.analytics.cache import Readings
from recost.analytics.copying import unpacked
from recost.analytics.lines import bad_flags

__all__ = ["troubles"]


def troubles(readings: Readings) -> Iterator[tuple[Path, int, str]]:
    """Yield the path, the line's number from 1 on, and what is wrong, for each bad line.

    The files that have any are read again: their places are not kept.
    """
    unfinished = set(readings.unfinished())
    for path, known in readings.known.items():
        if known.bad_lines or known.bad_metrics:
            with unpacked(path, readings.scratch, 0, known.size) as copy:
                yield from ((path, line, what) for line, what in _lines(readings, copy))
        if path in unfinished:
            yield path, _count(path) + 1, "torn, or being written: it has no end"


def _lines(readings: Readings, copy: Path) -> Iterator[tuple[int, str]]:
    flags = iter(bad_flags(readings.connection, copy, readings.scratch))
    with copy.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            flag = next(flags, 0)
            if flag > 0:
                yield number, "no window of protocol 1.x: torn, or another program's"
            elif flag < 0:
                yield number, f"{-flag} of its metrics lack a name, a count or a cost"


def _count(path: Path) -> int:
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
