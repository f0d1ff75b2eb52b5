"""Numbers, names, objects and lists in decoded JSON. A value of another type counts as missing."""

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
    "add_units",
    "child",
    "children",
    "count",
    "counts",
    "dollars",
    "elements",
    "identifier",
    "inner",
    "receipt",
    "scaled",
    "word",
]

UNKNOWN: Final = "?"
"""Key of a member whose own key was lost in a gap."""

_MOST: Final = 10**15
_DIGITS: Final = 40
_LEAST_EXPONENT: Final = -40
_NUMERAL: Final = LazyPattern(r"[0-9]{1,15}(?:\.[0-9]{1,20})?\Z")
_IDENTIFIER: Final = LazyPattern(r"[A-Za-z0-9._:/@-]{1,200}\Z")
_NOTHING: Final[Mapping[str, Any]] = {}


def child(value: Any, *keys: str) -> Mapping[str, Any]:
    """Return the object at a path of keys, or an empty one."""
    for key in keys:
        if not isinstance(value, dict):
            return _NOTHING
        value = value.get(key)
    return value if isinstance(value, dict) else _NOTHING


def inner(value: Any, key: str) -> Mapping[str, Any]:
    """Return the object under a key, or the object whose key was lost in a gap."""
    if isinstance(value, dict) and (key in value or UNKNOWN in value):
        return child(value, key) or child(value, UNKNOWN)
    return _NOTHING


def elements(value: Any) -> list[Any]:
    """Return a list, or an empty one."""
    return value if isinstance(value, list) else []


def children(value: Any) -> list[Mapping[str, Any]]:
    """Return the elements of a list, with an empty object for each that is not an object."""
    return [child(element) for element in elements(value)]


def count(value: Any) -> Optional[Number]:
    """Return a quantity of at least 0, given as a JSON number or, as in headers, as a string of digits."""
    if value is None:
        return None
    if type(value) is int:  # a bool is not a count
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


def counts(place: Mapping[str, Any], units: Mapping[str, str]) -> dict[str, Number]:
    """Return the quantities of an object, by unit.

    Args:
        place: The object.
        units: Unit of each key. Of several keys with one unit, the last one decides.
    """
    return {unit: found for key, unit in units.items() if (found := count(place.get(key))) is not None}


def add(*values: Optional[Number]) -> Number:
    """Return the exact sum of the values that are known."""
    total: Number = 0
    for value in values:
        if isinstance(total, int) and isinstance(value, int):
            total += value
        elif value is not None:
            total = LENIENT.add(Decimal(total), Decimal(value))
    return total


def add_part(units: dict[str, Number], unit: str, value: Optional[Number]) -> None:
    """Add a quantity to a unit, unless it is 0 or unknown."""
    if value:
        units[unit] = add(units.get(unit), value)


def add_units(units: dict[str, Number], more: Mapping[str, Number]) -> None:
    """Add quantities by unit, also those that are 0."""
    for unit, value in more.items():
        units[unit] = add(units.get(unit), value)


def dollars(value: Any) -> Optional[Decimal]:
    """Return an amount of money as the decimal number that was written."""
    found = None if isinstance(value, str) else count(value)
    return None if found is None else Decimal(found)


def scaled(value: Any, exponent: int) -> Optional[Decimal]:
    """Return a quantity times a power of ten, exactly."""
    found = count(value)
    return None if found is None else LENIENT.scaleb(Decimal(found), exponent)


def identifier(value: Any) -> Optional[str]:
    """Return the name of a model or a tier, or None if the value doesn't look like one."""
    return value if value and isinstance(value, str) and _IDENTIFIER.match(value) else None


def receipt(*ids: Any) -> tuple[int, ...]:
    """Return a number for each valid id, for `Usage.receipts`."""
    return tuple(hash(each) for each in ids if isinstance(each, str) and each)


def word(value: Any) -> str:
    """Return a text to compare with known ones, or an empty text."""
    return value if isinstance(value, str) else ""
