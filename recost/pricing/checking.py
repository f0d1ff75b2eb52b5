"""Checks of the fields of rules. Each raises a `ValueError` that names the field."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, Optional

from recost._money import as_written
from recost._validate import invalid, is_number
from recost.pricing.hosts import parse_host

__all__ = [
    "check_cents",
    "check_date",
    "check_host_pattern",
    "check_name",
    "check_names",
    "check_path_prefix",
    "check_text",
    "check_type",
    "check_usd",
    "check_usd_per_unit",
]

_MOST: Final = 10**60
_LEAST_EXPONENT: Final = -60
"""Smallest exponent of a price. Writing out a smaller amount could take all memory."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]*\Z")
_DATE: Final = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?\Z", re.ASCII)
_KEPT: Final = 256
"""Number of names and dates whose check is remembered: many rules have the same."""


def check_type(field: str, given: Any, kind: type, expected: str) -> None:
    """Accept an instance of a class."""
    if not isinstance(given, kind):
        raise invalid(field, given, expected)


def check_text(field: str, given: Any) -> None:
    """Accept a text that is not blank."""
    check_type(field, given, str, "a text that is not blank")
    if not given.strip():
        raise invalid(field, given, "a text that is not blank")


def check_name(field: str, given: Any) -> None:
    """Accept None or an identifier."""
    expected = "None, or a name of lower-case letters, digits, '_', '-' and '.'"
    if given is not None:
        check_type(field, given, str, expected)
        if not _is_name(given):
            raise invalid(field, given, expected)


def check_host_pattern(field: str, given: Any) -> None:
    """Accept an exact host, or ``*.`` and what every host below it ends with."""
    expected = "a host name such as 'api.example.com', or '*.example.com' for every host below it"
    check_type(field, given, str, expected)
    try:
        if given.startswith("*."):
            if parse_host(given[2:]) and ":" in given:
                raise invalid(field, given, expected)
        else:
            parse_host(given)
    except ValueError:
        raise invalid(field, given, f"{expected}; no scheme, port or path") from None


def check_path_prefix(field: str, given: Any) -> None:
    """Accept None or the beginning of a path."""
    if given is None:
        return
    expected = "None, or a path that begins with '/', without query and fragment"
    check_type(field, given, str, expected)
    if not given.startswith("/") or "?" in given or "#" in given:
        raise invalid(field, given, expected)


def check_cents(field: str, given: Any) -> None:
    """Accept None or an amount of US cents."""
    if given is None:
        return
    expected = "None when not known, or a finite number of US cents, 0 or more"
    if not is_number(given):
        raise invalid(field, given, expected)
    try:
        finite = math.isfinite(given)
    except OverflowError:  # an int that no float holds
        finite = False
    if not finite or given < 0:
        raise invalid(field, given, expected)


def check_usd(field: str, given: Any) -> Optional[Decimal]:
    """Return an amount as the decimal number that was written. None stays None."""
    if given is None:
        return None
    if not isinstance(given, bool) and isinstance(given, (int, float, Decimal)):
        amount = as_written(given)
        if (
            amount.is_finite()
            and 0 <= amount <= _MOST
            and (not amount or amount.adjusted() >= _LEAST_EXPONENT)
        ):
            return amount
    raise invalid(field, given, "None when not known, or a finite number, 0 or more (preferably a Decimal)")


def check_usd_per_unit(field: str, given: Any) -> Mapping[str, Decimal]:
    """Return a mapping of the names of units to numbers, each as it was written."""
    expected = 'a mapping of units to numbers, such as {"characters": Decimal("15") / 1_000_000}'
    check_type(field, given, Mapping, expected)
    found: dict[str, Decimal] = {}
    for unit, amount in given.items():
        if not isinstance(unit, str) or not _is_name(unit):
            raise invalid(field, unit, expected)
        number = check_usd(f"{field}.{unit}", amount)
        if number is None:
            raise invalid(f"{field}.{unit}", amount, "a finite number, 0 or more")
        found[unit] = number
    return found


def check_names(field: str, given: Any) -> tuple[str, ...]:
    """Return names as a tuple. Files have lists."""
    if not isinstance(given, (tuple, list)):
        raise invalid(field, given, 'a tuple of names, such as ("plan",)')
    for name in given:
        check_name(field, name)
    return tuple(given)


def check_date(field: str, given: Any) -> None:
    """Accept None, a month or a day."""
    if given is None:
        return
    expected = "None, or a date such as '2026-11' or '2026-11-30'"
    check_type(field, given, str, expected)
    if not _is_date(given):
        raise invalid(field, given, expected)


@lru_cache(maxsize=_KEPT)
def _is_name(text: str) -> bool:
    return _NAME.match(text) is not None


@lru_cache(maxsize=_KEPT)
def _is_date(text: str) -> bool:
    parts = _DATE.match(text)
    try:
        return parts is not None and bool(date(int(parts[1]), int(parts[2]), int(parts[3] or 1)))
    except ValueError:
        return False
