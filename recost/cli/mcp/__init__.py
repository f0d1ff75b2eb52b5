"""``recost mcp``: the reports as read-only tools of the Model Context Protocol, for assistants."""

from __future__ import annotations

import argparse
import logging
from typing import Final

from recost.cli._shared.arguments import add_sources, telemetry_folder
from recost.cli._shared.parser import add_examples
from recost.cli._shared.refusal import available, refused
from recost.cli._shared.stores import readable

__all__ = ["configure", "run"]

_EXAMPLES: Final = """examples:
  recost mcp
  claude mcp add recost -- recost mcp
  recost mcp /var/lib/recost/*.jsonl

An assistant starts it and speaks with it on stdin and stdout. It reads what recost has recorded, and
nothing else."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_examples(parser, _EXAMPLES)
    add_sources(parser, stdin=False)


def run(arguments: argparse.Namespace) -> int:
    """Serve on stdin and stdout until stdin ends. Return 2 if that is not possible."""
    if not available("mcp", "mcp", extra="mcp") or not readable(arguments, "mcp"):
        return 2
    try:
        telemetry_folder()
    except ValueError as error:
        return refused(error)
    from recost.cli.mcp.tools import server_of  # noqa: PLC0415 - takes a second

    logging.getLogger("mcp").setLevel(logging.WARNING)
    server_of(_sources(arguments)).run("stdio")
    return 0


def _sources(arguments: argparse.Namespace) -> list[str]:
    """Return the options that each command is given."""
    store = [] if arguments.store is None else ["--store", str(arguments.store)]
    return [*store, *["--no-cache"] * arguments.no_cache, "--", *arguments.paths]
