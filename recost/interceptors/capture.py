"""Keeping what an answer reports about itself, while the body passes: at most 64 KB of one call.

On the caller's thread bytes are only kept, as they are; they are read later, and elsewhere. Of the headers no
more is kept than is read then. A body that fits is kept whole, in the encoding that it came in. Of a longer
one the beginning and the end are kept, which is where answers put their numbers; it is decoded on the way,
because an end can't be decoded alone.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Callable, Final, NamedTuple, Optional, Union

__all__ = ["LIMIT", "Capture", "Captured", "Whole"]

LIMIT: Final = 65_536
"""Bytes kept of one answer, at most."""
_HEAD: Final = 16_384
_TAIL: Final = (LIMIT - _HEAD) // 2
"""Kept of the end at least; twice that before the older half is let go."""
_STEP: Final = LIMIT
"""Decoded at once, whatever a small piece swells to."""

_NONE: Final[Mapping[str, str]] = {}

Decoder = Callable[[bytes], bytes]


class Captured(NamedTuple):
    """What was kept of an answer."""

    head: bytes
    tail: bytes
    gap: bool
    """There were bytes between head and tail."""
    complete: bool
    """The body came to its end."""
    encoding: str
    """The content coding that ``head`` is still in; empty where there is none. Never with a gap."""
    content_type: str
    headers: Mapping[str, str]
    """Of the answer, those that were asked for and are there; their names in lower case."""


class Whole:
    """Keeps a body that is there at once, decoded: less work on the caller's thread than a `Capture`.

    Args:
        names: The headers to be kept besides the one that tells the type, in lower case.
        headers: Of the answer: a mapping whose ``get`` does not mind upper and lower case.
        content_type: What the answer says of it, as text or Latin-1; None where it says nothing.
        body: None where there is none.
    """

    __slots__ = ("_body", "_headers", "_type", "complete", "nbytes")

    def __init__(self, names: Sequence[str], headers: Any, content_type: Any, body: Optional[bytes]) -> None:
        self.complete = True
        """Whoever sees that the body was cut sets it to False."""
        self._type = content_type
        self._headers = _some(headers, names) if names else _NONE
        self._body: Union[bytes, _Ends, None] = body
        self.nbytes = 0 if body is None else len(body)
        """Bytes that are held now."""
        if self.nbytes > LIMIT and body is not None:
            self._body = ends = _Ends("")
            ends.feed(body)
            self.nbytes = ends.nbytes

    def take(self) -> Optional[Captured]:
        """Return what was kept, and let go of it; None where nothing of use was."""
        headers, body = self._headers, self._body
        self._headers = self._body = None
        self.nbytes = 0
        return _captured(body or b"", "", self._type, headers, complete=self.complete)


class Capture:
    """Keeps the body of one answer as it passes. Not locked: a body passes one thread at a time.

    Args:
        names: The headers to be kept besides those that tell the type and the coding, in lower case.
        headers: Of the answer: a mapping whose ``get`` does not mind upper and lower case.
        content_type: What the answer says of it, as text or Latin-1; None where it says nothing.
        encoding: Likewise, of the content coding that the body has when it is fed; None where it has none.
    """

    __slots__ = ("_encoding", "_ends", "_first", "_headers", "_more", "_type", "complete", "nbytes")

    def __init__(self, names: Sequence[str], headers: Any, content_type: Any, encoding: Any = None) -> None:
        self.complete = False
        """Set by who sees the body's end."""
        self.nbytes = 0
        """Bytes that are held now."""
        self._first = b""
        self._more: Optional[list[bytes]] = None
        """The pieces after the first: most bodies are one piece, which needs no list."""
        self._ends: Optional[_Ends] = None
        """What is kept of a body that has grown too long to be kept in pieces."""
        self._type = content_type
        self._encoding = encoding
        self._headers = _some(headers, names) if names else _NONE

    def feed(self, data: bytes) -> None:
        """Take the next piece of the body."""
        ends = self._ends
        if ends is None:
            size = self.nbytes + len(data)
            if size <= LIMIT:
                if self._more is not None:
                    self._more.append(data)
                elif self.nbytes:
                    self._more = [data]
                else:
                    self._first = data
                self.nbytes = size
                return
            ends = self._ends = _Ends(_coding(self._encoding))
            ends.feed(self._pieces_taken())
        ends.feed(data)
        self.nbytes = ends.nbytes

    def take(self) -> Optional[Captured]:
        """Return what was kept, and let go of it; None where nothing of use was."""
        headers, body, ends = self._headers, self._pieces_taken(), self._ends
        self._headers = self._ends = None
        self.nbytes = 0
        return _captured(
            body if ends is None else ends, self._encoding, self._type, headers, complete=self.complete
        )

    def _pieces_taken(self) -> bytes:
        first, more = self._first, self._more
        self._first, self._more = b"", None
        return first if more is None else b"".join((first, *more))


