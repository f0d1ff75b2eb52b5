"""``recost forecast``: what the month will have cost, by provider, within which bounds."""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Final

from recost.analytics.forecast import LEAST_DAYS, Horizon, forecast
from recost.analytics.periods import Period, SpanError, parse_moment
from recost.analytics.query import Question, QuestionError
from recost.analytics.store import Readings
from recost.analytics.timeseries import Series, series_of
from recost.cli._shared.arguments import (
    SPENDERS,
    add_filters,
    add_sources,
    question_of,
    right_now,
    spender,
    whole,
)
from recost.cli._shared.parser import add_examples
from recost.cli._shared.progress import watched
from recost.cli._shared.reading import read
from recost.cli._shared.refusal import available, refused
from recost.cli.forecast.show import Found, Made, as_json, as_text

__all__ = ["configure", "run"]

_ROWS: Final = 8
_HISTORY_DAYS: Final = 200
_MOST_DAYS: Final = 92
_MONTH_END: Final = "month-end"
_EXAMPLES: Final = f"""examples:
  recost forecast
  recost forecast --by model --provider openai
  recost forecast --until 2027-01-01 --level 95 --json

What is spent since the first of the month, and a forecast of the days to come.
With fewer than {LEAST_DAYS} whole days of calls there are no bounds, only the mean of the
days that there are, which is called a run rate."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_examples(parser, _EXAMPLES)
    add_sources(parser)
    parser.add_argument(
        "--by", default="provider", metavar="NAME", help=f"{', '.join(SPENDERS)} or tag:NAME (provider)"
    )
    parser.add_argument(
        "--until",
        dest="end",
        default=_MONTH_END,
        metavar="DAY",
        help="month-end, or a day that is not part of it, like 2027-01-01 (month-end)",
    )
    parser.add_argument(
        "--level",
        type=whole("level from 50 to 99 per cent: 80", 50, 99),
        default=80,
        metavar="N",
        help="per cent that the bounds are to hold (80)",
    )
    parser.add_argument(
        "--limit",
        type=whole(f"number of rows: {_ROWS}", 1),
        default=_ROWS,
        metavar="N",
        help=f"so many rows ({_ROWS})",
    )
    parser.add_argument("--tz", metavar="ZONE", default="local", help="UTC, Europe/Berlin, +01:00 (local)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_filters(parser)
    parser.set_defaults(since=None, until=None)


def run(arguments: argparse.Namespace) -> int:
    """Print the forecast; 2 when it cannot be made."""
    if not available("forecast", "duckdb") or not available("forecast", "statsmodels", extra="forecast"):
        return 2
    now = right_now()
    try:
        question = replace(question_of(arguments, (spender(arguments.by),), now), sort=None)
        horizon = _horizon(arguments.end, question, now)
    except (QuestionError, SpanError) as error:
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


def _read(readings: Readings, question: Question) -> Found:
    return Found(*series_of(readings, question), readings.bad_lines + readings.bad_metrics)


def _forecasts(found: Found, horizon: Horizon, arguments: argparse.Namespace) -> Made:
    groups = found.groups
    order = sorted(groups, key=lambda name: (-groups[name].cost_usd(), name is None, name or ""))
    shown = order if len(order) <= arguments.limit else order[: arguments.limit - 1]
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
    return Made(made[: len(shown)], made[len(shown)] if others else None, len(others), made[-1])


def _horizon(text: str, question: Question, now: datetime) -> Horizon:
    """Return from when to when.

    Raises:
        SpanError: The end is no day, is over, or is too far away.
    """
    local = now.astimezone(question.zone).replace(tzinfo=None)
    today = local.date()
    first = today.replace(day=1)
    if text == _MONTH_END:
        return Horizon(first, local, (first + timedelta(days=31)).replace(day=1))
    until = parse_moment(text, question.zone, now).astimezone(question.zone).date()
    if not 0 < (until - today).days <= _MOST_DAYS:
        raise SpanError(f"--until {text!r} is {until}: it is to be 1 to {_MOST_DAYS} days after {today}")
    return Horizon(first, local, until)
