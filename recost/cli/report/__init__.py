"""``recost report``: who spends what, when."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from datetime import datetime
from typing import Final, Optional

from recost._text import printable
from recost.analytics.periods import SpanError
from recost.analytics.query import SORTS, Question, QuestionError
from recost.analytics.report import ask
from recost.analytics.store import Readings
from recost.analytics.timeseries import sparkline, trends
from recost.cli._shared.arguments import add_filters, add_period, add_sources, question_of, right_now
from recost.cli._shared.output import Output, is_stdout
from recost.cli._shared.parser import add_examples
from recost.cli._shared.reading import read
from recost.cli._shared.refusal import available, refused
from recost.cli._shared.terminal import WIDE, Style, prints_bars, terminal_width
from recost.cli.report.formats import as_csv, as_json, as_markdown, write_parquet
from recost.cli.report.table import show

__all__ = ["configure", "run"]

_ROWS: Final = 25
"""Of a table for people."""
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
        "week, month, or two of them (provider)",
    )
    parser.add_argument("--sort", choices=SORTS, help="the largest first (cost); times stand in their order")
    parser.add_argument(
        "--limit", type=int, metavar="N", help="so many rows; the others in one (25 in a table)"
    )
    parser.add_argument("--compare", action="store_true", help="changes against the period before")
    add_period(parser)
    add_filters(parser)
    output = parser.add_argument_group("output").add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print JSON")
    output.add_argument("--csv", action="store_true", help="print comma-separated values")
    output.add_argument("--markdown", action="store_true", help="print a Markdown table")
    output.add_argument("--parquet", metavar="FILE", type=Output, help="write a Parquet file; - is stdout")


def run(arguments: argparse.Namespace) -> int:
    """Print the report; 2 when it cannot be made."""
    if not available("report", "duckdb"):
        return 2
    now = right_now()
    try:
        question = question_of(arguments, _names(arguments.by), now)
    except (QuestionError, SpanError) as error:
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
    answer = ask(found, question)
    if arguments.json:
        return as_json(answer, now)
    if arguments.csv:
        return as_csv(answer)
    if arguments.markdown:
        return as_markdown(answer)
    if arguments.parquet:
        count = write_parquet(found.connection, answer, arguments.parquet)
        told = f"{count:,} rows written to {arguments.parquet}"
        return "" if is_stdout(arguments.parquet) else printable(told)
    lines = None
    if terminal_width() >= WIDE and prints_bars():
        lines = trends(found, question, answer.groups, now)
    total = answer.total.now
    old = _old_list(now) if total.computed_usd or total.unpriced else None
    return show(answer, Style.of(sys.stdout), now, [sparkline(each) for each in lines or ()], old)


def _old_list(now: datetime) -> Optional[str]:
    from recost.cli._shared.list_age import old_list  # noqa: PLC0415 - many reports need no list of prices

    return old_list(now.date())


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
