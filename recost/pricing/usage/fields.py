"""Reads numbers and names out of decoded JSON; whatever else is found there is None."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, Optional

from recost._money import LENIENT
from recost._patterns import LazyPattern
from recost.pricing.usage.model import Number

__all__ = [
    "UNKNOWN",
    "add",
    "add_part",
    "child",
    "count",
    "dollars",
    "identifier",
    "inner",
    "receipt",
    "scaled",
    "word",
]

UNKNOWN: Final = "?"
"""Key of a member whose name was lost in a gap."""

_MOST: Final = 10**15
_DIGITS: Final = 40
_LEAST_EXPONENT: Final = -40
_NUMERAL: Final = LazyPattern(r"[0-9]{1,15}(?:\.[0-9]{1,20})?\Z")
_IDENTIFIER: Final = LazyPattern(r"[A-Za-z0-9._:/@-]{1,200}\Z")
_NOTHING: Final[Mapping[str, Any]] = {}


def child(value: Any, *keys: str) -> Mapping[str, Any]:
    """Return the object at a path of keys; an empty one where there is none."""
    for key in keys:
        if not isinstance(value, dict):
            return _NOTHING
        value = value.get(key)
    return value if isinstance(value, dict) else _NOTHING


def inner(value: Any, key: str) -> Mapping[str, Any]:
    """Return the object under a key, or the one that lost its key in a gap."""
    return child(value, key) or child(value, UNKNOWN)


def count(value: Any) -> Optional[Number]:
    """Return a quantity, 0 or more: a JSON number, or a string of digits as some APIs and headers have it."""
    if value is None:
        return None
    if type(value) is int:  # neither True nor False
        return value if 0 <= value <= _MOST else None
    if isinstance(value, str) and _NUMERAL.match(value):
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite() or not 0 <= value <= _MOST:
        return None
    if value == value.to_integral_value(context=LENIENT):
        return int(value)
    shape = value.as_tuple()
    if len(shape.digits) > _DIGITS or not isinstance(shape.exponent, int) or shape.exponent < _LEAST_EXPONENT:
        return None
    return value


def add(*values: Optional[Number]) -> Number:
    """Return the sum of those that are known, exactly."""
    total: Number = 0
    for value in values:
        if isinstance(total, int) and isinstance(value, int):
            total += value
        elif value is not None:
            total = LENIENT.add(Decimal(total), Decimal(value))
    return total


def dollars(value: Any) -> Optional[Decimal]:
    """Return an amount of money as the decimal number that was written."""
    found = None if isinstance(value, str) else count(value)
    return None if found is None else Decimal(found)


def scaled(value: Any, exponent: int) -> Optional[Decimal]:
    """Return a quantity times a power of ten, exactly."""
    found = count(value)
    return None if found is None else LENIENT.scaleb(Decimal(found), exponent)


def identifier(value: Any) -> Optional[str]:
    """Return the name of a model or a tier; None for what doesn't look like one."""
    return value if value and isinstance(value, str) and _IDENTIFIER.match(value) else None


def receipt(*ids: Any) -> tuple[int, ...]:
    """Return numbers that stand for ids, for `Usage.receipts`; nothing for what is not an id."""
    return tuple(hash(each) for each in ids if isinstance(each, str) and each)


def word(value: Any) -> str:
    """Return a text to compare with a known one; an empty one for what is none."""
    return value if isinstance(value, str) else ""


def add_part(units: dict[str, Number], unit: str, value: Optional[Number]) -> None:
    """Add to a unit; a detail that is 0 is left out."""
    if value:
        units[unit] = add(units.get(unit), value)
