"""Fields of a provider's response, checked: what is missing is None, what is malformed is a `LedgerError`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any, Optional

from recost._documents import parse_decimal
from recost._validate import show
from recost.ledger.model import MAX_COUNT, MAX_NAME, LedgerError
from recost.wire import parse_time

__all__ = ["count", "day_of", "items", "money", "name", "nested", "objects"]


def objects(content: Any, field: str) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a list.

    Raises:
        LedgerError: The field is not a list of objects.
    """
    found = items(content, field)
    for each in found:
        if not isinstance(each, Mapping):
            raise _malformed(field, each, "an object")
        yield each


def items(content: Any, field: str) -> list[Any]:
    """Return a list. A missing one is empty.

    Raises:
        LedgerError: The field is not a list.
    """
    found = _get(content, field)
    if found is None:
        return []
    if not isinstance(found, list):
        raise _malformed(field, found, "a list")
    return found


def nested(content: Any, field: str) -> Mapping[str, Any]:
    """Return an object. A missing one is empty.

    Raises:
        LedgerError: The field is not an object.
    """
    found = _get(content, field)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise _malformed(field, found, "an object")
    return found


def name(content: Any, field: str) -> Optional[str]:
    """Return a text, or None if it is missing or empty. Numbers are accepted as identifiers.

    Raises:
        LedgerError: The field is neither, or too long.
    """
    found = _get(content, field)
    if found is None or found == "":
        return None
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    if not isinstance(found, str) or len(found) > MAX_NAME:
        raise _malformed(field, found, f"a text of at most {MAX_NAME} characters")
    return found


def count(content: Any, field: str) -> Optional[int]:
    """Return a count, or None if it is missing.

    Raises:
        LedgerError: The field is not a whole number, 0 or more.
    """
    found = _get(content, field)
    if found is None:
        return None
    number = _decimal(field, found)
    if number < 0 or number > MAX_COUNT or number != int(number):
        raise _malformed(field, found, "a whole number, 0 or more")
    return int(number)


def money(content: Any, field: str) -> Optional[Decimal]:
    """Return an amount or a quantity: a number, or a text with one. None if it is missing.

    Raises:
        LedgerError: The field is not a number.
    """
    found = _get(content, field)
    return None if found is None or found == "" else _decimal(field, found)


def day_of(content: Any, field: str) -> date:
    """Return the UTC day of a date, a time (RFC 3339) or Unix seconds.

    Raises:
        LedgerError: The field is something else.
    """
    found = _get(content, field)
    try:
        if isinstance(found, str):
            if len(found) == len("2026-11-30"):
                return date.fromisoformat(found)
            return parse_time(found.replace(" ", "T", 1)).date()
        if isinstance(found, (int, Decimal)) and not isinstance(found, bool):
            return datetime.fromtimestamp(int(found), timezone.utc).date()
    except (ValueError, OverflowError, OSError):
        pass
    raise _malformed(field, found, "a day or a time")


def _decimal(field: str, found: Any) -> Decimal:
    if isinstance(found, str):
        try:
            return parse_decimal(found)
        except (ValueError, ArithmeticError):
            raise _malformed(field, found, "a number") from None
    if isinstance(found, bool) or not isinstance(found, (int, Decimal)):
        raise _malformed(field, found, "a number")
    return Decimal(found)


def _get(content: Any, field: str) -> Any:
    if not isinstance(content, Mapping):
        raise _malformed(field, content, "an object around it")
    return content.get(field)


def _malformed(field: str, found: Any, expected: str) -> LedgerError:
    return LedgerError(f"malformed response: {field} is {show(found)}, expected {expected}")
