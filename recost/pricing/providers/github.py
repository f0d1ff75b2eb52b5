"""GitHub: its API costs nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Optional

from recost.pricing.model import FLAT_ESTIMATE, ProviderDef
from recost.pricing.sources import PricePage

__all__ = ["RULES"]

_SOURCE: Final = PricePage("https://docs.github.com/en/rest", "2026-11-21")


def _rule(path: Optional[str], category: Optional[str]) -> ProviderDef:
    return ProviderDef(
        "api.github.com",
        "github",
        path,
        category,
        cost_per_request_cents=None if path is None else 0.0,
        cost_source=None if path is None else FLAT_ESTIMATE,
        usd_per_call=Decimal(0),
        price_source=_SOURCE.url,
        price_date=_SOURCE.day,
    )


RULES: Final = (
    _rule("/repos", "repos"),
    _rule("/users", "users"),
    _rule("/search", "search"),
    _rule(None, None),
)
