"""Stripe: requests are free; what is charged is a share of the payments."""

from __future__ import annotations

from typing import Final

from recost.pricing.model import FLAT_ESTIMATE, ProviderDef

__all__ = ["RULES"]

RULES: Final = (
    ProviderDef(
        "api.stripe.com",
        "stripe",
        "/v1/charges",
        "charges",
        cost_per_request_cents=0.0,
        cost_source=FLAT_ESTIMATE,
    ),
    ProviderDef(
        "api.stripe.com",
        "stripe",
        "/v1/payment_intents",
        "payment_intents",
        cost_per_request_cents=0.0,
        cost_source=FLAT_ESTIMATE,
    ),
    ProviderDef(
        "api.stripe.com",
        "stripe",
        "/v1/customers",
        "customers",
        cost_per_request_cents=0.0,
        cost_source=FLAT_ESTIMATE,
    ),
    ProviderDef(
        "api.stripe.com",
        "stripe",
        "/v1/subscriptions",
        "subscriptions",
        cost_per_request_cents=0.0,
        cost_source=FLAT_ESTIMATE,
    ),
    ProviderDef("api.stripe.com", "stripe", cost_per_request_cents=0.0, cost_source=FLAT_ESTIMATE),
)
