"""``recost reconcile``: how much of the bill was recorded."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from decimal import Decimal
from typing import Final, Optional

from recost._files import reason_of
from recost._money import as_amount
from recost.analytics.periods import PeriodError
from recost.analytics.query import QuestionError, in_utc_days
from recost.analytics.report import ask
from recost.analytics.store import Readings
from recost.cli._shared.arguments import (
    add_filters,
    add_period,
    add_sources,
    check_name,
    names_in,
    question_of,
    right_now,
    telemetry_folder,
)
from recost.cli._shared.parser import add_examples
from recost.cli._shared.reading import read
from recost.cli._shared.refusal import refused
from recost.cli._shared.stores import readable
from recost.cli._shared.terminal import Style, terminal_width
from recost.cli.reconcile.formats import as_csv, as_json, as_markdown, as_table
from recost.ledger.model_names import ModelNames
from recost.ledger.reconcile import DIMENSIONS, Comparison, billed, compare, matching, seen
from recost.ledger.store import files_of

__all__ = ["configure", "run"]

_EXAMPLES: Final = """examples:
  recost reconcile --by provider,day --since 14d
  recost reconcile --by model --provider openai
  recost reconcile --since last-month --min-coverage 95   exits with 1 below

Days are UTC days, as on the bill. Days that are not final are not judged."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_examples(parser, _EXAMPLES)
    add_sources(parser, stdin=False)
    parser.add_argument(
        "--by",
        default="provider",
        metavar="NAME[,NAME]",
        help="provider, day, model or key, or two of them (default: provider)",
    )
    parser.add_argument(
        "--min-coverage",
        type=_percent,
        metavar="PERCENT",
        help="exit with 1 if less of the bill was recorded, in cost",
    )
    add_period(parser)
    add_filters(parser, within=False)
    output = parser.add_argument_group("output").add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print JSON")
    output.add_argument("--csv", action="store_true", help="print comma-separated values")
    output.add_argument("--markdown", action="store_true", help="print a Markdown table")


def _percent(text: str) -> Decimal:
    share = as_amount(text.removesuffix("%"))
    if share is None or share > 100:
        raise argparse.ArgumentTypeError(f"invalid percentage {text!r}: expected 0 to 100")
    return share


def run(arguments: argparse.Namespace) -> int:
    """Print the comparison. Return 1 if the coverage is too low, 2 if it cannot be made."""
    if not readable(arguments, "reconcile"):
        return 2
    now = right_now()
    try:
        by = _names(arguments.by)
        question = in_utc_days(question_of(arguments, (), now), now)
        files = matching(files_of(telemetry_folder()), question.providers)
    except (QuestionError, PeriodError, ValueError, OSError) as error:
        return refused(error)
    if not files:
        return refused("no ledger was pulled yet: recost ledger pull")
    found: list[Comparison] = []

    def use(readings: Readings) -> str:
        names = ModelNames()
        said = billed(files, question.period, names, by_key="key" in by)
        compared = compare(said, seen(readings, question, names, by_key="key" in by), by)
        flat_usd = ask(readings, question).total.now.flat_usd or Decimal(0)  # not recorded by model
        found[:] = [replace(compared, flat_usd=flat_usd)]
        return _text(found[0], arguments)

    try:
        text = read(arguments, use, live=True)  # what was billed may never have been recorded
    except OSError as error:
        return refused(f"cannot read the ledger: {reason_of(error)}")
    if text is None:
        return 2
    print(text)
    return int(_is_too_low(found[0], arguments.min_coverage))


def _names(text: str) -> tuple[str, ...]:
    """Return the dimensions that ``--by`` names.

    Raises:
        QuestionError: One is unknown, or they cannot be combined.
    """
    names = tuple(names_in(text))
    for name in names:
        check_name("--by", name, DIMENSIONS)
    if len(names) > 2 or {"model", "key"} <= set(names):
        raise QuestionError(
            f"recost: invalid --by {text!r}: expected provider, day, and model or key, at most two"
        )
    return names


def _text(found: Comparison, arguments: argparse.Namespace) -> str:
    if arguments.json:
        return as_json(found)
    if arguments.csv:
        return as_csv(found)
    if arguments.markdown:
        return as_markdown(found)
    return as_table(found, Style.of(sys.stdout), terminal_width())


def _is_too_low(found: Comparison, least: Optional[Decimal]) -> bool:
    coverage = found.total.coverage
    if least is None or coverage is None or coverage * 100 >= least:
        return False
    print(f"recost: coverage is {coverage * 100:.1f}%, expected at least {least}%", file=sys.stderr)
    return True
