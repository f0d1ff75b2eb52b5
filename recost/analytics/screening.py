"""Lines that SQL must not be given: those over a limit that DuckDB doesn't know.

A line over a limit becomes one that is no JSON, in a copy of its file: it counts as one bad line there.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Final, NamedTuple, Optional

from recost.wire import MAX_LINE_BYTES, suspect, too_deep

__all__ = ["BAD", "Piece", "pieces", "read_blocks", "screened"]

BAD: Final = b"{\n"
"""A line in the place of one over a limit."""
_BLOCK: Final = 4 << 20


@contextmanager
def screened(paths: Collection[Path], scratch: Path) -> Iterator[list[Path]]:
    """Yield the files; in the place of each that has lines over a limit, a copy without them.

    Args:
        paths: The files.
        scratch: A folder for copies.

    Raises:
        OSError: A file cannot be read, or a copy not be written.
    """
    with ExitStack() as stack:
        yield [stack.enter_context(_cleaned(path, scratch)) if _has_odd(path) else path for path in paths]


class Piece(NamedTuple):
    """Some bytes of a file: a line with its end, or a part of one that is over the limit."""

    data: bytes
    line: Optional[bytes]
    """What to read as a line; None: more pieces of it follow."""


def pieces(blocks: Iterable[bytes]) -> Iterator[Piece]:
    """Yield the bytes of a file line by line; a line over the limit in pieces, the last of which is `BAD`."""
    parts: list[bytes] = []
    held, over = 0, False
    for block in blocks:
        *ends, rest = block.split(b"\n")
        for end in ends:
            data = b"".join((*parts, end, b"\n"))
            yield Piece(data, BAD if over or len(data) > MAX_LINE_BYTES + 1 else data)
            parts, held, over = [], 0, False
        parts.append(rest)
        held += len(rest)
        if held > MAX_LINE_BYTES:
            yield Piece(b"".join(parts), None)
            parts, held, over = [], 0, True
    if held or over:
        yield Piece(b"".join(parts), BAD if over else b"".join(parts))


def read_blocks(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file, block by block."""
    with path.open("rb") as file:
        yield from iter(lambda: file.read(_BLOCK), b"")


@contextmanager
def _cleaned(path: Path, scratch: Path) -> Iterator[Path]:
    with NamedTemporaryFile(dir=scratch, prefix="lines-", suffix=".jsonl") as copy:
        for _, line in pieces(read_blocks(path)):
            if line is not None:
                copy.write(BAD if suspect(line) and too_deep(line) else line)
        copy.flush()
        yield Path(copy.name)


def _has_odd(path: Path) -> bool:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        return any(_odd(block) for block in _whole_lines(file, size))


def _odd(block: bytes) -> bool:
    if len(block) > MAX_LINE_BYTES and max(map(len, block.split(b"\n"))) > MAX_LINE_BYTES:
        return True
    return suspect(block) and any(suspect(line) and too_deep(line) for line in block.split(b"\n"))


def _whole_lines(file: IO[bytes], size: int) -> Iterator[bytes]:
    """Yield blocks that end with a line; one over the limit may be cut."""
    parts: list[bytes] = []
    held = 0
    while size > 0 and (block := file.read(min(_BLOCK, size))):
        size -= len(block)
        end = block.rfind(b"\n") + 1
        if end or held > MAX_LINE_BYTES:
            yield b"".join((*parts, block[:end]))
            parts, held = [], 0
            block = block[end:]
        parts.append(block)
        held += len(block)
    yield b"".join(parts)
