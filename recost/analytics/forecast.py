"""What each group will have cost by a day to come: what is spent, and a forecast of the rest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final, Optional

from recost.analytics.outlook import LEAST_DAYS, outlook
from recost.analytics.series import Series

__all__ = ["Forecast", "Horizon", "forecast"]

_PROFILE_DAYS: Final = 28
_DAY_HOURS: Final = 24
_STEP: Final = Decimal("0.000001")
"""Of estimates, in US dollars."""


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
