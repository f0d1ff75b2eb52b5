"""Request bodies, kept for a few fields that a price depends on and the response may not repeat.

The caller's thread only keeps a reference to a body of bytes or text, or to both ends of a long one. Streams,
files and iterators are not read. The fields are read later, on another thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable, Final, Optional

from recost._patterns import LazyPattern

__all__ = ["LONGEST", "MOST", "PART", "BodyOf", "RequestBody", "keep_body", "keep_fields"]

BodyOf = Callable[[Any, Sequence[str]], Optional["RequestBody"]]
"""``body_of(source, names)`` returns the request's body, given the names of the fields that are wanted."""

MOST: Final = 64 * 1024
"""Bytes of a body that is kept whole. Of a longer one, the beginning and the end are kept."""
PART: Final = MOST // 2
"""Bytes of that beginning and of that end."""
LONGEST: Final = 200
"""Bytes of a value. Names of models are shorter."""
_WORD: Final = LazyPattern("[A-Za-z0-9._:/@+-]{1,200}")
"""Names and numbers. A value with a blank is neither, and is not kept."""
_NOTHING: Final[Mapping[str, str]] = {}
_WORDS: Final = {True: "true", False: "false"}


class RequestBody:
    """The body of a request, until the wanted fields have been read from it."""

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
        """Bytes in memory, or characters of text."""

    def fields(self) -> Mapping[str, str]:
        """Return the wanted fields that the body has, and release the body."""
        if self._fields is None:
            body, tail = self._body, self._tail
            found = _read(body, tail, self._names)
            if self._fields is None:  # else another thread was first, and has released the body
                self._fields = found
        self._body = self._tail = b""
        self.nbytes = 0
        return self._fields


def keep_body(body: Any, names: Sequence[str]) -> Optional[RequestBody]:
    """Return a body for its fields, or None if it is empty, or not bytes or text."""
    kind = type(body)
    if (kind is bytes or kind is str or kind is bytearray) and body:
        return RequestBody(names, body)
    return None


def keep_fields(names: Sequence[str], fields: Mapping[Any, Any]) -> RequestBody:
    """Return a body that the application gave as fields, before they are encoded."""
    return RequestBody(names, fields=_words((name, _text(fields.get(name))) for name in names))


def _words(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in fields if _WORD.fullmatch(value)}


def _text(value: Any) -> str:
    """Return a string or a number as text, or an empty string for other values."""
    kind = type(value)
    if isinstance(value, str):  # possibly an enum member
        return str.__str__(value) if len(value) <= LONGEST else ""
    if kind is bytes:
        return str(value, "utf-8", "replace") if len(value) <= LONGEST else ""
    if kind is bool:
        return _WORDS[value]
    return str(value) if kind is int and -(10**9) < value < 10**9 else ""


def _read(body: Any, tail: Any, names: Sequence[str]) -> Mapping[str, str]:
    from recost.interceptors._request_fields import read_fields  # noqa: PLC0415 - seldom needed

    try:
        if isinstance(body, str):
            body, tail = body.encode("utf-8", "replace"), str(tail or "").encode("utf-8", "replace")
        return _words(read_fields(body, names, tail).items())
    except Exception:  # noqa: BLE001 - any body is possible, and the error's text would quote it
        return _NOTHING
