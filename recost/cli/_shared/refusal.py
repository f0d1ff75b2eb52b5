"""Errors of a command: wrong usage and missing packages."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import Final

from recost._files import reason_of
from recost._text import printable

__all__ = ["DASHBOARD", "available", "refused"]

DASHBOARD: Final = ("duckdb", "starlette", "uvicorn")
"""Packages that the dashboard needs."""
_OLDEST: Final = (3, 11)
"""The first version of Python with a DuckDB that adds up decimals exactly."""


def refused(error: object) -> int:
    """Print an error as one line on stderr, and return exit code 2."""
    if isinstance(error, OSError):
        path = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
        error = f"{path}{reason_of(error)}"
    text = printable(" ".join(str(error).split("\n")))
    print(text if text.startswith("recost") else f"recost: {text}", file=sys.stderr)
    return 2


def available(command: str, *packages: str, extra: str = "cli") -> bool:
    """Return True if packages are installed. Print the pip command if not."""
    if sys.version_info < _OLDEST and "duckdb" in packages:
        print(f"recost {command} needs Python {_OLDEST[0]}.{_OLDEST[1]} or later", file=sys.stderr)
        return False
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        print(
            f"recost {command} needs {' and '.join(missing)}: pip install 'recost[{extra}]'",
            file=sys.stderr,
        )
    return not missing
