"""Lines that SQL must not be given: those over a limit that DuckDB doesn't know.

A line over a limit becomes one that is no JSON, in a copy of its file: it counts as one bad line there.
"""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Final, NamedTuple, Optional

from recost.wire.parsing import MAX_LINE_BYTES, may_be_too_deep, too_deep

__all__ = ["BAD", "DamagedError", "Piece", "pieces", "read_blocks", "screened", "unpack", "unpacked"]

BAD: Final = b"{\n"
"""A line in the place of one over a limit."""
_BLOCK: Final = 4 << 20
_GZIP_BLOCK: Final = 1 << 16
_LEAST_BOUND: Final = 1 << 30
_MOST_TIMES: Final = 200
"""Windows become a tenth to a hundredth when they are compressed; zlib makes a thousandth of zeros."""
_GZIP: Final = 16 + zlib.MAX_WBITS
_STEP: Final = 64


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
                copy.write(BAD if may_be_too_deep(line) and too_deep(line) else line)
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
    return may_be_too_deep(block) and any(
        may_be_too_deep(line) and too_deep(line) for line in block.split(b"\n")
    )


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


class DamagedError(ValueError):
    """A compressed file is cut off, damaged, no gzip, or larger than it may be."""


def unpack(path: Path) -> Iterator[bytes]:
    """Yield what a file of gzip holds; its members one after the other.

    Raises:
        OSError: It cannot be read.
        DamagedError: After all that can be unpacked.
    """
    with path.open("rb") as file:
        room = max(_LEAST_BOUND, _MOST_TIMES * path.stat().st_size)
        for block in _members(iter(lambda: file.read(_GZIP_BLOCK), b"")):
            room -= len(block)
            if room < 0:
                raise DamagedError(f"it unpacks to more than {_MOST_TIMES} times its size")
            yield block


def _members(blocks: Iterator[bytes]) -> Iterator[bytes]:
    member = zlib.decompressobj(_GZIP)
    between = False
    empty = True
    for block in blocks:
        rest, empty = block, False
        while rest:
            if between and not (rest := rest.lstrip(b"\0")):  # padding, as tapes have it
                break
            between = False
            before = member.copy()
            try:
                unpacked = member.decompress(rest, _GZIP_BLOCK)
            except zlib.error as error:
                yield from _until_damage(before, rest)
                raise DamagedError(f"it is damaged: {error}") from None
            yield unpacked
            rest = member.unconsumed_tail
            if member.eof:
                rest = member.unused_data
                member, between = zlib.decompressobj(_GZIP), True
    if not between and not empty:
        raise DamagedError("it is cut off")


def _until_damage(member: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """Yield what can be unpacked of a block that is damaged."""
    for start in range(0, len(data), _STEP):
        try:
            yield member.decompress(data[start : start + _STEP])
        except zlib.error:  # noqa: PERF203 - once
            return
