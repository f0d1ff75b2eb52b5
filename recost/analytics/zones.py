"""Local times as SQL. A few fixed offsets are several times as fast as DuckDB's time zones."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo
from typing import Final

from recost.analytics.dialect import Dialect
from recost.analytics.engine import literal
from recost.analytics.ingest.tables import QUARTER

__all__ = ["has_whole_quarters", "into_quarter", "local_time", "microseconds", "offsets"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_STEP: Final = timedelta(days=1)
_MOST_STEPS: Final = 366 * 20


def local_time(started: str, zone: tzinfo, first: datetime, last: datetime, dialect: Dialect) -> str:
    """Return SQL for the local time of an instant in UTC.

    Args:
        started: SQL of the instant.
        zone: The time zone.
        first: The earliest instant in the data.
        last: The latest instant in the data.
        dialect: The engine's SQL.
    """
    if zone is timezone.utc:
        return started
    if dialect.knows_zones and (last - first) / _STEP > _MOST_STEPS:
        name = getattr(zone, "key", None)
        if name is not None:
            return f"timezone({literal(name)}, timezone('UTC', {started}))"
    changes = offsets(zone, first, last)
    *earlier, (_, latest) = changes
    if not earlier:
        return dialect.later(started, str(microseconds(latest)))
    cases = [
        f"WHEN {started} < {dialect.moment(until)} THEN {microseconds(offset)}"
        for (_, offset), (until, _) in zip(earlier, changes[1:])
    ]
    return dialect.later(started, f"CASE {' '.join(cases)} ELSE {microseconds(latest)} END")


def has_whole_quarters(zone: tzinfo, first: datetime, last: datetime) -> bool:
    """Return True if quarters of an hour are the same in local time and UTC between two instants."""
    if zone is timezone.utc:
        return True
    if (last - first) / _STEP > _MOST_STEPS:
        return False
    changes = offsets(zone, first, last)
    return not any(into_quarter(at) for at, _ in changes[1:]) and not any(
        offset % QUARTER for _, offset in changes
    )


def into_quarter(at: datetime) -> timedelta:
    """Return the time since the start of the current quarter of an hour."""
    return (at - _EPOCH) % QUARTER


def offsets(zone: tzinfo, first: datetime, last: datetime) -> list[tuple[datetime, timedelta]]:
    """Return the offsets from UTC between two instants, each with the second at which it starts."""
    at = first.astimezone(timezone.utc)
    found = [(at, _offset(zone, at))]
    if isinstance(zone, timezone):
        return found
    while at < last:
        following = at + _STEP
        if _offset(zone, following) != found[-1][1]:
            change = _change(zone, at, following)
            found.append((change, _offset(zone, change)))
        at = following
    return found


def _change(zone: tzinfo, low: datetime, high: datetime) -> datetime:
    """Return the first second after ``low`` with another offset."""
    before = _offset(zone, low)
    low = low.replace(microsecond=0)
    same, other = 0, int((high - low).total_seconds())
    while other - same > 1:
        middle = (same + other) // 2
        if _offset(zone, low + timedelta(seconds=middle)) == before:
            same = middle
        else:
            other = middle
    return low + timedelta(seconds=other)


def _offset(zone: tzinfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)


def microseconds(length: timedelta) -> int:
    """Return a length of time in microseconds."""
    return length // timedelta(microseconds=1)
