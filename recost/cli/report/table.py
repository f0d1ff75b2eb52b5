"""A report as a table for people."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Callable, Final, Optional

from recost.analytics.query import TIMES, tag_of
from recost.analytics.report import Group, Report
from recost.cli._shared.footnotes import NO_CALLS, Note, not_compared, notes_of, rendered
from recost.cli._shared.formats import (
    change_of,
    counted,
    format_bytes,
    format_ms,
    name_of,
    share_of,
    zone_name,
)
from recost.cli._shared.tables import Cell, Column, Table, cost_cell, wrap
from recost.cli._shared.terminal import WIDE, WIDTH, Style, terminal_width

__all__ = ["show"]

_MISSING: Final = "-"
_RANKS: Final = {"cost": 9, "calls": 4, "change": 3, "unpriced": 3, "share": 2, "errors": 1}
"""Importance of a measure on a narrow terminal, as `Column.rank`."""
_FIELDS: Final = {
    "p50": "p50_ms", "p95": "p95_ms", "sent": "bytes_up", "received": "bytes_down", "errors": "errors",
}  # fmt: skip
"""Field of each measure that may be unknown in every group."""


@dataclass(frozen=True)
class _Measure:
    title: str
    cell: Callable[[Group], Cell]
    wide: bool = False
    """True if it is shown on a wide terminal only."""


def show(
    result: Report, style: Style, now: datetime, trends: Sequence[str] = (), old: Optional[str] = None
) -> str:
    """Return the report as wide as the terminal, at least 40 columns.

    Args:
        result: The result to show.
        style: The style of the output.
        now: The end of a period without an end.
        trends: A sparkline for each group, or nothing to leave out that column.
        old: A warning about an old list of prices.
    """
    width = terminal_width()
    question = result.question
    measures = _measures(result, wide=width >= WIDE)
    columns = [Column(tag_of(name) or name, least=8, rank=8) for name in question.by] or [Column("")]
    columns += [Column(each.title, right=True, rank=_RANKS.get(each.title, 0)) for each in measures]
    drawn = width >= WIDE and bool(trends)
    if drawn:
        columns.append(Column("trend", least=len(trends[0])))

    def row(names: Sequence[str], group: Group, trend: str = "") -> list[Cell]:
        return [*names, *(each.cell(group) for each in measures), *([trend] if drawn else [])]

    table = Table(columns)
    for index, group in enumerate(result.groups):
        if group.is_rounding(result.total):
            continue
        names = [name_of(by, name) for by, name in zip(question.by, group.names)] or ["all calls"]
        table.rows.append(row(names, group, trends[index] if drawn else ""))
    empty = [""] * (max(len(question.by), 1) - 1)
    if result.rest is not None:
        table.rows.append(row([counted(result.rest_count, "other"), *empty], result.rest))
    table.total = row(["total", *empty], result.total)
    shown = {columns[index].title for index in table.widths(width)}
    period = _period(result, now)
    if width < WIDTH:
        period = wrap("", period, width)
    lines = [style(period, "dim"), ""] if period else []
    lines.append(table.render(style, width) if result.groups else wrap("", NO_CALLS, width))
    notes = rendered(_notes(result, old, shown if result.groups else ()), style, width)
    return "\n".join([*lines, "", notes] if notes else lines)


def _measures(result: Report, *, wide: bool) -> list[_Measure]:
    total = result.total.now
    crowded = bool(total.unpriced and result.question.compare)
    found = [
        _Measure("calls", lambda group: f"{group.now.calls:,}"),
        _Measure("errors", lambda group: _known(group.now.errors, "{:,}".format)),
        _Measure("cost", lambda group: cost_cell(group.now)),
        _Measure("share", lambda group: share_of(group.now, total)),
    ]
    if result.question.compare is not None:
        found.append(_Measure("change", _change))
    if total.unpriced:
        found.append(_Measure("unpriced", lambda group: f"{group.now.unpriced:,}"))
    found += [
        _Measure("p50", lambda group: _known(group.now.p50_ms, format_ms), wide=True),
        _Measure("p95", lambda group: _known(group.now.p95_ms, format_ms), wide=crowded),
        _Measure("sent", lambda group: _known(group.now.bytes_up, format_bytes), wide=True),
        _Measure("received", lambda group: _known(group.now.bytes_down, format_bytes), wide=True),
    ]
    return [each for each in found if (wide or not each.wide) and not _is_empty(result, each.title)]


def _is_empty(result: Report, title: str) -> bool:
    """Return True if a measure is unknown in every group."""
    field = _FIELDS.get(title)
    known = field is None or any(getattr(group.now, field) is not None for group in result.groups)
    return bool(result.groups) and not known


def _known(value: Optional[float], form: Callable[..., str]) -> str:
    return _MISSING if value is None else form(value)


def _change(group: Group) -> str:
    return "" if group.before is None else change_of(group.now, group.before)


def _period(result: Report, now: datetime) -> str:
    question = result.question
    since, until = question.period.since, question.period.until
    in_zone = bool(question.by) and any(name in TIMES for name in question.by)
    if since is None and until is None and not in_zone:
        return ""

    def moment(each: datetime) -> str:
        return f"{each.astimezone(question.zone):%Y-%m-%d %H:%M}"

    text = f"{moment(since) if since else 'the beginning'} to {moment(until) if until else 'now'}"
    if question.compare is not None and question.compare.since is not None and since is not None:
        text += f", against {moment(question.compare.since)} to {moment(question.compare.until or since)}"
    return f"{text} ({zone_name(question.zone, now)})"


def _notes(result: Report, old: Optional[str], shown: Collection[str]) -> Iterator[Note]:
    total = result.total.now
    yield from notes_of(total, result.bad_lines, result.bad_metrics)
    if old is not None:
        yield Note("prices", old)
    if "p50" in shown or "p95" in shown:
        yield Note("latency", "means of the windows' percentiles, weighted by calls", warns=False)
    yield from not_compared(result)
