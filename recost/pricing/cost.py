"""Cost of one call, with its source."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Optional

from recost._money import PRICING
from recost.pricing.usage.model import Usage

__all__ = ["Cost", "Source"]

Source = Literal["reported", "computed", "estimated", "unknown"]


@dataclass(frozen=True)
class Cost:
    """Cost of one call."""

    usd: Optional[Decimal]
    """Exact amount in US dollars. None if unknown, which is not 0."""
    source: Source
    """``reported`` by the response, ``computed`` from its usage, ``estimated``, or ``unknown``."""
    provider: str
    model: Optional[str] = None
    """Model that responded, as the provider or the path names it."""
    usage: Optional[Usage] = None
    priced_on: Optional[str] = None
    """ISO date of the price. None if it has no date, such as a cost that the response reports."""
    attempts: int = 1
    complete: bool = True
    """False until the body has been received to its end."""
    partial: bool = False
    """True if the response was truncated before it stated its whole usage."""
    missing: tuple[str, ...] = ()
    """Billed units without a price or a count. The cost is at least ``usd``, or unknown."""

    @property
    def cents(self) -> Optional[Decimal]:
        """Amount in US cents. None if unknown."""
        return None if self.usd is None else PRICING.multiply(self.usd, Decimal(100))
