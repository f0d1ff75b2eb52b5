"""The ``recost`` command.

A command is one module with ``configure(parser)`` and ``run(arguments) -> int``, named in `COMMANDS`. It is
imported when it runs, and imports no other command. `recost.cli._shared` has the parts that commands share.

A command returns 1 only if it found what it looks for, and 2 if it cannot do its work. Any other failure has
a code of its own, so that a full disk is never treated as an exceeded budget.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, Final, Optional

from recost._files import reason_of
from recost._text import printable
from recost._validate import suggest
from recost._version import __version__
from recost.cli._shared.parser import Parser
from recost.cli._shared.signals import orderly_end
from recost.cli._shared.streams import flushed, lasting_stderr, point_nowhere, print_anything

__all__ = ["COMMANDS", "main", "run_command"]

COMMANDS: Final = {
    "anomalies": ("recost.cli.anomalies", "show hours and days with an unusual cost, for cron"),
    "budgets": ("recost.cli.budgets", "show limit, spending and rest of each budget"),
    "check": ("recost.cli.alerts.check", "evaluate the alerts once and send what is new, for cron"),
    "collector": ("recost.cli.collector", "run the cloud API on your own machines, into local files"),
    "completion": ("recost.cli.completion", "print the code that completes commands in a shell"),
    "dashboard": ("recost.cli.dashboard", "show who spends what, in the browser"),
    "demo": ("recost.cli.demo", "make calls to a local server and show what they would cost"),
    "digest": ("recost.cli.alerts.digest", "print the digest that would be sent"),
    "docs": ("recost.cli.docs", "list the pages of the documentation, or print one"),
    "doctor": ("recost.cli.doctor", "check versions, clients, configuration and destination"),
    "export": ("recost.cli.export", "write every metric as a row of CSV, JSON lines or Parquet"),
    "forecast": ("recost.cli.forecast", "forecast the cost of the month, with bounds"),
    "gate": ("recost.cli.gate", "fail a build that costs more than a budget or a baseline"),
    "keys": ("recost.cli.keys", "make labels of API keys, for who spent what"),
    "ledger": ("recost.cli.ledger", "pull what providers billed, from their usage APIs"),
    "mcp": ("recost.cli.mcp", "serve the reports to assistants, by the Model Context Protocol"),
    "notify": ("recost.cli.alerts.notify", "send a test message to a target"),
    "prices": ("recost.cli.prices", "list rules and prices, explain the price of a URL"),
    "prune": ("recost.cli.prune", "delete old windows from the local files"),
    "reconcile": ("recost.cli.reconcile", "hold what was recorded against what was billed"),
    "report": ("recost.cli.report", "show who spends what, by provider, model, tag, route or day"),
    "run": ("recost.cli.run", "run a program and record its calls, without changing it"),
    "schema": ("recost.cli.schema", "print the JSON Schema of a window"),
    "tail": ("recost.cli.tail", "print windows or metrics as they are written"),
    "top": ("recost.cli.top", "show rates, costs and errors of the last minutes, live"),
    "watch": ("recost.cli.alerts.watch", "evaluate the alerts every five minutes"),
    "waste": ("recost.cli.waste", "show retries, billed errors, error storms and repeated calls"),
}
"""Module and summary of each command."""

_INTERRUPTED: Final = 130
_BROKEN_PIPE: Final = 141
_FAULT: Final = 70
"""``EX_SOFTWARE`` of sysexits.h: the command itself failed."""
_REFUSED: Final = 2


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run the command that the arguments name, and return the exit code of the process."""
    if argv is None:
        _conceal_password(sys.argv[1:])
    with orderly_end(), lasting_stderr():
        return _guarded(sys.argv[1:] if argv is None else list(argv))


def _conceal_password(argv: Sequence[str]) -> None:
    if any(each.startswith("--store") for each in argv):
        importlib.import_module("recost.cli._shared.stores").conceal_password(argv)


def _guarded(argv: list[str]) -> int:
    print_anything()
    try:
        code = _dispatch(argv)
        return code if flushed() else _REFUSED
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        point_nowhere(sys.stdout)
        return _BROKEN_PIPE
    except OSError as error:  # most often of stdout, where it is not buffered
        point_nowhere(sys.stdout)
        what = "cannot write to stdout" if error.filename is None else error.filename
        print(printable(f"recost: {what}: {reason_of(error)}"), file=sys.stderr)
        return _REFUSED
    except Exception:  # noqa: BLE001 - the interpreter would end with 1, which has another meaning
        import traceback  # noqa: PLC0415 - only for a fault

        traceback.print_exc()
        return _FAULT if flushed() else _REFUSED


def _dispatch(argv: list[str]) -> int:
    try:
        return _run(argv)
    except SystemExit as leaving:  # argparse ends so for --help, --version and wrong usage
        return leaving.code if isinstance(leaving.code, int) else 0


def _run(argv: list[str]) -> int:
    parser = _parser()
    if "_ARGCOMPLETE" in os.environ:  # a shell asks for completions
        importlib.import_module("recost.cli.completion").complete(parser, COMMANDS)
    if not argv or argv[0].startswith("-"):
        parser.parse_args(argv)
        parser.print_help()
        return 0
    name, *arguments = argv
    if name not in COMMANDS:
        parser.error(f"invalid command {name!r}: {suggest(name, COMMANDS)}")
    if sys.stdout is None and name != "run":  # closed by the parent process
        print("recost: stdout is closed: expected a file, a pipe or a terminal", file=sys.stderr)
        return _REFUSED
    return run_command(name, arguments)


def run_command(name: str, arguments: Sequence[str]) -> int:
    """Run one of `COMMANDS` and return its exit code."""
    module_name, summary = COMMANDS[name]
    module: Any = importlib.import_module(module_name)
    command = Parser(prog=f"recost {name}", description=f"{summary[0].upper()}{summary[1:]}.")
    module.configure(command)
    code: int = module.run(command.parse_args(arguments))
    return code


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {summary}" for name, (_, summary) in COMMANDS.items()]
    parser = Parser(
        prog="recost",
        usage="recost [--help] [--version] COMMAND ...",
        description="What a Python application's outbound API calls cost.",
        epilog="\n".join(["commands:", *lines, "", "recost COMMAND --help shows the options of one."]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"recost {__version__}")
    return parser
