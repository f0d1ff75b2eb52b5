"""Arguments that several commands have, and the question that they ask."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Callable, Final, Optional, TypeVar

from recost._files import reason_of
from recost._folders import refuse_foreign_folder
from recost._money import as_amount
from recost._validate import suggest
from recost.analytics.periods import PeriodError, parse_moment, parse_zone, period_of
from recost.analytics.query import Question, QuestionError
from recost.cli._shared.stores import add_store
from recost.config import resolve_one

__all__ = [
    "SPENDERS",
    "add_filters",
    "add_paths",
    "add_period",
    "add_sources",
    "add_zone",
    "check_name",
    "names_in",
    "naming",
    "number",
    "question_of",
    "right_now",
    "spender",
    "tag_filter",
    "telemetry_folder",
    "usd",
    "whole",
]

_T = TypeVar("_T")
SPENDERS: Final = ("provider", "model", "environment", "project", "route")
"""Dimensions of a series over time, in addition to ``tag:NAME``."""


def add_paths(parser: argparse.ArgumentParser, *, stdin: bool = False) -> None:
    """Add the files to read. ``stdin`` allows ``-`` among them."""
    dash = ", or - for stdin" * stdin
    text = f"files, folders or globs{dash} (default: all projects of the telemetry folder)"
    parser.add_argument("paths", nargs="*", metavar="PATH", help=text)


def add_sources(parser: argparse.ArgumentParser, *, stdin: bool = True, store: bool = True) -> None:
    """Add the files to read, a database in their place, and options on reading them."""
    add_paths(parser, stdin=stdin)
    if store:
        add_store(parser)
    else:
        parser.set_defaults(store=None)
    parser.add_argument("--no-cache", action="store_true", help="keep no columnar copy of the files")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="list file and line of malformed input on stderr"
    )


def add_zone(parser: argparse._ActionsContainer) -> None:
    """Add the time zone."""
    text = "time zone: UTC, Europe/Berlin or +01:00 (default: local)"
    parser.add_argument("--tz", metavar="ZONE", default="local", help=text)


def add_period(parser: argparse.ArgumentParser) -> None:
    """Add since, until and the time zone."""
    group = parser.add_argument_group("period")
    group.add_argument(
        "--since",
        metavar="WHEN",
        help="7d, 12h, 2026-11-01, 2026-11-01T12:00+01:00, today, yesterday, this-week, last-week, "
        "this-month, last-month, last-7-days (whole days, with today), last-24-hours",
    )
    group.add_argument("--until", metavar="WHEN", help="the end, exclusive, in the same forms")
    add_zone(group)


def add_filters(parser: argparse.ArgumentParser, *, within: bool = True) -> None:
    """Add filters. ``within`` adds those by model and tag, which are breakdowns within a metric."""
    group = parser.add_argument_group(
        "filters", "Repeat one to match any of its values. * matches any text, \\* a star."
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
        QuestionError: They contradict each other, or name something unknown.
        PeriodError: A time or a time zone is not valid.
    """
    zone = naming("--tz", parse_zone, arguments.tz)
    for option, text in (("--since", arguments.since), ("--until", arguments.until)):
        if text is not None:
            naming(option, parse_moment, text, zone, now)
    period = naming("--until", period_of, arguments.since, arguments.until, zone, now)
    compare, sort = (getattr(arguments, name, None) for name in ("compare", "sort"))
    if sort == "change" and not compare:
        raise QuestionError("recost: missing --compare, which --sort change requires")
    if compare and period.since is None:
        raise QuestionError("recost: missing --since, which --compare requires, such as --since 7d")
    return Question(
        by=by,
        period=period,
        zone=zone,
        compare=period.before(now) if compare else None,
        sort=sort,
        limit=getattr(arguments, "limit", None),
        providers=tuple(arguments.provider),
        endpoints=tuple(arguments.endpoint),
        models=tuple(arguments.model),
        tags=tuple(arguments.tag),
        environments=tuple(arguments.env),
        projects=tuple(arguments.project),
    )


def naming(option: str, parse: Callable[..., _T], *given: object) -> _T:
    """Return a parsed value. The message of an invalid one begins with the option.

    Raises:
        PeriodError: The value is not valid.
    """
    try:
        return parse(*given)
    except PeriodError as error:
        raise PeriodError(f"{option}: {error}") from None


def spender(name: str) -> str:
    """Return a valid dimension of a series over time.

    Raises:
        QuestionError: It is neither one of `SPENDERS` nor a tag.
    """
    if not name.startswith("tag:"):
        check_name("--by", name, (*SPENDERS, "tag:NAME"))
    return name


def names_in(text: str) -> list[str]:
    """Return the names of a list with commas, in order and without repeats."""
    return list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def check_name(option: str, name: str, known: Sequence[str]) -> None:
    """Check a value of an option that takes a name.

    Raises:
        QuestionError: The name is unknown. The message suggests a known one.
    """
    if name not in known:
        raise QuestionError(f"recost: invalid {option} {name!r}: {suggest(name, known)}")


def telemetry_folder() -> Path:
    """Return the folder of the local files.

    Raises:
        ValueError: ``RECOST_LOCAL_DIR`` is not valid, or another user has made the folder in the temporary
            directory that replaces a missing home.
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
        ArgumentTypeError: The text is not ``NAME=VALUE``.
    """
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"invalid tag {text!r}: expected NAME=VALUE")
    return name, value


def usd(text: str) -> Decimal:
    """Return an amount of US dollars: ``5``, ``$0.25``.

    Raises:
        ArgumentTypeError: The text is not an amount.
    """
    amount = as_amount(text.strip().replace("$", "", 1))
    if amount is None:
        raise argparse.ArgumentTypeError(f"invalid amount {text!r}: expected US dollars, such as 5 or 0.25")
    return amount


def whole(least: int = 0, most: Optional[int] = None) -> Callable[[str], int]:
    """Return a parser of whole numbers from ``least`` to ``most``, as the ``type`` of an argument."""
    limits = f"of at least {least}" if most is None else f"from {least} to {most}"

    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < least or (most is not None and int(text) > most):
            raise argparse.ArgumentTypeError(f"invalid number {text!r}: expected a whole number {limits}")
        return int(text)

    return parse


def number(least: float, most: float) -> Callable[[str], float]:
    """Return a parser of numbers from ``least`` to ``most``, as the ``type`` of an argument."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"invalid number {text!r}: expected {least:g} to {most:g}")
        return value

    return parse
