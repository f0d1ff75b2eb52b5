"""Keeping what an answer reports about itself, while the body passes: at most 64 KB of one call.

On the caller's thread bytes are only kept, as they are; they are read later, and elsewhere. Of the headers no
more is kept than is read then. A body that fits is kept whole, in the encoding that it came in. A longer one
is skimmed as it passes (`recost.skimming`): its names and numbers are kept wherever they stand. Of what is no
JSON the beginning and the end are kept. A longer body is also decoded on the way: only so much of it at once,
and in all, as takes no noticeable time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Optional, Union

from recost.captured import CapturedResponse

if TYPE_CHECKING:
    from recost.decompression import Decompressor
    from recost.skimming import Skimmer

__all__ = ["LIMIT", "Capture", "Whole"]

LIMIT: Final = 65_536
"""Bytes kept of one answer, at most."""
_TOO_LONG: Final = LIMIT + 1
_BATCH: Final = 4096
"""Bytes of a long body that are collected before they are skimmed."""
_DECODED_AT_ONCE: Final = 1024 * 1024
"""Bytes that are decoded of one piece on the caller's thread, at most; what is left waits, still encoded."""
_DECODED: Final = 4 * 1024 * 1024
"""Bytes that are decoded of one body, at most."""

_LONGEST_HEADER: Final = 1024
"""Characters of a header's value; no name, number, type or list of codings that can be read has as many."""
_UNREADABLE: Final = "unreadable"
"""Stands for a list of codings that is too long: no such coding is known."""

_NONE: Final[Mapping[str, str]] = {}


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
        self._body: Union[bytes, _Skimmed, None] = body
        self.nbytes = size = 0 if body is None else len(body)
        """Bytes that are held now."""
        if size > LIMIT:
            self._body = skimmed = _Skimmed("")
            skimmed.feed(body)
            self.nbytes = skimmed.nbytes

    def take(self) -> Optional[CapturedResponse]:
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

    __slots__ = (
        "_encoding",
        "_enough",
        "_first",
        "_headers",
        "_more",
        "_skimmed",
        "_type",
        "complete",
        "nbytes",
    )

    def __init__(self, names: Sequence[str], headers: Any, content_type: Any, encoding: Any = None) -> None:
        self.complete = False
        """Set by who sees the body's end."""
        self.nbytes = 0
        """Bytes that are held now."""
        self._first = b""
        self._more: Optional[list[bytes]] = None
        """The pieces after the first: most bodies are one piece, which needs no list."""
        self._enough = _TOO_LONG
        """Bytes at which pieces are skimmed."""
        self._skimmed: Optional[_Skimmed] = None
        """What is kept of a body that has grown too long to be kept in pieces."""
        self._type = content_type
        self._encoding = encoding
        self._headers = _some(headers, names) if names else _NONE

    def feed(self, data: Any) -> None:
        """Take the next piece of the body: bytes, or a view of more bytes than `LIMIT`."""
        size = self.nbytes + len(data)
        if size < self._enough:
            more = self._more
            if more is not None:
                more.append(data)
            elif self.nbytes:
                self._more = [data]
            else:
                self._first = data
            self.nbytes = size
            return
        self._skim(data)

    def _skim(self, data: Any) -> None:
        skimmed = self._skimmed
        if skimmed is None:
            skimmed = self._skimmed = _Skimmed(_coding(self._encoding))
        skimmed.feed(self._pieces_taken())
        skimmed.feed(data)
        self.nbytes = skimmed.nbytes
        self._enough = self.nbytes + _BATCH

    def take(self) -> Optional[CapturedResponse]:
        """Return what was kept, and let go of it; None where nothing of use was."""
        headers, body, skimmed = self._headers, self._pieces_taken(), self._skimmed
        self._headers = self._skimmed = None
        self.nbytes = 0
        if skimmed is not None:
            skimmed.feed(body)
        return _captured(
            body if skimmed is None else skimmed, self._encoding, self._type, headers, complete=self.complete
        )

    def _pieces_taken(self) -> bytes:
        first, more = self._first, self._more
        self._first, self._more = b"", None
        return first if more is None else b"".join((first, *more))


