"""A report as a table for people: as wide as the terminal, 40 columns at least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Callable, Final, Optional

from recost._money import format_change, format_usd
from recost.analytics.query import TIMES, tag_of
from recost.analytics.report import Answer, Group
from recost.cli._shared.footnotes import not_compared, sources_of
from recost.cli._shared.formats import format_bytes, format_ms, format_share, name_of, zone_name
from recost.cli._shared.tables import Column, Table, wrap
from recost.cli._shared.terminal import WIDE, WIDTH, Style, terminal_width

__all__ = ["show"]

_UNKNOWN: Final = "-"
_RANKS: Final = {"cost": 9, "calls": 4, "change": 3, "unpriced": 3, "share": 2, "errors": 1}
"""Which measures stay where there is room for few."""


@dataclass(frozen=True)
class _Measure:
    title: str
    cell: Callable[[Group, Answer], str]
    wide: bool = False
    """Only where there is room."""


def show(
    answer: Answer, style: Style, now: datetime, trends: Sequence[str] = (), old: Optional[str] = None
) -> str:
    """Return the report.

    Args:
        answer: What is shown.
        style: For the heading and the totals.
        now: The end of a period that has none.
        trends: A sparkline for each group; none: no such column.
        old: What is to be said of a list of prices that is old.
    """
    width = terminal_width()
    question = answer.question
    measures = _measures(answer, wide=width >= WIDE)
    columns = [Column(_title(name), least=8, rank=8) for name in question.by] or [Column("")]
    columns += [Column(each.title, right=True, rank=_RANKS.get(each.title, 0)) for each in measures]
    drawn = width >= WIDE and bool(trends)
    if drawn:
        columns.append(Column("trend", least=len(trends[0])))
    table = Table(columns)
    for index, group in enumerate(answer.groups):
        names = [name_of(by, name) for by, name in zip(question.by, group.names)] or ["all calls"]
        table.rows.append(
            [*names, *(each.cell(group, answer) for each in measures), *([trends[index]] if drawn else [])]
        )
    empty = [""] * (max(len(question.by), 1) - 1)
    if answer.rest is not None:
        others = [f"{answer.rest_count:,} others", *empty]
        table.rows.append([*others, *(each.cell(answer.rest, answer) for each in measures), *[""] * drawn])
    table.total = ["total", *empty, *(each.cell(answer.total, answer) for each in measures), *[""] * drawn]
    period = _period(answer, now)
    if width < WIDTH:
        period = wrap("", period, width)
    lines = [style(period, "dim"), ""] if period else []
    return "\n".join([*lines, table.render(style, width), "", *_notes(answer, style, width, old)])


def _title(by: str) -> str:
    return tag_of(by) or by


def _measures(answer: Answer, *, wide: bool) -> list[_Measure]:
    unpriced = answer.total.now.unpriced > 0
    found = [
        _Measure("calls", lambda group, _: f"{group.now.calls:,}"),
        _Measure(
            "errors", lambda group, _: _UNKNOWN if group.now.errors is None else f"{group.now.errors:,}"
        ),
        _Measure("cost", lambda group, _: format_usd(group.now.cost_usd)),
        _Measure("share", lambda group, answer: format_share(group.now.cost_usd, answer.total.now.cost_usd)),
    ]
    if answer.question.compare is not None:
        found.append(_Measure("change", _change))
    if unpriced:
        found.append(_Measure("unpriced", lambda group, _: f"{group.now.unpriced:,}"))
    found += [
        _Measure("p50", lambda group, _: _ms(group.now.p50_ms), wide=True),
        _Measure(
            "p95", lambda group, _: _ms(group.now.p95_ms), wide=bool(unpriced and answer.question.compare)
        ),
        _Measure("sent", lambda group, _: _bytes(group.now.bytes_up), wide=True),
        _Measure("received", lambda group, _: _bytes(group.now.bytes_down), wide=True),
    ]
    known = [each for each in found if each.title not in _without_value(answer)]
    return [each for each in known if wide or not each.wide]


def _without_value(answer: Answer) -> set[str]:
    """Return the columns that would be empty but for the total."""
    hidden = set()
    for title, field in (
        ("p50", "p50_ms"),
        ("p95", "p95_ms"),
        ("sent", "bytes_up"),
        ("received", "bytes_down"),
        ("errors", "errors"),
    ):
        if answer.groups and all(getattr(group.now, field) is None for group in answer.groups):
            hidden.add(title)
    return hidden


def _change(group: Group, _answer: Answer) -> str:
    return "" if group.before is None else format_change(group.now.cost_usd, group.before.cost_usd)


def _ms(value: Optional[float]) -> str:
    return _UNKNOWN if value is None else format_ms(value)


def _bytes(value: Optional[int]) -> str:
    return _UNKNOWN if value is None else format_bytes(value)


def _period(answer: Answer, now: datetime) -> str:
    question = answer.question
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


def _notes(answer: Answer, style: Style, width: int, old: Optional[str]) -> list[str]:
    total = answer.total.now
    notes = [wrap("cost       ", sources_of(total), width)]
    if total.unpriced:
        share = total.unpriced * 100 / max(total.calls, 1)
        text = f"{total.unpriced:,} calls ({share:.3g}%) whose price is not known; their cost is in no figure"
        notes.append(style(wrap("unpriced   ", text, width), "yellow"))
    if old is not None:
        notes.append(style(wrap("prices     ", old, width), "yellow"))
    if total.p95_ms is not None:
        notes.append(wrap("latency    ", "means of the windows' percentiles, weighted by calls", width))
    if answer.recorded_since is not None:
        text = f"{not_compared(answer)}, so no change is shown"
        notes.append(style(wrap("change     ", text, width), "yellow"))
    bad = ((answer.bad_lines, "line"), (answer.bad_metrics, "metric"))
    told = [f"{count:,} {what}{'s' * (count > 1)}" for count, what in bad if count]
    if told:
        text = f"{' and '.join(told)} that could not be read; -v names them"
        notes.append(style(wrap("left out   ", text, width), "yellow"))
    return notes
