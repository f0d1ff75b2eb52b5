"""What there is to choose from: when calls were made, and which tags they have."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Optional

from recost.analytics.cache import Readings
from recost.analytics.query import Question
from recost.analytics.scope import scope_of
from recost.analytics.sql import Statement

__all__ = ["extent", "tag_names"]


def extent(readings: Readings, question: Question) -> Optional[tuple[datetime, datetime]]:
    """Return when the first and the last window of a question began; None without any window."""
    scope = scope_of(readings)
    if scope is None:
        return None
    where, parameters = Statement(replace(question, models=(), tags=(), compare=None), scope).conditions()
    row = readings.connection.execute(f"SELECT min(started), max(started) FROM metrics {where}", parameters)
    first, last = row.fetchone()
    if first is None:
        return None
    return first.replace(tzinfo=timezone.utc), last.replace(tzinfo=timezone.utc)


def tag_names(readings: Readings) -> list[str]:
    """Return the names of all tags, sorted."""
    scope = scope_of(readings)
    if scope is None:
        return []
    parts = "SELECT unnest(tags) AS part FROM metrics JOIN selected USING (source) WHERE tags IS NOT NULL"
    rows = readings.connection.execute(f"SELECT DISTINCT unnest(map_keys(part.tags)) FROM ({parts})")
    return sorted(name for (name,) in rows.fetchall() if name)
