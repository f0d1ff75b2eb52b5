"""How a command says that it can't do what it was asked for."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Final

from recost._text import printable

__all__ = ["DASHBOARD", "available", "refused"]

DASHBOARD: Final = ("duckdb", "starlette", "uvicorn")
"""Packages that the dashboard needs."""
_OLDEST: Final = (3, 11)
"""Of Python, for the DuckDB that adds up exactly."""


def refused(error: object) -> int:
    """Print what is wrong as one line on stderr, and return the exit code of wrong usage."""
    text = printable(" ".join(str(error).split("\n")))
    print(text if text.startswith("recost") else f"recost: {text}", file=sys.stderr)
    return 2


def available(command: str, *packages: str, extra: str = "cli") -> bool:
    """Return whether the packages are installed; otherwise say how to install them."""
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
