"""Azure OpenAI and Azure AI Foundry: a resource has a host of its own, a deployment is named in the path."""

from __future__ import annotations

from typing import Final

from recost.pricing.model import PriceCase, ProviderDef
from recost.pricing.sources import OPENAI_FREE, PricePage, free, openai_polls

__all__ = ["RULES"]

_SOURCE: Final = PricePage(
    "https://azure.microsoft.com/en-us/pricing/details/cognitive-services/openai-service/", "2026-11-21"
)

RULES: Final = tuple(
    ProviderDef(
        host,
        "azure",
        prices=(
            *openai_polls(_SOURCE, "/openai**", usage="azure", genai_provider="azure"),
            free(_SOURCE),
            *(
                free(_SOURCE, f"{base}{path}", "POST")
                for base in ("/openai", "/openai/v1")
                for path in OPENAI_FREE
            ),
            PriceCase(path="/anthropic/**", usage="anthropic", genai_provider="azure"),
            PriceCase(path="/openai/**", usage="azure", genai_provider="azure"),
            PriceCase(path="/models/**", usage="azure", genai_provider="azure"),
        ),
    )
    for host in ("*.openai.azure.com", "*.cognitiveservices.azure.com", "*.services.ai.azure.com")
)
