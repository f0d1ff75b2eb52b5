"""The options of alerts, and what they accept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from decimal import Decimal
from typing import Any, Callable, Final

from recost.analytics.periods import PeriodError, parse_length, parse_zone

__all__ = ["ALERTS", "ZONE", "Option", "clock_time"]

_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_SPENDERS: Final = ("provider", "model", "environment", "project", "route")
_EVERY: Final = ("day", "week")
_PER: Final = ("day", "week", "month")
_MOST_USD: Final = Decimal(10**12)
_MOST_CALLS: Final = 10**12
_MOST_DAYS: Final = 3650


@dataclass(frozen=True)
class Option:
    """An option of an alert."""

    default: Any
    check: Callable[[Any], Any]
    """Returns a valid value as it is used. It raises a `ValueError` with what is expected."""
    needed: bool = False


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text")  # noqa: TRY004 - one kind of error for each setting
    return value


def _usd(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or not 0 <= value <= _MOST_USD:
        raise ValueError("a number of US dollars, 0 or more")
    return Decimal(value)


def _share(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or not 0 <= value <= 100:
        raise ValueError("a percentage, 0 to 100")
    return Decimal(value)


def _fractions(value: Any) -> tuple[Decimal, ...]:
    valid = isinstance(value, list) and value
    if not valid or not all(isinstance(each, (int, Decimal)) and 0 < each <= 10 for each in value):
        raise ValueError("a list of numbers above 0, such as [0.8, 1]")
    return tuple(sorted(Decimal(each) for each in value))


def _deviations(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or not 1 <= value <= 1000:
        raise ValueError("a number from 1 to 1000")
    return float(value)


def _count(value: Any, most: int = _MOST_CALLS) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise ValueError(f"a whole number, 1 to {most:,}")
    return value


def _days(value: Any) -> int:
    return _count(value, _MOST_DAYS)


def _by(value: Any) -> str:
    if not isinstance(value, str) or not (value in _SPENDERS or (value.startswith("tag:") and value[4:])):
        raise ValueError(f"one of {', '.join(_SPENDERS)}, tag:NAME")
    return value


def _optional_by(value: Any) -> str:
    return "" if value == "" else _by(value)


def _one_of(*known: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in known:
            raise ValueError(f"one of {', '.join(known)}")
        return str(value)

    return check


def _length(value: Any) -> timedelta:
    found = parse_length(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("a length of time such as 26h or 7d")
    return found


def _zone(value: Any) -> str:
    try:
        parse_zone(value)
    except (PeriodError, AttributeError):
        raise ValueError("a time zone such as UTC or Europe/Berlin") from None
    return str(value)


def clock_time(value: Any) -> time:
    """Return a time of day.

    Raises:
        ValueError: It is something else.
    """
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("a time of day such as 08:00")
    return time(int(found[1]), int(found[2]))


_BY: Final = Option("provider", _by)
_WITHIN: Final = {name: Option("", _text) for name in ("provider", "model", "project")}
ALERTS: Final[Mapping[str, Mapping[str, Option]]] = {
    "anomaly": {"by": _BY, "min_usd": Option(Decimal(1), _usd), "deviations": Option(5.0, _deviations)},
    "budget": {
        "limit_usd": Option(None, _usd, needed=True), "per": Option("day", _one_of(*_PER)),
        "fractions": Option((Decimal("0.8"), Decimal(1)), _fractions), "by": Option("", _optional_by),
        **_WITHIN,
    },
    "coverage": {"min": Option(Decimal(95), _share), "days": Option(7, _days)},
    "forecast": {"limit_usd": Option(None, _usd, needed=True)},
    "unpriced": {"min_calls": Option(1, _count), "by": _BY},
    "pull_failed": {"max_age": Option(timedelta(hours=26), _length)},
    "digest": {
        "every": Option("day", _one_of(*_EVERY)), "at": Option(time(8), clock_time),
        "tenant": Option("tenant", _text),
    },
}  # fmt: skip
"""The options of each kind of alert. All have ``name``, ``to``, ``quiet`` and ``timezone``."""
ZONE: Final = Option("UTC", _zone)
"""The option ``timezone``."""
