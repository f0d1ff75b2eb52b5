"""Reader of a few named fields of a request's body. Nothing else of the body is kept.

Only top-level fields are found: members of the JSON object, pairs of a form, small parts of a multipart
form.
JSON is not parsed, but split at its quotes, which leaves strings whole. The depth of a name is counted by
the brackets between the strings, from the beginning or from the end. So the work is linear, in C.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Optional

from recost.interceptors.request_body import LONGEST

__all__ = ["read_fields"]

_MOST_PARTS: Final = 200
_LONGEST_PART: Final = 2_000
"""Bytes of a part whose value is kept, with its headers."""
_LONGEST_BOUNDARY: Final = 200
_SHORT: Final = 64
"""Bytes after a name within which its value begins."""

_BLANK: Final = b" \t\r\n"
_START: Final = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]{0,100}([{]|--|[A-Za-z0-9_.%\[\]+-]{1,64}=)")
_SCALAR: Final = re.compile(rb"(-?[0-9][0-9.eE+-]{0,30}|true|false)[ \t\r\n]{0,16}[,}]")
_PART_NAME: Final = re.compile(
    rb'\r\ncontent-disposition:[^\r\n"]{0,80}[ \t;]name="([^"\r\n]{1,64})"', re.IGNORECASE
)


def read_fields(body: bytes, names: Sequence[str], tail: bytes = b"") -> dict[str, str]:
    """Return the named fields that the body has, if their values are short.

    Numbers, true and false are written as in JSON. The last of several fields of one name counts.

    Args:
        body: The body, or its beginning.
        names: Names of the fields.
        tail: The end of the body, if ``body`` is only its beginning.
    """
    start = _START.match(body)
    if start is None:
        return {}
    wanted = dict(zip(map(str.encode, names), names))
    kind = start[1]
    pairs: Iterable[tuple[bytes, bytes]]
    if kind == b"{":
        pairs = _of_json(body, list(wanted), cut=bool(tail))
        if tail:
            pairs = [*pairs, *_of_json_end(tail, list(wanted))]
    elif kind == b"--":
        pairs = _of_multipart(body, tail)
    else:
        pairs = _of_form(body, tail)
    found = {}
    for name, value in pairs:
        if name in wanted and len(value) <= LONGEST:
            found[wanted[name]] = value.decode("utf-8", "replace")
    return found


def _of_json(data: bytes, names: list[bytes], *, cut: bool) -> list[tuple[bytes, bytes]]:
    """Return the scalar members of an object that have these names."""
    parts = _split(data)
    if cut or not len(parts) % 2:
        parts.pop()  # incomplete
    depth = counted = 0
    found = []
    for at in _places(parts, names):
        before = b"".join(parts[counted:at:2])
        counted = at + 1
        depth += _opened(before)
        value = _value(parts, at) if depth == 1 else None
        if value is not None:
            found.append((parts[at], value))
    return found


def _of_json_end(data: bytes, names: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield the same members from the end of an object."""
    parts = _split(data)[1:]  # before the first quote, anything is possible
    if not parts or not parts[-1].rstrip(_BLANK).endswith(b"}"):
        return
    found = []
    depth, counted = 0, len(parts)
    for at in reversed(_places(parts, names, len(parts) % 2)):  # the last part is not a string
        depth -= _opened(b"".join(parts[at + 1 : counted : 2]))
        counted = at + 1
        value = _value(parts, at) if depth == 1 else None
        if value is not None:
            found.append((parts[at], value))
    yield from reversed(found)


def _split(data: bytes) -> list[bytes]:
    """Split JSON at its quotes, so that every second part is a string."""
    if b"\\" in data:  # in a string: escaped quotes and escaped backslashes
        data = data.replace(b"\\\\", b"~~").replace(b'\\"', b"~~")
    return data.split(b'"')


def _opened(between: bytes) -> int:
    """Return the change of depth by the brackets between strings."""
    return between.count(b"{") + between.count(b"[") - between.count(b"}") - between.count(b"]")


def _places(parts: list[bytes], names: list[bytes], strings: int = 1) -> list[int]:
    """Return the indices of strings that are one of the names. ``at % 2 == strings`` for strings."""
    found = []
    for name in names:
        at = -1
        try:
            while True:
                at = parts.index(name, at + 1)
                if at % 2 == strings:
                    found.append(at)
        except ValueError:
            continue
    return sorted(found)


def _value(parts: list[bytes], at: int) -> Optional[bytes]:
    """Return the value of the member whose name is at ``at``, or None if it is not a name."""
    if at + 1 >= len(parts):
        return None
    after = parts[at + 1][:_SHORT].lstrip(_BLANK)
    if not after.startswith(b":"):
        return None
    rest = after[1:].strip(_BLANK)
    if not rest:
        return parts[at + 2].replace(b"\\/", b"/") if at + 2 < len(parts) else None
    scalar = _SCALAR.match(rest)
    return None if scalar is None else scalar[1]


def _of_multipart(data: bytes, tail: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the small parts of a form that are not files."""
    start = data.find(b"--", 0, _LONGEST_BOUNDARY)
    end = data.find(b"\r\n", start, start + _LONGEST_BOUNDARY)
    if end < 0 or end - start <= len(b"--"):
        return
    boundary = b"\r\n" + data[start:end]
    parts = data[end:].split(boundary, _MOST_PARTS)[:-1]  # after the last boundary: not a part, or cut
    if tail:
        parts += tail.split(boundary, _MOST_PARTS)[1:-1]
    for part in parts:
        if len(part) > _LONGEST_PART:
            continue
        headers, _, value = part.partition(b"\r\n\r\n")
        name = _PART_NAME.search(headers)
        if name is not None and b"filename" not in headers.lower() and b"\r\n" not in value:
            yield name[1], value


def _of_form(data: bytes, tail: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the pairs of a form, with slashes and colons decoded: names of models have them."""
    pairs = data.strip(_BLANK).split(b"&", _MOST_PARTS)
    if tail or len(pairs) > _MOST_PARTS:
        pairs.pop()
    if tail:
        pairs += tail.rstrip(_BLANK).rsplit(b"&", _MOST_PARTS)[1:]
    for pair in pairs:
        name, _, value = pair.partition(b"=")
        yield name, value.replace(b"%2F", b"/").replace(b"%3A", b":")
