"""Where the level of a daily series has changed for good: what was before says nothing of what comes."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Final, Optional

__all__ = ["since_shift"]

_WEEK: Final = 7
_LEAST_WEEKS: Final = 2
"""On each side of a shift; fewer may be a holiday or a burst."""
_MOST_WEEKS: Final = 4
"""Before a shift, that it is told by."""
_LEAST_STEP: Final = math.log(1.3)
_STANDARD_ERRORS: Final = 5.0
_MOST_DAYS: Final = 2 / 3
"""All but weekends."""
_FLOOR: Final = 0.01
"""Of the mean week: a logarithm needs more than nothing."""


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
    return beyond >= _MOST_DAYS * len(after)


def _level(week: Sequence[float], floor: float) -> float:
    return math.log(sum(week) + floor)


def _range(levels: Sequence[float]) -> float:
    return max(levels) - min(levels)


def _squares(values: Sequence[float]) -> float:
    mean = statistics.fmean(values)
    return sum((value - mean) ** 2 for value in values)
