"""``recost gate``: a check that fails a build whose calls cost more than a budget, or than a baseline."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final, Optional

from recost._documents import parse_json, read_document
from recost._money import as_amount
from recost.analytics.gate import (
    Baseline,
    BaselineError,
    Limits,
    check_length,
    content_of,
    filters_of,
    judge,
    parse_baseline,
)
from recost.analytics.periods import PeriodError
from recost.analytics.query import Question
from recost.analytics.report import Report, ask
from recost.cli._shared.arguments import (
    add_filters,
    add_period,
    add_sources,
    question_of,
    right_now,
    usd,
)
from recost.cli._shared.footnotes import skipped_note
from recost.cli._shared.formats import counted
from recost.cli._shared.output import STDOUT, Output, OutputError, append, exact_json, write
from recost.cli._shared.parser import add_examples
from recost.cli._shared.reading import read
from recost.cli._shared.refusal import refused
from recost.cli._shared.stores import readable
from recost.cli.gate.summary import summary
from recost.errors import RecostError

__all__ = ["configure", "run"]

_GITHUB: Final = "github"
_GITHUB_FILE: Final = "GITHUB_STEP_SUMMARY"
_SHARE: Final = Decimal("0.2")
_EXAMPLES: Final = """examples:
  recost gate --max-usd 5 --since 1h
  recost gate --write-baseline cost-baseline.json      on the main branch
  recost gate --baseline cost-baseline.json --share 20% --summary github
  recost gate --max-usd 5 --fail-on-unpriced logs/*.jsonl

exit code: 0 within all limits, 1 over one, 2 wrong usage, no call recorded.
Windows of protocol 1.0 don't count unpriced calls: 2 with --fail-on-unpriced."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_examples(parser, _EXAMPLES)
    add_sources(parser)
    group = parser.add_argument_group("limits")
    group.add_argument("--max-usd", type=usd, metavar="AMOUNT", help="limit on the total cost, in US dollars")
    group.add_argument("--baseline", metavar="FILE", help="file written by --write-baseline")
    group.add_argument(
        "--share", type=_share, metavar="N%", help="allowed increase over the baseline (default: 20%%)"
    )
    group.add_argument("--fail-on-unpriced", action="store_true", help="fail if a call has no known price")
    output = parser.add_argument_group("output")
    output.add_argument(
        "--write-baseline",
        metavar="FILE",
        type=Output,
        help="write the current cost, unless a limit is exceeded. - is stdout, with the summary on stderr",
    )
    output.add_argument(
        "--summary",
        metavar="FILE",
        type=Output,
        help=f"also write the Markdown to a file, or append it to ${_GITHUB_FILE} for {_GITHUB}",
    )
    add_period(parser)
    add_filters(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the summary. Return 1 if a limit is exceeded, 2 if that cannot be determined."""
    if not readable(arguments, "gate"):
        return 2
    now = right_now()
    try:
        _check(arguments)
        question = question_of(arguments, _by(arguments), now)
        limits = Limits(
            arguments.max_usd,
            _baseline(arguments.baseline, question, now),
            _SHARE if arguments.share is None else arguments.share,
            arguments.fail_on_unpriced,
        )
    except (RecostError, PeriodError) as error:
        return refused(error)
    result: Optional[Report] = read(arguments, lambda found: ask(found, question))
    if result is None:
        return 2
    return _judge(result, limits, arguments, now)


def _judge(result: Report, limits: Limits, arguments: argparse.Namespace, now: datetime) -> int:
    if not result.total.now.calls:
        texts = ["no call was recorded in this period with these filters"]
        texts += [note.text for note in skipped_note(result.bad_lines, result.bad_metrics)]
        return refused(f"gate: {'. '.join(texts)}")
    uncounted = result.total.now.uncounted
    if limits.priced and uncounted:
        return refused(
            f"gate: {counted(uncounted, 'call')} in windows of protocol 1.0, which don't count "
            "unpriced calls: exclude them with --since"
        )
    verdicts = judge(result, limits)
    text = summary(result, limits, verdicts, now)
    print(text, file=sys.stderr if arguments.write_baseline == STDOUT else sys.stdout)
    kept = all(held for held, _ in verdicts)
    try:
        _keep(text, arguments.summary)
        if kept and arguments.write_baseline:
            write(arguments.write_baseline, exact_json(content_of(result, now)) + "\n")
    except OutputError as error:
        return refused(error)
    return 0 if kept else 1


def _check(arguments: argparse.Namespace) -> None:
    """Check the arguments before anything is read.

    Raises:
        RecostError: They set no limit, or one that lacks another argument.
    """
    limited = arguments.max_usd is not None or arguments.baseline or arguments.fail_on_unpriced
    if not limited and not arguments.write_baseline:
        raise RecostError(
            "recost: missing limit: expected --max-usd, --baseline, --fail-on-unpriced or --write-baseline"
        )
    if arguments.share is not None and not arguments.baseline:
        raise RecostError("recost: missing --baseline, which --share requires")
    if arguments.summary == _GITHUB and not os.environ.get(_GITHUB_FILE):
        raise RecostError(f"recost: missing ${_GITHUB_FILE}, which --summary {_GITHUB} requires")


def _by(arguments: argparse.Namespace) -> tuple[str, ...]:
    """Return the dimensions, with the model unless there are tags: a window has no calls by both."""
    return ("provider",) if arguments.tag else ("provider", "model")


def _baseline(name: Optional[str], question: Question, now: datetime) -> Optional[Baseline]:
    if name is None:
        return None
    try:
        text = read_document(Path(name))
    except (OSError, ValueError) as error:
        raise BaselineError(
            f"recost: cannot read {name}: {getattr(error, 'strerror', None) or error}"
        ) from error
    try:
        content = parse_json(text)
    except ValueError as error:
        raise BaselineError(f"recost: {name} is not JSON: {error}") from error
    baseline = parse_baseline(content, name)
    if dict(baseline.filters) != filters_of(question):
        raise BaselineError(f"recost: {name} was written with other filters: {_filters(baseline)}")
    check_length(baseline, question, now, name)
    return baseline


def _filters(baseline: Baseline) -> str:
    given = [f"--{name} {value}" for name, values in baseline.filters.items() for value in values]
    return " ".join(given) or "no filters"


def _keep(text: str, target: Optional[str]) -> None:
    if target == _GITHUB:
        append(os.environ[_GITHUB_FILE], f"{text}\n\n")
    elif target is not None and target != STDOUT:  # printed already
        write(target, f"{text}\n")


def _share(text: str) -> Decimal:
    number = as_amount(text.strip()[:-1]) if text.strip().endswith("%") else None
    if number is None:
        raise argparse.ArgumentTypeError(f"invalid share {text!r}: expected a percentage, such as 20%")
    return number / 100
