"""Anthropic."""

from __future__ import annotations

from typing import Final

from recost.pricing.model import FLAT_ESTIMATE, PriceCase, ProviderDef
from recost.pricing.sources import PricePage, free, per_thousand

__all__ = ["RULES"]

_SOURCE: Final = PricePage("https://platform.claude.com/docs/en/about-claude/pricing", "2026-11-21")
_FILES: Final = PricePage("https://platform.claude.com/docs/en/build-with-claude/files", "2026-11-21")
_SEARCHES: Final = {"web_searches": per_thousand("10")}

RULES: Final = (
    ProviderDef(
        "api.anthropic.com",
        "anthropic",
        "/v1/messages",
        "messages",
        cost_per_request_cents=1.5,
        cost_source=FLAT_ESTIMATE,
        usage="anthropic",
        genai_provider="anthropic",
        usd_per_unit=_SEARCHES,
        prices=(
            free(_SOURCE, "/v1/messages/count_tokens", "POST"),
            # A batch is billed by its results, at half the price. Their usage names the tier.
            PriceCase(
                path="/v1/messages/batches/*/results",
                usd_per_unit=_SEARCHES,
                price_source=_SOURCE.url,
                price_date=_SOURCE.day,
            ),
            free(_SOURCE, "/v1/messages/batches**", ""),
            free(_SOURCE),
        ),
        price_source=_SOURCE.url,
        price_date=_SOURCE.day,
    ),
    ProviderDef(
        "api.anthropic.com",
        "anthropic",
        # Chat completions, for clients of OpenAI's API.
        usage="openai",
        genai_provider="anthropic",
        prices=(
            # "File API operations are free": upload, download, list, delete.
            free(_FILES, "/v1/files**", ""),
            free(_SOURCE),
        ),
    ),
)
