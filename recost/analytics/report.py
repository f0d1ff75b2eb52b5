"""The answer to a question: groups of calls and what each amounts to; they add up to the total."""

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
from recost.analytics.store import Readings, scope_of

__all__ = ["FORMATS", "Answer", "Figures", "Group", "add_up", "ask", "named"]

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
"""What a breakdown within a metric doesn't tell, by the kind of breakdown."""
FORMATS: Final = {
    "minute": "%Y-%m-%d %H:%M",
    "hour": "%Y-%m-%d %H:00",
    "day": "%Y-%m-%d",
    "week": "%Y-%m-%d",
    "month": "%Y-%m",
}
"""How times are named, by the kind."""
_MOST_IDLE: Final = timedelta(hours=1)
_IDLE: Final = 0.05
"""Of the period before, before its first window: a program that was there may have made no calls."""
_TOLD: Final = ("calls", "errors", "unpriced", "cost")
"""What a breakdown by model or tag tells of its groups."""
_SOURCES: Final = ("reported", "computed", "estimated")
_CENTS: Final = ("cost", *_SOURCES, "flat")


@dataclass(frozen=True)
class Figures:
    """What some calls amount to; None: the files don't tell it for these groups."""

    calls: int = 0
    errors: Optional[int] = 0
    cost_usd: Decimal = Decimal(0)
    """US dollars, exact to 24 places of a cent, as all that follow."""
    reported_usd: Optional[Decimal] = Decimal(0)
    computed_usd: Optional[Decimal] = Decimal(0)
    estimated_usd: Optional[Decimal] = Decimal(0)
    flat_usd: Optional[Decimal] = Decimal(0)
    """Of ``estimated_usd``, what is from windows of programs that don't look at answers."""
    unstated_usd: Optional[Decimal] = Decimal(0)
    """Of the cost, what has no source: windows of protocol 1.0 have none."""
    unpriced: int = 0
    """Calls whose cost is not known, and is not in ``cost_usd``."""
    untold: int = 0
    """Calls of windows that don't tell whether they have a price."""
    bytes_up: Optional[int] = 0
    bytes_down: Optional[int] = 0
    mean_ms: Optional[float] = None
    p50_ms: Optional[float] = None
    """The mean of the windows' percentiles, weighted by calls; near the percentile of all calls."""
    p95_ms: Optional[float] = None


@dataclass(frozen=True)
class Group:
    """Some calls that have the same names."""

    names: tuple[Optional[str], ...]
    """One for each dimension of the question; None: the calls that have no such tag, or no model."""
    now: Figures
    before: Optional[Figures] = None
    """In the period that is compared with."""


@dataclass(frozen=True)
class Answer:
    """The groups in their order; what was left out by the limit; and all together."""

    question: Question
    groups: Sequence[Group]
    rest: Optional[Group]
    rest_count: int
    """How many groups are in ``rest``."""
    total: Group
    bad_lines: int
    bad_metrics: int
    recorded_since: Optional[datetime] = None
    """When the first window began, where that is too late to compare with the period before."""


def add_up(amounts: Iterable[Decimal]) -> Decimal:
    """Return the exact sum."""
    return functools.reduce(EXACT.add, amounts, Decimal(0))


_Sums = dict[str, Any]
_Names = tuple[Optional[str], ...]


def ask(readings: Readings, question: Question) -> Answer:
    """Return the answer to a question."""
    question, recorded_since = _comparable(readings, question)
    scope = scope_of(readings)
    found = []
    if scope is not None:
        text, parameters = Statement(question, scope).groups()
        found = _in_order(question, _both_periods(question, readings.connection.execute(text, parameters)))
    told = [each for each in found if question.breakdown is None or _tells_something(each[1])]
    shown = told if question.limit is None else told[: question.limit]
    others = [sums for _, sums in told[len(shown) :]]
    filtered = bool(question.models or question.tags)
    total = _group(question, (), [sums for _, sums in found], question.breakdown if filtered else None)
    return Answer(
        question,
        [_group(question, names, [sums], question.breakdown) for names, sums in shown],
        _group(question, (None,) * len(question.by), others, question.breakdown) if others else None,
        len(others),
        total,
        readings.bad_lines,
        readings.bad_metrics,
        recorded_since,
    )


def _tells_something(pair: tuple[_Sums, _Sums]) -> bool:
    """Tell whether calls are left for a group of a breakdown: what it doesn't tell is in the total only."""
    return any(sums[name] for sums in pair for name in _TOLD)


def _comparable(readings: Readings, question: Question) -> tuple[Question, Optional[datetime]]:
    """Return the question; without the period before, and with the first window, where that is later."""
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
    """Return the names of a row's group: times as they are written."""
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
    for name in ("calls", "errors", "unpriced", "untold", "bytes_up", "bytes_down"):
        known[name] = int(sums[name])
    for name, sum_name in (("mean_ms", "latency_ms"), ("p50_ms", "p50"), ("p95_ms", "p95")):
        known[name] = float(sums[sum_name]) / timed if timed else None
    return Figures(**{**known, **dict.fromkeys(UNKNOWN.get(breakdown or "", ()))})


def _usd(cents: Any) -> Decimal:
    dollars = EXACT.scaleb(EXACT.create_decimal(cents), -2)
    return EXACT.normalize(dollars) if dollars else Decimal(0)
