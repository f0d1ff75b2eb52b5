"""What each group cost, hour by hour of local time: what forecasts and anomalies are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Optional

from recost._money import EXACT
from recost.analytics.answer import add_up, ask
from recost.analytics.cache import Readings
from recost.analytics.query import Question

__all__ = ["Series", "series_of"]


@dataclass
class Series:
    """The cost of some calls over time, in US dollars, exact."""

    hours: dict[datetime, Decimal] = field(default_factory=dict)
    """By local time, without its zone; one that clocks repeat is in it once, those without calls are not."""
    calls: int = 0
    unpriced: int = 0
    """Calls whose cost is not known, and is in no hour."""

    def add(self, other: Series) -> None:
        """Add other calls."""
        for hour, cost in other.hours.items():
            self.hours[hour] = EXACT.add(self.hours.get(hour, Decimal(0)), cost)
        self.calls += other.calls
        self.unpriced += other.unpriced

    def cost_usd(self, since: Optional[datetime] = None) -> Decimal:
        """Return what the hours from an instant on cost together."""
        return add_up(cost for hour, cost in self.hours.items() if since is None or hour >= since)

    @property
    def first(self) -> Optional[datetime]:
        """The first hour with calls."""
        return min(self.hours, default=None)

    @property
    def last(self) -> Optional[datetime]:
        """The last one."""
        return max(self.hours, default=None)

    def days(self) -> Mapping[date, Decimal]:
        """Return what each day cost; days without calls are not in it."""
        found: dict[date, Decimal] = {}
        for hour, cost in self.hours.items():
            found[hour.date()] = EXACT.add(found.get(hour.date(), Decimal(0)), cost)
        return found

    def known_days(self, today: date) -> int:
        """Return the number of days from the one after the first with calls to the one before today.

        The first may have begun before its first call was recorded.
        """
        first = self.first
        return 0 if first is None else max((today - first.date()).days - 1, 0)

    def whole_days(self, today: date) -> list[Decimal]:
        """Return what each of the known days before today cost; those without calls cost nothing."""
        costs = self.days()
        days = (today - timedelta(days=back) for back in range(self.known_days(today), 0, -1))
        return [costs.get(day, Decimal(0)) for day in days]


def series_of(readings: Readings, question: Question) -> tuple[dict[Optional[str], Series], Series]:
    """Return the series of each group, and that of all calls together.

    Args:
        readings: Of the files.
        question: By one dimension, which is none of time.
    """
    (by,) = question.by
    hourly = ask(readings, replace(question, by=("hour", by), sort=None, limit=None, compare=None))
    groups: dict[Optional[str], Series] = {}
    everything = Series()
    for group in hourly.groups:
        hour, name = group.names
        if hour is None or not (group.now.calls or group.now.cost_usd):
            continue
        hours = {datetime.fromisoformat(hour): group.now.cost_usd}
        part = Series(hours, group.now.calls, group.now.unpriced)
        groups.setdefault(name, Series()).add(part)
        everything.add(part)
    return groups, everything
