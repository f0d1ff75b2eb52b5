"""The binary event streams of AWS (``application/vnd.amazon.eventstream``).

A message is a prelude (its length, the length of its headers, and a CRC-32 of these two), headers, the
payload and a CRC-32 of all before it: https://smithy.io/2.0/aws/amazon-eventstream.html
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Final, Optional
from zlib import crc32

__all__ = ["read_payloads"]

_PRELUDE: Final = Struct(">III")
_AROUND: Final = 16
"""Bytes of a message apart from its headers and payload."""
_MOST_TRIED: Final = 4096
"""Zero bytes tried as the beginning of a message. A payload of JSON has no zero bytes."""
_LONGEST: Final = 24 * 1024 * 1024


def read_payloads(data: bytes, *, resume: bool = False) -> Iterator[bytes]:
    """Yield the payload of each complete message.

    Args:
        data: Captured part of the stream.
        resume: Whether the data begins within a message. The first complete message is then searched for.
    """
    at = _find_message(data, 0) if resume else 0
    while at >= 0:
        prelude = _read_prelude(data, at)
        if prelude is None:
            return
        length, headers = prelude
        end = at + length
        if end > len(data):
            return
        if crc32(data[at : end - 4]) == int.from_bytes(data[end - 4 : end], "big"):
            yield data[at + 12 + headers : end - 4]
        at = end


def _find_message(data: bytes, at: int) -> int:
    """Return the offset of the next message, or -1. The length of a message begins with a zero byte."""
    for _ in range(_MOST_TRIED):
        at = data.find(b"\0", at)
        if at < 0 or _read_prelude(data, at) is not None:
            return at
        at += 1
    return -1


def _read_prelude(data: bytes, at: int) -> Optional[tuple[int, int]]:
    """Return the lengths of a message and its headers, or None if no message begins here."""
    if len(data) - at < _PRELUDE.size:
        return None
    length, headers, checksum = _PRELUDE.unpack_from(data, at)
    if not headers + _AROUND <= length <= _LONGEST or crc32(data[at : at + 8]) != checksum:
        return None
    return length, headers
