"""Forecasts of the cost of each group at the end of a period: the cost so far and a forecast of the rest.

The rest is simulated with exponential smoothing models from statsmodels (https://www.statsmodels.org): a
level, optionally with a damped trend, optionally with a weekly season. The model with the lowest corrected
Akaike criterion is used, and its errors are drawn from those on known days. Days before a lasting shift of
the level are ignored. The forecast is a sum, because the bounds of single days do not add up.
"""

from __future__ import annotations

import importlib
import math
import statistics
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, Optional

from recost.analytics.report import Figures
from recost.analytics.timeseries import Series

__all__ = ["LEAST_DAYS", "Forecast", "Horizon", "PeriodForecast", "forecast", "outlook", "since_shift"]

_PROFILE_DAYS: Final = 28
_DAY_HOURS: Final = 24
_STEP: Final = Decimal("0.000001")
"""The step that estimates are rounded to, in US dollars."""
LEAST_DAYS: Final = 14
"""The minimum number of days for a forecast with bounds."""
_MOST_DAYS: Final = 180
"""Maximum number of days that are used: older ones predict little."""
_WEEK: Final = 7
_SEASONAL_DAYS: Final = 3 * _WEEK
_LEVEL_DAYS: Final = 28
_PLAIN: Final = 6.0
"""The minimum improvement of the criterion for a trend to be used."""
_PATHS: Final = 2000
_SEED: Final = 20_260_101
"""Fixed, so that the same files give the same forecast."""
_LEAST_WEEKS: Final = 2
"""The minimum weeks on each side of a shift. Fewer may be a holiday or a burst."""
_MOST_WEEKS: Final = 4
"""Maximum number of weeks before a shift that are compared."""
_LEAST_STEP: Final = math.log(1.3)
_STANDARD_ERRORS: Final = 5.0
_CHANGED_DAYS: Final = 2 / 3
"""The minimum share of days that differ: all except weekends."""
_FLOOR: Final = 0.01
"""A share of the mean week, added to each week because the logarithm of 0 is undefined."""


@dataclass(frozen=True)
class Horizon:
    """The forecast period and the current time, as local times without a zone."""

    since: date
    now: datetime
    until: date
    """Exclusive."""

    @property
    def days(self) -> int:
        """The number of remaining days, including today."""
        return (self.until - self.now.date()).days


@dataclass(frozen=True)
class Forecast:
    """The forecast cost of one group at the end of the period."""

    name: Optional[str]
    spent_usd: Decimal
    """The cost so far, exact."""
    expected_usd: Optional[Decimal]
    """An estimate that includes the cost so far. None without any known day."""
    low_usd: Optional[Decimal] = None
    """The lower bound. None if there are too few days for bounds."""
    high_usd: Optional[Decimal] = None
    days: int = 0
    """The number of whole days that the forecast is based on."""
    unpriced: int = 0
    """Calls of the period without a known cost, which no amount includes."""
    known: Figures = field(default_factory=Figures)
    """The sums over all calls that the forecast is based on."""

    @property
    def is_run_rate(self) -> bool:
        """True if it extends the mean of a few days, which is not reliable."""
        return self.low_usd is None


def forecast(name: Optional[str], series: Series, horizon: Horizon, level: float) -> Forecast:
    """Return the forecast of a group.

    Args:
        name: The name of the group.
        series: The hourly costs so far.
        horizon: The forecast period.
        level: The share of simulated paths that end within the bounds.
    """
    now = series.figures(datetime.combine(horizon.since, time.min))
    spent = now.cost_usd
    days = series.whole_days(horizon.now.date())
    left = _share_left(series, horizon.now)

    def made(*rest: float) -> Forecast:
        amounts = [(spent + Decimal(repr(each))).quantize(_STEP) for each in rest]
        expected, low, high = (*amounts, None, None, None)[:3]
        return Forecast(name, spent, expected, low, high, len(days), now.unpriced, series.figures())

    if len(days) >= LEAST_DAYS:
        rest = outlook([float(day) for day in days], horizon.days, level, left)
        return made(rest.expected, rest.low, rest.high)
    return made(*([float(sum(days)) / len(days) * (horizon.days - 1 + left)] if days else []))


