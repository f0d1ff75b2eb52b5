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
def screened(paths: Collection[Path], scratch: Path) -> Iterator[tuple[list[Path], int]]:
    """Yield the files, and a number of bytes that none of their lines exceeds.

    In the place of each that has lines over a limit stands a copy without them.

    Args:
        paths: The files.
        scratch: A folder for copies.

    Raises:
        OSError: A file cannot be read, or a copy not be written.
    """
    with ExitStack() as stack:
        found, longest = [], _BLOCK
        for path in paths:
            odd, most = _examined(path)
            found.append(stack.enter_context(_cleaned(path, scratch)) if odd else path)
            longest = max(longest, most)
        yield found, min(longest, MAX_LINE_BYTES)


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


def _examined(path: Path) -> tuple[bool, int]:
    """Return whether a file has lines over a limit, and how long those are that are longer than a block."""
    longest = 0
    with path.open("rb") as file:
        for block in _whole_lines(file, os.fstat(file.fileno()).st_size):
            end = block.find(b"\n")  # a line that is longer than what is read at once is the first
            longest = max(longest, len(block) if end < 0 else end)
            if longest > MAX_LINE_BYTES or _too_deep(block):
                return True, MAX_LINE_BYTES
    return False, longest


def _too_deep(block: bytes) -> bool:
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
