"""GitHub: its API costs nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Optional

from recost.pricing.model import FLAT_ESTIMATE, ProviderDef
from recost.pricing.sources import LOOKED_UP

__all__ = ["RULES"]


def _rule(path: Optional[str], category: Optional[str]) -> ProviderDef:
    return ProviderDef(
        "api.github.com",
        "github",
        path,
        category,
        cost_per_request_cents=None if path is None else 0.0,
        cost_source=None if path is None else FLAT_ESTIMATE,
        usd_per_call=Decimal(0),
        price_source="https://docs.github.com/en/rest",
        price_date=LOOKED_UP,
    )


RULES: Final = (
    _rule("/repos", "repos"),
    _rule("/users", "users"),
    _rule("/search", "search"),
    _rule(None, None),
)
