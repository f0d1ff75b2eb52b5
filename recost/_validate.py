"""The validator of settings, rules, budgets and tags: "got X, expected Y"."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Final, Optional

from recost._patterns import LazyPattern

__all__ = [
    "InvalidError",
    "as_items",
    "as_path",
    "check_tag",
    "invalid",
    "invalid_type",
    "is_number",
    "is_text",
    "nearest",
    "shorten",
    "show",
    "suggest",
]

_MAX_SHOWN: Final = 80
_MAX_TAG: Final = 100
_SCHEME: Final = LazyPattern("[A-Za-z][A-Za-z0-9+.-]{0,30}://")
_KEY: Final = LazyPattern(r"(rc-[^\s'\"]{5})[^\s'\"]+")
_CONTROL: Final = LazyPattern(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")


class InvalidError(Exception):
    """A value that a setting does not accept. The caller knows the setting and makes the message."""

    def __init__(self, expected: str, given: object = None) -> None:
        super().__init__(expected)
        self.expected = expected
        self.given = given
        """The invalid item, where the value is a list."""


def invalid(subject: str, given: object, expected: str) -> ValueError:
    """Return the error to raise for an invalid value.

    Args:
        subject: The setting, field or option.
        given: The invalid value. The password of a URL is not shown.
        expected: The accepted values.
    """
    return ValueError(f"recost: {subject}: got {show(given)}, expected {expected}")


def invalid_type(subject: str, given: object, expected: str) -> ValueError:
    """Return the error to raise for a value of another type, which is not shown: it may hold secrets."""
    return ValueError(f"recost: {subject}: got a {type(given).__name__}, expected {expected}")


def show(value: object) -> str:
    """Return a value for a message: short, and without the key or the user and password of a URL."""
    if isinstance(value, str) and "@" in value:
        userinfo, _, rest = value.rpartition("@")
        scheme = _SCHEME.match(userinfo)
        value = f"{'' if scheme is None else scheme[0]}***@{rest}"
    try:
        return shorten(_KEY.sub(r"\1…", repr(value)))
    except ValueError:  # an int with more digits than Python writes out
        return "a number of too many digits"


def shorten(text: str) -> str:
    """Return a text of at most 80 characters, and an ellipsis if it was longer."""
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…"


def nearest(name: str, known: Iterable[str]) -> Optional[str]:
    """Return the known name that an unknown one may be a misspelling of."""
    import difflib  # noqa: PLC0415 - only for a mistake

    return next(iter(difflib.get_close_matches(name, list(known), 1)), None)


def suggest(name: str, known: Iterable[str]) -> str:
    """Return a hint for an unknown name: the nearest known one, or all of them."""
    known = list(known)
    near = nearest(name, known)
    return f"expected one of {', '.join(known)}" if near is None else f"did you mean {near!r}?"


def is_number(value: object) -> bool:
    """Return True if a value is an integer or a float. True and False are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_text(value: object, longest: Optional[int] = None) -> bool:
    """Return True if a value is a string that is not blank and has no control characters."""
    if not isinstance(value, str) or not value.strip() or len(value) > (longest or len(value)):
        return False
    return value.isprintable() or _CONTROL.search(value) is None


def as_items(value: object) -> Optional[tuple[Any, ...]]:
    """Return the items of a collection. A single string is not one, so it gives None."""
    return tuple(value) if isinstance(value, (list, tuple, set, frozenset)) else None


def as_path(value: object) -> Optional[str]:
    """Return a path as a string, or None for any other value."""
    text = os.fspath(value) if isinstance(value, (str, os.PathLike)) else None
    return text if isinstance(text, str) and text.strip() and "\0" not in text else None


def check_tag(name: object, value: object) -> str:
    """Return the value of a tag as it is recorded: characters that can't be printed become ``?``.

    Raises:
        InvalidError: The name or the value is blank or too long, or the name can't be printed.
    """
    expected = f"1 to {_MAX_TAG} printable characters"
    if not isinstance(name, str) or not name.strip() or len(name) > _MAX_TAG or not name.isprintable():
        raise InvalidError(f"tag name: got {_measure(name)}, expected {expected}")
    from recost._text import printable  # noqa: PLC0415 - settings don't need it

    text = printable(str(value))  # may come from a visitor, and ends in windows and terminals
    if not text.strip() or len(text) > _MAX_TAG:
        raise InvalidError(f"tag {name!r}: got {_measure(text)}, expected {expected}")
    return text


def _measure(text: object) -> str:
    """Return what is wrong with the name or value of a tag, without quoting a value."""
    if not isinstance(text, str):
        return f"a value of type {type(text).__name__}"
    if len(text) > _MAX_TAG:
        return f"{len(text)} characters"
    return ascii(text) if text.strip() else "a blank text"
