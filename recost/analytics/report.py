"""Reports: the groups of a question with their sums, which add up to the total."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Optional

from recost._money import EXACT
from recost.analytics.ingest.tables import MEASURES
from recost.analytics.query import Question
from recost.analytics.recorded import extent
from recost.analytics.sql import Statement
from recost.analytics.store import Readings, select_files

__all__ = ["EXACT_COSTS", "FORMATS", "Figures", "Group", "Report", "add_up", "ask", "named"]

_LATER: Final = (
    "reported_usd",
    "computed_usd",
    "estimated_usd",
    "flat_usd",
    "unstated_usd",
    "bytes_up",
    "bytes_down",
    "mean_ms",
    "p50_ms",
    "p95_ms",
)
UNKNOWN: Final = {"model": ("errors", *_LATER), "tag": _LATER}
"""The figures that a breakdown does not have, by its kind."""
EXACT_COSTS: Final = "capture_usage=True for exact costs"
"""Remedy for flat estimates, as all tools word it."""
FORMATS: Final = {
    "minute": "%Y-%m-%d %H:%M",
    "hour": "%Y-%m-%d %H:00",
    "day": "%Y-%m-%d",
    "week": "%Y-%m-%d",
    "month": "%Y-%m",
}
"""The formats of times by dimension."""
_MOST_IDLE: Final = timedelta(hours=1)
_IDLE: Final = 0.05
"""The share of the compared period without windows that is tolerated at its start.

A program that was already running may have made no calls.
"""
_ROUNDING: Final = Decimal("1e-9")
"""The largest rounding error of a sum of floats, as a share of it."""
_BROKEN_DOWN: Final = ("calls", "errors", "unpriced", "cost")
"""The figures that each breakdown has."""
_SOURCES: Final = ("reported", "computed", "estimated")
_CENTS: Final = ("cost", *_SOURCES, "flat")


@dataclass(frozen=True)
class Figures:
    """The figures of some calls. None means that the files do not record it for these groups."""

    calls: int = 0
    errors: Optional[int] = 0
    cost_usd: Decimal = Decimal(0)
    """US dollars, exact to 24 places of a cent, like all amounts that follow."""
    reported_usd: Optional[Decimal] = Decimal(0)
    computed_usd: Optional[Decimal] = Decimal(0)
    estimated_usd: Optional[Decimal] = Decimal(0)
    flat_usd: Optional[Decimal] = Decimal(0)
    """The part of ``estimated_usd`` from calls whose responses were not metered."""
    unstated_usd: Optional[Decimal] = Decimal(0)
    """The part of the cost without a source, as in windows of protocol 1.0."""
    unpriced: int = 0
    """Calls without a known cost, which ``cost_usd`` does not include."""
    uncounted: int = 0
    """Calls in windows that do not record whether calls have a price."""
    bytes_up: Optional[int] = 0
    bytes_down: Optional[int] = 0
    mean_ms: Optional[float] = None
    p50_ms: Optional[float] = None
    """The mean of the windows' percentiles, weighted by calls, close to the percentile of all calls."""
    p95_ms: Optional[float] = None


@dataclass(frozen=True)
class Group:
    """The calls with the same names."""

    names: tuple[Optional[str], ...]
    """One name per dimension of the question. None for calls without the tag or model."""
    now: Figures
    before: Optional[Figures] = None
    """The figures of the compared period."""

    def is_rounding(self, total: Group) -> bool:
        """Return True if only a rounding error of the total is left: the parts of a breakdown are floats."""
        pairs = (self.now, total.now), (self.before or self.now, total.before or total.now)
        return not any(
            part.calls or part.unpriced or abs(part.cost_usd) > abs(whole.cost_usd) * _ROUNDING
            for part, whole in pairs
        )


@dataclass(frozen=True)
class Report:
    """The sorted groups, the rest beyond the limit, and the total."""

    question: Question
    groups: Sequence[Group]
    rest: Optional[Group]
    rest_count: int
    """The number of groups in ``rest``."""
    total: Group
    bad_lines: int
    bad_metrics: int
    recorded_since: Optional[datetime] = None
    """The start of the first window, if it is too late for a comparison with the period before."""


def add_up(amounts: Iterable[Decimal]) -> Decimal:
    """Return the exact sum."""
    return functools.reduce(EXACT.add, amounts, Decimal(0))


_Sums = dict[str, Any]
_Names = tuple[Optional[str], ...]


