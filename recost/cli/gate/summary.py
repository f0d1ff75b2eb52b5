"""The summary of ``recost gate`` as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, Optional

from recost._money import format_change
from recost._text import markdown
from recost.analytics.gate import Baseline, Limits
from recost.analytics.report import Figures, Group, Report, add_up
from recost.cli._shared.footnotes import skipped_note, sources_of, unpriced_note
from recost.cli._shared.formats import counted, format_cost, name_of, table_row
from recost.cli._shared.tables import Cell, Usd, cost_cell, texts_of

__all__ = ["summary"]

_SHOWN: Final = 20
"""Groups with a row of their own."""


def summary(result: Report, limits: Limits, verdicts: Sequence[tuple[bool, str]], now: datetime) -> str:
    """Return the summary.

    Args:
        result: The cost of the calls.
        limits: The limits.
        verdicts: For each limit, whether it holds, and a sentence on it.
        now: The end of a period without an end.
    """
    held = all(good for good, _ in verdicts)
    lines = [f"### API cost: {format_cost(result.total.now)}, {_word(verdicts, held=held)}", ""]
    lines += [f"- {'ok' if good else '**FAILED**'}: {text}" for good, text in verdicts]
    lines += [""] * bool(verdicts) + [*_table(result, limits.baseline), ""]
    lines += _notes(result, limits.baseline, now)
    return "\n".join(lines)


def _word(verdicts: Sequence[tuple[bool, str]], *, held: bool) -> str:
    if not verdicts:
        return "no limit was set"
    return "within the limits" if held else "**over the limits**"


def _table(result: Report, baseline: Optional[Baseline]) -> list[str]:
    by = result.question.by
    heads = [*map(markdown, by), "calls", "unpriced", "cost"]
    if baseline is not None:
        heads += ["baseline", "change"]
    rules = [*("---" for _ in by), *("---:" for _ in heads[len(by) :])]
    present = [group for group in result.groups if not group.is_rounding(result.total)]
    rows: list[Sequence[Cell]] = [
        heads,
        rules,
        *(_row(result, group, baseline) for group in present[:_SHOWN]),
    ]
    rows += _others(result, present[_SHOWN:], baseline)
    total = result.total.now
    last = _figures(total)
    if baseline is not None:
        last += _against(total.cost_usd, baseline.cost_usd)
    rows.append(["**total**", *[""] * (len(by) - 1), *last])
    return list(map(table_row, texts_of(rows)))


def _row(result: Report, group: Group, baseline: Optional[Baseline]) -> list[Cell]:
    names = [markdown(name_of(by, name)) for by, name in zip(result.question.by, group.names)]
    now = group.now
    row: list[Cell] = [*names, *_figures(now)]
    if baseline is not None:
        row += _against(now.cost_usd, baseline.groups.get(group.names, Decimal(0)))
    return row


def _others(result: Report, rest: Sequence[Group], baseline: Optional[Baseline]) -> list[list[Cell]]:
    """Return the rows of the groups that are not shown, and of those only in the baseline."""
    rows: list[list[Cell]] = []
    blank = [""] * (len(result.question.by) - 1)
    if rest:
        calls, unpriced = (sum(getattr(group.now, name) for group in rest) for name in ("calls", "unpriced"))
        cost = add_up(group.now.cost_usd for group in rest)
        sums = Figures(calls, unpriced=unpriced, cost_usd=cost)
        row: list[Cell] = [counted(len(rest), "other"), *blank, *_figures(sums)]
        if baseline is not None:
            before = (baseline.groups.get(group.names, Decimal(0)) for group in rest)
            row += _against(cost, add_up(before))
        rows.append(row)
    if baseline is not None:
        here = {group.names for group in result.groups if group.now.calls or group.now.cost_usd}
        gone = [cost for names, cost in baseline.groups.items() if names not in here and cost]
        if gone:
            amounts = _against(Decimal(0), add_up(gone))
            rows.append([f"{len(gone):,} in the baseline only", *blank, "0", "0", Usd(Decimal(0)), *amounts])
    return rows


def _figures(sums: Figures) -> list[Cell]:
    return [f"{sums.calls:,}", f"{sums.unpriced:,}", cost_cell(sums)]


def _against(now: Decimal, before: Decimal) -> list[Cell]:
    return [Usd(before), format_change(now, before)]


def _notes(result: Report, baseline: Optional[Baseline], now: datetime) -> list[str]:
    total, period = result.total.now, result.question.period
    zone = result.question.zone
    since = "the beginning" if period.since is None else _moment(period.since.astimezone(zone))
    notes = [f"From {since} to {_moment(period.ended(now).astimezone(zone))}."]
    notes.append(f"Cost: {sources_of(total)}.")
    notes += [
        note.sentence()
        for note in (
            *unpriced_note(total.unpriced, total.calls),
            *skipped_note(result.bad_lines, result.bad_metrics, hint=""),
        )
    ]
    if baseline is not None:
        notes += _about(baseline)
    return [part for note in notes for part in (note, "")][:-1]


def _about(baseline: Baseline) -> list[str]:
    since, until = baseline.since, baseline.until
    begun = "the beginning" if since is None else _moment(since)
    calls = counted(baseline.calls, "call")
    return [f"Baseline: {calls}, {baseline.unpriced:,} unpriced, {begun} to {_moment(until)}."]


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M %z}"
