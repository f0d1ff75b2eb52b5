"""``recost dashboard``: who spends what, live in the browser."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from recost.analytics.ingest.sources import STDIN, SourceError
from recost.analytics.periods import PeriodError
from recost.analytics.query import QuestionError
from recost.cli._shared.arguments import (
    add_filters,
    add_period,
    add_sources,
    question_of,
    right_now,
    telemetry_folder,
    whole,
)
from recost.cli._shared.parser import add_examples
from recost.cli._shared.reading import read
from recost.cli._shared.refusal import DASHBOARD, available, refused
from recost.cli._shared.stores import driver_available
from recost.errors import RecostError

__all__ = ["configure", "run"]

_HOST: Final = "127.0.0.1"
_PORT: Final = 9848
_EXAMPLES: Final = """examples:
  recost dashboard                          all projects, in the browser
  recost dashboard --since 7d --env production
  recost dashboard --no-open --port 0 logs/*.jsonl.gz

The period and the filters are the first view. The page can change them.
The URL has a token that is new each time. Ctrl-C ends the server."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_examples(parser, _EXAMPLES)
    add_sources(parser, stdin=False)
    server = parser.add_argument_group("server")
    server.add_argument(
        "--port",
        type=whole(0, 65_535),
        default=_PORT,
        metavar="N",
        help=f"port, or 0 for any free one (default: {_PORT})",
    )
    server.add_argument(
        "--host", default=_HOST, metavar="H", help=f"host name or address to listen on (default: {_HOST})"
    )
    server.add_argument("--no-open", action="store_true", help="print the URL without opening a browser")
    add_period(parser)
    add_filters(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve the page until interrupted. Return 2 if that fails."""
    needed = [name for name in DASHBOARD if arguments.store is None or name != "duckdb"]
    if not available("dashboard", *needed, extra="dashboard"):
        return 2
    if arguments.store is not None and not driver_available(arguments.store, "dashboard"):
        return 2
    try:
        folder = telemetry_folder()
        if STDIN in arguments.paths:
            raise SourceError("recost: dashboard cannot follow stdin: expected files or folders")
        question_of(arguments, (), right_now())
    except (QuestionError, PeriodError, RecostError, ValueError) as error:
        return refused(error)
    begun = arguments.store is not None or arguments.paths or _has_files(folder)
    if begun and read(arguments, lambda _: True, live=True) is None:
        return 2
    return _serve(arguments, folder)


def _has_files(folder: Path) -> bool:
    from recost.cli.dashboard.desk import Desk  # noqa: PLC0415 - its packages may be missing

    return bool(Desk([], folder).sources())


def _serve(arguments: argparse.Namespace, folder: Path) -> int:
    """Serve the page for the files and filters of the arguments. Return 2 if that fails."""
    from recost.cli.dashboard.desk import DatabaseDesk, Desk  # noqa: PLC0415 - its packages may be missing
    from recost.cli.dashboard.server import AddressError, serve  # noqa: PLC0415

    if arguments.store is not None:
        opened: Desk = DatabaseDesk(arguments.store, folder)
    else:
        opened = Desk(arguments.paths, folder, keep=not arguments.no_cache)
    with opened as desk:
        try:
            serve(
                desk,
                arguments.host,
                arguments.port,
                zone=arguments.tz,
                query=_query(arguments),
                browse=not arguments.no_open,
            )
        except AddressError as error:
            return refused(error)
    return 0


def _query(arguments: argparse.Namespace) -> str:
    """Return the period and the filters as parameters of the page's URL."""
    asked = [(name, getattr(arguments, name)) for name in ("since", "until") if getattr(arguments, name)]
    for name in ("provider", "endpoint", "model", "env", "project"):
        asked += [(name, value) for value in getattr(arguments, name)]
    asked += [("tag", f"{name}={value}") for name, value in arguments.tag]
    return urlencode(asked)
