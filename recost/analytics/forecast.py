"""What each group will have cost by a day to come: what is spent, and a forecast of the rest."""

from __future__ import annotations

import importlib
import math
import statistics
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, Optional

from recost.analytics.timeseries import Series

__all__ = ["LEAST_DAYS", "Forecast", "Horizon", "Outlook", "forecast", "outlook", "since_shift"]

_PROFILE_DAYS: Final = 28
_DAY_HOURS: Final = 24
_STEP: Final = Decimal("0.000001")
"""Of estimates, in US dollars."""
LEAST_DAYS: Final = 14
"""Fewer tell too little to forecast from."""
_MOST_DAYS: Final = 180
"""What was before says little of what comes."""
_WEEK: Final = 7
_SEASONAL_DAYS: Final = 3 * _WEEK
_LEVEL_DAYS: Final = 28
_PLAIN: Final = 6.0
"""Of the criterion's units."""
_PATHS: Final = 2000
_SEED: Final = 20_260_101
"""The same files give the same forecast."""
_LEAST_WEEKS: Final = 2
"""On each side of a shift; fewer may be a holiday or a burst."""
_MOST_WEEKS: Final = 4
"""Before a shift, that it is told by."""
_LEAST_STEP: Final = math.log(1.3)
_STANDARD_ERRORS: Final = 5.0
_CHANGED_DAYS: Final = 2 / 3
"""All but weekends."""
_FLOOR: Final = 0.01
"""Of the mean week: a logarithm needs more than nothing."""


@dataclass(frozen=True)
class Horizon:
    """From when on spending counts, when it is now, and when it ends; local times without their zone."""

    since: date
    now: datetime
    until: date
    """Not part of it."""

    @property
    def days(self) -> int:
        """The days to come, today, which has begun, included."""
        return (self.until - self.now.date()).days


@dataclass(frozen=True)
class Forecast:
    """What one group will have cost."""

    name: Optional[str]
    spent_usd: Decimal
    """Exact, up to now."""
    expected_usd: Optional[Decimal]
    """An estimate, with what is spent; None where nothing is known."""
    low_usd: Optional[Decimal] = None
    """The bounds; None where there are too few days to tell any."""
    high_usd: Optional[Decimal] = None
    days: int = 0
    """Whole days that it was made from."""
    unpriced: int = 0
    """Calls whose cost is not known, and is in no amount."""

    @property
    def is_run_rate(self) -> bool:
        """Whether it is the mean of a few days that goes on: nothing to rely on."""
        return self.low_usd is None


def forecast(name: Optional[str], series: Series, horizon: Horizon, level: float) -> Forecast:
    """Return the forecast of a group.

    Args:
        name: Of the group.
        series: What it has cost so far.
        horizon: From when to when.
        level: The share of simulated paths that end within the bounds.
    """
    spent = series.cost_usd(datetime.combine(horizon.since, time.min))
    days = series.whole_days(horizon.now.date())
    left = _share_left(series, horizon.now)

    def made(*rest: float) -> Forecast:
        amounts = [(spent + Decimal(repr(each))).quantize(_STEP) for each in rest]
        expected, low, high = (*amounts, None, None, None)[:3]
        return Forecast(name, spent, expected, low, high, len(days), series.unpriced)

    if len(days) >= LEAST_DAYS:
        rest = outlook([float(day) for day in days], horizon.days, level, left)
        return made(rest.expected, rest.low, rest.high)
    return made(*([float(sum(days)) / len(days) * (horizon.days - 1 + left)] if days else []))


def _share_left(series: Series, now: datetime) -> float:
    """Return the part of a day's cost that comes after this time of day, by the days before."""
    profile = [0.0] * _DAY_HOURS
    for hour, cost in series.hours.items():
        if timedelta(0) < now.date() - hour.date() <= timedelta(days=_PROFILE_DAYS):
            profile[hour.hour] += float(cost)
    if not sum(profile):
        profile = [1.0] * _DAY_HOURS
    of_hour = 1 - (now.minute * 60 + now.second) / 3600
    return (profile[now.hour] * of_hour + sum(profile[now.hour + 1 :])) / sum(profile)


@dataclass(frozen=True)
class Outlook:
    """What the rest of a period may cost, in the unit of the days that it was made from."""

    expected: float
    """The mean of the paths."""
    low: float
    """So many per cent of the paths end between the two, with as many below as above."""
    high: float


def outlook(days: Sequence[float], ahead: int, level: float = 0.8, share_of_first: float = 1.0) -> Outlook:
    """Return what the sum of the days to come may be.

    Args:
        days: What each day before cost, the last one last; `LEAST_DAYS` at least.
        ahead: How many days are to come, the first of which may have begun.
        level: The share of the paths that end within the bounds.
        share_of_first: The part of the first day that is still to come.

    Raises:
        ValueError: There are too few days.
    """
    if len(days) < LEAST_DAYS:
        raise ValueError(f"{len(days)} days are too few to forecast from: {LEAST_DAYS}")
    known = list(since_shift(days[-_MOST_DAYS:]))
    scale = sum(known) / len(known)
    if min(known) == max(known) or scale <= 0:
        certain = known[-1] * (ahead - 1 + share_of_first)
        return Outlook(certain, certain, certain)
    numpy: Any = importlib.import_module("numpy")
    paths = _paths(numpy, [day / scale for day in known], ahead)
    paths[0] *= share_of_first
    # Not each day: where many days cost nothing, what is drawn above and below it is to level out.
    sums = paths.sum(axis=0).clip(min=0) * scale
    low, high = numpy.quantile(sums, [(1 - level) / 2, (1 + level) / 2])
    return Outlook(float(sums.mean()), float(low), float(high))


