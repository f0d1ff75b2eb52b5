"""What one call cost, and how that is known."""

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
    """What one call cost."""

    usd: Optional[Decimal]
    """US dollars, exact; None when not known, which is not 0."""
    source: Source
    """``reported`` by the answer, ``computed`` from what it says was used, ``estimated``, or ``unknown``."""
    provider: str
    model: Optional[str] = None
    """The model that answered, as the provider or the path names it."""
    usage: Optional[Usage] = None
    priced_on: Optional[str] = None
    """ISO date of the price that was used; None where it has none, such as a cost that the answer reports."""
    attempts: int = 1
    complete: bool = True
    """False: the body has not come to its end yet."""
    partial: bool = False
    """True: the answer was cut before it had said all of what was used."""
    missing: tuple[str, ...] = ()
    """What was billed and has no price or no count: the cost is at least ``usd``, or it is unknown."""

    @property
    def cents(self) -> Optional[Decimal]:
        """US cents; None when not known."""
        return None if self.usd is None else PRICING.multiply(self.usd, Decimal(100))
