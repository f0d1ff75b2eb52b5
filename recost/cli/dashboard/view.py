"""The content of the page. Every figure is the one that `recost report` shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Optional

from recost.analytics.periods import PeriodError
from recost.analytics.query import Question, QuestionError, exactly
from recost.analytics.recorded import extent, places, tag_costs
from recost.analytics.report import Report, add_up, ask
from recost.analytics.store import Readings
from recost.cli._shared.footnotes import flat_note, sources_of
from recost.cli._shared.formats import name_of, zone_name
from recost.cli.dashboard.buckets import bucket_names, bucket_of
from recost.cli.dashboard.wire import figures_of, money, table_of, total_of

__all__ = ["SPLITS", "TABLES", "ViewState", "view_of"]

SPLITS: Final = ("provider", "model")
"""Dimensions of spend over time."""
TABLES: Final = ("provider", "model", "endpoint", "route", "tag")
_ROWS: Final = 8
_ALL_ROWS: Final = 500
_SERIES: Final = 7
_COLOURS: Final = 7
_OTHERS: Final = 7
_NAMELESS: Final = 8
"""Colours of the style sheet: for names, for all other names, and for calls without a name."""
_LONGEST: Final = timedelta(days=50 * 366)
_OLDEST: Final = timedelta(days=3 * 366)
"""The longest empty beginning of a chart."""


@dataclass(frozen=True)
class ViewState:
    """The view that a URL asks for."""

    question: Question
    """The period and the filters."""
    split: str = "provider"
    """One of `SPLITS`."""
    tag: Optional[str] = None
    """The tag of the table by tag. None is the tag whose calls cost most."""
    whole: tuple[str, ...] = ()
    """Tables with all their rows."""


def view_of(readings: Readings, look: ViewState, now: datetime) -> dict[str, Any]:
    """Return the content of the page."""
    plain = replace(look.question, by=())
    total = ask(readings, _compared(plain, now))
    costs = tag_costs(readings, plain)
    tag = look.tag if look.tag is not None else _dearest(costs)
    period = look.question.period
    return {
        "now": now.astimezone(plain.zone).strftime("%H:%M:%S"),
        "zone": zone_name(plain.zone, now),
        "since": _local(period.since, plain),
        "until": _local(period.until, plain),
        "total": total_of(total),
        "sources": sources_of(total.total.now),
        "flat": next((note.text for note in flat_note(total.total.now.flat_usd)), None),
        "bad_lines": total.bad_lines,
        "bad_metrics": total.bad_metrics,
        "over_time": _over_time(readings, plain, look.split, now),
        "tables": {name: _table(readings, plain, look, name, tag) for name in TABLES},
        "tag": tag,
        "tags": list(costs),
        **_choices(readings),
    }


def _dearest(costs: Mapping[str, Decimal]) -> Optional[str]:
    """Return the tag whose calls cost most. Routes have a table of their own."""
    names = [name for name in costs if name != "route"]
    return max(names, key=lambda name: costs[name], default=None)


def _compared(question: Question, now: datetime) -> Question:
    """Return the question with the period before it, if there is one."""
    try:
        return replace(question, compare=question.period.before(now))
    except (PeriodError, OverflowError):  # no beginning, or out of range
        return question


def _local(moment: Optional[datetime], question: Question) -> Optional[str]:
    return None if moment is None else moment.astimezone(question.zone).strftime("%Y-%m-%d %H:%M")


def _choices(readings: Readings) -> dict[str, list[str]]:
    groups = ask(readings, Question(by=("environment", "project"))).groups
    environments, projects = ({group.names[index] or "" for group in groups} for index in (0, 1))
    return {"environments": sorted(environments), "projects": sorted(projects)}


def _table(
    readings: Readings, plain: Question, look: ViewState, name: str, tag: Optional[str]
) -> Optional[dict[str, Any]]:
    """Return a table, the reason why the filters exclude it, or None without a tag."""
    if name == "tag" and tag is None:
        return None
    by = {"endpoint": ("provider", "endpoint"), "tag": (f"tag:{tag}",)}.get(name, (name,))
    try:
        question = replace(plain, by=by, limit=_ALL_ROWS if name in look.whole else _ROWS)
    except QuestionError as error:
        return {"refused": str(error).removeprefix("recost: ")}
    return table_of(ask(readings, question))


def _over_time(readings: Readings, plain: Question, split: str, now: datetime) -> dict[str, Any]:
    found = extent(readings, plain)
    if found is None:
        return {"bucket": "day", "names": [], "steps": [], "series": []}
    first, last = found
    since, until = plain.period.since, plain.period.until
    if since is not None:
        last = max(last, now if until is None else min(now, until - timedelta(microseconds=1)))
        first = since if last - since <= _OLDEST else first
    bucket = bucket_of(last - first)
    steps = {group.names[0]: group.now for group in ask(readings, replace(plain, by=(bucket,))).groups}
    if last - first <= _LONGEST:
        names = bucket_names(bucket, first, last, plain.zone)
    else:  # a clock was wrong
        names = [name for name in steps if name is not None]
    content: dict[str, Any] = {"bucket": bucket, "names": names, "series": []}
    content["steps"] = [figures_of(steps[name]) if name in steps else None for name in names]
    try:
        series = _series(ask(readings, replace(plain, by=(bucket, split))), names)
        content["series"] = _coloured(readings, split, series)
    except QuestionError as error:
        content["refused"] = str(error).removeprefix("recost: ")
    return content


def _series(result: Report, steps: Sequence[str]) -> list[dict[str, Any]]:
    """Return the amounts of the costliest names at each step, and of all others as one series."""
    amounts: dict[Optional[str], dict[str, Decimal]] = {}
    for group in result.groups:
        step, name = group.names
        amounts.setdefault(name, {})[step or ""] = group.now.cost_usd
    totals = {name: add_up(each.values()) for name, each in amounts.items()}
    order = sorted(totals, key=lambda name: (-totals[name], name is None, name or ""))
    order = [name for name in order if totals[name]] or order
    dimension = result.question.by[1]
    shown = order if len(order) <= _SERIES + 1 else order[:_SERIES]
    series = [
        {
            "name": name_of(dimension, name),
            "of": name,
            "filter": None if name is None else (dimension, exactly(name)),
            "others": False,
            **_costs([amounts[name]], steps),
        }
        for name in shown
    ]
    parts = [amounts[name] for name in order[len(shown) :]]
    if parts:
        title = f"{len(parts):,} others"
        series.append({"name": title, "of": None, "filter": None, "others": True, **_costs(parts, steps)})
    return series


def _coloured(readings: Readings, split: str, series: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add the number of its colour to each series.

    Names have colours in the order of their first record, so that a name keeps its colour in every view. If
    two shown names have the same colour, the later one has the next free colour.
    """
    known = places(readings, split, [each["of"] for each in series if each["of"] is not None])
    colours: dict[str, int] = {}
    for name, place in sorted(known.items(), key=lambda each: each[1]):
        free = [(place + step) % _COLOURS for step in range(_COLOURS)]
        used = colours.values()
        colours[name] = next((each for each in free if each not in used), _OTHERS)
    for each in series:
        name = each.pop("of")
        each["colour"] = _OTHERS if each["others"] else colours.get(name, _NAMELESS)
    return series


def _costs(parts: Sequence[Mapping[str, Decimal]], steps: Sequence[str]) -> dict[str, Any]:
    costs = [add_up(part.get(step, Decimal(0)) for part in parts) for step in steps]
    return {"cost": [money(cost) for cost in costs], "total": money(add_up(costs))}
