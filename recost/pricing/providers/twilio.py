"""Twilio: the account comes before the resource in the path, so the rule looks for the resource's name."""

from __future__ import annotations

from typing import Final

from recost.pricing.model import FLAT_ESTIMATE, PathCase, ProviderDef

__all__ = ["RULES"]

RULES: Final = (
    ProviderDef(
        "api.twilio.com",
        "twilio",
        cost_per_request_cents=0.5,
        path_cases=(
            PathCase("/Messages", "sms", 0.79),
            PathCase("/Calls", "voice_calls", 1.3),
        ),
        cost_source=FLAT_ESTIMATE,
    ),
)
