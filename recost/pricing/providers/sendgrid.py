"""SendGrid."""

from __future__ import annotations

from typing import Final

from recost.pricing.model import FLAT_ESTIMATE, ProviderDef

__all__ = ["RULES"]

RULES: Final = (
    ProviderDef(
        "api.sendgrid.com",
        "sendgrid",
        "/v3/mail/send",
        "send_email",
        cost_per_request_cents=0.1,
        cost_source=FLAT_ESTIMATE,
    ),
    ProviderDef("api.sendgrid.com", "sendgrid", cost_per_request_cents=0.0, cost_source=FLAT_ESTIMATE),
)
