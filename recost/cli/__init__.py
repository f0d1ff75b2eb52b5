"""The ``recost`` command.

A command is one module with ``configure(parser)`` and ``run(arguments) -> int``, named in `COMMANDS`. It is
imported only when it is asked for.

A command returns 1 only for what it looks for, 2 for what it can't do. Whatever else ends it has a code of
its own, so that a full disk or a fault is never taken for a budget that was exceeded.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, Final, NoReturn, Optional

from recost._text import printable
from recost._version import __version__
from recost.cli._shared.signals import orderly_end
from recost.cli._shared.streams import flushed, lasting_stderr, point_nowhere, print_anything

__all__ = ["COMMANDS", "main", "run_command"]

COMMANDS: Final = {
    "anomalies": ("recost.cli.anomalies", "show hours and days that cost more than usual; for cron"),
    "completion": ("recost.cli.completion", "print what makes a shell complete recost's commands"),
    "dashboard": ("recost.cli.dashboard", "show who spends what in the browser, as it comes"),
    "demo": ("recost.cli.demo", "make calls to a local server and show what they would cost"),
    "docs": ("recost.cli.docs", "list the pages of the documentation, or print one"),
    "doctor": ("recost.cli.doctor", "check versions, clients, configuration and destination"),
    "export": ("recost.cli.export", "write every metric as a row of CSV, JSON lines or Parquet"),
    "forecast": ("recost.cli.forecast", "say what the month will cost, within which bounds"),
    "gate": ("recost.cli.gate", "fail a build that costs more than a budget, or than before"),
    "prices": ("recost.cli.prices", "list rules and prices; say which rule a URL meets, and why"),
    "prune": ("recost.cli.prune", "drop what is older than a time from the local files"),
    "report": ("recost.cli.report", "show who spends what: by provider, model, tag, route, day"),
    "run": ("recost.cli.run", "run a program and record its calls, without changing it"),
    "schema": ("recost.cli.schema", "print the JSON Schema of a window"),
    "tail": ("recost.cli.tail", "print each window, or each metric, as it comes"),
    "top": ("recost.cli.top", "show rates, costs and errors of the last minutes, live"),
    "waste": ("recost.cli.waste", "show retries, billed errors, storms, repeated calls"),
}
"""Name of a command, the module that has it, and its line in the help."""

_INTERRUPTED: Final = 130
_BROKEN_PIPE: Final = 141
_FAULT: Final = 70
"""``EX_SOFTWARE`` of sysexits.h: the command itself failed."""
_REFUSED: Final = 2


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run the command that the arguments name, and return the exit code of the process."""
    with orderly_end(), lasting_stderr():
        return _guarded(sys.argv[1:] if argv is None else list(argv))


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
        print(f"recost: {printable(str(error))}", file=sys.stderr)
        return _REFUSED
    except Exception:  # noqa: BLE001 - the interpreter would end with 1, which says something else
        import traceback  # noqa: PLC0415 - only for a fault

        traceback.print_exc()
        return _FAULT if flushed() else _REFUSED


def _dispatch(argv: list[str]) -> int:
    try:
        return _run(argv)
    except SystemExit as leaving:  # how argparse ends --help, --version and wrong usage
        return leaving.code if isinstance(leaving.code, int) else 0


def _run(argv: list[str]) -> int:
    parser = _parser()
    if "_ARGCOMPLETE" in os.environ:  # a shell asks how its line goes on
        importlib.import_module("recost.cli.completion").complete(parser, COMMANDS)
    if not argv or argv[0].startswith("-"):
        parser.parse_args(argv)
        parser.print_help()
        return 0
    name, *arguments = argv
    if name not in COMMANDS:
        _unknown(parser, name)
    if sys.stdout is None and name != "run":  # closed by who started us; a program under run may do without
        print("recost: stdout is closed: expected a file, a pipe or a terminal", file=sys.stderr)
        return _REFUSED
    return run_command(name, arguments)


def run_command(name: str, arguments: Sequence[str]) -> int:
    """Run one of `COMMANDS` and return its exit code."""
    module_name, summary = COMMANDS[name]
    module: Any = importlib.import_module(module_name)
    command = argparse.ArgumentParser(prog=f"recost {name}", description=f"{summary.capitalize()}.")
    module.configure(command)
    code: int = module.run(command.parse_args(arguments))
    return code


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {summary}" for name, (_, summary) in COMMANDS.items()]
    parser = argparse.ArgumentParser(
        prog="recost",
        usage="recost [--help] [--version] COMMAND ...",
        description="What a Python application's outbound API calls cost.",
        epilog="\n".join(["commands:", *lines, "", "recost COMMAND --help says more about one of them."]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"recost {__version__}")
    return parser


def _unknown(parser: argparse.ArgumentParser, name: str) -> NoReturn:
    from recost._validate import suggest  # noqa: PLC0415 - only for a mistake

    parser.error(f"invalid command {name!r}: {suggest(name, COMMANDS)}")
