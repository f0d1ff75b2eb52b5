"""Amazon Web Services."""

from __future__ import annotations

from typing import Final

from recost.pricing.model import FLAT_ESTIMATE, ProviderDef

__all__ = ["RULES"]

RULES: Final = (ProviderDef("*.amazonaws.com", "aws", cost_per_request_cents=0.0, cost_source=FLAT_ESTIMATE),)
