"""Content of files as DuckDB can read it: unpacked, cut to a range, and without lines over a limit.

DuckDB does not enforce all limits of lines. A line over a limit is replaced by invalid JSON in a copy of its
file, and so counts as one bad line.
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
"""The replacement of a line over a limit."""
_BLOCK: Final = 4 << 20
_GZIP_BLOCK: Final = 1 << 16
_LEAST_BOUND: Final = 1 << 30
_MOST_TIMES: Final = 200
"""The most times its size that a file may unpack to.

Compression shrinks windows to a tenth or a hundredth, and zeros to a thousandth.
"""
_GZIP: Final = 16 + zlib.MAX_WBITS
_STEP: Final = 64


@contextmanager
def screened(paths: Collection[Path], scratch: Path) -> Iterator[tuple[list[Path], int]]:
    """Yield the files, and an upper bound of the bytes of their lines.

    Files that have lines over a limit are replaced by copies without them.

    Args:
        paths: The files.
        scratch: A folder for copies.

    Raises:
        OSError: A file cannot be read, or a copy cannot be written.
    """
    with ExitStack() as stack:
        found, longest = [], _BLOCK
        for path in paths:
            odd, most = _examined(path)
            found.append(stack.enter_context(_cleaned(path, scratch)) if odd else path)
            longest = max(longest, most)
        yield found, min(longest, MAX_LINE_BYTES)


class Piece(NamedTuple):
    """Bytes of a file: a line with its end, or a part of a line over the limit."""

    data: bytes
    line: Optional[bytes]
    """The line to parse. None if more pieces of the line follow."""


def pieces(blocks: Iterable[bytes]) -> Iterator[Piece]:
    """Yield the bytes of a file line by line. The last piece of a line over the limit has the line `BAD`."""
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
    """Return whether a file has lines over a limit, and the length of the longest line over a block."""
    longest = 0
    with path.open("rb") as file:
        for block in _whole_lines(file, os.fstat(file.fileno()).st_size):
            end = block.find(b"\n")  # only the first line can be longer than a block
            longest = max(longest, len(block) if end < 0 else end)
            if longest > MAX_LINE_BYTES or _too_deep(block):
                return True, MAX_LINE_BYTES
    return False, longest


def _too_deep(block: bytes) -> bool:
    return may_be_too_deep(block) and any(
        may_be_too_deep(line) and too_deep(line) for line in block.split(b"\n")
    )


def _whole_lines(file: IO[bytes], size: int) -> Iterator[bytes]:
    """Yield blocks that end with a line. A line over the limit may be cut."""
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
    """Yield a temporary file with a range of the bytes of another, or with all of a compressed one.

    Raises:
        OSError: The file cannot be read, or the copy cannot be written.
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
    """Write what can be unpacked. A truncated or oversized file ends with one bad line."""
    last = b"\n"
    try:
        for _, line in pieces(unpack(path)):
            if line is not None:
                target.write(line)
                last = line
    except DamagedError:
        target.write(b"\n" if not last.endswith(b"\n") else BAD)


class DamagedError(ValueError):
    """A compressed file that is truncated, damaged, not gzip, or too large."""


def unpack(path: Path) -> Iterator[bytes]:
    """Yield the content of a gzip file, member by member.

    Raises:
        OSError: The file cannot be read.
        DamagedError: The file is damaged. Raised after all content that can be unpacked.
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
            if between and not (rest := rest.lstrip(b"\0")):  # padding, as on tapes
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
        raise DamagedError("it is truncated")


def _until_damage(member: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """Yield what can be unpacked of a damaged block."""
    for start in range(0, len(data), _STEP):
        try:
            yield member.decompress(data[start : start + _STEP])
        except zlib.error:  # noqa: PERF203 - once
            return
