"""Anthropic."""

from __future__ import annotations

from typing import Final

from recost.pricing.model import FLAT_ESTIMATE, ProviderDef

__all__ = ["RULES"]

RULES: Final = (
    ProviderDef(
        "api.anthropic.com",
        "anthropic",
        "/v1/messages",
        "messages",
        cost_per_request_cents=1.5,
        cost_source=FLAT_ESTIMATE,
    ),
    ProviderDef("api.anthropic.com", "anthropic", cost_per_request_cents=1.0, cost_source=FLAT_ESTIMATE),
)
