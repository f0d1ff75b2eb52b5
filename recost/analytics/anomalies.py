"""Hours and days that cost far more, or far less, than the same calls usually do.

The usual cost of an hour is a median over the same hour of the days before: of all days, of days of the same
kind (working days or weekends), or of the same weekday, including the hours beside it. The kind that predicts
each known day best from the others is used. How far a cost deviates is measured on square roots, because
larger costs vary more. One deviation is 1.4826 times the median deviation of the known days. It is half of
what one day in 40 exceeds in that direction if that is more. Outliers weigh little in either.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from statistics import median
from typing import Final, Literal, Optional

from recost._money import EXACT
from recost.analytics.periods import Period
from recost.analytics.query import Question
from recost.analytics.store import Readings
from recost.analytics.timeseries import Series, series_of

__all__ = [
    "DEVIATIONS",
    "LEAST_DAYS",
    "MOST_DAYS",
    "Anomaly",
    "Review",
    "ReviewPeriod",
    "Usual",
    "review",
    "reviewed",
]

DEVIATIONS: Final = 5.0
"""The minimum deviations for an anomaly."""
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_DAY_HOURS: Final = 24
_LATE: Final = timedelta(minutes=2)
"""The time after its end at which an hour is complete: the windows that began in it have arrived."""
_BUSY_HOURS: Final = 0.25
"""The share of hours with costs below which days are reviewed instead."""
_BUSY_DAYS: Final = 0.5
"""The share of days with costs below which nothing counts as usual."""
_STEP: Final = Decimal("0.000001")
"""The step that usual costs are rounded to, in US dollars."""
LEAST_DAYS: Final = 14
MOST_DAYS: Final = 28
_WEEK: Final = 7
_WORKDAYS: Final = 5
_KINDS: Final = ("all", "kind of day", "weekday")
_MAD: Final = 1.4826
_WITHIN: Final = 0.975
_WITHIN_DEVIATIONS: Final = 1.96
_LEAST_SPREAD: Final = 0.01
"""The minimum deviation, as a share of the square root: constant costs may vary by two per cent."""


@dataclass(frozen=True)
class ReviewPeriod:
    """The time under review and the current time, as local times without a zone."""

    since: datetime
    until: datetime
    """Exclusive. Never later than ``now``."""
    now: datetime


@dataclass(frozen=True)
class Anomaly:
    """One hour or day, or several in a row, that cost more or less than usual."""

    start: datetime
    end: datetime
    actual_usd: Decimal
    """Exact."""
    usual_usd: Decimal
    """The sum of the usual costs. An hour or day that has not ended counts as a whole."""
    deviations: float
    """The deviations of the most unusual hour or day."""
    running: bool = False
    """True if it has not ended."""


@dataclass(frozen=True)
class Review:
    """The result for one group of calls."""

    anomalies: Sequence[Anomaly] = ()
    buckets: Optional[Literal["hours", "days"]] = None
    """The reviewed unit. None if there are too few days, or costs are too rare."""
    days: int = 0
    """Whole days known before the last day under review. At most `MOST_DAYS` of them are used."""
    spent_usd: Decimal = Decimal(0)
    """The cost of the span, exact."""


@dataclass(frozen=True)
class _Bucket:
    start: datetime
    length: timedelta
    costs: Decimal
    usual: Usual = field(repr=False)
    index: int = 0


def review(series: Series, span: ReviewPeriod, least_usd: Decimal, deviations: float = DEVIATIONS) -> Review:
    """Return the anomalies of a series.

    Args:
        series: Hourly costs, with up to `MOST_DAYS` days before the span.
        span: The time under review. An hour or day belongs to it if it ends in it or is still running.
        least_usd: The minimum difference from the usual cost, in US dollars.
        deviations: The minimum number of deviations.
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


