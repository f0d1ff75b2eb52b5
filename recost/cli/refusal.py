"""How a command says that it can't do what it was asked for."""

from __future__ import annotations

import sys

from recost._text import printable

__all__ = ["refused"]


def refused(error: object) -> int:
    """Print what is wrong as one line on stderr, and return the exit code of wrong usage."""
    text = printable(" ".join(str(error).split("\n")))
    print(text if text.startswith("recost") else f"recost: {text}", file=sys.stderr)
    return 2
