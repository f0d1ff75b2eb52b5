"""Capture of responses for their usage: at most 64 KB of one response.

The caller's thread only keeps bytes and the wanted headers. They are read later, on another thread. A body
that fits is kept whole, still encoded. A longer one is decoded and skimmed within limits. Skimming keeps the
names and numbers of JSON (`recost.skimming`), and of other bodies the beginning and the end. It is done on
recost's thread while there is room for the pieces (`recost.interceptors.backlog`), else as they pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Optional, Union

from recost._pacing import rest
from recost.captured import CapturedResponse
from recost.interceptors.backlog import Backlog, Reservation, reserve

if TYPE_CHECKING:
    from recost.decompression import Decompressor
    from recost.skimming import Skimmer

__all__ = ["LIMIT", "Capture", "WholeCapture"]

LIMIT: Final = 65_536
"""Maximum bytes kept of one response, without its backlog."""
_TOO_LONG: Final = LIMIT + 1
_BATCH: Final = 4096
"""Bytes of a long body that are collected before skimming."""
_WAITING_BATCH: Final = 65_536
"""Bytes of a long body that are collected before they are added to its backlog."""
_STEP: Final = 65_536
"""Bytes skimmed before other threads may have the interpreter. They take up to half a millisecond."""
_DECODED_AT_ONCE: Final = 1024 * 1024
"""Maximum bytes decoded of one piece on the caller's thread. The rest waits, still encoded."""
_DECODED: Final = 4 * 1024 * 1024
"""Maximum bytes decoded of one body."""

_LONGEST_HEADER: Final = 1024
"""Characters of a header's value. Longer names, numbers, types and lists of codings are invalid."""
_UNREADABLE: Final = "unreadable"
"""An unknown coding, used for a list of codings that is too long."""

_NONE: Final[Mapping[str, str]] = {}


class WholeCapture:
    """Capture of a body that is complete and decoded, which is less work than a `Capture`.

    Args:
        names: Wanted headers in lower case, without the content type.
        headers: Headers of the response: a mapping whose ``get`` ignores case.
        content_type: Value of the response's header, as text or Latin-1, or None.
        body: The body, or None.
    """

    __slots__ = ("_body", "_headers", "_reserved", "_type", "complete", "nbytes")

    def __init__(self, names: Sequence[str], headers: Any, content_type: Any, body: Optional[bytes]) -> None:
        self.complete = True
        """Set to False if the body was cut off."""
        self._type = content_type
        self._headers = _wanted(headers, names) if names else _NONE
        self._body: Union[bytes, _SkimmedBody, None] = body
        self.nbytes = 0 if body is None else len(body)
        """Bytes in memory."""
        self._reserved: Optional[Reservation] = None
        """Room for a long body that waits to be skimmed."""
        if self.nbytes > LIMIT:
            self._reserved = reserve(self.nbytes) if isinstance(body, bytes) else None
            if self._reserved is None:
                self._body = skimmed = _SkimmedBody("")
                skimmed.feed(body)
                self.nbytes = skimmed.nbytes

    def take(self) -> Optional[CapturedResponse]:
        """Return and release the captured response, or return None if it is not usable."""
        headers, body = self._headers, self._body
        self._headers = self._body = None
        if self._reserved is not None and isinstance(body, bytes):
            skimmed = _SkimmedBody("")
            skimmed.feed_in_steps(body)
            body = skimmed
        self.nbytes, self._reserved = 0, None
        if isinstance(body, _SkimmedBody) or headers is None:
            return _response(body or b"", "", self._type, headers, complete=self.complete)
        kind, body = _text(self._type), body or b""
        return CapturedResponse(body, b"", False, self.complete, kind, headers=headers, size=len(body))


