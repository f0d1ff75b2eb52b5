"""What some commands need beyond recost itself: the extra ``cli``."""

from __future__ import annotations

import sys
from importlib.util import find_spec

__all__ = ["available"]


def available(command: str, *packages: str) -> bool:
    """Return whether the packages are installed; otherwise say how to install them."""
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        print(
            f"recost {command} needs {' and '.join(missing)}: pip install 'recost[cli]'",
            file=sys.stderr,
        )
    return not missing
