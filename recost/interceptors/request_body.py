"""What a request says of its price, in a few fields that the answer may not repeat, such as ``model``.

On the caller's thread only a reference to a body is kept, and only of one that is there as bytes or text:
nothing is taken from a stream, a file or an iterator. Of a long body, the beginning and the end are kept. It
is read later, on another thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable, Final, Optional

from recost._patterns import LazyPattern

__all__ = ["LONGEST", "MOST", "PART", "BodyOf", "RequestBody", "fields_sent", "sent"]

BodyOf = Callable[[Any, Sequence[str]], Optional["RequestBody"]]
"""``body_of(source, names)`` returns the request's body, given the names of the fields that are wanted."""

MOST: Final = 64 * 1024
"""Bytes of a body that is kept whole; of a longer one, the beginning and the end."""
PART: Final = MOST // 2
"""Bytes of that beginning, and of that end."""
LONGEST: Final = 200
"""Bytes of a value that is kept; there is no longer name of a model."""
_WORD: Final = LazyPattern("[A-Za-z0-9._:/@+-]{1,200}")
"""Names and numbers. What has a blank in it is neither, and is not kept."""
_NOTHING: Final[Mapping[str, str]] = {}
_WORDS: Final = {True: "true", False: "false"}


class RequestBody:
    """The body of a request, until the fields that are asked for have been read from it."""

    __slots__ = ("_body", "_fields", "_names", "_tail", "nbytes")

    def __init__(
        self, names: Sequence[str], body: Any = b"", fields: Optional[Mapping[str, str]] = None
    ) -> None:
        self._names = names
        self._fields = fields
        self._body = body
        self._tail: Any = b""
        if len(body) > MOST:
            self._body, self._tail = body[:PART], body[-PART:]
        if type(body) is bytearray:  # the application may go on to change it
            self._body, self._tail = bytes(self._body), bytes(self._tail)
        self.nbytes = len(self._body) + len(self._tail)
        """Bytes that are held now; of text, characters."""

    def fields(self) -> Mapping[str, str]:
        """Return the fields that are asked for and are there; nothing else is kept from then on."""
        if self._fields is None:
            body, tail = self._body, self._tail
            found = _read(body, tail, self._names)
            if self._fields is None:  # else another thread has been quicker, and has taken the body away
                self._fields = found
        self._body = self._tail = b""
        self.nbytes = 0
        return self._fields


def sent(body: Any, names: Sequence[str]) -> Optional[RequestBody]:
    """Return what is kept of a body; None where it isn't at hand, or there is none."""
    kind = type(body)
    if (kind is bytes or kind is str or kind is bytearray) and body:
        return RequestBody(names, body)
    return None


def fields_sent(names: Sequence[str], fields: Mapping[Any, Any]) -> RequestBody:
    """Return what is kept of a body that is at hand as its fields, before they are encoded."""
    return RequestBody(names, fields=_words((name, _text(fields.get(name))) for name in names))


def _words(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in fields if _WORD.fullmatch(value)}


def _text(value: Any) -> str:
    """Return a text, or a number as text; an empty one for anything else."""
    kind = type(value)
    if isinstance(value, str):  # perhaps a member of an enumeration
        return str.__str__(value) if len(value) <= LONGEST else ""
    if kind is bytes:
        return str(value, "utf-8", "replace") if len(value) <= LONGEST else ""
    if kind is bool:
        return _WORDS[value]
    return str(value) if kind is int and -(10**9) < value < 10**9 else ""


def _read(body: Any, tail: Any, names: Sequence[str]) -> Mapping[str, str]:
    from recost.interceptors._request_fields import read_fields  # noqa: PLC0415 - only where a rule asks

    try:
        if isinstance(body, str):
            body, tail = body.encode("utf-8", "replace"), str(tail or "").encode("utf-8", "replace")
        return _words(read_fields(body, names, tail).items())
    except Exception:  # noqa: BLE001 - a body may be anything, and an error's text would quote it
        return _NOTHING
