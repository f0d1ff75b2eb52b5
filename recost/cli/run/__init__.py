"""``recost run -- python app.py``: recording of an unchanged program and its child processes.

The program replaces this process, so that signals, exit code and terminal are its own. Every Python
interpreter below it loads ``site/sitecustomize.py`` at its start, which is found through ``PYTHONPATH``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Optional

from recost._text import printable
from recost.cli._shared.parser import add_examples

__all__ = ["configure", "run"]

SITE: Final = str(Path(__file__).parent / "site")
"""The first folder of ``PYTHONPATH``."""

_NOT_FOUND: Final = 127
_NOT_EXECUTABLE: Final = 126
_WRONG_USAGE: Final = 2


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command and the most frequent settings."""
    parser.usage = "recost run [options] [--] COMMAND ...\n       recost run [options] -m MODULE ..."
    add_examples(
        parser,
        "Settings come from the environment (RECOST_...).\n\n"
        "examples:\n"
        "  recost run -- python app.py\n"
        "  recost run --project shop -- gunicorn -w 4 shop:app\n"
        "  recost run -m pytest tests\n",
    )
    parser.add_argument(
        "--project", help="project, which names the local file (RECOST_PROJECT_ID)", metavar="NAME"
    )
    parser.add_argument("--env", help="environment, such as production (RECOST_ENVIRONMENT)", metavar="NAME")
    parser.add_argument(
        "--usage", action="store_true", help="exact costs from the usage in responses (RECOST_CAPTURE_USAGE)"
    )
    parser.add_argument(
        "-m", dest="module", action="store_true", help="run a Python module, as python -m does"
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Replace this process by the program. Return only if that fails."""
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        print("recost run: missing command: expected recost run -- python app.py", file=sys.stderr)
        return _WRONG_USAGE
    if arguments.module:
        command = [sys.executable, "-m", *command]
    option = _ignores_the_path(command)
    if option is not None:
        print(f"recost run: {option} ignores PYTHONPATH: its calls are not recorded", file=sys.stderr)
    program = shutil.which(command[0])
    if program is None:
        return _refuse(command[0])
    return _become(program, command, _environment(arguments, os.environ))


def _ignores_the_path(command: list[str]) -> Optional[str]:
    """Return the option with which an interpreter does not load `SITE`, or None."""
    options = iter(command[1:]) if Path(command[0]).name.startswith(("python", "pypy")) else iter(())
    for option in options:
        if not option.startswith("-") or option.startswith(("--", "-c", "-m")) or option == "-":
            return None
        if option in {"-W", "-X"}:
            next(options, None)
        elif not option.startswith(("-W", "-X")) and set(option) & set("IES"):
            return option
    return None


def _environment(arguments: argparse.Namespace, outer: Mapping[str, str]) -> dict[str, str]:
    given = {
        "RECOST_PROJECT_ID": arguments.project,
        "RECOST_ENVIRONMENT": arguments.env,
        "RECOST_CAPTURE_USAGE": "1" if arguments.usage else None,
    }
    # An empty part means the current folder, but an empty variable is ignored.
    parts = outer["PYTHONPATH"].split(os.pathsep) if outer.get("PYTHONPATH") else []
    path = [SITE, *(part for part in parts if part != SITE)]
    return {
        **outer,
        **{name: value for name, value in given.items() if value is not None},
        "PYTHONPATH": os.pathsep.join(path),
    }


def _become(program: str, command: list[str], environment: dict[str, str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # closed by the parent process
            stream.flush()
    if os.name == "posix":
        os.execve(program, command, environment)  # noqa: S606 - the user's own command
    try:  # on Windows, exec starts a new process and does not wait for it
        return subprocess.run([program, *command[1:]], env=environment, check=False).returncode  # noqa: S603
    except KeyboardInterrupt:
        return 130


def _refuse(name: str) -> int:
    if Path(name).exists():
        hint = f": use recost run -- python {name}" if name.endswith(".py") else ""
        print(printable(f"recost run: cannot execute {name}{hint}"), file=sys.stderr)
        return _NOT_EXECUTABLE
    print(printable(f"recost run: unknown command {name}"), file=sys.stderr)
    return _NOT_FOUND
