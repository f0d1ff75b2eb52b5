"""Fuzz targets of what is read of response bodies: each takes any bytes, and raises nothing."""

from __future__ import annotations

import gzip
import zlib
from typing import Callable, Final

from recost.captured import CapturedResponse
from recost.decompression import Decompressor, UndecodableError
from recost.interceptors._body import Dechunker
from recost.interceptors.backlog import ROOM
from recost.interceptors.capture import LIMIT, Capture
from recost.interceptors.targets import ascii_host
from recost.pricing.usage import SHAPES, read_response
from recost.pricing.usage.decoding.encodings import decode

__all__ = ["TARGETS"]

_SHAPES: Final = sorted(set(SHAPES))
_TYPES: Final = (
    "",
    "application/json",
    "text/event-stream",
    "application/x-ndjson",
    "application/vnd.amazon.eventstream",
)
_ENCODINGS: Final = ("gzip", "deflate", "br", "zstd", "gzip, br", "zstd,gzip", "x-zstd")
_LIMIT: Final = 1 << 20


def _split(data: bytes) -> tuple[int, bytes]:
    return (data[0], data[1:]) if data else (0, b"")


def body(data: bytes) -> None:
    """Read a response of any shape and type, whole, cut off, or with a gap."""
    shape, data = _split(data)
    kind, data = _split(data)
    at = len(data) // 3
    for content in (
        CapturedResponse(data),
        CapturedResponse(data[:at], data[2 * at :], gap=True),
        CapturedResponse(data, complete=False),
    ):
        name = _SHAPES[shape % len(_SHAPES)]
        reading = read_response(
            name, content._replace(content_type=_TYPES[kind % len(_TYPES)], path="/v1/responses")
        )
        assert reading.usage is None or all(value >= 0 for value in reading.usage.units.values())


def encoded(data: bytes) -> None:
    """Decode a body of any coding: within the limit, and the same in one piece and in several."""
    number, data = _split(data)
    encoding = _ENCODINGS[number % len(_ENCODINGS)]
    made, damaged = [], False
    for step in (len(data) or 1, 7):
        decompressor, output = Decompressor(encoding, _LIMIT), b""
        try:
            for at in range(0, len(data), step):
                decompressor.feed(data[at : at + step])
                while piece := decompressor.read():
                    output += piece
        except UndecodableError:
            damaged = True
        damaged |= decompressor.exhausted
        assert len(output) <= 2 * _LIMIT
        made.append(output)
    shorter, longer = sorted(made, key=len)
    assert longer.startswith(shorter)
    assert damaged or shorter == longer
    decode(CapturedResponse(data, encoding=encoding))


def captured(data: bytes) -> None:
    """Keep a long body in pieces, encoded or not: never more than the limits."""
    number, data = _split(data)
    encoding = (None, *_ENCODINGS)[number % (len(_ENCODINGS) + 1)]
    capture = Capture((), {}, None, encoding)
    for _ in range(3):
        capture.feed(data * (1 + LIMIT // max(len(data), 1)))
        assert capture.nbytes <= 2 * LIMIT + ROOM
    found = capture.take()
    assert found is not None
    assert len(found.head) + len(found.tail) <= 2 * LIMIT


def chunks(data: bytes) -> None:
    """Tell the framing of a chunked request from its data; nonsense is a `ValueError`."""
    for step in (len(data) or 1, 5):
        dechunker = Dechunker()
        try:
            sizes = [dechunker.feed(data[at : at + step]) for at in range(0, len(data), step)]
        except ValueError:
            continue
        assert sum(sizes) <= len(data)


def host(data: bytes) -> None:
    """Spell a host of any text in ASCII, in bounded length."""
    name = ascii_host(data.decode("utf-8", "surrogateescape"))
    assert name.isascii()
    assert len(name) <= 2048


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    "body": body,
    "body-encoded": encoded,
    "body-captured": captured,
    "chunked-request": chunks,
    "host": host,
}
_CHAT: Final = b'{"model": "m", "usage": {"prompt_tokens": 5, "completion_tokens": 7}}'
_EVENT: Final = b"data: " + _CHAT + b"\n\n"
SEEDS: Final = {
    "body": [
        b"\x10\x00" + _CHAT,
        b"\x10\x02" + _EVENT * 3 + b"data: [DONE]\n\n",
        b"\x01\x03" + _CHAT + b"\n" + _CHAT,
    ],
    "body-encoded": [
        b"\x00" + gzip.compress(_CHAT),
        b"\x01" + zlib.compress(_EVENT),
        b"\x00" + gzip.compress(bytes(9**6)),
    ],
    "body-captured": [b"\x00" + _CHAT, b"\x01" + gzip.compress(_EVENT * 9)],
    "chunked-request": [b"5\r\nhello\r\n0\r\n\r\n", b"1;x=y\r\na\r\n"],
    "host": ["user@Bücher.example.".encode(), b"[::1]"],
}
