"""``recost export``: every metric of every window as a flat row for other tools."""

from __future__ import annotations

import argparse

from recost._text import printable
from recost.analytics.export import FORMATS, Format, export
from recost.analytics.periods import PeriodError
from recost.analytics.query import Question, QuestionError
from recost.analytics.store import Readings
from recost.cli._shared.arguments import add_filters, add_period, add_sources, question_of, right_now
from recost.cli._shared.formats import counted
from recost.cli._shared.output import STDOUT, Output, is_stdout, written
from recost.cli._shared.parser import add_examples
from recost.cli._shared.reading import read
from recost.cli._shared.refusal import available, refused

__all__ = ["configure", "run"]

_EXAMPLES = """examples:
  recost export > metrics.csv
  recost export --format parquet --output 2026-10.parquet --since last-month
  recost export --format jsonl --provider openai | jq .cost_usd"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_examples(parser, _EXAMPLES)
    add_sources(parser, store=False)
    parser.add_argument(
        "--format",
        choices=FORMATS,
        help="format of the rows (default: from the name of the output, otherwise csv)",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=Output,
        help="file to write, required for Parquet (default: -, which is stdout)",
    )
    add_period(parser)
    add_filters(parser, within=False)


def run(arguments: argparse.Namespace) -> int:
    """Write the rows. Return 2 if that is not possible."""
    if not available("export", "duckdb"):
        return 2
    kind = _format(arguments)
    output = arguments.output
    if kind == "parquet" and output is None:
        return refused("missing --output FILE, which --format parquet requires")
    try:
        question = question_of(arguments, (), right_now())
    except (QuestionError, PeriodError) as error:
        return refused(error)
    count = read(arguments, lambda found: _write(found, question, kind, output or STDOUT))
    if count is None:
        return 2
    if not is_stdout(output):
        print(printable(f"{counted(count, 'row')} written to {output}"))
    return 0


def _format(arguments: argparse.Namespace) -> Format:
    suffix = (arguments.output or "").rpartition(".")[2]
    known: dict[str, Format] = {"csv": "csv", "jsonl": "jsonl", "ndjson": "jsonl", "parquet": "parquet"}
    return known[arguments.format or (suffix if suffix in known else "csv")]


def _write(found: Readings, question: Question, kind: Format, output: str) -> int:
    with written(output) as fresh:
        return export(found, question, kind, fresh)
