"""Cohere: answers state billed units and name no model."""

from __future__ import annotations

from typing import Final

from recost.pricing.model import ProviderDef
from recost.pricing.sources import LOOKED_UP, free, per_thousand

__all__ = ["RULES"]

_SOURCE: Final = "https://cohere.com/pricing"

RULES: Final = tuple(
    ProviderDef(
        host,
        "cohere",
        path,
        category,
        usage="cohere",
        genai_provider="cohere",
        usd_per_unit={"searches": per_thousand("2")},
        prices=(free(_SOURCE),),
        price_source=f"{_SOURCE} (Rerank)",
        price_date=LOOKED_UP,
    )
    for host in ("api.cohere.com", "api.cohere.ai")
    for path, category in (
        ("/v2/chat", "chat"),
        ("/v1/chat", "chat"),
        ("/v2/embed", "embeddings"),
        ("/v1/embed", "embeddings"),
        ("/v2/rerank", "rerank"),
        ("/v1/rerank", "rerank"),
        (None, None),
    )
)