class Capture:
    """Capture of a body as it passes. Not locked, because one thread at a time reads a body.

    Args:
        names: Wanted headers in lower case, without the content type and the coding.
        headers: Headers of the response: a mapping whose ``get`` ignores case.
        content_type: Value of the response's header, as text or Latin-1, or None.
        encoding: Content coding of the pieces that will be fed, in the same form.
    """

    __slots__ = (
        "_backlog",
        "_encoding",
        "_enough",
        "_headers",
        "_pieces",
        "_skimmed",
        "_type",
        "complete",
        "nbytes",
    )

    def __init__(self, names: Sequence[str], headers: Any, content_type: Any, encoding: Any = None) -> None:
        self.complete = False
        """Set to True at the body's end."""
        self.nbytes = 0
        """Bytes in memory."""
        self._pieces: list[Any] = []
        self._enough = _TOO_LONG
        """Bytes from which pieces are added to the backlog, or skimmed."""
        self._skimmed: Optional[_SkimmedBody] = None
        """Skimmed beginning of a body that is too long to be kept in pieces."""
        self._backlog: Optional[Backlog] = None
        """Pieces that come after what was skimmed."""
        self._type = content_type
        self._encoding = encoding
        self._headers = _wanted(headers, names) if names else _NONE

    def feed(self, data: Any) -> None:
        """Keep the next piece of the body: bytes, or a view of more bytes than `LIMIT`."""
        self._pieces.append(data)
        self.nbytes = size = self.nbytes + len(data)
        if size >= self._enough:
            self._make_room()

    def _make_room(self) -> None:
        """Add the pieces to the backlog, and skim those for which it has no room."""
        backlog = self._backlog
        if backlog is None:
            backlog = self._backlog = Backlog()
        pieces, self._pieces = self._pieces, []
        for data in backlog.add(pieces):
            self._skimming().feed(data)
        self.nbytes = backlog.nbytes + (0 if self._skimmed is None else self._skimmed.nbytes)
        self._enough = self.nbytes + (_WAITING_BATCH if backlog.nbytes else _BATCH)

    def _skimming(self) -> _SkimmedBody:
        if self._skimmed is None:
            self._skimmed = _SkimmedBody(_coding(self._encoding))
        return self._skimmed

    def take(self) -> Optional[CapturedResponse]:
        """Return and release the captured response, or return None if it is not usable."""
        headers, body, backlog = self._headers, self._release_pieces(), self._backlog
        while backlog:
            self._skimming().feed_in_steps(backlog.pop())
        skimmed, self._skimmed = self._skimmed, None
        self._headers = self._backlog = None
        self.nbytes = 0
        if skimmed is not None:
            skimmed.feed(body)
        return _response(
            body if skimmed is None else skimmed, self._encoding, self._type, headers, complete=self.complete
        )

    def _release_pieces(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


class _SkimmedBody:
    """The names and numbers of a body that is too long to be kept whole, decoded."""

    __slots__ = ("_decoder", "_skimmer", "unread")

    def __init__(self, encoding: str) -> None:
        self._skimmer = skimmer()
        self.unread = False
        """True if the rest can't be decoded, or not within the limits."""
        self._decoder: Optional[Decompressor] = None
        if encoding:
            self._decoder = decoder(encoding)
            self.unread = self._decoder is None

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        pending = 0 if self._decoder is None else self._decoder.pending
        return self._skimmer.nbytes + pending

    def feed(self, data: Any) -> None:
        """Decode and skim the next piece."""
        if self._decoder is not None:
            self._decoder.feed(data)
            self._decode(_DECODED_AT_ONCE)
            if self._decoder is not None and self._decoder.pending > LIMIT:
                self._give_up()
            elif self._decoder is not None and (len(data) > LIMIT or not isinstance(data, bytes)):
                self._decoder.detach()  # it may be a view of a buffer that the caller reuses
        elif not self.unread:
            self._skimmer.feed(data)

    def feed_in_steps(self, data: bytes) -> None:
        """Do the same with pauses, for recost's thread."""
        for at in range(0, len(data), _STEP):
            self.feed(data[at : at + _STEP])
            rest()

    def finish(self, kind: str, headers: Mapping[str, str], *, complete: bool) -> CapturedResponse:
        """Decode the rest, and return the captured response. Not for the caller's thread."""
        if self._decoder is not None:
            self._decode(_DECODED)
            if self._decoder is not None and self._decoder.exhausted:
                self._give_up()
            self._decoder = None
        kept, unread = self._skimmer.finish(), self.unread
        return CapturedResponse(
            kept.head,
            b"" if unread else kept.tail,  # the last bytes are not the body's end
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
            except Exception:  # noqa: BLE001 - damaged, or out of memory: the client raises its own error
                self._give_up()
                return
            if not data:
                return
            size += len(data)
            for at in range(0, len(data), _STEP):
                self._skimmer.feed(data[at : at + _STEP])

    def _give_up(self) -> None:
        self.unread = True
        self._decoder = None


def _wanted(headers: Any, names: Sequence[str]) -> Optional[Mapping[str, str]]:
    """Return the wanted headers, or None if they can't be read and the capture is not usable."""
    try:
        return {
            name: text
            for name in names
            if (value := headers.get(name)) is not None and len(text := str(value)) <= _LONGEST_HEADER
        }
    except Exception:  # noqa: BLE001 - a mock's headers: the call is counted without usage
        return None


def _response(
    body: Union[bytes, _SkimmedBody],
    encoding: Any,
    content_type: Any,
    headers: Optional[Mapping[str, str]],
    *,
    complete: bool,
) -> Optional[CapturedResponse]:
    if headers is None:
        return None
    kind = _text(content_type)
    if not isinstance(body, _SkimmedBody):
        coding = _coding(encoding)
        size = 0 if coding else len(body)
        return CapturedResponse(body, b"", False, complete, kind, coding, headers=headers, size=size)
    return body.finish(kind, headers, complete=complete)


def _coding(header: Any) -> str:
    """Return the value of a Content-Encoding, or an empty string for no coding."""
    name = _text(header)
    if len(name) > _LONGEST_HEADER:
        return _UNREADABLE
    name = name.strip().lower()
    return "" if name == "identity" else name


def _text(value: Any) -> str:
    """Return a header's value as text, cut to one more than the maximum length."""
    text = value[: _LONGEST_HEADER + 1] if isinstance(value, (bytes, str)) else str(value or "")
    return text.decode("latin-1") if isinstance(text, bytes) else text[: _LONGEST_HEADER + 1]


def decoder(encoding: str) -> Optional[Decompressor]:
    """Return a decoder of a body's pieces, or None if the coding is unknown or lacks its library."""
    from recost.decompression import Decompressor, UndecodableError  # noqa: PLC0415 - seldom needed

    try:
        return Decompressor(encoding, _DECODED)
    except UndecodableError:
        return None


def skimmer() -> Skimmer:
    """Return a skimmer of a long body."""
    from recost.skimming import Skimmer  # noqa: PLC0415 - seldom needed

    return Skimmer()
