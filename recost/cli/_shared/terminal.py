"""Colour and width of the terminal."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Final, TextIO

__all__ = ["NARROW", "WIDE", "WIDTH", "Style", "prints_bars", "terminal_width"]

NARROW: Final = 40
"""The least width of a table in columns of the terminal."""
WIDTH: Final = 80
WIDE: Final = 100
"""The width from which tables have more columns."""
_CODES: Final = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}


class Style:
    """The colours of text on a terminal that supports them."""

    def __init__(self, *, enabled: bool) -> None:
        self.enabled = enabled

    @classmethod
    def of(cls, stream: TextIO) -> Style:
        """Return the style for a stream. ``NO_COLOR`` turns colour off (https://no-color.org)."""
        capable = os.environ.get("TERM") != "dumb" and (sys.platform != "win32" or "WT_SESSION" in os.environ)
        return cls(enabled=capable and not os.environ.get("NO_COLOR") and stream.isatty())

    def __call__(self, text: str, *names: str) -> str:
        """Return the text in these colours. Pad it first, so that columns stay aligned."""
        if not self.enabled or not names or not text:
            return text
        return f"\x1b[{';'.join(_CODES[name] for name in names)}m{text}\x1b[0m"


def prints_bars() -> bool:
    """Return True if the encoding of stdout has the characters of a sparkline."""
    return (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")


def terminal_width() -> int:
    """Return the width of the terminal, at least 40 columns, or 80 without a terminal."""
    return max(NARROW, shutil.get_terminal_size((WIDTH, 24)).columns)
