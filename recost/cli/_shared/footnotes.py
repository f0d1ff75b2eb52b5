"""What figures leave out, told below them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, Optional

from recost._money import EXACT, format_usd
from recost.analytics.report import Answer, Figures

__all__ = ["FLAT", "flat_note", "left_out", "not_compared", "sources_of"]


def left_out(unpriced: int, unread: int) -> Iterator[tuple[str, str]]:
    """Return headings and texts: of calls without a price, and of lines and metrics that were not read."""
    if unpriced:
        yield "unpriced", f"{unpriced:,} calls whose price is not known; their cost is in no figure"
    if unread:
        yield "left out", f"{unread:,} lines or metrics that could not be read; -v names them"


FLAT: Final = "flat estimates: capture_usage=True for exact costs"
"""What is told of costs that are estimates of programs that don't look at answers."""


def flat_note(flat_usd: Optional[Decimal]) -> Optional[str]:
    """Say how much of a cost is flat estimates; None where nothing is, or it is not told."""
    return f"{format_usd(flat_usd)} are {FLAT}" if flat_usd else None


def not_compared(answer: Answer) -> str:
    """Say why there is no change, where the period before is earlier than the first window."""
    first = answer.recorded_since
    if first is None:
        return ""
    return f"the first window is from {first.astimezone(answer.question.zone):%Y-%m-%d %H:%M}"


def sources_of(total: Figures) -> str:
    """Return where the cost is from, in words."""
    parts = [
        (total.reported_usd, "reported by the API"),
        (total.computed_usd, "computed from usage"),
        (total.flat_usd, f"estimated ({FLAT})"),
        (_beside_flat(total), "estimated (at least, or from sizes)"),
        (total.unstated_usd, "of unstated source"),
    ]
    told = [f"{format_usd(amount)} {what}" for amount, what in parts if amount]
    if total.reported_usd is None:
        return "a breakdown by model or tag does not tell where the cost is from"
    return ", ".join(told) if told else "none"


def _beside_flat(total: Figures) -> Decimal:
    """Return the estimates of calls whose answers were looked at."""
    return EXACT.subtract(total.estimated_usd or Decimal(0), total.flat_usd or Decimal(0))
