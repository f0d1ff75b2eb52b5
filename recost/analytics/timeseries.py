"""Costs over time: hourly series for forecasts and anomalies, and trends for sparklines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, Optional

from recost._money import EXACT
from recost.analytics.query import TIMES, Question
from recost.analytics.report import Figures, Group, add_up, ask
from recost.analytics.sql import Statement
from recost.analytics.store import Readings, select_files
from recost.analytics.zones import microseconds

__all__ = ["BUCKETS", "Series", "series_of", "sparkline", "trends"]
BUCKETS: Final = 16
_BARS: Final = "▁▂▃▄▅▆▇█"


@dataclass
class Series:
    """The hourly cost of some calls in US dollars, exact."""

    hours: dict[datetime, Decimal] = field(default_factory=dict)
    """Cost by local hour without a zone. Repeated hours are merged, and hours without calls are missing."""
    counts: dict[datetime, tuple[int, int]] = field(default_factory=dict)
    """Calls, and those without a known cost, which no hour includes."""

    def add(self, other: Series) -> None:
        """Add the costs of other calls."""
        for hour, cost in other.hours.items():
            self.hours[hour] = EXACT.add(self.hours.get(hour, Decimal(0)), cost)
        for hour, (calls, unpriced) in other.counts.items():
            before = self.counts.get(hour, (0, 0))
            self.counts[hour] = (before[0] + calls, before[1] + unpriced)

    def cost_usd(self, since: Optional[datetime] = None) -> Decimal:
        """Return the total cost, optionally only since an instant."""
        return add_up(cost for hour, cost in self.hours.items() if since is None or hour >= since)

    def figures(self, since: Optional[datetime] = None) -> Figures:
        """Return the sums over all hours, or over those since an instant."""
        counts = [count for hour, count in self.counts.items() if since is None or hour >= since]
        calls, unpriced = (sum(count[index] for count in counts) for index in (0, 1))
        return Figures(calls, unpriced=unpriced, cost_usd=self.cost_usd(since))

    @property
    def first(self) -> Optional[datetime]:
        """The first hour with calls."""
        return min(self.hours, default=None)

    @property
    def last(self) -> Optional[datetime]:
        """The last hour with calls."""
        return max(self.hours, default=None)

    def days(self) -> Mapping[date, Decimal]:
        """Return the cost of each day with calls."""
        found: dict[date, Decimal] = {}
        for hour, cost in self.hours.items():
            found[hour.date()] = EXACT.add(found.get(hour.date(), Decimal(0)), cost)
        return found

    def known_days(self, today: date) -> int:
        """Return the number of whole days before today, without the first day.

        Recording may have started in the middle of the first day.
        """
        first = self.first
        return 0 if first is None else max((today - first.date()).days - 1, 0)

    def whole_days(self, today: date) -> list[Decimal]:
        """Return the cost of each of the known days. Days without calls cost 0."""
        costs = self.days()
        days = (today - timedelta(days=back) for back in range(self.known_days(today), 0, -1))
        return [costs.get(day, Decimal(0)) for day in days]


def series_of(readings: Readings, question: Question) -> tuple[dict[Optional[str], Series], Series]:
    """Return the series of each group, and the series of all calls.

    Args:
        readings: The files.
        question: Grouped by one dimension that is not a time.
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
        part = Series(hours, dict.fromkeys(hours, (group.now.calls, group.now.unpriced)))
        groups.setdefault(name, Series()).add(part)
        everything.add(part)
    return groups, everything


def trends(
    readings: Readings, question: Question, groups: Sequence[Group], now: datetime
) -> Optional[list[list[Decimal]]]:
    """Return the cost, in US cents, of each group in each of `BUCKETS` equal parts of the period.

    None if the groups are times, or the period is empty.
    """
    if not groups or not question.by or any(name in TIMES for name in question.by):
        return None
    selection = select_files(readings)
    if selection is None:
        return None
    since = question.period.since or selection.first
    until = question.period.until or min(now, selection.last)
    if since >= until:
        return None
    dialect = readings.dialect
    start, now_us = dialect.microseconds(dialect.moment(since)), dialect.microseconds("started")
    into = f"greatest(0, {now_us} - {start}) * {BUCKETS}"
    bucket = f"least({BUCKETS - 1}, {dialect.divided(into, microseconds(until - since))}) AS bucket"
    text, parameters = Statement(replace(question, compare=None), selection, dialect).groups(bucket)
    keys = ", ".join(f"k{index}" for index in range(len(question.by)))
    rows = readings.connection.execute(
        f"SELECT {keys}, bucket, cost FROM ({text}) AS found", parameters
    ).fetchall()
    found: dict[tuple[Optional[str], ...], list[Decimal]] = {}
    for *names, at, cost in rows:
        found.setdefault(tuple(names), [Decimal(0)] * BUCKETS)[at] = cost or Decimal(0)
    return [found.get(group.names, [Decimal(0)] * BUCKETS) for group in groups]


def sparkline(values: Sequence[Decimal]) -> str:
    """Return one bar character per number, scaled to the largest. Zero is a blank."""
    top = max(values, default=Decimal(0))
    return "".join(_BARS[min(int(value * 8 / top), 7)] if value > 0 else " " for value in values)
