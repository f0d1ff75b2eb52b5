"""Whether calls stay within a budget, and near what they cost before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Optional

from recost._money import EXACT, format_change, format_exact_usd, format_usd
from recost.analytics.answer import Answer
from recost.analytics.baseline import Baseline

__all__ = ["Limits", "judge"]


@dataclass(frozen=True)
class Limits:
    """What calls may cost."""

    most_usd: Optional[Decimal] = None
    """All of them together; None: any amount."""
    baseline: Optional[Baseline] = None
    share: Decimal = Decimal(0)
    """More than this part above the baseline is too much: 0.2 are 20 per cent."""
    priced: bool = False
    """Whether each call is to have a price."""

    @property
    def most_by_baseline(self) -> Optional[Decimal]:
        """What the baseline and the share allow, in US dollars."""
        if self.baseline is None:
            return None
        return EXACT.multiply(self.baseline.cost_usd, EXACT.add(Decimal(1), self.share))


def judge(answer: Answer, limits: Limits) -> Sequence[tuple[bool, str]]:
    """Return, for each limit, whether it holds, and that in words."""
    total = answer.total.now
    found = []
    if limits.most_usd is not None:
        held = total.cost_usd <= limits.most_usd
        cost, most = _apart(total.cost_usd, limits.most_usd)
        found.append((held, f"{cost} is {_place(held)} the budget of {most}"))
    allowed = limits.most_by_baseline
    if limits.baseline is not None and allowed is not None:
        held = total.cost_usd <= allowed
        cost, most = _apart(total.cost_usd, allowed)
        before = limits.baseline.cost_usd
        change = format_change(total.cost_usd, before)
        text = f"{cost} is {_place(held)} {most}, the baseline of {format_usd(before)} and {_percent(limits)}"
        found.append((held, f"{text} (change: {change})"))
    if limits.priced:
        held = total.unpriced == 0
        text = "each call has a price" if held else f"{total.unpriced:,} calls have no known price"
        found.append((held, text))
    return found


def _place(held: bool) -> str:
    return "within" if held else "over"


def _percent(limits: Limits) -> str:
    return f"{(limits.share * 100).normalize():f}%"


def _apart(one: Decimal, other: Decimal) -> tuple[str, str]:
    """Return two amounts, with all their digits where they would look alike and are not."""
    shown = format_usd(one), format_usd(other)
    return shown if one == other or shown[0] != shown[1] else (format_exact_usd(one), format_exact_usd(other))
