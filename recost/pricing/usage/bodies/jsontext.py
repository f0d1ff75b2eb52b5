"""JSON documents, whole and in pieces.

Of a document whose end is missing, what is complete at its top is read. Of one whose beginning is missing,
what follows the first key that can be made out is read, and the closing brackets up to its end tell how deep
each member is: a nested member is never taken for one of the document's own.
"""

from __future__ import annotations

import re
from decimal import Decimal
from json import JSONDecoder
from typing import Any, Final, NamedTuple, Optional, Union

from recost.pricing.usage.fields import UNKNOWN

__all__ = ["Value", "parse", "read_begun", "read_ended", "read_value", "skip_space"]

_Level = Union[dict[str, Any], list[Any]]

_FAILURES: Final = (ValueError, ArithmeticError, RecursionError)
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_KEY: Final = re.compile(r'[ \t\r\n]*"([^"\\]*(?:\\.[^"\\]*)*)"[ \t\r\n]*:[ \t\r\n]*')
_ANCHOR: Final = re.compile(r'(?<=[{, \t\r\n])"[A-Za-z_][A-Za-z0-9_.-]*"[ \t\r\n]*:')
"""A key. Within a string the quotes would be escaped, and a letter never follows the quote that ends a
string: wherever in a document this is found, it is a key."""


class Value(NamedTuple):
    """A value, and where it ends."""

    value: Any
    end: int


def _no_number(_: str) -> None:
    """Return what is made of ``NaN`` and ``Infinity``."""


_DECODER: Final = JSONDecoder(parse_float=Decimal, parse_constant=_no_number)


def skip_space(text: str, at: int) -> int:
    """Return where the next token begins."""
    found = _SPACE.match(text, at)
    return at if found is None else found.end()


def read_value(text: str, at: int) -> Optional[Value]:
    """Return the value that begins here; None where there is none, or it is cut off."""
    try:
        return Value(*_DECODER.raw_decode(text, at))
    except _FAILURES:
        return None


def parse(text: str) -> Any:
    """Return a document that is whole; None where it is not."""
    found = read_value(text, skip_space(text, 0))
    return found.value if found is not None and skip_space(text, found.end) == len(text) else None


def read_begun(text: str, at: int = 0) -> Optional[_Level]:
    """Return the complete members, or elements, of a document that is cut off."""
    at = skip_space(text, at)
    opening = text[at : at + 1]
    if not opening or opening not in "{[":
        return None
    members: dict[str, Any] = {}
    elements: list[Any] = []
    while True:
        item = _read_item(text, at + 1, members, elements)
        if item is None or text[item : item + 1] != ",":
            return members if opening == "{" else elements
        at = item


def read_ended(text: str) -> Optional[_Level]:
    """Return the members, or elements, of a document whose beginning is missing; None where none are found.

    What holds the members that lost their key is found under `UNKNOWN`, or first in the array.
    """
    anchor = _ANCHOR.search(text)
    levels = None if anchor is None else _read_levels(text, anchor.start())
    if not levels:
        return None
    level = levels[0]
    for outer in levels[1:]:
        if isinstance(outer, dict):
            outer[UNKNOWN] = level
        else:
            outer.insert(0, level)
        level = outer
    return level


def _read_levels(text: str, at: int) -> Optional[list[_Level]]:
    """Return what the containers that are open here go on to hold, the innermost first.

    None unless all of them are closed at the end of the text.
    """
    levels: list[_Level] = []
    end = len(text.rstrip(" \t\r\n"))
    expects_item = True
    while at < end:
        members: dict[str, Any] = {}
        elements: list[Any] = []
        while expects_item:
            item = _read_item(text, at, members, elements)
            if item is None:
                return None
            expects_item = text[item] == ","
            at = item + 1 if expects_item else item
        closing = text[at]
        if (closing == "}" and elements) or (closing == "]" and members) or closing not in "}]":
            return None
        levels.append(members if closing == "}" else elements)
        at = skip_space(text, at + 1)
        expects_item = text[at : at + 1] == ","
        at += expects_item
    return levels if not expects_item else None


def _read_item(text: str, at: int, members: dict[str, Any], elements: list[Any]) -> Optional[int]:
    """Read a member or an element; return where the delimiter after it is, None where it isn't complete."""
    key = _KEY.match(text, at)
    found = read_value(text, skip_space(text, at) if key is None else key.end())
    if found is None:
        return None
    end = skip_space(text, found.end)
    if text[end : end + 1] not in {",", "}", "]"}:  # a number may be cut off
        return None
    if key is None:
        elements.append(found.value)
    else:
        members[key[1]] = found.value
    return end
