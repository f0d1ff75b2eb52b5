"""Recognition of files that were read before by their content, because rotation renames them."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from recost.analytics.ingest.sources import as_text
from recost.wire.parsing import MAX_LINE_BYTES, parse_window

__all__ = ["FileState", "fingerprint", "ready_bytes", "recognise"]

_SAMPLE: Final = 4096
_BLOCK: Final = 1 << 16


@dataclass(frozen=True)
class FileState:
    """The state of a file that was read."""

    source: int
    path: str
    size: int
    """The number of bytes that were read."""
    modified: int
    """The modification time in nanoseconds since the epoch."""
    head_size: int
    head: str
    """The digest of the first ``head_size`` bytes."""
    tail: str
    """The digest of the last bytes that were read."""
    bad_lines: int = 0
    bad_metrics: int = 0


def fingerprint(path: Path, source: int, size: int, modified: int) -> FileState:
    """Return the state of a file after ``size`` bytes were read."""
    with path.open("rb") as file:
        head_size = min(size, _SAMPLE)
        return FileState(
            source, as_text(str(path)), size, modified, head_size, _head(file, head_size), _tail(file, size)
        )


def recognise(path: Path, known: FileState) -> bool:
    """Return True if a file is a known one, possibly with appended content.

    A file that was modified without growing counts as another one.
    """
    status = path.stat()
    grown = status.st_size > known.size
    if status.st_size < known.size or (not grown and status.st_mtime_ns != known.modified):
        return False
    with path.open("rb") as file:
        return _head(file, known.head_size) == known.head and _tail(file, known.size) == known.tail


def ready_bytes(path: Path) -> int:
    """Return the number of bytes in whole lines. A last line without line feed counts if it is a window."""
    with path.open("rb") as file:
        end = position = file.seek(0, os.SEEK_END)
        parts: list[bytes] = []
        while position > 0 and end - position <= MAX_LINE_BYTES:
            step = min(position, _BLOCK)
            position -= step
            file.seek(position)
            block = file.read(step)
            feed = block.rfind(b"\n")
            parts.append(block[feed + 1 :])
            if feed >= 0:
                position += feed + 1
                break
        unfinished = b"".join(reversed(parts))
        if not unfinished or parse_window(unfinished) is not None:
            return end
        return position if len(unfinished) <= MAX_LINE_BYTES else _last_feed(file, position)


def _last_feed(file: BinaryIO, position: int) -> int:
    """Return the end of the last whole line before a position."""
    while position > 0:
        step = min(position, _BLOCK)
        position -= step
        file.seek(position)
        feed = file.read(step).rfind(b"\n")
        if feed >= 0:
            return position + feed + 1
    return 0


def _head(file: BinaryIO, size: int) -> str:
    file.seek(0)
    return hashlib.sha256(file.read(size)).hexdigest()


def _tail(file: BinaryIO, size: int) -> str:
    start = max(0, size - _SAMPLE)
    file.seek(start)
    return hashlib.sha256(file.read(size - start)).hexdigest()
