"""Running the programs of this folder in processes of their own."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Optional

__all__ = ["HERE", "one_line", "output", "start"]

HERE: Final = Path(__file__).resolve().parent


@functools.lru_cache(maxsize=1)
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="recost-benchmarks-")


def _environment(tree: Optional[Path] = None) -> dict[str, str]:
    """Return an environment in which a checkout is importable, and of recost's settings the folder is set.

    Args:
        tree: The checkout. This one if not given.
    """
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RECOST_", "OTEL_", "SENTRY_")) and not name.lower().endswith("_proxy")
    }
    path = [str(tree or HERE.parent), clean.get("PYTHONPATH", "")]
    # One seed for all: the order in sets and dictionaries must not differ between what is compared.
    fixed = {"PYTHONHASHSEED": "0", "RECOST_LOCAL_DIR": _folder().name}
    return {**clean, **fixed, "PYTHONPATH": os.pathsep.join(filter(None, path))}


def start(
    program: str,
    *arguments: object,
    under: Sequence[str] = (),
    tree: Optional[Path] = None,
    variables: Optional[dict[str, str]] = None,
) -> subprocess.Popen[str]:
    """Start ``benchmarks/{program}.py``, which ends when its standard input is closed.

    Args:
        program: Name of the module.
        arguments: Arguments of the program.
        under: A command that runs the program, such as ``valgrind``.
        tree: Checkout whose recost is imported. This one if not given.
        variables: Variables that are added to its environment.
    """
    command = [*under, sys.executable, str(HERE / f"{program}.py"), *map(str, arguments)]
    environment = {**_environment(tree), **(variables or {})}
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    )


def one_line(process: subprocess.Popen[str], say: Optional[str] = None) -> str:
    """Say a line to a program, and return the line that it replies.

    Raises:
        RuntimeError: It has ended instead.
    """
    assert process.stdin is not None
    assert process.stdout is not None
    if say is not None:
        process.stdin.write(say + "\n")
        process.stdin.flush()
    reply = process.stdout.readline()
    if not reply:
        raise RuntimeError(f"{process.args!r} ended with {process.wait()}")
    return reply.strip()


def output(code: str) -> str:
    """Return what a program prints, that is given as its text.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    command = [sys.executable, "-c", code]
    return subprocess.run(command, stdout=subprocess.PIPE, env=_environment(), text=True, check=True).stdout
