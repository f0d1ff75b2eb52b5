"""GitHub."""

from __future__ import annotations

from typing import Final

from recost.pricing.model import FLAT_ESTIMATE, ProviderDef

__all__ = ["RULES"]

RULES: Final = (
    ProviderDef(
        "api.github.com", "github", "/repos", "repos", cost_per_request_cents=0.0, cost_source=FLAT_ESTIMATE
    ),
    ProviderDef(
        "api.github.com", "github", "/users", "users", cost_per_request_cents=0.0, cost_source=FLAT_ESTIMATE
    ),
    ProviderDef(
        "api.github.com", "github", "/search", "search", cost_per_request_cents=0.0, cost_source=FLAT_ESTIMATE
    ),
    ProviderDef("api.github.com", "github", cost_per_request_cents=0.0, cost_source=FLAT_ESTIMATE),
)