def reviewed(
    readings: Readings,
    by: str,
    since: datetime,
    until: datetime,
    least_usd: Decimal,
    deviations: float = DEVIATIONS,
) -> Iterator[tuple[Optional[str], Anomaly]]:
    """Yield the anomalies of each group of recorded calls, with its name.

    Args:
        readings: The recorded calls.
        by: The dimension by which they are grouped.
        since: The start of the span, in the time zone of its hours and days.
        until: Its end, or now.
        least_usd: See `review`.
        deviations: See `review`.
    """
    zone = since.tzinfo or timezone.utc
    first = datetime.combine(since.date() - timedelta(days=MOST_DAYS + 1), time.min, zone)
    groups, _ = series_of(readings, Question(by=(by,), period=Period(first, None), zone=zone))
    span = ReviewPeriod(*(each.replace(tzinfo=None) for each in (since, until, until)))
    for name, series in groups.items():
        for found in review(series, span, least_usd, deviations).anomalies:
            yield name, found


def _before(series: Series, day: date) -> list[list[float]]:
    """Return the hourly costs of each whole day before."""
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


def _judge(bucket: _Bucket, span: ReviewPeriod, least_usd: Decimal, deviations: float) -> Optional[Anomaly]:
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
    """Join consecutive anomalies that deviate in the same direction."""
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


class Usual:
    """The usual cost of each bucket of a day: of each hour, or of the day as its only bucket.

    Args:
        days: The costs of the buckets of each day before, in order of time.
        weekday: The weekday to predict. Monday is 0.
    """

    def __init__(self, days: Sequence[Sequence[float]], weekday: int) -> None:
        self._days = days
        self._weekday = weekday
        self._weekdays = [(weekday - len(days) + index) % _WEEK for index in range(len(days))]
        found = [(self._all_offs(kind), kind) for kind in _KINDS]
        self._offs, self._kind = min(found, key=lambda each: sum(map(abs, _flat(each[0]))))
        self._spreads = {sign: _spread(_flat(self._offs), sign) for sign in (-1.0, 1.0)}

    def cost(self, bucket: int) -> float:
        """Return the usual cost of a bucket."""
        return self._median(self._kind, self._weekday, bucket, None)

    def deviations(self, bucket: int, cost: float) -> float:
        """Return the deviations of a cost from the usual one. Negative if it is lower."""
        usual = math.sqrt(self.cost(bucket))
        off = math.sqrt(cost) - usual
        sign = math.copysign(1.0, off)
        near = [offs[each] for offs in self._offs for each in self._beside(bucket)]
        spread = max(_spread(near, sign), self._spreads[sign], _LEAST_SPREAD * usual)
        if not spread:
            return math.copysign(math.inf, off) if off else 0.0
        return off / spread

    def _all_offs(self, kind: str) -> list[list[float]]:
        """Return the deviation of each bucket of each known day from what the other days predict."""
        return [
            [
                math.sqrt(cost) - math.sqrt(self._median(kind, self._weekdays[index], bucket, index))
                for bucket, cost in enumerate(day)
            ]
            for index, day in enumerate(self._days)
        ]

    def _median(self, kind: str, weekday: int, bucket: int, without: Optional[int]) -> float:
        buckets = self._beside(bucket) if kind == "weekday" else (bucket,)
        return median(
            self._days[index][each] for index in self._alike(kind, weekday, without) for each in buckets
        )

    def _alike(self, kind: str, weekday: int, without: Optional[int]) -> Iterator[int]:
        """Yield the indexes of the days that predict a weekday."""
        for index, other in enumerate(self._weekdays):
            same = {
                "all": True,
                "kind of day": (other < _WORKDAYS) == (weekday < _WORKDAYS),
                "weekday": other == weekday,
            }
            if same[kind] and index != without:
                yield index

    def _beside(self, bucket: int) -> Sequence[int]:
        last = len(self._days[0]) - 1
        return sorted({max(bucket - 1, 0), bucket, min(bucket + 1, last)})


def _flat(days: Sequence[Sequence[float]]) -> list[float]:
    return [off for day in days for off in day]


def _spread(offs: Sequence[float], sign: float = 1.0) -> float:
    """Return the size of one deviation, upwards or downwards."""
    sizes = sorted(off * sign for off in offs)
    within = sizes[math.ceil(_WITHIN * len(sizes)) - 1]
    return max(_MAD * median(map(abs, offs)), within / _WITHIN_DEVIATIONS)
