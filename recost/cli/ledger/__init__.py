"""``recost ledger``: pull what the providers billed, and show what is known of it."""

from __future__ import annotations

import argparse
from typing import Any, Final

from recost.cli._shared.parser import add_examples
from recost.cli._shared.refusal import refused
from recost.cli.ledger.pull import add_pull, pull
from recost.cli.ledger.status import add_status, status

__all__ = ["configure", "run"]

_EXAMPLES: Final = """examples:
  recost ledger pull --since 35d
  RECOST_LEDGER_OPENAI_KEY_COMMAND='op read op://team/openai/admin' recost ledger pull openai
  recost ledger status"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add ``pull`` and ``status``."""
    add_examples(parser, _EXAMPLES)
    commands = parser.add_subparsers(dest="command", metavar="pull | status")
    add_pull(_command(commands, "pull", "fetch the billed usage of providers into local files"))
    add_status(_command(commands, "status", "show which days are known, final and complete"))


def _command(commands: Any, name: str, summary: str) -> Any:
    return commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")


def run(arguments: argparse.Namespace) -> int:
    """Pull, or show the status. Return 1 if a provider failed, 2 on wrong usage or a missing credential."""
    if arguments.command is None:
        return refused("missing command: expected pull or status")
    return pull(arguments) if arguments.command == "pull" else status(arguments)
