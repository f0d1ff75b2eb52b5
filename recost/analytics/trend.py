"""How the cost of each group went over time: a few numbers each, for a sparkline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final, Optional

from recost.analytics.answer import Group
from recost.analytics.cache import Readings
from recost.analytics.query import TIMES, Question
from recost.analytics.scope import scope_of
from recost.analytics.sql import Statement
from recost.analytics.zones import moment

__all__ = ["BUCKETS", "sparkline", "trends"]

BUCKETS: Final = 16
_BARS: Final = "▁▂▃▄▅▆▇█"


def trends(
    readings: Readings, question: Question, groups: Sequence[Group], now: datetime
) -> Optional[list[list[Decimal]]]:
    """Return the cost, in US cents, of each group in each of `BUCKETS` equal parts of the period.

    None where the groups are times themselves, or there is no period to speak of.
    """
    if not groups or not question.by or any(name in TIMES for name in question.by):
        return None
    scope = scope_of(readings)
    if scope is None:
        return None
    since = question.period.since or scope.first
    until = question.period.until or min(now, scope.last)
    if since >= until:
        return None
    length = until - since
    bucket = (
        f"least({BUCKETS - 1}, greatest(0, (epoch_us(started) - epoch_us({moment(since)})) * {BUCKETS} "
        f"// {length.days * 86_400_000_000 + length.seconds * 1_000_000 + length.microseconds})) AS bucket"
    )
    text, parameters = Statement(replace(question, compare=None), scope).groups(bucket)
    keys = ", ".join(f"k{index}" for index in range(len(question.by)))
    rows = readings.connection.execute(f"SELECT {keys}, bucket, cost FROM ({text})", parameters).fetchall()
    found: dict[tuple[Optional[str], ...], list[Decimal]] = {}
    for *names, at, cost in rows:
        found.setdefault(tuple(names), [Decimal(0)] * BUCKETS)[at] = cost or Decimal(0)
    return [found.get(group.names, [Decimal(0)] * BUCKETS) for group in groups]


def sparkline(values: Sequence[Decimal]) -> str:
    """Return one character a number, its height by the largest; a blank for nothing."""
    top = max(values, default=Decimal(0))
    return "".join(_BARS[min(int(value * 8 / top), 7)] if value > 0 else " " for value in values)
