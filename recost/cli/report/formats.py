"""A report as JSON, CSV, Parquet and Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Optional

from recost._text import csv_cell, markdown
from recost.analytics.engine import connect, identifier, literal
from recost.analytics.query import tag_of
from recost.analytics.report import Figures, Group, Report
from recost.cli._shared.footnotes import flat_note, not_compared, sources_of, unpriced_note
from recost.cli._shared.formats import change_of, counted, name_of, table_row
from recost.cli._shared.output import exact_json, written
from recost.cli._shared.tables import Cell, cost_cell, texts_of

__all__ = ["as_csv", "as_json", "as_markdown", "write_parquet"]

_FIELDS: Final = tuple(field.name for field in fields(Figures))
_USD: Final = "DECIMAL(38,26)"
_READ_BY_PEOPLE: Final = 200
"""Most groups of JSON that is indented."""


def as_json(result: Report, now: datetime) -> str:
    """Return one JSON object. Amounts are numbers with all their digits."""
    question = result.question
    compared = question.compare
    content = {
        "by": list(question.by),
        "since": _time(question.period.since),
        "until": _time(question.period.until or now),
        "compared_since": None if compared is None else _time(compared.since),
        "compared_until": None if compared is None else _time(compared.until),
        "recorded_since": _time(result.recorded_since),
        "groups": [_named(result, group) for group in result.groups],
        "rest": None if result.rest is None else {"groups": result.rest_count, **_flat(result.rest)},
        "total": _flat(result.total),
        "notes": [note.text for note in flat_note(result.total.now.flat_usd)],
        "bad_lines": result.bad_lines,
        "bad_metrics": result.bad_metrics,
    }
    return exact_json(content, indent=None if len(result.groups) > _READ_BY_PEOPLE else 2)


def as_csv(result: Report) -> str:
    """Return a line for each group, and one for the groups beyond the limit. They add up to the total."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*map(csv_cell, result.question.by), *_titles(result)])
    for names, figures in _rows(result):
        writer.writerow([*(csv_cell(name or "") for name in names), *map(_cell, figures)])
    return text.getvalue().rstrip("\n")


def as_markdown(result: Report) -> str:
    """Return a table as GitHub and others show it."""
    by = result.question.by
    heads = [*(markdown(tag_of(name) or name) for name in by), "calls", "errors", "cost", "unpriced"]
    if result.question.compare is not None:
        heads.append("change")
    lines: list[Sequence[Cell]] = [heads, [*("---" for _ in by), *("---:" for _ in heads[len(by) :])]]
    lines += [
        [*(markdown(name_of(dimension, name)) for dimension, name in zip(by, group.names)), *_brief(group)]
        for group in result.groups
        if not group.is_rounding(result.total)
    ]
    blank = [""] * max(len(by) - 1, 0)
    if result.rest is not None:
        lines.append([counted(result.rest_count, "other"), *blank, *_brief(result.rest)])
    if by:
        lines.append(["**total**", *blank, *_brief(result.total)])
    else:
        lines.append(_brief(result.total))
    total = result.total.now
    notes = [f"Cost: {sources_of(total)}."]
    notes += [
        note.sentence() for note in (*unpriced_note(total.unpriced, total.calls), *not_compared(result))
    ]
    return "\n".join([*map(table_row, texts_of(lines)), "", *notes])


def write_parquet(result: Report, output: str) -> int:
    """Write the rows of `as_csv` as Parquet, and return their number."""
    connection = connect(None)
    columns = [f"{identifier(name)} VARCHAR" for name in result.question.by]
    columns += [f"{identifier(name)} {_type(name)}" for name in _titles(result)]
    connection.execute(f"CREATE TABLE report ({', '.join(columns)})")
    rows = [[*names, *figures] for names, figures in _rows(result)]
    if rows:
        marks = ", ".join("?" * len(columns))
        connection.executemany(f"INSERT INTO report VALUES ({marks})", rows)
    with written(output) as fresh:
        connection.execute(f"COPY report TO {literal(str(fresh))} (FORMAT parquet)")
    return len(rows)


def _type(name: str) -> str:
    plain = name.removeprefix("before_")
    if plain.endswith("_usd"):
        return _USD
    return "DOUBLE" if plain.endswith("_ms") else "BIGINT"


def _rows(result: Report) -> list[tuple[tuple[Optional[str], ...], list[Any]]]:
    rows = [(group.names, list(_flat(group).values())) for group in result.groups]
    if result.rest is not None:
        names: tuple[Optional[str], ...] = ("(others)",) * len(result.question.by)
        rows.append((names, list(_flat(result.rest).values())))
    if not result.question.by and not rows:
        rows.append(((), list(_flat(result.total).values())))
    return rows


def _titles(result: Report) -> Sequence[str]:
    return list(_flat(result.total))


def _named(result: Report, group: Group) -> dict[str, Any]:
    return {**dict(zip(result.question.by, group.names)), **_flat(group)}


def _flat(group: Group) -> dict[str, Any]:
    found = {name: getattr(group.now, name) for name in _FIELDS}
    if group.before is not None:
        found.update({f"before_{name}": getattr(group.before, name) for name in _FIELDS})
    return found


def _brief(group: Group) -> list[Cell]:
    now = group.now
    errors = "" if now.errors is None else f"{now.errors:,}"
    cells: list[Cell] = [f"{now.calls:,}", errors, cost_cell(now), f"{now.unpriced:,}"]
    if group.before is not None:
        cells.append(change_of(now, group.before))
    return cells


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _time(moment: Optional[datetime]) -> Optional[str]:
    return None if moment is None else moment.isoformat()
