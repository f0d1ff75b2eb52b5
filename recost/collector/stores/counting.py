"""Lines of files as counters count them, and the place up to which a file is counted."""

from __future__ import annotations

import mmap
import os
from contextlib import suppress
from typing import Any, BinaryIO, Final, Optional

from recost.analytics.ingest.content import DamagedError, pieces, unpack
from recost.analytics.ingest.sources import Source
from recost.collector.spend import Spend
from recost.collector.stores.appending import Position, position_at
from recost.wire.parsing import MAX_LINE_BYTES, parse_frame, parse_metric, parse_start

__all__ = ["content_of", "count_lines", "count_packed", "last_line", "place_of"]

_LEAST_TAIL: Final = 64
"""Bytes of a line that names one window and no other."""


def content_of(line: bytes) -> Optional[dict[str, Any]]:
    """Return a line's window with its valid metrics only, or None for a line that reports don't count."""
    content = None if parse_start(line) is None else parse_frame(line)
    if content is None:
        return None
    return {**content, "metrics": [entry for entry in content["metrics"] if parse_metric(entry) is not None]}


def count_lines(
    file: BinaryIO, start: int, end: int, project: str, spend: Spend, *, shown: bool = False
) -> None:
    """Add the windows between two offsets of a file."""
    file.seek(start)
    while start < end and (line := file.readline(MAX_LINE_BYTES + 1)):
        start += len(line)
        content = content_of(line)
        if content is not None:
            spend.add(project, content, shown=shown)


def count_packed(source: Source, spend: Spend) -> None:
    """Add the windows of a compressed file, whose series are shown at once."""
    with suppress(DamagedError, FileNotFoundError):  # what is readable counts
        for piece in pieces(unpack(source.path)):
            content = None if piece.line is None else content_of(piece.line)
            if content is not None:
                spend.add(source.project, content, shown=True)


def place_of(fd: int, position: Optional[Position], tail: bytes) -> Optional[int]:
    """Return the offset up to which a file is counted. None if neither the position nor the line is in it."""
    size = os.fstat(fd).st_size
    if position is not None and position.offset <= size and position_at(fd, position.offset) == position:
        return position.offset
    if len(tail) < _LEAST_TAIL or not size:
        return None
    with mmap.mmap(fd, 0, access=mmap.ACCESS_READ) as content:
        found = content.rfind(tail)
    return None if found < 0 else found + len(tail)


def last_line(fd: int, size: int, most: int) -> bytes:
    """Return the end of the last line of a file that ends with a line feed."""
    os.lseek(fd, max(size - most, 0), os.SEEK_SET)
    content = os.read(fd, min(size, most))
    return content[content.rfind(b"\n", 0, -1) + 1 :]