def _share_left(series: Series, now: datetime) -> float:
    """Return the share of a day's cost after the current time of day, estimated from the days before."""
    profile = [0.0] * _DAY_HOURS
    for hour, cost in series.hours.items():
        if timedelta(0) < now.date() - hour.date() <= timedelta(days=_PROFILE_DAYS):
            profile[hour.hour] += float(cost)
    if not sum(profile):
        profile = [1.0] * _DAY_HOURS
    of_hour = 1 - (now.minute * 60 + now.second) / 3600
    return (profile[now.hour] * of_hour + sum(profile[now.hour + 1 :])) / sum(profile)


@dataclass(frozen=True)
class PeriodForecast:
    """The forecast cost of the rest of a period, in the unit of the known days."""

    expected: float
    """The mean of the paths."""
    low: float
    """The lower bound. As many paths end below it as above ``high``."""
    high: float


def outlook(
    days: Sequence[float], ahead: int, level: float = 0.8, share_of_first: float = 1.0
) -> PeriodForecast:
    """Forecast the sum of the coming days.

    Args:
        days: The cost of each day before, in order of time. At least `LEAST_DAYS`.
        ahead: The number of coming days. The first one may have begun.
        level: The share of the paths that end within the bounds.
        share_of_first: The remaining share of the first day.

    Raises:
        ValueError: There are too few days.
    """
    if len(days) < LEAST_DAYS:
        raise ValueError(f"{len(days)} days are too few to forecast from: {LEAST_DAYS}")
    known = list(since_shift(days[-_MOST_DAYS:]))
    scale = sum(known) / len(known)
    if min(known) == max(known) or scale <= 0:
        certain = known[-1] * (ahead - 1 + share_of_first)
        return PeriodForecast(certain, certain, certain)
    numpy: Any = importlib.import_module("numpy")
    paths = _paths(numpy, [day / scale for day in known], ahead)
    paths[0] *= share_of_first
    # Sums are clipped, not days: if many days cost nothing, errors above and below zero must cancel out.
    sums = paths.sum(axis=0).clip(min=0) * scale
    low, high = numpy.quantile(sums, [(1 - level) / 2, (1 + level) / 2])
    return PeriodForecast(float(sums.mean()), float(low), float(high))


def _paths(numpy: Any, days: Sequence[float], ahead: int) -> Any:
    """Return `_PATHS` columns of ``ahead`` days."""
    fitted = _best(numpy, days)
    errors = numpy.asarray(fitted.resid)
    errors = (errors - errors.mean()) * _spread(len(days), len(fitted.params))
    chance = numpy.random.default_rng(_SEED)
    drawn = chance.choice(errors, size=(ahead, _PATHS))
    paths = fitted.simulate(ahead, anchor="end", repetitions=_PATHS, random_errors=drawn)
    # The starting level is as uncertain as a mean over this many days.
    unsure = chance.choice(errors, size=(min(len(days), _LEVEL_DAYS), _PATHS)).mean(axis=0)
    return numpy.asarray(paths).reshape(ahead, _PATHS) + unsure


def _spread(known: int, parameters: int) -> float:
    """Return the ratio of real errors to those on the days that the model was fitted to."""
    return float((known / max(known - parameters, 1)) ** 0.5)


def _best(numpy: Any, days: Sequence[float]) -> Any:
    ets: Any = importlib.import_module("statsmodels.tsa.exponential_smoothing.ets")
    series = numpy.asarray(days, dtype=float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fits that end early are compared by the criterion, too
        found = [ets.ETSModel(series, error="add", **shape).fit(disp=False) for shape in _shapes(len(days))]
    return min(found, key=lambda each: _criterion(numpy, each))


def _criterion(numpy: Any, fitted: Any) -> float:
    """Return the score of a model. The lowest is best, and a trend must improve it by `_PLAIN`."""
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
    """Return the days after the last lasting shift of the level, or all days without a shift.

    After a lasting shift, each whole week costs at least 1.3 times more, or less, than each week before.
    Neither chance nor a trend explains the difference. Weekly sums are compared because they have no season.
    """
    while (at := _shift(days)) is not None:
        days = days[at:]
    return days


def _shift(days: Sequence[float]) -> Optional[int]:
    """Return the first day of the best fitting new level, or None."""
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
    """Return True if most days differ from the median before. A few expensive days are not a new level."""
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
