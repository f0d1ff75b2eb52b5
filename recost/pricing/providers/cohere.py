"""Cohere. Responses state billed units without a model, so the model is read from the request."""

from __future__ import annotations

from typing import Final

from recost.pricing.model import ProviderDef
from recost.pricing.sources import PricePage, free, per_million, per_thousand

__all__ = ["RULES"]

_SOURCE: Final = PricePage("https://cohere.com/pricing", "2026-11-21")
_TEXTS: Final = ("english", "multilingual", "english-light", "multilingual-light")
_RERANK: Final = (
    "v4.0-fast",
    "v3.5",
    "english-v3.0",
    "multilingual-v3.0",
    "english-v2.0",
    "multilingual-v2.0",
)
_BY_MODEL: Final = {
    "searches": per_thousand("2"),
    **{f"rerank-{name}.searches": per_thousand("2") for name in _RERANK},
    "rerank-v4.0-pro.searches": per_thousand("2.5"),
    **{f"embed-{name}-v3.0.input_tokens": per_million("0.1") for name in _TEXTS},
    "command-r-03-2024.input_tokens": per_million("0.5"),
    "command-r-03-2024.output_tokens": per_million("1.5"),
    "command-r-plus-04-2024.input_tokens": per_million("3"),
    "command-r-plus-04-2024.output_tokens": per_million("15"),
}
"""Prices that genai-prices does not have."""

RULES: Final = tuple(
    ProviderDef(
        host,
        "cohere",
        path,
        category,
        usage="cohere",
        genai_provider="cohere",
        usd_per_unit=_BY_MODEL,
        prices=(free(_SOURCE),),
        price_source=f"{_SOURCE.url} (Rerank; Embed 3 and the first Command R: the FAQ)",
        price_date=_SOURCE.day,
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
