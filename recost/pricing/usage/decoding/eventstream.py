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
"""Bytes of a message besides its headers and payload."""
_MOST_TRIED: Final = 4096
"""Zero bytes that may begin a message; a payload of JSON has none."""
_LONGEST: Final = 24 * 1024 * 1024


def read_payloads(data: bytes, *, resume: bool = False) -> Iterator[bytes]:
    """Yield the payload of each message that is whole.

    Args:
        data: What was kept of the stream.
        resume: The data begin somewhere within the stream: find the first message.
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
    """Return where the next message begins, -1 where none does; a length begins with a zero byte."""
    for _ in range(_MOST_TRIED):
        at = data.find(b"\0", at)
        if at < 0 or _read_prelude(data, at) is not None:
            return at
        at += 1
    return -1


def _read_prelude(data: bytes, at: int) -> Optional[tuple[int, int]]:
    """Return the lengths of a message and of its headers; None where none begins."""
    if len(data) - at < _PRELUDE.size:
        return None
    length, headers, checksum = _PRELUDE.unpack_from(data, at)
    if not headers + _AROUND <= length <= _LONGEST or crc32(data[at : at + 8]) != checksum:
        return None
    return length, headers
