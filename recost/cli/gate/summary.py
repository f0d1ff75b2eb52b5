"""What ``recost gate`` tells, as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, Optional

from recost._money import format_change, format_usd
from recost._text import markdown
from recost.analytics.gate import Baseline, Limits
from recost.analytics.report import Answer, Group, add_up
from recost.cli._shared.footnotes import sources_of
from recost.cli._shared.formats import name_of, table_row

__all__ = ["summary"]

_SHOWN: Final = 20
"""Groups; the others are told in one row."""


def summary(answer: Answer, limits: Limits, verdicts: Sequence[tuple[bool, str]], now: datetime) -> str:
    """Return the summary.

    Args:
        answer: What the calls cost.
        limits: What they may cost.
        verdicts: Whether each limit holds, and that in words.
        now: The end of a period that has none.
    """
    held = all(good for good, _ in verdicts)
    lines = [f"### API cost: {format_usd(answer.total.now.cost_usd)}, {_word(verdicts, held=held)}", ""]
    lines += [f"- {'ok' if good else '**FAILED**'}: {text}" for good, text in verdicts]
    lines += [""] * bool(verdicts) + [*_table(answer, limits.baseline), ""]
    lines += _notes(answer, limits.baseline, now)
    return "\n".join(lines)


def _word(verdicts: Sequence[tuple[bool, str]], *, held: bool) -> str:
    if not verdicts:
        return "no limit was set"
    return "within the limits" if held else "**over the limits**"


def _table(answer: Answer, baseline: Optional[Baseline]) -> list[str]:
    by = answer.question.by
    heads = [*map(markdown, by), "calls", "unpriced", "cost"]
    if baseline is not None:
        heads += ["baseline", "change"]
    rules = [*("---" for _ in by), *("---:" for _ in heads[len(by) :])]
    present = [group for group in answer.groups if group.now.calls or group.now.cost_usd]
    rows = [heads, rules, *(_row(answer, group, baseline) for group in present[:_SHOWN])]
    rows += _others(answer, present[_SHOWN:], baseline)
    total = answer.total.now
    last = [f"{total.calls:,}", f"{total.unpriced:,}", format_usd(total.cost_usd)]
    if baseline is not None:
        last += _against(total.cost_usd, baseline.cost_usd)
    rows.append(["**total**", *[""] * (len(by) - 1), *last])
    return list(map(table_row, rows))


def _row(answer: Answer, group: Group, baseline: Optional[Baseline]) -> list[str]:
    names = [markdown(name_of(by, name)) for by, name in zip(answer.question.by, group.names)]
    now = group.now
    row = [*names, f"{now.calls:,}", f"{now.unpriced:,}", format_usd(now.cost_usd)]
    if baseline is not None:
        row += _against(now.cost_usd, baseline.groups.get(group.names, Decimal(0)))
    return row


def _others(answer: Answer, rest: Sequence[Group], baseline: Optional[Baseline]) -> list[list[str]]:
    """Return the row of the groups that are not shown, and of those that are only in the baseline."""
    rows = []
    blank = [""] * (len(answer.question.by) - 1)
    if rest:
        calls, unpriced = (sum(getattr(group.now, name) for group in rest) for name in ("calls", "unpriced"))
        cost = add_up(group.now.cost_usd for group in rest)
        row = [f"{len(rest):,} others", *blank, f"{calls:,}", f"{unpriced:,}", format_usd(cost)]
        if baseline is not None:
            before = (baseline.groups.get(group.names, Decimal(0)) for group in rest)
            row += _against(cost, add_up(before))
        rows.append(row)
    if baseline is not None:
        here = {group.names for group in answer.groups if group.now.calls or group.now.cost_usd}
        gone = [cost for names, cost in baseline.groups.items() if names not in here and cost]
        if gone:
            amounts = _against(Decimal(0), add_up(gone))
            rows.append([f"{len(gone):,} in the baseline only", *blank, "0", "0", "$0", *amounts])
    return rows


def _against(now: Decimal, before: Decimal) -> list[str]:
    return [format_usd(before), format_change(now, before)]


def _notes(answer: Answer, baseline: Optional[Baseline], now: datetime) -> list[str]:
    total, period = answer.total.now, answer.question.period
    zone = answer.question.zone
    since = "the beginning" if period.since is None else _moment(period.since.astimezone(zone))
    notes = [f"From {since} to {_moment(period.ended(now).astimezone(zone))}."]
    notes.append(f"Cost: {sources_of(total)}.")
    if total.unpriced:
        notes.append(f"**{total.unpriced:,} calls have no known price; their cost is in no figure.**")
    bad = ((answer.bad_lines, "line"), (answer.bad_metrics, "metric"))
    told = [f"{count:,} {what}{'s' * (count > 1)}" for count, what in bad if count]
    if told:
        notes.append(f"**Could not be read, and is in no figure: {' and '.join(told)}.**")
    if baseline is not None:
        notes += _about(baseline)
    return [part for note in notes for part in (note, "")][:-1]


def _about(baseline: Baseline) -> list[str]:
    since, until = baseline.since, baseline.until
    begun = "the beginning" if since is None else _moment(since)
    return [
        f"Baseline: {baseline.calls:,} calls, {baseline.unpriced:,} unpriced, {begun} to {_moment(until)}."
    ]


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M %z}"
