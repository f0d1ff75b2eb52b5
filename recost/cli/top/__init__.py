"""``recost top``: live rates, costs and errors by endpoint, model or project."""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import timedelta, tzinfo
from typing import Final

from recost._text import printable
from recost.analytics.databases.url import DatabaseError
from recost.analytics.databases.windows import ArrivalFollower
from recost.analytics.follow import Follower
from recost.analytics.ingest.sources import find_sources
from recost.analytics.periods import PeriodError, parse_length, parse_zone
from recost.analytics.query import QuestionError
from recost.analytics.rates import BY
from recost.cli._shared.arguments import add_paths, add_zone, naming, number, right_now, telemetry_folder
from recost.cli._shared.following import finder, reader_gone
from recost.cli._shared.footnotes import rendered, skipped_note
from recost.cli._shared.parser import add_examples
from recost.cli._shared.refusal import available, refused
from recost.cli._shared.stores import add_store, driver_available
from recost.cli._shared.tables import wrap
from recost.cli._shared.terminal import Style, terminal_width
from recost.cli.top.feed import APART, Feed, Lines
from recost.cli.top.view import KEYS, SORTS, View, headings, notes, table_of
from recost.errors import RecostError

__all__ = ["configure", "run"]

_OVER: Final = "5m"
_EVERY_S: Final = 10.0
_STEP_S: Final = 0.2
_LEAST, _MOST = timedelta(minutes=1), timedelta(days=1)
_NOTHING: Final = "longer spans: --over 1h, up to --over 1d. All calls: recost report"
_EXAMPLES: Final = f"""examples:
  recost top                        all projects, the last five minutes
  recost top --over 1h --by model
  recost top --once | grep openai   the current rates, once

keys: {KEYS}
Without a terminal, or with TERM=dumb, a block is printed every {_EVERY_S:.0f} seconds.
Windows are written when they end, up to 30 s after their calls."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_examples(parser, _EXAMPLES)
    add_paths(parser)
    add_store(parser)
    parser.add_argument(
        "--over",
        type=_over,
        default=_over(_OVER),
        metavar="SPAN",
        help=f"time span, from 1m to 1d (default: {_OVER})",
    )
    parser.add_argument("--by", choices=BY, default="endpoint", help="first grouping (default: endpoint)")
    parser.add_argument("--sort", choices=SORTS, default="cost", help="first order (default: cost)")
    parser.add_argument("--once", action="store_true", help="print one block and end")
    parser.add_argument(
        "--every",
        type=number(0.1, 86_400),
        metavar="SECONDS",
        help="seconds between blocks (default: 10)",
    )
    add_zone(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show rates until interrupted. Return 2 if there is nothing to follow."""
    drawn = not arguments.once and _can_draw()
    if drawn and not available("top", "rich"):
        return 2
    try:
        zone = naming("--tz", parse_zone, arguments.tz)
        _check(arguments)
        if arguments.store is None:
            follower: Lines = _of_files(arguments)
        elif driver_available(arguments.store, "top"):
            follower = ArrivalFollower(arguments.store, arguments.over + APART)
        else:
            return 2
    except (PeriodError, RecostError, ValueError) as error:
        return refused(error)
    try:
        return _show(Feed(follower, arguments.over), arguments, zone, drawn=drawn)
    except OSError as error:
        if error.filename is None:  # of stdout, reported for all commands alike
            raise
        return refused(error)
    except (EOFError, DatabaseError) as error:
        return refused(error)
    finally:
        follower.close()


def _of_files(arguments: argparse.Namespace) -> Follower:
    """Return a follower of the files.

    Raises:
        SourceError: There is nothing to follow.
        ValueError: The telemetry folder is not valid.
    """
    folder = telemetry_folder()
    find = finder("top", arguments.paths, folder)
    if arguments.once:
        find_sources(arguments.paths, folder)  # an error if nothing is recorded
    if not find():
        print(printable(f"recost: waiting for the first window in {folder}"), file=sys.stderr)
    return Follower(find)


def _check(arguments: argparse.Namespace) -> None:
    """Check options that have no effect together.

    Raises:
        QuestionError: An option has no effect.
    """
    if arguments.store is not None and arguments.paths:
        raise QuestionError("recost: --store reads a database: expected no PATH with it")
    if arguments.once and arguments.every is not None:
        raise QuestionError("recost: --every has no effect with --once")
    if arguments.by == "model" and arguments.sort in {"errors", "p95"}:
        raise QuestionError(f"recost: invalid --sort {arguments.sort!r}: it is not recorded by model")


def _show(feed: Feed, arguments: argparse.Namespace, zone: tzinfo, *, drawn: bool) -> int:
    view = View(by=arguments.by, sort=arguments.sort)
    feed.start()
    if drawn:
        from recost.cli.top.screen import watch  # noqa: PLC0415 - rich, only where it draws

        return watch(feed, view, zone)
    print(_block(feed, view, zone), flush=True)
    if arguments.once:
        return 0
    gone = reader_gone()
    every = arguments.every or _EVERY_S
    following = time.monotonic() + every
    while not gone():
        feed.read()
        if time.monotonic() >= following:
            print(f"\n{_block(feed, view, zone)}", flush=True)
            following += every
        time.sleep(_STEP_S)
    raise BrokenPipeError


def _block(feed: Feed, view: View, zone: tzinfo) -> str:
    now, width, style = right_now(), terminal_width(), Style.of(sys.stdout)
    rates = feed.recent.rates(view.by, now)
    first, second = headings(rates, feed.recent, view, now.astimezone(zone))
    above = [style(wrap("", first, width), "bold"), wrap("", second, width)]
    if not rates.total.calls:
        skipped = rendered(skipped_note(feed.bad_lines, feed.bad_metrics, hint=""), style, width)
        return "\n".join([*above, wrap("", _NOTHING, width), *([skipped] if skipped else [])])
    parts = [*above, "", table_of(rates, view, width).render(style, width), ""]
    return "\n".join([*parts, rendered(notes(rates, feed.bad_lines, feed.bad_metrics), style, width)])


def _can_draw() -> bool:
    return sys.stdout.isatty() and (
        os.name != "posix" or os.environ.get("TERM", "dumb") not in {"", "dumb", "unknown"}
    )


def _over(text: str) -> timedelta:
    length = parse_length(text)
    if length is None or not _LEAST <= length <= _MOST:
        raise argparse.ArgumentTypeError(f"invalid time span {text!r}: expected 1m to 1d, such as 5m")
    return length