class _Ends:
    """Keeps the beginning and the end of a body that is too long to be kept whole, decoded."""

    __slots__ = ("_decode", "head", "lost", "tail")

    def __init__(self, encoding: str) -> None:
        self.head = b""
        self.tail = bytearray()
        self._decode = decoder(encoding) if encoding else None
        self.lost = bool(encoding) and self._decode is None
        """It can't be decoded."""

    @property
    def nbytes(self) -> int:
        """Bytes that are held now."""
        return len(self.head) + len(self.tail)

    def feed(self, data: bytes) -> None:
        """Take the next piece, as it came."""
        if self.lost:
            return
        if self._decode is not None:
            try:
                data = self._decode(data)
            except Exception:  # noqa: BLE001 - the decoders' errors are of all kinds; the client raises its own
                self.lost = True
                return
        missing = _HEAD - len(self.head)
        if missing > 0:
            self.head += data[:missing]
            data = data[missing:]
        tail = self.tail
        if len(data) > _TAIL:
            data = data[-_TAIL:]
            tail.clear()
        tail += data
        if len(tail) > 2 * _TAIL:
            del tail[:-_TAIL]


def _some(headers: Any, names: Sequence[str]) -> Optional[Mapping[str, str]]:
    """Return the headers of those names; None where they can't be read: then nothing is of use."""
    try:
        return {name: str(value) for name in names if (value := headers.get(name)) is not None}
    except Exception:  # noqa: BLE001 - headers may be a mock's; the call is counted without them
        return None


def _captured(
    body: Union[bytes, _Ends],
    encoding: Any,
    content_type: Any,
    headers: Optional[Mapping[str, str]],
    *,
    complete: bool,
) -> Optional[Captured]:
    if headers is None:
        return None
    kind = _text(content_type)
    if not isinstance(body, _Ends):
        return Captured(body, b"", False, complete, _coding(encoding), kind, headers)
    if body.lost:
        return None
    return Captured(body.head, bytes(body.tail), True, complete, "", kind, headers)


def _coding(header: Any) -> str:
    """Return what the value of a Content-Encoding says; empty where it says that there is none."""
    name = _text(header).strip().lower()
    return "" if name == "identity" else name


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value or "")


def decoder(encoding: str) -> Optional[Decoder]:
    """Return what decodes a body piece by piece; of a large piece only what can matter: both its ends.

    None for a coding that isn't known here.
    """
    if encoding in ("gzip", "x-gzip"):
        return _Inflate(zlib.MAX_WBITS | 32)
    if encoding == "deflate":
        return _Inflate(zlib.MAX_WBITS)
    if encoding == "br":
        return _brotli()
    if encoding == "zstd":
        return _zstd()
    return None


class _Inflate:
    """zlib, in steps: a piece may swell to a thousand times its size."""

    def __init__(self, bits: int) -> None:
        self._stream = zlib.decompressobj(bits)
        self._begun = False

    def __call__(self, data: bytes) -> bytes:
        try:
            decoded = self._stream.decompress(data, _STEP)
        except zlib.error:
            if self._begun:
                raise
            self._stream = zlib.decompressobj(-zlib.MAX_WBITS)  # "deflate" without its header
            decoded = self._stream.decompress(data, _STEP)
        self._begun = True
        while self._stream.unconsumed_tail:
            more = self._stream.decompress(self._stream.unconsumed_tail, _STEP)
            decoded = decoded[:_HEAD] + (decoded[_HEAD:] + more)[-2 * _TAIL :]
        return decoded


def _brotli() -> Optional[Decoder]:
    module = _either("brotli", "brotlicffi")  # what the client itself decodes with
    if module is None:
        return None
    stream = module.Decompressor()
    decode: Decoder = stream.process if hasattr(stream, "process") else stream.decompress
    return decode


def _zstd() -> Optional[Decoder]:
    module = _either("zstandard", "compression.zstd")
    if module is None:
        return None
    stream = module.ZstdDecompressor()
    decode: Decoder = getattr(stream, "decompressobj", lambda: stream)().decompress
    return decode


def _either(*names: str) -> Any:
    for name in names:
        try:
            return importlib.import_module(name)
        except ImportError:  # noqa: PERF203 - tried once, not per call
            continue
    return None