class _Skimmed:
    """Keeps what matters of a body that is too long to be kept whole, decoded."""

    __slots__ = ("_decoder", "_skimmer", "unread")

    def __init__(self, encoding: str) -> None:
        self._skimmer = skimmer()
        self.unread = False
        """The rest can't be decoded, or swells too much."""
        self._decoder: Optional[Decompressor] = None
        if encoding:
            self._decoder = decoder(encoding)
            self.unread = self._decoder is None

    @property
    def nbytes(self) -> int:
        """Bytes that are held now."""
        pending = 0 if self._decoder is None else self._decoder.pending
        return self._skimmer.nbytes + pending

    def feed(self, data: Any) -> None:
        """Take the next piece, as it came."""
        if self._decoder is not None:
            self._decoder.feed(data)
            self._decode(_DECODED_AT_ONCE)
            if self._decoder is not None and self._decoder.pending > LIMIT:
                self._give_up()
            elif self._decoder is not None and (len(data) > LIMIT or not isinstance(data, bytes)):
                self._decoder.detach()  # it may be a view, of what the caller goes on to use
        elif not self.unread:
            self._skimmer.feed(data)

    def finish(self, kind: str, headers: Mapping[str, str], *, complete: bool) -> CapturedResponse:
        """Decode what waits, and return what was kept; not on the caller's thread."""
        if self._decoder is not None:
            self._decode(_DECODED)
            if self._decoder is not None and self._decoder.exhausted:
                self._give_up()
            self._decoder = None
        kept, unread = self._skimmer.finish(), self.unread
        return CapturedResponse(
            kept.head,
            b"" if unread else kept.tail,  # what was last seen is not the body's end
            kept.gap or unread,
            complete and not unread,
            kind,
            headers=headers,
            unread=unread,
            thinned=kept.thinned,
            size=kept.size,
        )

    def _decode(self, most: int) -> None:
        decoder, size = self._decoder, 0
        while decoder is not None and size < most:
            try:
                data = decoder.read()
            except Exception:  # noqa: BLE001 - damaged, or out of memory; the client raises its own
                self._give_up()
                return
            if not data:
                return
            size += len(data)
            self._skimmer.feed(data)

    def _give_up(self) -> None:
        self.unread = True
        self._decoder = None


def _some(headers: Any, names: Sequence[str]) -> Optional[Mapping[str, str]]:
    """Return the headers of those names; None where they can't be read: then nothing is of use."""
    try:
        return {
            name: text
            for name in names
            if (value := headers.get(name)) is not None and len(text := str(value)) <= _LONGEST_HEADER
        }
    except Exception:  # noqa: BLE001 - headers may be a mock's; the call is counted without them
        return None


def _captured(
    body: Union[bytes, _Skimmed],
    encoding: Any,
    content_type: Any,
    headers: Optional[Mapping[str, str]],
    *,
    complete: bool,
) -> Optional[CapturedResponse]:
    if headers is None:
        return None
    kind = _text(content_type)
    if not isinstance(body, _Skimmed):
        coding = _coding(encoding)
        size = 0 if coding else len(body)
        return CapturedResponse(body, b"", False, complete, kind, coding, headers=headers, size=size)
    return body.finish(kind, headers, complete=complete)


def _coding(header: Any) -> str:
    """Return what the value of a Content-Encoding says; empty where it says that there is none."""
    name = _text(header)
    if len(name) > _LONGEST_HEADER:
        return _UNREADABLE
    name = name.strip().lower()
    return "" if name == "identity" else name


def _text(value: Any) -> str:
    """Return a header's value; of one that is too long, a beginning that is."""
    text = value[: _LONGEST_HEADER + 1] if isinstance(value, (bytes, str)) else str(value or "")
    return text.decode("latin-1") if isinstance(text, bytes) else text[: _LONGEST_HEADER + 1]


def decoder(encoding: str) -> Optional[Decompressor]:
    """Return what decodes a body piece by piece; None for a coding that is unknown or has no library."""
    from recost.decompression import Decompressor, UndecodableError  # noqa: PLC0415 - only where it is needed

    try:
        return Decompressor(encoding, _DECODED)
    except UndecodableError:
        return None


def skimmer() -> Skimmer:
    """Return what skims a long body."""
    from recost.skimming import Skimmer  # noqa: PLC0415 - only where it is needed

    return Skimmer()
