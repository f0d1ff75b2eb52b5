"""What some commands need beyond recost itself: the extras ``cli`` and ``dashboard``."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Final

__all__ = ["available"]

_OLDEST: Final = (3, 11)
"""Of Python, for the DuckDB that adds up exactly."""


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
