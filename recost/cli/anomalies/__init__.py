"""``recost anomalies``: hours and days that cost far more or less than usual, for cron."""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Final, Optional

from recost.analytics.anomalies import DEVIATIONS, LEAST_DAYS, MOST_DAYS, ReviewPeriod, review
from recost.analytics.periods import Period, PeriodError
from recost.analytics.query import Question, QuestionError
from recost.analytics.store import Readings
from recost.analytics.timeseries import series_of
from recost.cli._shared.arguments import (
    SPENDERS,
    add_filters,
    add_period,
    add_sources,
    names_in,
    number,
    question_of,
    right_now,
    spender,
    usd,
)
from recost.cli._shared.parser import add_examples
from recost.cli._shared.progress import watched
from recost.cli._shared.reading import read
from recost.cli._shared.refusal import refused
from recost.cli._shared.stores import readable
from recost.cli.anomalies.show import CostHistory, GroupReview, as_json, as_text

__all__ = ["configure", "run"]

_DEFAULT_BY: Final = "provider,model"
_SINCE: Final = "1d"
_LONGEST: Final = timedelta(days=31)
_LEAST_USD: Final = Decimal(1)
_EXAMPLES: Final = f"""examples:
  recost anomalies                        the last day, by provider and model
  recost anomalies --since 7d --by tag:tenant --min-usd 5
  15 * * * * out=$(recost anomalies --since 1h 2>&1) || echo "$out" | mail -s 'API cost' ops@example.com

Each hour (each day, if calls are few) is compared with the usual cost at its
hour and weekday in the {LEAST_DAYS} to {MOST_DAYS} days before.

exit code: 0 nothing found, 1 anomalies, 2 wrong usage or nothing to read"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_examples(parser, _EXAMPLES)
    add_sources(parser)
    parser.add_argument(
        "--by",
        metavar="NAME[,NAME]",
        help=f"{', '.join(SPENDERS)}, tag:NAME, or several of them, each on its own (default: {_DEFAULT_BY})",
    )
    parser.add_argument(
        "--min-usd", type=usd, default=_LEAST_USD, metavar="AMOUNT",
        help=f"minimum difference from the usual cost, in US dollars (default: {_LEAST_USD})",
    )  # fmt: skip
    parser.add_argument(
        "--deviations", type=number(1, 1000),
        default=DEVIATIONS, metavar="N",
        help=f"minimum deviations for an alert (default: {DEVIATIONS:.0f})",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_period(parser)
    add_filters(parser)
    parser.set_defaults(since=_SINCE)


def run(arguments: argparse.Namespace) -> int:
    """Print anomalies. Return 1 if there are any, 2 if they cannot be determined."""
    if not readable(arguments, "anomalies"):
        return 2
    now = right_now()
    try:
        questions = [question_of(arguments, (by,), now) for by in _names(arguments.by, arguments)]
        span = _span(questions[0], now)
    except (QuestionError, PeriodError) as error:
        return refused(error)
    first = datetime.combine(span.since.date() - timedelta(days=MOST_DAYS + 1), time.min, questions[0].zone)
    wide = [replace(question, period=Period(first, question.period.until)) for question in questions]
    found = read(arguments, lambda readings: _read(readings, wide, span))
    if found is None:
        return 2
    findings = _findings(found, span, arguments)
    print((as_json if arguments.json else as_text)(findings, found, span, arguments, questions[0].zone))
    return int(any(each.review.anomalies for each in findings))


def _read(readings: Readings, questions: list[Question], span: ReviewPeriod) -> CostHistory:
    series = {}
    unpriced = 0
    for question in questions:
        groups, everything = series_of(readings, question)
        unpriced = max(unpriced, everything.figures(span.since).unpriced)
        for name, each in groups.items():
            if name is not None or question.by == ("provider",):
                series[question.by[0], name] = each
    return CostHistory(series, unpriced, readings.bad_lines, readings.bad_metrics)


def _findings(found: CostHistory, span: ReviewPeriod, arguments: argparse.Namespace) -> list[GroupReview]:
    """Return the findings of each group that has cost enough, in the order of names."""
    least: Decimal = arguments.min_usd
    rows = [(*names, series) for names, series in found.series.items() if series.cost_usd() >= least]
    order = _names(arguments.by, arguments)
    rows.sort(key=lambda row: (order.index(row[0]), row[1] is None, row[1] or ""))
    return [
        GroupReview(by, name, review(series, span, least, arguments.deviations))
        for by, name, series in watched(rows, "comparing")
    ]


def _span(question: Question, now: datetime) -> ReviewPeriod:
    """Return the span to examine, in local time.

    Raises:
        PeriodError: The span has not begun, or is too long.
    """
    since, until = question.period.since, question.period.until
    until = now if until is None else min(until, now)
    if since is None or since >= until:
        raise PeriodError("invalid --since: expected a time before now")
    if until - since > _LONGEST:
        raise PeriodError(f"invalid --since: expected at most {_LONGEST.days} days before --until")
    return ReviewPeriod(
        *(each.astimezone(question.zone).replace(tzinfo=None) for each in (since, until, now))
    )


def _names(text: Optional[str], arguments: argparse.Namespace) -> list[str]:
    # A window has calls by model and by tag, but not by both.
    names = names_in(("provider" if arguments.tag else _DEFAULT_BY) if text is None else text)
    if not names:
        raise QuestionError("recost: invalid --by: expected at least one name")
    return [spender(name) for name in names]
