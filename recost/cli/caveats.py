"""What figures leave out, told below them."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["left_out"]


def left_out(unpriced: int, unread: int) -> Iterator[tuple[str, str]]:
    """Return headings and texts: of calls without a price, and of lines and metrics that were not read."""
    if unpriced:
        yield "unpriced", f"{unpriced:,} calls whose price is not known; their cost is in no figure"
    if unread:
        yield "left out", f"{unread:,} lines or metrics that could not be read; -v names them"
