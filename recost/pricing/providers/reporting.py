"""Providers whose responses state their cost: OpenRouter, xAI, Perplexity, Exa."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from recost.pricing.model import PriceCase, ProviderDef
from recost.pricing.prices import NO_USAGE
from recost.pricing.sources import PricePage, free, openai_like, per_million, per_thousand

__all__ = ["RULES"]

_OPENROUTER: Final = PricePage("https://openrouter.ai/docs/api-reference/overview", "2026-11-21")
_XAI: Final = PricePage("https://docs.x.ai/docs/models", "2026-11-21")
_PERPLEXITY: Final = PricePage("https://docs.perplexity.ai/docs/getting-started/pricing", "2026-11-29")
_EXA: Final = PricePage("https://exa.ai/pricing", "2026-11-21")
_DEFERRED: Final = PricePage(
    "https://docs.x.ai/developers/advanced-api-usage/deferred-chat-completions", "2026-11-29"
)
_ASYNC: Final = PricePage(
    "https://docs.perplexity.ai/api-reference/async-chat-completions-api-request-get", "2026-11-29"
)

_SONAR: Final = {
    "sonar": ("1", "1", "5", "8", "12"),
    "sonar-pro": ("3", "15", "6", "10", "14"),
    "sonar-reasoning": ("1", "5", "5", "8", "12"),
    "sonar-reasoning-pro": ("2", "8", "6", "10", "14"),
}
"""Dollars for a million tokens in and out, and for a thousand requests by the size of their context."""
_BY_CONTEXT: Final = {
    f"{model}.{unit}": per_million(usd) if unit.endswith("tokens") else per_thousand(usd)
    for model, prices in _SONAR.items()
    for unit, usd in zip(
        (
            "input_tokens",
            "output_tokens",
            "low_context_requests",
            "medium_context_requests",
            "high_context_requests",
            "reasoning_tokens",  # in the output
        ),
        (*prices, "0"),
    )
}


def _later(path: str, source: PricePage) -> tuple[PriceCase, ...]:
    """Return the case of polls, which cost what the response states, or nothing."""
    return (
        PriceCase(
            path=path,
            method="GET",
            usd_per_call=Decimal(0),
            price_source=source.url,
            price_date=source.day,
        ),
    )


RULES: Final = (
    *(
        ProviderDef(
            host,
            "openrouter",
            path,
            category,
            usage="openrouter",
            genai_provider="openrouter",
            prices=(free(_OPENROUTER),),
        )
        for host in ("openrouter.ai", "us.openrouter.ai", "eu.openrouter.ai")
        for path, category in (
            ("/api/v1/chat/completions", "chat_completions"),
            ("/api/v1/embeddings", "embeddings"),
            ("/api/v1", None),
        )
    ),
    *openai_like(
        "api.x.ai",
        "xai",
        "/v1",
        _XAI,
        genai_provider="x-ai",
        usage="xai",
        cases=_later("/v1/chat/deferred-completion/*", _DEFERRED),
    ),
    *openai_like(
        "api.perplexity.ai",
        "perplexity",
        "",
        _PERPLEXITY,
        usage="perplexity",
        cases=(
            *_later("/async/chat/completions/*", _ASYNC),
            *(
                PriceCase(
                    path=path,
                    method="POST",
                    usd_per_unit=_BY_CONTEXT,
                    price_source=_PERPLEXITY.url,
                    price_date=_PERPLEXITY.day,
                )
                for path in ("/chat/completions", "/v1/sonar")
            ),
            PriceCase(
                path="/search",
                method="POST",
                usage=NO_USAGE,
                usd_per_call=per_thousand("5"),
                leaves_out=("fast_search",),  # $1, if the request asked for it
                price_source=_PERPLEXITY.url,
                price_date=_PERPLEXITY.day,
            ),
        ),
    ),
    ProviderDef("api.exa.ai", "exa", "/search", "search", usage="exa", prices=(free(_EXA),)),
    ProviderDef("api.exa.ai", "exa", "/contents", "contents", usage="exa", prices=(free(_EXA),)),
    ProviderDef(
        "api.exa.ai",
        "exa",
        usage="exa",
        prices=(
            # The poll that finds the research completed reports its cost. Earlier polls cost nothing.
            PriceCase(
                path="/research/v1/*",
                method="GET",
                usage="exa",
                minimum_usd=Decimal(0),
                price_source=_EXA.url,
                price_date=_EXA.day,
            ),
            free(_EXA),
        ),
    ),
)
