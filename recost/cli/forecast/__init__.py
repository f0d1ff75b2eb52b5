"""``recost forecast``: the cost of the month by provider, with bounds."""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Final

from recost.analytics.forecast import LEAST_DAYS, Horizon, forecast
from recost.analytics.periods import Period, PeriodError, parse_moment
from recost.analytics.query import Question, QuestionError
from recost.analytics.store import Readings
from recost.analytics.timeseries import Series, series_of
from recost.cli._shared.arguments import (
    SPENDERS,
    add_filters,
    add_sources,
    add_zone,
    naming,
    question_of,
    right_now,
    spender,
    whole,
)
from recost.cli._shared.parser import add_examples
from recost.cli._shared.progress import watched
from recost.cli._shared.reading import read
from recost.cli._shared.refusal import available, refused
from recost.cli._shared.stores import readable
from recost.cli.forecast.show import CostHistory, Forecasts, as_json, as_text

__all__ = ["configure", "run"]

_ROWS: Final = 8
_HISTORY_DAYS: Final = 200
_MOST_DAYS: Final = 92
_MONTH_END: Final = "month-end"
_EXAMPLES: Final = f"""examples:
  recost forecast
  recost forecast --by model --provider openai
  recost forecast --until 2027-01-01 --level 95 --json

Shows the cost since the first of the month and a forecast of the coming days.
With fewer than {LEAST_DAYS} whole days of calls it shows a run rate without bounds:
the mean of the known days."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_examples(parser, _EXAMPLES)
    add_sources(parser)
    parser.add_argument(
        "--by",
        default="provider",
        metavar="NAME",
        help=f"{', '.join(SPENDERS)} or tag:NAME (default: provider)",
    )
    parser.add_argument(
        "--until",
        dest="end",
        default=_MONTH_END,
        metavar="DAY",
        help="the end, exclusive: month-end or a day like 2027-01-01 (default: month-end)",
    )
    parser.add_argument(
        "--level",
        type=whole(50, 99),
        default=80,
        metavar="N",
        help="per cent of simulated courses within the bounds (default: 80)",
    )
    parser.add_argument(
        "--limit",
        type=whole(1),
        default=_ROWS,
        metavar="N",
        help=f"most rows, the others as one row (default: {_ROWS})",
    )
    add_zone(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_filters(parser)
    parser.set_defaults(since=None, until=None)


def run(arguments: argparse.Namespace) -> int:
    """Print the forecast. Return 2 if it cannot be made."""
    if not readable(arguments, "forecast") or not available("forecast", "statsmodels", extra="forecast"):
        return 2
    now = right_now()
    try:
        question = replace(question_of(arguments, (spender(arguments.by),), now), sort=None)
        horizon = _horizon(arguments.end, question, now)
    except (QuestionError, PeriodError) as error:
        return refused(error)
    since = min(horizon.since, horizon.now.date() - timedelta(days=_HISTORY_DAYS))
    period = Period(datetime.combine(since, time.min, question.zone))
    question = replace(question, period=period)
    found = read(arguments, lambda readings: _read(readings, question))
    if found is None:
        return 2
    made = _forecasts(found, horizon, arguments)
    show = as_json if arguments.json else as_text
    print(show(made, found, horizon, arguments, question))
    return 0


def _read(readings: Readings, question: Question) -> CostHistory:
    return CostHistory(*series_of(readings, question), readings.bad_lines, readings.bad_metrics)


def _forecasts(found: CostHistory, horizon: Horizon, arguments: argparse.Namespace) -> Forecasts:
    groups = found.groups
    order = sorted(groups, key=lambda name: (-groups[name].cost_usd(), name is None, name or ""))
    shown = order[: arguments.limit]
    rows = [(name, groups[name]) for name in shown]
    others = order[len(shown) :]
    if others:
        rest = Series()
        for name in others:
            rest.add(groups[name])
        rows.append((None, rest))
    rows.append((None, found.everything))
    level = arguments.level / 100
    made = [forecast(name, series, horizon, level) for name, series in watched(rows, "forecasting")]
    return Forecasts(made[: len(shown)], made[len(shown)] if others else None, len(others), made[-1])


def _horizon(text: str, question: Question, now: datetime) -> Horizon:
    """Return the beginning and the end of the forecast.

    Raises:
        PeriodError: The end is not a day, is over, or is too far away.
    """
    local = now.astimezone(question.zone).replace(tzinfo=None)
    today = local.date()
    first = today.replace(day=1)
    if text == _MONTH_END:
        return Horizon(first, local, (first + timedelta(days=31)).replace(day=1))
    until = naming("--until", parse_moment, text, question.zone, now).astimezone(question.zone).date()
    if not 0 < (until - today).days <= _MOST_DAYS:
        raise PeriodError(
            f"invalid --until {text!r} ({until}): expected 1 to {_MOST_DAYS} days after {today}"
        )
    return Horizon(first, local, until)