def ask(readings: Readings, question: Question) -> Report:
    """Return the report for a question."""
    question, recorded_since = _comparable(readings, question)
    selection = select_files(readings)
    found = []
    if selection is not None:
        text, parameters = Statement(question, selection, readings.dialect).groups()
        found = _in_order(question, _both_periods(question, readings.connection.execute(text, parameters)))
    known = [each for each in found if question.breakdown is None or _has_calls(each[1])]
    shown = known if question.limit is None else known[: question.limit]
    others = [sums for _, sums in known[len(shown) :]]
    filtered = bool(question.models or question.tags)
    total = _group(question, (), [sums for _, sums in found], question.breakdown if filtered else None)
    return Report(
        question,
        [_group(question, names, [sums], question.breakdown) for names, sums in shown],
        _group(question, (None,) * len(question.by), others, question.breakdown) if others else None,
        len(others),
        total,
        readings.bad_lines,
        readings.bad_metrics,
        recorded_since,
    )


def _has_calls(pair: tuple[_Sums, _Sums]) -> bool:
    """Return True if a group of a breakdown has calls. Other figures are only in the total."""
    return any(sums[name] for sums in pair for name in _BROKEN_DOWN)


def _comparable(readings: Readings, question: Question) -> tuple[Question, Optional[datetime]]:
    """Drop the comparison of a question if recording started later. Return it with the first window."""
    before = question.compare
    if before is None or before.since is None:
        return question, None
    found = extent(readings, Question(environments=question.environments, projects=question.projects))
    if found is None:
        return question, None
    until = before.until or found[0]
    idle = min(_MOST_IDLE, abs(until - before.since) * _IDLE)
    if found[0] <= before.since + idle:
        return question, None
    return replace(question, compare=None), found[0]


def _both_periods(question: Question, result: Any) -> list[tuple[_Names, tuple[_Sums, _Sums]]]:
    width = len(question.by)
    groups: dict[_Names, tuple[_Sums, _Sums]] = {}
    while rows := result.fetchmany(10_000):
        for row in rows:
            pair = groups.setdefault(named(question, row), (_nothing(), _nothing()))
            pair[bool(row[width])].update(zip(MEASURES, (value or 0 for value in row[width + 1 :])))
    return [(names, pair) for names, pair in groups.items() if any(pair[0].values()) or any(pair[1].values())]


def named(question: Question, row: Sequence[Any]) -> _Names:
    """Return the names of a row's group, with times as text."""
    return tuple(f"{value:{FORMATS[by]}}" if by in FORMATS else value for by, value in zip(question.by, row))


def _nothing() -> _Sums:
    return dict.fromkeys(MEASURES, 0)


def _in_order(
    question: Question, groups: list[tuple[_Names, tuple[_Sums, _Sums]]]
) -> list[tuple[_Names, tuple[_Sums, _Sums]]]:
    groups.sort(key=lambda group: [(name is None, name or "") for name in group[0]])
    if question.chronological:
        groups.sort(key=lambda group: (group[0][0] or "", -group[1][0]["cost"]))
    elif question.sort != "name":
        groups.sort(key=lambda group: _weight(question.sort or "cost", *group[1]), reverse=True)
    return groups


def _weight(sort: str, now: _Sums, before: _Sums) -> tuple[Any, ...]:
    if sort == "change":
        return (abs(now["cost"] - before["cost"]), now["cost"])
    if sort == "bytes":
        return (now["bytes_up"] + now["bytes_down"],)
    if sort in {"p50", "p95"}:
        return (now[sort] / now["timed"] if now["timed"] else 0,)
    return (now[sort], now["cost"], now["calls"])


def _group(
    question: Question, names: _Names, pairs: Sequence[tuple[_Sums, _Sums]], breakdown: Optional[str]
) -> Group:
    now = _figures(_added(pair[0] for pair in pairs), breakdown)
    if question.compare is None:
        return Group(names, now)
    return Group(names, now, _figures(_added(pair[1] for pair in pairs), breakdown))


def _added(parts: Iterable[_Sums]) -> _Sums:
    total = _nothing()
    for part in parts:
        for name, value in part.items():
            total[name] = EXACT.add(total[name], value) if name in _CENTS else total[name] + value
    return total


def _figures(sums: _Sums, breakdown: Optional[str]) -> Figures:
    stated = sum((EXACT.create_decimal(sums[name]) for name in _SOURCES), Decimal(0))
    timed = sums["timed"]
    known: dict[str, Any] = {f"{name}_usd": _usd(sums[name]) for name in _CENTS}
    known["unstated_usd"] = _usd(max(EXACT.subtract(sums["cost"], stated), Decimal(0)))
    for name in ("calls", "errors", "unpriced", "uncounted", "bytes_up", "bytes_down"):
        known[name] = int(sums[name])
    for name, sum_name in (("mean_ms", "latency_ms"), ("p50_ms", "p50"), ("p95_ms", "p95")):
        known[name] = float(sums[sum_name]) / timed if timed else None
    return Figures(**{**known, **dict.fromkeys(UNKNOWN.get(breakdown or "", ()))})


def _usd(cents: Any) -> Decimal:
    dollars = EXACT.scaleb(EXACT.create_decimal(cents), -2)
    return EXACT.normalize(dollars) if dollars else Decimal(0)
