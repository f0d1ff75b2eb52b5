"""``recost report``: cost by provider, model, tag, route or time."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from datetime import datetime
from typing import Final, Optional

from recost._text import printable
from recost.analytics.periods import PeriodError
from recost.analytics.query import DIMENSIONS, SORTS, Question, QuestionError
from recost.analytics.report import ask
from recost.analytics.store import Readings
from recost.analytics.timeseries import sparkline, trends
from recost.cli._shared.arguments import (
    add_filters,
    add_period,
    add_sources,
    check_name,
    question_of,
    right_now,
    whole,
)
from recost.cli._shared.formats import counted
from recost.cli._shared.output import Output, is_stdout
from recost.cli._shared.parser import add_examples
from recost.cli._shared.reading import read
from recost.cli._shared.refusal import refused
from recost.cli._shared.stores import readable
from recost.cli._shared.terminal import WIDE, Style, prints_bars, terminal_width
from recost.cli.report.formats import as_csv, as_json, as_markdown, write_parquet
from recost.cli.report.table import show

__all__ = ["configure", "run"]

_ROWS: Final = 25
"""Default rows of a table for people."""
_EXAMPLES: Final = """examples:
  recost report                                  what each provider cost
  recost report --by model --since 7d --compare  by model, against the week before
  recost report --by day,provider --since this-month
  recost report --by tag:tenant --provider openai --limit 10
  recost report --json logs/*.jsonl.gz | jq .total.cost_usd"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_examples(parser, _EXAMPLES)
    add_sources(parser)
    parser.add_argument(
        "--by",
        default="provider",
        metavar="NAME[,NAME]",
        help="provider, endpoint, method, model, tag:NAME, route, environment, project, minute, hour, day, "
        "week, month, or two of them (default: provider)",
    )
    parser.add_argument(
        "--sort", choices=SORTS, help="descending measure (default: cost, or by time where --by names one)"
    )
    parser.add_argument(
        "--limit",
        type=whole(least=1),
        metavar="N",
        help=f"most rows, the others as one row (default: {_ROWS} in a table, otherwise all)",
    )
    parser.add_argument("--compare", action="store_true", help="show changes against the period before")
    add_period(parser)
    add_filters(parser)
    output = parser.add_argument_group("output").add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print JSON")
    output.add_argument("--csv", action="store_true", help="print comma-separated values")
    output.add_argument("--markdown", action="store_true", help="print a Markdown table")
    output.add_argument(
        "--parquet", metavar="FILE", type=Output, help="write a Parquet file, or - for stdout"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the report. Return 2 if it cannot be made."""
    if not readable(arguments, "report"):
        return 2
    now = right_now()
    try:
        question = question_of(arguments, _names(arguments.by), now)
    except (QuestionError, PeriodError) as error:
        return refused(error)

    human = not (arguments.json or arguments.csv or arguments.parquet)
    if human and question.limit is None and not question.chronological:
        question = replace(question, limit=_ROWS)
    text = read(arguments, lambda found: _text(found, question, arguments, now))
    if text is None:
        return 2
    if text:
        print(text)
    return 0


def _text(found: Readings, question: Question, arguments: argparse.Namespace, now: datetime) -> str:
    result = ask(found, question)
    if arguments.json:
        return as_json(result, now)
    if arguments.csv:
        return as_csv(result)
    if arguments.markdown:
        return as_markdown(result)
    if arguments.parquet:
        count = write_parquet(result, arguments.parquet)
        text = f"{counted(count, 'row')} written to {arguments.parquet}"
        return "" if is_stdout(arguments.parquet) else printable(text)
    lines = None
    if terminal_width() >= WIDE and prints_bars():
        lines = trends(found, question, result.groups, now)
    total = result.total.now
    old = _old_list(now) if total.computed_usd or total.unpriced else None
    return show(result, Style.of(sys.stdout), now, [sparkline(each) for each in lines or ()], old)


def _old_list(now: datetime) -> Optional[str]:
    from recost.cli._shared.list_age import old_list  # noqa: PLC0415 - many reports need no list of prices

    return old_list(now.date())


def _names(text: str) -> tuple[str, ...]:
    """Return the dimensions that ``--by`` names.

    Raises:
        QuestionError: One is unknown.
    """
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if not name.startswith("tag:"):
            check_name("--by", name, (*DIMENSIONS, "tag:NAME"))
    return names
