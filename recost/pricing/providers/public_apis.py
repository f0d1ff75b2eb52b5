"""Free public APIs that have one endpoint each."""

from __future__ import annotations

from typing import Final

from recost.pricing.model import FLAT_ESTIMATE, ProviderDef

__all__ = ["RULES"]

RULES: Final = (
    ProviderDef(
        "wttr.in", "wttr", endpoint_category="weather", cost_per_request_cents=0.0, cost_source=FLAT_ESTIMATE
    ),
    ProviderDef(
        "zenquotes.io",
        "zenquotes",
        endpoint_category="random_quote",
        cost_per_request_cents=0.0,
        cost_source=FLAT_ESTIMATE,
    ),
    ProviderDef(
        "ip-api.com",
        "ip-api",
        endpoint_category="geolocation",
        cost_per_request_cents=0.0,
        cost_source=FLAT_ESTIMATE,
    ),
)
