"""What the days to come may cost: paths simulated from an exponential smoothing model of the days before.

The models are statsmodels' (https://www.statsmodels.org): a level, perhaps with a damped trend, perhaps with
the season of a week; the one with the least corrected Akaike criterion is used. Its errors are drawn from
those that it made on the days it knows. Days before a lasting shift of the level are dropped. What is looked
at is the sum: bounds of single days don't add up.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from recost.analytics.levels import since_shift

__all__ = ["LEAST_DAYS", "Outlook", "outlook"]

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
