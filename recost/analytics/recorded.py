"""Overview of the files: the recorded period, the tags, and the order in which names appeared."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Final, Optional

from recost.analytics.dialect import Dialect
from recost.analytics.ingest.tables import QUARTER
from recost.analytics.query import Question
from recost.analytics.sql import Statement
from recost.analytics.store import Readings, select_files

__all__ = ["extent", "places", "tag_costs", "tag_names"]

_QUARTERS_OF: Final = {"provider": ("quarters", "provider"), "model": ("quarter_models", "model")}
_OF_SELECTED: Final = "WHERE source IN (SELECT source FROM {projects})"


def extent(readings: Readings, question: Question) -> Optional[tuple[datetime, datetime]]:
    """Return the start of the first and last window of a question, or None without windows."""
    selection = select_files(readings)
    if selection is None:
        return None
    plain = replace(question, models=(), tags=(), compare=None)
    where, parameters = Statement(plain, selection, readings.dialect).conditions()
    text = f"SELECT min(started), max(started) FROM {readings.dialect.metrics} {where}"
    row = readings.connection.execute(text, parameters)
    first, last = row.fetchone()
    if first is None:
        return None
    return first.replace(tzinfo=timezone.utc), last.replace(tzinfo=timezone.utc)


def tag_names(readings: Readings) -> list[str]:
    """Return the names of all tags, sorted."""
    selection = select_files(readings)
    if selection is None:
        return []
    names, rows = _tag_rows(readings.dialect)
    rows = readings.connection.execute(f"SELECT DISTINCT {names} AS name FROM {rows}")
    return sorted(name for (name,) in rows.fetchall() if name)


def tag_costs(readings: Readings, question: Question) -> dict[str, Decimal]:
    """Return the names of all tags, sorted, each with the cost of the question's calls that have it."""
    selection = select_files(readings)
    if selection is None:
        return {}
    plain = replace(question, models=(), tags=(), compare=None)
    dialect = readings.dialect
    where, parameters = Statement(plain, selection, dialect).conditions()
    asked = where.removeprefix("WHERE ") or "true"
    names, rows = _tag_rows(dialect)
    cost = dialect.parts["tag"].measures["cost"]
    text = f"SELECT {names} AS name, {cost} AS part_cost, ({asked}) AS asked FROM {rows}"
    cost = f"{dialect.total('part_cost')} FILTER (WHERE asked)"
    found = readings.connection.execute(
        f"SELECT name, {cost} FROM ({text}) AS found GROUP BY name", parameters
    )
    return {name: cost or Decimal(0) for name, cost in sorted(found.fetchall()) if name}


def _tag_rows(dialect: Dialect) -> tuple[str, str]:
    """Return SQL for the names of tags, and for the tag sets that have them."""
    parts = dialect.parts["tag"]
    where = _OF_SELECTED.format(projects=dialect.projects)
    return dialect.tag_names(parts.names["tagged"]), parts.rows.format(where=where)


def places(readings: Readings, dimension: str, names: Collection[str]) -> dict[str, int]:
    """Return the place of each name among all providers or models, in order of first appearance, from 0."""
    selection = select_files(readings)
    if selection is None or not names:
        return {}
    dialect = readings.dialect
    column, rows = _named_rows(dialect, dimension)
    quarter = dialect.divided(dialect.microseconds("min(started)"), QUARTER // timedelta(microseconds=1))
    first = (
        f"SELECT {column} AS name, row_number() OVER (ORDER BY {quarter}, {column}) - 1 AS place "
        f"FROM {rows} GROUP BY {column}"
    )
    parameters: list[str] = []
    asked = ", ".join(dialect.bind(parameters, name) for name in names)
    text = f"SELECT name, place FROM ({first}) AS found WHERE name IN ({asked})"
    return dict(readings.connection.execute(text, parameters).fetchall())


def _named_rows(dialect: Dialect, dimension: str) -> tuple[str, str]:
    """Return SQL for a name of a dimension, and for the rows that have one."""
    where = _OF_SELECTED.format(projects=dialect.projects)
    if dialect.has_quarters:
        table, column = _QUARTERS_OF[dimension]
    elif dimension == "model":
        parts = dialect.parts["model"]
        return parts.names[
            "model"
        ], f"{parts.rows.format(where=where)} AND {parts.names['model']} IS NOT NULL"
    else:
        table, column = dialect.metrics, dimension
    return column, f"{table} {where} AND {column} IS NOT NULL"
