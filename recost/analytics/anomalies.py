"""Hours and days that cost far more, or far less, than is usual of the same calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final, Literal, Optional

from recost._money import EXACT
from recost.analytics.series import Series
from recost.analytics.usual import LEAST_DAYS, MOST_DAYS, Usual

__all__ = ["DEVIATIONS", "Anomaly", "Review", "Span", "review"]

DEVIATIONS: Final = 5.0
"""From which on a cost is told."""
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_DAY_HOURS: Final = 24
_LATE: Final = timedelta(minutes=2)
"""After its end, an hour is whole: windows that began in it have come."""
_BUSY_HOURS: Final = 0.25
"""Of all hours: with fewer that cost anything, days are looked at."""
_BUSY_DAYS: Final = 0.5
"""Of all days: with fewer, there is nothing usual."""
_STEP: Final = Decimal("0.000001")
"""Of what is usual, in US dollars."""


@dataclass(frozen=True)
class Span:
    """From when to when is looked at, and when it is now; local times without their zone."""

    since: datetime
    until: datetime
    """Not part of it; now at the latest."""
    now: datetime


@dataclass(frozen=True)
class Anomaly:
    """One hour or day, or several in a row, that cost more than usual, or less."""

    start: datetime
    end: datetime
    actual_usd: Decimal
    """Exact."""
    usual_usd: Decimal
    """The sum of what is usual of each; of the whole of one that is still running."""
    deviations: float
    """Of the one that is farthest off."""
    running: bool = False
    """Its end is still to come."""


@dataclass(frozen=True)
class Review:
    """What was found of some calls."""

    anomalies: Sequence[Anomaly] = ()
    buckets: Optional[Literal["hours", "days"]] = None
    """What was looked at; None: there is too little data, or it costs too rarely."""
    days: int = 0
    """Whole days that are known before the last day that was looked at; `MOST_DAYS` of them are used."""
    spent_usd: Decimal = Decimal(0)
    """In the span; exact."""


@dataclass(frozen=True)
class _Bucket:
    start: datetime
    length: timedelta
    costs: Decimal
    usual: Usual = field(repr=False)
    index: int = 0


def review(series: Series, span: Span, least_usd: Decimal, deviations: float = DEVIATIONS) -> Review:
    """Return what is not as usual.

    Args:
        series: What some calls cost, with `MOST_DAYS` days before the span where there are so many.
        span: What is looked at. An hour or a day belongs to it if it ends in it, or is running.
        least_usd: What a cost is off at least, in US dollars.
        deviations: By how many deviations it is off at least.
    """
    known = series.known_days((span.until - _LATE).date())
    result = Review(days=known, spent_usd=series.cost_usd(span.since))
    found: list[Anomaly] = []
    day = (span.since + _LATE).date()
    while datetime.combine(day, time.min) < span.until:
        before = _before(series, day)
        kind = _kind(before)
        if kind is not None:
            result = replace(result, buckets=kind)
            for bucket in _buckets(series, day, before, kind):
                anomaly = _judge(bucket, span, least_usd, deviations)
                if anomaly is not None:
                    found.append(anomaly)
        day += _DAY
    return replace(result, anomalies=_joined(found))


def _before(series: Series, day: date) -> list[list[float]]:
    """Return the costs of the hours of each whole day before."""
    count = min(series.known_days(day), MOST_DAYS)
    days = (day - _DAY * back for back in range(count, 0, -1))
    return [[float(series.hours.get(hour, 0)) for hour in _hours(each)] for each in days]


def _hours(day: date) -> Iterator[datetime]:
    midnight = datetime.combine(day, time.min)
    return (midnight + _HOUR * index for index in range(_DAY_HOURS))


def _kind(days: Sequence[Sequence[float]]) -> Optional[Literal["hours", "days"]]:
    if len(days) < LEAST_DAYS:
        return None
    if sum(cost > 0 for day in days for cost in day) >= _BUSY_HOURS * _DAY_HOURS * len(days):
        return "hours"
    return "days" if sum(any(day) for day in days) >= _BUSY_DAYS * len(days) else None


def _buckets(series: Series, day: date, before: Sequence[Sequence[float]], kind: str) -> Iterator[_Bucket]:
    if kind == "hours":
        usual = Usual(before, day.weekday())
        for index, hour in enumerate(_hours(day)):
            yield _Bucket(hour, _HOUR, series.hours.get(hour, Decimal(0)), usual, index)
    else:
        usual = Usual([[sum(each)] for each in before], day.weekday())
        cost = sum((series.hours.get(hour, Decimal(0)) for hour in _hours(day)), Decimal(0))
        yield _Bucket(datetime.combine(day, time.min), _DAY, cost, usual)


def _judge(bucket: _Bucket, span: Span, least_usd: Decimal, deviations: float) -> Optional[Anomaly]:
    end = bucket.start + bucket.length
    running = end + _LATE > span.now
    if end + _LATE <= span.since or bucket.start >= span.until or (end > span.until and not running):
        return None
    off = bucket.usual.deviations(bucket.index, float(bucket.costs))
    usual = Decimal(repr(bucket.usual.cost(bucket.index))).quantize(_STEP)
    if abs(off) < deviations or abs(bucket.costs - usual) < least_usd or (running and off < 0):
        return None
    return Anomaly(bucket.start, end, bucket.costs, usual, off, running)


def _joined(found: Sequence[Anomaly]) -> list[Anomaly]:
    """Join those that follow on each other and are off in the same direction."""
    joined: list[Anomaly] = []
    for each in found:
        last = joined[-1] if joined else None
        if last is None or last.end != each.start or (last.deviations > 0) != (each.deviations > 0):
            joined.append(each)
            continue
        joined[-1] = Anomaly(
            last.start,
            each.end,
            EXACT.add(last.actual_usd, each.actual_usd),
            last.usual_usd + each.usual_usd,
            max(last.deviations, each.deviations, key=abs),
            each.running,
        )
    return joined