def _paths(numpy: Any, days: Sequence[float], ahead: int) -> Any:
    """Return `_PATHS` columns of ``ahead`` days."""
    fitted = _best(numpy, days)
    errors = numpy.asarray(fitted.resid)
    errors = (errors - errors.mean()) * _spread(len(days), len(fitted.params))
    chance = numpy.random.default_rng(_SEED)
    drawn = chance.choice(errors, size=(ahead, _PATHS))
    paths = fitted.simulate(ahead, anchor="end", repetitions=_PATHS, random_errors=drawn)
    # The level that they start from is known no better than a mean of so many days.
    unsure = chance.choice(errors, size=(min(len(days), _LEVEL_DAYS), _PATHS)).mean(axis=0)
    return numpy.asarray(paths).reshape(ahead, _PATHS) + unsure


def _spread(known: int, parameters: int) -> float:
    """Return how much larger errors are than those on days that the parameters were chosen for."""
    return float((known / max(known - parameters, 1)) ** 0.5)


def _best(numpy: Any, days: Sequence[float]) -> Any:
    ets: Any = importlib.import_module("statsmodels.tsa.exponential_smoothing.ets")
    series = numpy.asarray(days, dtype=float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a search that ends early: the criterion judges what it found
        found = [ets.ETSModel(series, error="add", **shape).fit(disp=False) for shape in _shapes(len(days))]
    return min(found, key=lambda each: _criterion(numpy, each))


def _criterion(numpy: Any, fitted: Any) -> float:
    """Return the score by which models are compared, the lowest is best: a trend has to earn its place."""
    value = float(fitted.aicc)
    return value + _PLAIN * (fitted.model.trend is not None) if numpy.isfinite(value) else float("inf")


def _shapes(known: int) -> Iterator[dict[str, Any]]:
    trend = {"trend": "add", "damped_trend": True}
    season = {"seasonal": "add", "seasonal_periods": _WEEK}
    yield {}
    yield trend
    if known >= _SEASONAL_DAYS:
        yield season
        yield {**trend, **season}


def since_shift(days: Sequence[float]) -> Sequence[float]:
    """Return the days from the last lasting shift of the level on; all of them where there is none.

    A shift is lasting when each whole week since is at least 1.3 times dearer, or cheaper, than each of the
    weeks before, and when neither chance nor a trend explains that. Sums of weeks have no season.
    """
    while (at := _shift(days)) is not None:
        days = days[at:]
    return days


def _shift(days: Sequence[float]) -> Optional[int]:
    """Return the first day of the new level that fits best."""
    least = _WEEK * _LEAST_WEEKS
    floor = _FLOOR * _WEEK * sum(days) / max(len(days), 1)
    if floor <= 0:
        return None
    found = [at for at in range(least, len(days) - least + 1) if _is_shift(days, at, floor)]
    return min(found, key=lambda at: _squares(days[:at]) + _squares(days[at:]), default=None)


def _is_shift(days: Sequence[float], at: int, floor: float) -> bool:
    after = [_level(days[day : day + _WEEK], floor) for day in range(at, len(days) - _WEEK + 1, _WEEK)]
    first = max(at - _WEEK * _MOST_WEEKS, at % _WEEK)
    before = [_level(days[day : day + _WEEK], floor) for day in range(first, at, _WEEK)]
    step = statistics.fmean(after) - statistics.fmean(before)
    gap = min(after) - max(before) if step > 0 else min(before) - max(after)
    if gap < _LEAST_STEP or max(map(_range, (after, before))) > abs(step) / 2:
        return False
    spread = (_squares(after) + _squares(before)) / (len(after) + len(before) - 2)
    error = math.sqrt(spread * (1 / len(after) + 1 / len(before)))
    return abs(step) > _STANDARD_ERRORS * error and _most_days_differ(days[first:at], days[at:], step)


def _most_days_differ(before: Sequence[float], after: Sequence[float], step: float) -> bool:
    """Tell whether most days are beyond the usual one before: a few that are dear are no new level."""
    usual = statistics.median(before)
    beyond = sum(day > usual if step > 0 else day < usual for day in after)
    return beyond >= _CHANGED_DAYS * len(after)


def _level(week: Sequence[float], floor: float) -> float:
    return math.log(sum(week) + floor)


def _range(levels: Sequence[float]) -> float:
    return max(levels) - min(levels)


def _squares(values: Sequence[float]) -> float:
    mean = statistics.fmean(values)
    return sum((value - mean) ** 2 for value in values)
