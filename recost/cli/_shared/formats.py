"""Figures and names as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Optional, Protocol, Union

from recost._money import format_change, format_usd
from recost.analytics.query import tag_of

__all__ = [
    "UNKNOWN",
    "Costed",
    "approximate_duration",
    "change_of",
    "counted",
    "format_bytes",
    "format_cost",
    "format_ms",
    "format_share",
    "is_unknown",
    "name_of",
    "share_of",
    "table_row",
    "zone_name",
]

UNKNOWN: Final = "unknown"
"""The cost of calls without a known price. It is shown in place of an amount everywhere."""


class Costed(Protocol):
    """The sums of some calls."""

    @property
    def calls(self) -> int:
        """The number of calls."""

    @property
    def unpriced(self) -> int:
        """The calls without a known price."""

    @property
    def cost_usd(self) -> Decimal:
        """The cost of the other calls."""


def is_unknown(sums: Costed) -> bool:
    """Return True if a cost is unknown, because no call has a known price."""
    return not sums.cost_usd and 0 < sums.calls <= sums.unpriced


def format_cost(sums: Costed) -> str:
    """Return a cost as text."""
    return UNKNOWN if is_unknown(sums) else format_usd(sums.cost_usd)


def share_of(sums: Costed, whole: Costed) -> str:
    """Return the share of a cost, or ``-`` if it is unknown."""
    return "-" if is_unknown(sums) else format_share(sums.cost_usd, whole.cost_usd)


def change_of(now: Costed, before: Costed) -> str:
    """Return the change of a cost, or ``-`` if one of the two is unknown."""
    return "-" if is_unknown(now) or is_unknown(before) else format_change(now.cost_usd, before.cost_usd)


def name_of(by: str, name: Optional[str]) -> str:
    """Return the name of a group. Calls without a tag or a model are shown as ``(no model)``."""
    if name is not None:
        return name or "(blank)"
    return f"(no {tag_of(by) or by})"


def approximate_duration(span: timedelta) -> str:
    """Return a duration in its largest unit: ``2 d``, ``5 h``, ``12 min``."""
    minutes = max(0, int(span.total_seconds() // 60))
    for size, unit in ((1440, "d"), (60, "h")):
        if minutes >= size:
            return f"{minutes // size} {unit}"
    return f"{minutes} min"


def zone_name(zone: object, now: datetime) -> str:
    """Return the name of a time zone."""
    return str(getattr(zone, "key", None) or now.astimezone(zone).tzname())  # type: ignore[arg-type]


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: ``1 call``, ``1,200 calls``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def format_ms(milliseconds: float) -> str:
    """Return a duration in whole milliseconds, in seconds from ten of them, in minutes from a hundred."""
    if milliseconds < 9_999.5:
        return f"{milliseconds:,.0f} ms" if milliseconds >= 0.5 or not milliseconds else "<1 ms"
    return f"{milliseconds / 1000:.1f} s" if milliseconds < 99_950 else f"{milliseconds / 60_000:,.0f} min"


def format_share(part: Union[int, Decimal], whole: Union[int, Decimal]) -> str:
    """Return a share in per cent, to one place. A share of nothing is ``-``."""
    if not whole:
        return "-"
    percent = Decimal(part) / Decimal(whole) * 100
    return "<0.1%" if 0 < percent < Decimal("0.05") else f"{percent:.1f}%"


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
    """Return a row of a Markdown table. Cells with data must be escaped by `recost._text.markdown`."""
    return f"| {' | '.join(cells)} |"
