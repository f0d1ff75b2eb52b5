"""CoinGecko."""

from __future__ import annotations

from typing import Final

from recost.pricing.model import FLAT_ESTIMATE, ProviderDef

__all__ = ["RULES"]

RULES: Final = (
    ProviderDef(
        "api.coingecko.com",
        "coingecko",
        "/api/v3/simple/price",
        "simple_price",
        cost_per_request_cents=0.0,
        cost_source=FLAT_ESTIMATE,
    ),
    ProviderDef(
        "api.coingecko.com",
        "coingecko",
        "/api/v3/coins",
        "coins",
        cost_per_request_cents=0.0,
        cost_source=FLAT_ESTIMATE,
    ),
    ProviderDef("api.coingecko.com", "coingecko"),
)
