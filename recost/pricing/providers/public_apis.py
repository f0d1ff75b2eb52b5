"""Public APIs that have one endpoint each. What a call costs depends on the plan: it is not known here."""

from __future__ import annotations

from typing import Final

from recost.pricing.model import ProviderDef

__all__ = ["RULES"]

RULES: Final = (
    ProviderDef("wttr.in", "wttr", endpoint_category="weather"),
    ProviderDef("zenquotes.io", "zenquotes", endpoint_category="random_quote"),
    ProviderDef("ip-api.com", "ip-api", endpoint_category="geolocation"),
)
