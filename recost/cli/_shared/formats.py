"""Figures and names that people can read, and exact JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Optional, Union

from recost.analytics.query import tag_of

__all__ = [
    "format_bytes",
    "format_ms",
    "format_share",
    "name_of",
    "table_row",
    "zone_name",
]


def name_of(by: str, name: Optional[str]) -> str:
    """Return what a group is called; the calls without a tag or a model have no name of their own."""
    if name is not None:
        return name or "(blank)"
    return f"(no {tag_of(by) or by})"


def zone_name(zone: object, now: datetime) -> str:
    """Return what a time zone is called."""
    return str(getattr(zone, "key", None) or now.astimezone(zone).tzname())  # type: ignore[arg-type]


def format_ms(milliseconds: float) -> str:
    """Return a duration: milliseconds, seconds from ten of them, minutes from a hundred seconds."""
    if milliseconds < 9.95:
        return f"{milliseconds:.1f} ms"
    if milliseconds < 9_999.5:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 99_950:
        return f"{milliseconds / 1000:.1f} s"
    return f"{milliseconds / 60_000:,.0f} min"


def format_share(part: Union[int, Decimal], whole: Union[int, Decimal]) -> str:
    """Return a share in per cent; ``-`` of nothing."""
    if not whole:
        return "-"
    percent = Decimal(part) / Decimal(whole) * 100
    return f"{percent:.0f}%" if percent >= Decimal("9.95") or not percent else f"{percent:.2g}%"


def format_bytes(count: float) -> str:
    """Return a size in decimal units: ``812 B``, ``12.3 kB``, ``4.5 MB``."""
    if count < 1000:
        return f"{count:.0f} B"
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 999.95:
            return f"{count:.1f} {unit}"
    return f"{count / 1000:,.1f} TB"


def table_row(cells: Sequence[str]) -> str:
    """Return a row of a Markdown table; cells that data is in are `recost._text.markdown` already."""
    return f"| {' | '.join(cells)} |"
