"""A bar for what takes a while, where stderr is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TypeVar

__all__ = ["watched"]

_T = TypeVar("_T")


def watched(rows: Sequence[_T], what: str) -> Iterator[_T]:
    """Yield the rows, with a bar on stderr that says what is done with them, and goes away at the end."""
    if not sys.stderr.isatty():
        yield from rows
        return
    try:
        from rich.console import Console  # noqa: PLC0415 - only where it draws
        from rich.progress import track  # noqa: PLC0415
    except ImportError:
        yield from rows
        return
    yield from track(rows, what, console=Console(stderr=True), transient=True)
