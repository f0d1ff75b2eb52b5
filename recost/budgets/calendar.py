"""Hours, days, weeks and months in the local time of a time zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final, Literal, NamedTuple, Optional

__all__ = ["PERIODS", "Per", "Period", "load_zone", "period_at"]

Per = Literal["hour", "day", "week", "month", "total"]

PERIODS: Final[tuple[Per, ...]] = ("hour", "day", "week", "month", "total")

_HOUR: Final = timedelta(hours=1)


class Period(NamedTuple):
    """A span of time in UTC, from ``start`` up to but excluding ``end``. Both are None for all time."""

    start: Optional[datetime]
    end: Optional[datetime]

    @property
    def label(self) -> str:
        """Name of the period in files. Later ones compare as greater."""
        return "" if self.start is None else self.start.isoformat()


@lru_cache(maxsize=64)
def load_zone(name: str) -> tzinfo:
    """Return a time zone by its IANA name.

    Raises:
        ValueError: The name is unknown, or the system has no time zones at all.
    """
    if name == "UTC":
        return timezone.utc
    import zoneinfo  # noqa: PLC0415 - slow to import, and not needed for UTC

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError, TypeError):
        pass
    expected = "the name of a time zone, such as 'UTC' or 'Europe/Berlin'"
    if not zoneinfo.available_timezones():
        expected += "; this system knows no time zones: pip install tzdata"
    raise ValueError(expected)


def period_at(per: Per, zone: tzinfo, now: datetime) -> Period:
    """Return the period that ``now`` is in."""
    if per == "total":
        return Period(None, None)
    if per == "hour":
        now = now.astimezone(timezone.utc)
        offset = now.astimezone(zone).utcoffset() or timedelta()
        start = now - (now - _EPOCH + offset) % _HOUR
        return Period(start, start + _HOUR)
    number, boundary = _NUMBERED[per]
    index = number(now.astimezone(zone).date())
    # Where clocks are put back over midnight, a date comes twice.
    while _midnight(boundary(index), zone) > now:
        index -= 1
    while _midnight(boundary(index + 1), zone) <= now:
        index += 1
    return Period(_midnight(boundary(index), zone), _midnight(boundary(index + 1), zone))


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


def _midnight(day: date, zone: tzinfo) -> datetime:
    """Return the start of a day in UTC. If clocks skip midnight, it is the moment when they do."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(timezone.utc)


def _first_of_month(index: int) -> date:
    return date(index // 12, index % 12 + 1, 1)


_NUMBERED: Final[dict[str, tuple[Callable[[date], int], Callable[[int], date]]]] = {
    "day": (date.toordinal, date.fromordinal),
    "week": (lambda day: (day.toordinal() - 1) // 7, lambda index: date.fromordinal(index * 7 + 1)),
    "month": (lambda day: day.year * 12 + day.month - 1, _first_of_month),
}
"""For each kind: the number of the period that a day is in, and the first day of the one of a number."""
