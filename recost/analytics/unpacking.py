"""What a compressed file holds, as far as it can be unpacked, within bounds."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["DamagedError", "unpack"]

_BLOCK: Final = 1 << 16
_LEAST_BOUND: Final = 1 << 30
_MOST_TIMES: Final = 200
"""Windows become a tenth to a hundredth when they are compressed; zlib makes a thousandth of zeros."""
_GZIP: Final = 16 + zlib.MAX_WBITS
_STEP: Final = 64


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
        for block in _members(iter(lambda: file.read(_BLOCK), b"")):
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
                unpacked = member.decompress(rest, _BLOCK)
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
