"""``recost run -- python app.py``: records a program that knows nothing of recost, and its child processes.

The program takes the place of this process, so that signals, exit code and terminal are its own. Every Python
interpreter below it loads ``site/sitecustomize.py`` at its start, which is found by way of ``PYTHONPATH``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from recost._text import printable
from recost.cli._shared.parser import add_examples

__all__ = ["configure", "run"]

SITE: Final = str(Path(__file__).parent / "site")
"""The folder that goes to the front of ``PYTHONPATH``."""

_NOT_FOUND: Final = 127
_NOT_EXECUTABLE: Final = 126
_WRONG_USAGE: Final = 2


def configure(parser: argparse.ArgumentParser) -> None:
    """Take a command, and the settings that are most often given with it."""
    parser.usage = "recost run [options] [--] COMMAND ...\n       recost run [options] -m MODULE ..."
    add_examples(
        parser,
        "The settings of recost come from the environment (RECOST_...). Examples:\n\n"
        "  recost run -- python app.py\n"
        "  recost run --project shop -- gunicorn -w 4 shop:app\n"
        "  recost run -m pytest tests\n",
    )
    parser.add_argument("--project", help="RECOST_PROJECT_ID: names the local file", metavar="NAME")
    parser.add_argument("--env", help="RECOST_ENVIRONMENT: production, staging ...", metavar="NAME")
    parser.add_argument(
        "--usage", action="store_true", help="RECOST_CAPTURE_USAGE: exact costs, from what answers report"
    )
    parser.add_argument("-m", dest="module", action="store_true", help="the command is a module of Python")
    parser.add_argument("command", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Become the program; returns only where there is none."""
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        print("recost run: no command given; for example: recost run -- python app.py", file=sys.stderr)
        return _WRONG_USAGE
    if arguments.module:
        command = [sys.executable, "-m", *command]
    program = shutil.which(command[0])
    if program is None:
        return _refuse(command[0])
    return _become(program, command, _environment(arguments, os.environ))


def _environment(arguments: argparse.Namespace, outer: Mapping[str, str]) -> dict[str, str]:
    given = {
        "RECOST_PROJECT_ID": arguments.project,
        "RECOST_ENVIRONMENT": arguments.env,
        "RECOST_CAPTURE_USAGE": "1" if arguments.usage else None,
    }
    # An empty part means the current folder, but an empty variable means nothing.
    parts = outer["PYTHONPATH"].split(os.pathsep) if outer.get("PYTHONPATH") else []
    path = [SITE, *(part for part in parts if part != SITE)]
    return {
        **outer,
        **{name: value for name, value in given.items() if value is not None},
        "PYTHONPATH": os.pathsep.join(path),
    }


def _become(program: str, command: list[str], environment: dict[str, str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # closed by who started us
            stream.flush()
    if os.name == "posix":
        os.execve(program, command, environment)  # noqa: S606 - the user's own command
    try:  # where exec is a new process, for which nobody would wait
        return subprocess.run([program, *command[1:]], env=environment, check=False).returncode  # noqa: S603
    except KeyboardInterrupt:
        return 130


def _refuse(name: str) -> int:
    if Path(name).exists():
        hint = f"; recost run -- python {name}" if name.endswith(".py") else ""
        print(printable(f"recost run: {name} can't be executed{hint}"), file=sys.stderr)
        return _NOT_EXECUTABLE
    print(printable(f"recost run: {name}: no such command"), file=sys.stderr)
    return _NOT_FOUND
