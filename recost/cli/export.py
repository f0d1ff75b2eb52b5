"""``recost export``: every metric of every window as a flat row for other tools, or charges by FOCUS."""

from __future__ import annotations

import argparse
from typing import Final, Optional

from recost._text import printable
from recost.analytics.export import FORMATS, Format, export
from recost.analytics.periods import PeriodError
from recost.analytics.query import Question, QuestionError, in_utc_days
from recost.analytics.store import Readings
from recost.cli._shared.arguments import (
    add_filters,
    add_period,
    add_sources,
    question_of,
    right_now,
    telemetry_folder,
)
from recost.cli._shared.formats import counted
from recost.cli._shared.output import STDOUT, Output, is_stdout, written
from recost.cli._shared.parser import add_examples
from recost.cli._shared.reading import read
from recost.cli._shared.refusal import available, refused
from recost.ledger.focus import charges
from recost.ledger.focus_files import write_csv, write_parquet
from recost.ledger.reconcile import matching
from recost.ledger.store import files_of

__all__ = ["configure", "run"]

_EXAMPLES: Final = """examples:
  recost export > metrics.csv
  recost export --format parquet --output 2026-10.parquet --since last-month
  recost export --format jsonl --provider openai | jq .cost_usd
  recost export --format focus --since last-month --output focus.parquet

focus: one row for each UTC day, model and line of the bill, with the columns of FOCUS 1.4. Days whose
ledger was pulled are as billed, and all others as recorded: x_recostCostSource says which."""
_FOCUS: Final = "focus"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_examples(parser, _EXAMPLES)
    add_sources(parser, store=False)
    parser.add_argument(
        "--format",
        choices=(*FORMATS, _FOCUS),
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
    if arguments.format == _FOCUS:
        return _export_focus(arguments)
    kind = _format(arguments)
    output = arguments.output
    if kind == "parquet" and output is None:
        return refused("missing --output FILE, which --format parquet requires")
    try:
        question = question_of(arguments, (), right_now())
    except (QuestionError, PeriodError) as error:
        return refused(error)
    return _report(read(arguments, lambda found: _write(found, question, kind, output or STDOUT)), output)


def _report(count: Optional[int], output: Optional[str]) -> int:
    if count is None:
        return 2
    if not is_stdout(output):
        print(printable(f"{counted(count, 'row')} written to {output}"))
    return 0


def _export_focus(arguments: argparse.Namespace) -> int:
    output = arguments.output
    others = [f"--{name}" for name in ("endpoint", "env", "project") if getattr(arguments, name)]
    if others:
        return refused(f"{others[0]} cannot be used with --format focus: a bill does not distinguish them")
    try:
        question = in_utc_days(question_of(arguments, (), right_now()), right_now())
        files = matching(files_of(telemetry_folder()), question.providers)
    except (QuestionError, PeriodError, ValueError, OSError) as error:
        return refused(error)

    def write(found: Readings) -> int:
        rows = charges(found, files, question)
        with written(output or STDOUT) as fresh:
            if (output or "").endswith(".parquet"):
                return write_parquet(rows, fresh, found.connection)
            return write_csv(rows, fresh)

    try:
        return _report(read(arguments, write, live=True), output)  # what was billed may not be recorded
    except OSError as error:
        return refused(error)


def _format(arguments: argparse.Namespace) -> Format:
    suffix = (arguments.output or "").rpartition(".")[2]
    known: dict[str, Format] = {"csv": "csv", "jsonl": "jsonl", "ndjson": "jsonl", "parquet": "parquet"}
    return known[arguments.format or (suffix if suffix in known else "csv")]


def _write(found: Readings, question: Question, kind: Format, output: str) -> int:
    with written(output) as fresh:
        return export(found, question, kind, fresh)
