"""``recost gate``: fail a build whose calls cost more than a budget, or than a baseline."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final, Optional

from recost._documents import parse_json, read_document
from recost.analytics.gate import (
    Baseline,
    BaselineError,
    Limits,
    check_length,
    content_of,
    judge,
    parse_baseline,
    scope_of,
)
from recost.analytics.periods import SpanError
from recost.analytics.query import Question
from recost.analytics.report import Answer, ask
from recost.cli._shared.arguments import (
    add_filters,
    add_period,
    add_sources,
    decimal,
    question_of,
    right_now,
    usd,
)
from recost.cli._shared.footnotes import left_out
from recost.cli._shared.output import STDOUT, Output, OutputError, append, exact_json, write
from recost.cli._shared.parser import add_examples
from recost.cli._shared.reading import read
from recost.cli._shared.refusal import available, refused
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

exit code: 0 within all limits, 1 over one, 2 wrong usage, no call recorded,
or, with --fail-on-unpriced, windows of protocol 1.0, which can't tell"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_examples(parser, _EXAMPLES)
    add_sources(parser)
    group = parser.add_argument_group("limits")
    group.add_argument("--max-usd", type=usd, metavar="AMOUNT", help="US dollars that all may cost together")
    group.add_argument("--baseline", metavar="FILE", help="what --write-baseline has written before")
    group.add_argument(
        "--share", type=_share, metavar="N%", help="so much above the baseline is allowed (20%%)"
    )
    group.add_argument("--fail-on-unpriced", action="store_true", help="each call is to have a known price")
    output = parser.add_argument_group("output")
    output.add_argument(
        "--write-baseline",
        metavar="FILE",
        type=Output,
        help="write what it costs now, unless a limit is exceeded; -: to stdout, the summary to stderr",
    )
    output.add_argument(
        "--summary",
        metavar="FILE",
        type=Output,
        help=f"write the Markdown to a file, too; {_GITHUB}: append it to ${_GITHUB_FILE}",
    )
    add_period(parser)
    add_filters(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the summary; 1 when a limit is exceeded, 2 when it cannot be told."""
    if not available("gate", "duckdb"):
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
    except (RecostError, SpanError) as error:
        return refused(error)
    answer: Optional[Answer] = read(arguments, lambda found: ask(found, question))
    if answer is None:
        return 2
    try:
        return _tell(answer, limits, arguments, now)
    except BrokenPipeError:
        raise
    except OSError as error:
        return refused(error)


def _tell(answer: Answer, limits: Limits, arguments: argparse.Namespace, now: datetime) -> int:
    if not answer.total.now.calls:
        told = "recost: gate: no call was recorded in this period, with these filters"
        for heading, text in left_out(0, answer.bad_lines + answer.bad_metrics):
            told += f"; {heading}: {text}"
        print(told, file=sys.stderr)
        return 2
    if limits.priced and answer.total.now.untold:
        print(
            f"recost: gate: {answer.total.now.untold:,} calls are in windows of protocol 1.0, which "
            "don't tell whether a call has a price; leave them out with --since",
            file=sys.stderr,
        )
        return 2
    verdicts = judge(answer, limits)
    text = summary(answer, limits, verdicts, now)
    print(text, file=sys.stderr if arguments.write_baseline == STDOUT else sys.stdout)
    kept = all(held for held, _ in verdicts)
    try:
        _keep(text, arguments.summary)
        if kept and arguments.write_baseline:
            write(arguments.write_baseline, exact_json(content_of(answer, now)) + "\n")
    except OutputError as error:
        return refused(error)
    return 0 if kept else 1


def _check(arguments: argparse.Namespace) -> None:
    """Refuse what asks for nothing, before anything is read.

    Raises:
        RecostError: It does.
    """
    limited = arguments.max_usd is not None or arguments.baseline or arguments.fail_on_unpriced
    if not limited and not arguments.write_baseline:
        raise RecostError("recost: gate needs --max-usd, --baseline, --fail-on-unpriced or --write-baseline")
    if arguments.share is not None and not arguments.baseline:
        raise RecostError("recost: --share is above a --baseline, which is not given")
    if arguments.summary == _GITHUB and not os.environ.get(_GITHUB_FILE):
        raise RecostError(f"recost: --summary {_GITHUB} needs ${_GITHUB_FILE}, which is not set")


def _by(arguments: argparse.Namespace) -> tuple[str, ...]:
    """By model, too, unless tags are asked for: a window doesn't tell both at once."""
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
        raise BaselineError(f"recost: {name} is no JSON: {error}") from error
    baseline = parse_baseline(content, name)
    if dict(baseline.scope) != scope_of(question):
        raise BaselineError(f"recost: {name} was written with other filters: {_filters(baseline)}")
    check_length(baseline, question, now, name)
    return baseline


def _filters(baseline: Baseline) -> str:
    told = [f"--{name} {value}" for name, values in baseline.scope.items() for value in values]
    return " ".join(told) or "none"


def _keep(text: str, target: Optional[str]) -> None:
    if target == _GITHUB:
        append(os.environ[_GITHUB_FILE], f"{text}\n\n")
    elif target is not None and target != STDOUT:  # where it is printed anyway
        write(target, f"{text}\n")


def _share(text: str) -> Decimal:
    number = decimal(text.strip()[:-1]) if text.strip().endswith("%") else None
    if number is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no share: 20%")
    return number / 100
