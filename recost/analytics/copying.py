"""A part of a file, or what a compressed file holds, in a file of its own that DuckDB can read."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, Optional

from recost.analytics.screening import BAD, pieces
from recost.analytics.unpacking import DamagedError, unpack

__all__ = ["unpacked"]

_BLOCK: Final = 1 << 20


@contextmanager
def unpacked(path: Path, folder: Path, start: int = 0, end: Optional[int] = None) -> Iterator[Path]:
    """Yield a file with a part of the bytes of another; with all that can be unpacked of a compressed one.

    Raises:
        OSError: It cannot be read, or the copy not be written.
    """
    with tempfile.NamedTemporaryFile(dir=folder, prefix="lines-", suffix=".jsonl") as copy:
        if path.suffix == ".gz":
            _unpack(path, copy)
        else:
            with path.open("rb") as file:
                file.seek(start)
                _copy(file, copy, None if end is None else end - start)
        copy.flush()
        yield Path(copy.name)


def _copy(source: IO[bytes], target: IO[bytes], count: Optional[int]) -> None:
    while count is None or count > 0:
        block = source.read(_BLOCK if count is None else min(_BLOCK, count))
        if not block:
            return
        target.write(block)
        if count is not None:
            count -= len(block)


def _unpack(path: Path, target: IO[bytes]) -> None:
    """Write what can be unpacked; what is cut off or too large ends with one bad line."""
    last = b"\n"
    try:
        for _, line in pieces(unpack(path)):
            if line is not None:
                target.write(line)
                last = line
    except DamagedError:
        target.write(b"\n" if not last.endswith(b"\n") else BAD)
