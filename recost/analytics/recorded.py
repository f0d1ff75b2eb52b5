"""Overview of the files: the recorded period, the tags, and the order in which names appeared."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from typing import Final, Optional

from recost.analytics.ingest.tables import PARTS
from recost.analytics.query import Question
from recost.analytics.sql import Statement
from recost.analytics.store import Readings, select_files

__all__ = ["extent", "places", "tag_costs", "tag_names"]

_COST: Final = PARTS["tag"].measures["cost"]
_NAMED: Final = {"provider": ("quarters", "provider"), "model": ("quarter_models", "model")}


def extent(readings: Readings, question: Question) -> Optional[tuple[datetime, datetime]]:
    """Return the start of the first and last window of a question, or None without windows."""
    selection = select_files(readings)
    if selection is None:
        return None
    where, parameters = Statement(replace(question, models=(), tags=(), compare=None), selection).conditions()
    row = readings.connection.execute(f"SELECT min(started), max(started) FROM metrics {where}", parameters)
    first, last = row.fetchone()
    if first is None:
        return None
    return first.replace(tzinfo=timezone.utc), last.replace(tzinfo=timezone.utc)


def tag_names(readings: Readings) -> list[str]:
    """Return the names of all tags, sorted."""
    selection = select_files(readings)
    if selection is None:
        return []
    parts = "SELECT unnest(tags) AS part FROM metrics JOIN selected USING (source) WHERE tags IS NOT NULL"
    rows = readings.connection.execute(f"SELECT DISTINCT unnest(map_keys(part.tags)) FROM ({parts})")
    return sorted(name for (name,) in rows.fetchall() if name)


def tag_costs(readings: Readings, question: Question) -> dict[str, Decimal]:
    """Return the names of all tags, sorted, each with the cost of the question's calls that have it."""
    selection = select_files(readings)
    if selection is None:
        return {}
    plain = replace(question, models=(), tags=(), compare=None)
    where, parameters = Statement(plain, selection).conditions()
    asked = where.removeprefix("WHERE ") or "true"
    parts = (
        f"SELECT unnest(tags) AS part, ({asked}) AS asked FROM metrics JOIN selected USING (source) "
        "WHERE tags IS NOT NULL"
    )
    names = f"SELECT unnest(map_keys(part.tags)) AS name, {_COST} AS cost, asked FROM ({parts})"
    rows = readings.connection.execute(
        f"SELECT name, sum(cost) FILTER (WHERE asked) FROM ({names}) GROUP BY name ORDER BY name", parameters
    )
    return {name: cost or Decimal(0) for name, cost in rows.fetchall() if name}


def places(readings: Readings, dimension: str, names: Collection[str]) -> dict[str, int]:
    """Return the place of each name among all providers or models, in order of first appearance, from 0."""
    selection = select_files(readings)
    if selection is None or not names:
        return {}
    table, column = _NAMED[dimension]
    first = (
        f"SELECT {column} AS name, row_number() OVER (ORDER BY min(started), {column}) - 1 AS place "
        f"FROM {table} JOIN selected USING (source) WHERE {column} IS NOT NULL GROUP BY {column}"
    )
    asked = f"SELECT name, place FROM ({first}) WHERE name IN (SELECT unnest(?))"
    return dict(readings.connection.execute(asked, [list(names)]).fetchall())
