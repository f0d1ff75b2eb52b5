"""A forecast as a table for people, and as JSON."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final, Optional

from recost.analytics.forecast import LEAST_DAYS, Forecast, Horizon
from recost.analytics.query import Question, tag_of
from recost.analytics.timeseries import Series, sparkline
from recost.cli._shared.arguments import right_now
from recost.cli._shared.footnotes import Note, rendered, skipped_note, unpriced_note
from recost.cli._shared.formats import UNKNOWN, counted, is_unknown, name_of, zone_name
from recost.cli._shared.output import exact_json
from recost.cli._shared.tables import Cell, Column, Table, Usd, wrap
from recost.cli._shared.terminal import WIDE, WIDTH, Style, prints_bars, terminal_width

__all__ = ["CostHistory", "Forecasts", "as_json", "as_text"]

_TREND_DAYS: Final = 28
_SILENT: Final = timedelta(days=2)
"""Time without a call after which a warning is shown."""


@dataclass(frozen=True)
class CostHistory:
    """Costs over time from the files."""

    groups: dict[Optional[str], Series]
    everything: Series
    bad_lines: int
    bad_metrics: int


@dataclass(frozen=True)
class Forecasts:
    """Forecasts of the costliest groups, of the groups beyond the limit, and of all calls."""

    groups: Sequence[Forecast]
    rest: Optional[Forecast]
    rest_count: int
    total: Forecast


def as_json(
    made: Forecasts, found: CostHistory, horizon: Horizon, arguments: argparse.Namespace, question: Question
) -> str:
    """Return one JSON object. The amount spent has all its digits, estimates have six places."""
    content = {
        "by": question.by[0],
        "since": horizon.since.isoformat(),
        "now": horizon.now.isoformat(timespec="seconds"),
        "until": horizon.until.isoformat(),
        "zone": zone_name(question.zone, right_now()),
        "level": arguments.level,
        "groups": [{question.by[0]: each.name, **_flat(each)} for each in made.groups],
        "rest": None if made.rest is None else {"groups": made.rest_count, **_flat(made.rest)},
        "total": _flat(made.total),
        "not_read": found.bad_lines + found.bad_metrics,
    }
    return exact_json(content)


def _flat(each: Forecast) -> dict[str, Any]:
    return {
        "spent_usd": each.spent_usd,
        "expected_usd": each.expected_usd,
        "low_usd": each.low_usd,
        "high_usd": each.high_usd,
        "method": None if each.expected_usd is None else "run rate" if each.is_run_rate else "ETS",
        "days": each.days,
        "unpriced": each.unpriced,
    }


def as_text(
    made: Forecasts, found: CostHistory, horizon: Horizon, arguments: argparse.Namespace, question: Question
) -> str:
    """Return a table as wide as the terminal, at least 40 columns, with its notes."""
    style, width = Style.of(sys.stdout), terminal_width()
    by = question.by[0]
    titles = ("spent", "expected", f"{arguments.level}% from", "to", "whole days")
    columns = [Column(tag_of(by) or by, least=8), *_figures(titles)]
    wide = width >= WIDE and prints_bars()
    columns += [Column(f"last {_TREND_DAYS} days")] * wide

    def row(name: str, each: Forecast, series: Optional[Series]) -> list[Cell]:
        return [name, *_cells(each), *([_trend(series, horizon)] * wide)]

    table = Table(columns, alike=True)
    table.rows += [row(name_of(by, each.name), each, found.groups[each.name]) for each in made.groups]
    if made.rest is not None:
        table.rows.append(row(counted(made.rest_count, "other"), made.rest, None))
    table.total = row("total", made.total, found.everything)
    zone = zone_name(question.zone, right_now())
    head = f"{horizon.since} to {horizon.until} ({zone}), now {horizon.now:%Y-%m-%d %H:%M}"
    if width < WIDTH:
        head = wrap("", head, width)
    if not made.groups:
        skipped = rendered(skipped_note(found.bad_lines, found.bad_metrics), style, width)
        nothing = wrap("", "no calls to forecast from with these filters", width)
        return "\n\n".join(filter(None, [style(head, "dim"), nothing, skipped]))
    notes = rendered(_notes(made, found, horizon, arguments.level), style, width)
    return f"{style(head, 'dim')}\n\n{table.render(style, width)}\n\n{notes}"


def _figures(titles: Sequence[str]) -> list[Column]:
    return [Column(title, right=True, rank=9 if title == "expected" else 1) for title in titles]


def _cells(each: Forecast) -> list[Cell]:
    days = str(each.days)
    if is_unknown(each.known):
        return [*[UNKNOWN] * 4, days]
    spent = Usd(each.spent_usd)
    if each.expected_usd is None:
        return [spent, "-", "-", "-", days]
    if each.low_usd is None or each.high_usd is None:
        return [spent, Usd(each.expected_usd, " *"), "-", "-", days]
    return [spent, Usd(each.expected_usd), Usd(each.low_usd), Usd(each.high_usd), days]


def _trend(series: Optional[Series], horizon: Horizon) -> str:
    days = {} if series is None else series.days()
    today = horizon.now.date()
    return sparkline(
        [days.get(today - timedelta(days=back), Decimal(0)) for back in range(_TREND_DAYS, 0, -1)]
    )


def _notes(made: Forecasts, found: CostHistory, horizon: Horizon, level: int) -> Iterator[Note]:
    yield Note(
        "bounds",
        f"{level}% of simulated courses end between them, half of the others below, half above. Each row is "
        "forecast on its own: rows don't add up to the total, except for the amount spent",
        warns=False,
    )
    yield Note(
        "days",
        "days without calls count as $0. Of today: the amount spent, and of a forecast day the cost after "
        "this time of day",
        warns=False,
    )
    rows = [*made.groups, made.total] if made.rest is None else [*made.groups, made.rest, made.total]
    if any(each.is_run_rate for each in rows):
        yield Note(
            "*, -",
            f"too little data: fewer than {LEAST_DAYS} whole days since the first call. * is a run rate, the "
            "mean of the known days, not a forecast. It has no bounds",
        )
    first, last = found.everything.first, found.everything.last
    if first is not None and first.date() > horizon.since:
        yield Note("spent", f"earlier costs are unknown: the first call is of {first:%Y-%m-%d}")
    if last is not None and horizon.now - last > _SILENT:
        yield Note("no calls", f"since {last:%Y-%m-%d %H:00}: is everything recorded?")
    yield from unpriced_note(made.total.unpriced)
    yield from skipped_note(found.bad_lines, found.bad_metrics)
