"""Options that several commands have: which files, which calls, when; and the question that they ask."""

from __future__ import annotations

import argparse
import math
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Callable, Final, Optional

from recost._files import reason_of, refuse_foreign_folder
from recost.analytics.periods import parse_zone, period_of
from recost.analytics.query import Question, QuestionError
from recost.config import resolve_one

__all__ = [
    "SPENDERS",
    "add_filters",
    "add_period",
    "add_sources",
    "decimal",
    "number",
    "question_of",
    "right_now",
    "spender",
    "tag_filter",
    "telemetry_folder",
    "usd",
    "whole",
]

SPENDERS: Final = ("provider", "model", "environment", "project", "route")
"""What a series over time is of, besides ``tag:NAME``."""


def add_sources(parser: argparse.ArgumentParser, *, stdin: bool = True) -> None:
    """Add the files, and how they are read; ``stdin``: that may be one of them."""
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help=f"files, folders or globs; {'- is stdin; ' * stdin}none: all projects of the telemetry folder",
    )
    parser.add_argument("--no-cache", action="store_true", help="keep no columnar copy beside the files")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="name the file and line of what could not be read"
    )


def add_period(parser: argparse.ArgumentParser) -> None:
    """Add since, until and the time zone."""
    group = parser.add_argument_group("period")
    group.add_argument(
        "--since",
        metavar="WHEN",
        help="7d, 12h, 2026-11-01, 2026-11-01T12:00+01:00, today, yesterday, this-week, last-week, "
        "this-month, last-month, last-7-days (whole days, with today), last-24-hours",
    )
    group.add_argument("--until", metavar="WHEN", help="the same forms; not part of the period")
    group.add_argument("--tz", metavar="ZONE", default="local", help="UTC, Europe/Berlin, +01:00 (local)")


def add_filters(parser: argparse.ArgumentParser, *, within: bool = True) -> None:
    """Add which calls are meant; ``within``: by what is told within a metric, too."""
    group = parser.add_argument_group(
        "filters", "Each may be given several times; * stands for any text, \\* for a star."
    )
    group.add_argument("--provider", action="append", default=[], metavar="NAME")
    group.add_argument("--endpoint", action="append", default=[], metavar="NAME")
    if within:
        group.add_argument("--model", action="append", default=[], metavar="NAME")
        group.add_argument("--tag", action="append", default=[], metavar="NAME=VALUE", type=tag_filter)
    else:
        parser.set_defaults(model=[], tag=[])
    group.add_argument("--env", action="append", default=[], metavar="NAME")
    group.add_argument("--project", action="append", default=[], metavar="NAME")


def question_of(arguments: argparse.Namespace, by: tuple[str, ...], now: datetime) -> Question:
    """Return the question that the arguments ask.

    Raises:
        QuestionError: They ask for what there is not.
        SpanError: A time or a time zone is none.
    """
    zone = parse_zone(arguments.tz)
    period = period_of(arguments.since, arguments.until, zone, now)
    return Question(
        by=by,
        period=period,
        zone=zone,
        compare=period.before(now) if getattr(arguments, "compare", False) else None,
        sort=getattr(arguments, "sort", None),
        limit=getattr(arguments, "limit", None),
        providers=tuple(arguments.provider),
        endpoints=tuple(arguments.endpoint),
        models=tuple(arguments.model),
        tags=tuple(arguments.tag),
        environments=tuple(arguments.env),
        projects=tuple(arguments.project),
    )


def spender(name: str) -> str:
    """Return what a series is to be of.

    Raises:
        QuestionError: It is none of `SPENDERS`, and no tag.
    """
    if name not in SPENDERS and not name.startswith("tag:"):
        raise QuestionError(f"recost: by {name!r} is unknown; there are: {', '.join(SPENDERS)}, tag:NAME")
    return name


def telemetry_folder() -> Path:
    """Return the folder that the local files are in.

    Raises:
        ValueError: ``RECOST_LOCAL_DIR`` is not valid, or somebody else has made the folder in the temporary
            directory that stands in for a home.
    """
    folder = Path(resolve_one("local_dir"))  # the files can be read whatever else is set
    try:
        refuse_foreign_folder(folder)
    except OSError as error:
        raise ValueError(
            f"recost: cannot use {folder}: {reason_of(error)}; RECOST_LOCAL_DIR chooses another folder"
        ) from None
    return folder


def right_now() -> datetime:
    """Return the present instant."""
    return datetime.now(timezone.utc)


def tag_filter(text: str) -> tuple[str, str]:
    """Return name and value of a filter by tag.

    Raises:
        ArgumentTypeError: It is not ``NAME=VALUE``.
    """
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def usd(text: str) -> Decimal:
    """Return US dollars: ``5``, ``$0.25``.

    Raises:
        argparse.ArgumentTypeError: It is no amount.
    """
    amount = decimal(text.strip().replace("$", "", 1))
    if amount is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount of US dollars: 5, 0.25")
    return amount


def decimal(text: str) -> Optional[Decimal]:
    """Return a number that is not below zero; None where the text is none."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None


def whole(what: str, least: int = 0, most: Optional[int] = None) -> Callable[[str], int]:
    """Return what makes a whole number of an argument.

    Args:
        what: What an argument that is refused is not, with an example: ``number of rows: 8``.
        least: The smallest that there may be.
        most: The largest; None: without bound.
    """

    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < least or (most is not None and int(text) > most):
            raise argparse.ArgumentTypeError(f"{text!r} is no {what}")
        return int(text)

    return parse


def number(what: str, least: float, most: float) -> Callable[[str], float]:
    """Return what makes a number of an argument; as `whole`, with a largest always."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no {what}")
        return value

    return parse
