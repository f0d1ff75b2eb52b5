"""JSON documents, complete and truncated.

If the end of a document is missing, the complete members at its top level are read. If its beginning is
missing, reading starts at the first key that can be recognised. The closing brackets up to the end then show
how deep each member is, so that a nested member is never treated as one of the document's own.
"""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import accumulate
from json import JSONDecoder
from typing import Any, Final, NamedTuple, Optional, Union

from recost.pricing.usage.decoding.limits import Work
from recost.pricing.usage.fields import UNKNOWN

__all__ = ["Text", "Value", "parse", "read_begun", "read_ended", "skip_space"]

_Level = Union[dict[str, Any], list[Any]]

_FAILURES: Final = (ValueError, ArithmeticError, RecursionError)
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_MEMBER_KEY: Final = re.compile(r'[ \t\r\n]*"([^"\\]*(?:\\.[^"\\]*)*)"[ \t\r\n]*:[ \t\r\n]*')
_ANCHOR: Final = re.compile(r'(?<=[{, \t\r\n])"[A-Za-z_][A-Za-z0-9_.-]*"[ \t\r\n]*:')
"""A key, wherever in a document this matches. Quotes within a string are escaped, and a letter never follows
the quote that ends a string."""

_DEEPEST: Final = 200
"""Nested containers, whatever recursion limit the application has set."""
_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_DEPTH: Final = {"[": 1, "{": 1, "]": -1, "}": -1}
_NO_BRACKETS: Final = re.compile(r"[^\[\]{}]+")
_MOST: Final = 8192
"""Containers in one text of at most 64 KB."""
_RUN: Final = 500
_LONGEST_INTEGER: Final = 400


class Value(NamedTuple):
    """A value and its end."""

    value: Any
    end: int


def _no_number(_: str) -> None:
    """Return None for ``NaN`` and ``Infinity``."""


def _integer(digits: str) -> Optional[int]:
    """Return an integer, or None if it is too long, as its conversion takes quadratic time."""
    return int(digits) if len(digits) <= _LONGEST_INTEGER else None


_DECODER: Final = JSONDecoder(parse_float=Decimal, parse_constant=_no_number)
_SLOW_DECODER: Final = JSONDecoder(parse_float=Decimal, parse_constant=_no_number, parse_int=_integer)


def skip_space(text: str, at: int) -> int:
    """Return the offset of the next token."""
    found = _SPACE.match(text, at)
    return at if found is None else found.end()


class Text:
    """A text whose values are read within the limits.

    Args:
        text: The text. Its beginning or end may be missing.
        work: Remaining work.
    """

    __slots__ = ("_decode", "_work", "text")

    def __init__(self, text: str, work: Work) -> None:
        self.text = text
        self._work = work
        # 1,000 digits in a row would have 500 at one of these offsets.
        long_number = True in [text[at : at + _RUN].isdigit() for at in range(0, len(text) - _RUN, _RUN)]
        self._decode = (_SLOW_DECODER if long_number else _DECODER).raw_decode
        if text.count("[") + text.count("{") > _DEEPEST and _is_too_much(text):
            work.stop()

    def read(self, at: int) -> Optional[Value]:
        """Return the value that begins here, or None if it is missing, truncated or too large."""
        if self._work.left <= 0:
            return None
        try:
            value = Value(*self._decode(self.text, at))
        except _FAILURES:
            self._work.spend(len(self.text) - at, failed=True)
            return None
        self._work.spend(value.end - at)
        return value


def _is_too_much(text: str) -> bool:
    """Return True if there are more containers than `_MOST`, or more than `_DEEPEST` are nested."""
    if text.count("[") + text.count("{") <= _MOST and not _is_deep(text):
        return False
    bare = _STRING.sub("", text)
    return bare.count("[") + bare.count("{") > _MOST or _is_deep(bare)


def _is_deep(text: str) -> bool:
    depths = accumulate(map(_DEPTH.__getitem__, _NO_BRACKETS.sub("", text)))
    return next((True for depth in depths if depth > _DEEPEST), False)


def parse(text: str, work: Optional[Work] = None) -> Any:
    """Return a complete document, or None."""
    found = Text(text, work or Work()).read(skip_space(text, 0))
    return found.value if found is not None and skip_space(text, found.end) == len(text) else None


def read_begun(text: str, work: Optional[Work] = None) -> Optional[_Level]:
    """Return the complete members or elements of a document whose end is missing."""
    at = skip_space(text, 0)
    opening = text[at : at + 1]
    if not opening or opening not in "{[":
        return None
    members: dict[str, Any] = {}
    elements: list[Any] = []
    within = Text(text, work or Work())
    while True:
        item = _read_item(within, at + 1, members, elements)
        if item is None or text[item : item + 1] != ",":
            return members if opening == "{" else elements
        at = item


def read_ended(text: str, work: Optional[Work] = None) -> Optional[_Level]:
    """Return the members or elements of a document whose beginning is missing, or None.

    A container whose key was lost is under `UNKNOWN`, or first in its array.
    """
    anchor = _ANCHOR.search(text)
    levels = None if anchor is None else _read_levels(Text(text, work or Work()), anchor.start())
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


def _read_levels(within: Text, at: int) -> Optional[list[_Level]]:
    """Return the rest of the containers that are open here, the innermost first.

    Return None unless all of them are closed at the end of the text.
    """
    levels: list[_Level] = []
    text = within.text
    end = len(text.rstrip(" \t\r\n"))
    expects_item = True
    while at < end:
        members: dict[str, Any] = {}
        elements: list[Any] = []
        while expects_item:
            item = _read_item(within, at, members, elements)
            if item is None:
                return None
            expects_item = text[item] == ","
            at = item + 1 if expects_item else item
        closing = text[at]
        if (
            len(levels) >= _DEEPEST
            or (closing == "}" and elements)
            or (closing == "]" and members)
            or closing not in "}]"
        ):
            return None
        levels.append(members if closing == "}" else elements)
        at = skip_space(text, at + 1)
        expects_item = text[at : at + 1] == ","
        at += expects_item
    return levels if not expects_item else None


def _read_item(within: Text, at: int, members: dict[str, Any], elements: list[Any]) -> Optional[int]:
    """Read a member or an element. Return the offset of the next delimiter, or None if it is truncated."""
    text = within.text
    key = _MEMBER_KEY.match(text, at)
    found = within.read(skip_space(text, at) if key is None else key.end())
    if found is None:
        return None
    end = skip_space(text, found.end)
    if text[end : end + 1] not in {",", "}", "]"}:  # a number may be truncated
        return None
    if key is None:
        elements.append(found.value)
    else:
        members[key[1]] = found.value
    return end
