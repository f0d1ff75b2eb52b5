"""The newer hosts of Amazon Web Services."""

from __future__ import annotations

from typing import Final

from recost.pricing.model import PriceCase, ProviderDef

__all__ = ["RULES"]

RULES: Final = (
    ProviderDef(
        "*.api.aws",
        "aws",
        prices=(PriceCase(host="bedrock-mantle.*.api.aws", usage="openai", genai_provider="aws"),),
    ),
)
