"""Azure OpenAI and Foundry. A resource has its own host, and the path names the deployment."""

from __future__ import annotations

from typing import Final

from recost.pricing.model import PriceCase, ProviderDef
from recost.pricing.sources import OPENAI_FREE, PricePage, free, openai_polls

__all__ = ["RULES"]

_SOURCE: Final = PricePage(
    "https://azure.microsoft.com/en-us/pricing/details/cognitive-services/openai-service/", "2026-11-21"
)

_PROJECT: Final = "/api/projects/*"
"""A Foundry project, with its agents and OpenAI's API."""
_BASES: Final = ("/openai", "/openai/v1", _PROJECT, f"{_PROJECT}/openai", f"{_PROJECT}/openai/v1")


def _rule(host: str) -> ProviderDef:
    return ProviderDef(
        host,
        "azure",
        prices=(
            *openai_polls(_SOURCE, "/openai**", usage="azure", genai_provider="azure"),
            *openai_polls(_SOURCE, "/api/projects/**", usage="azure", genai_provider="azure"),
            free(_SOURCE),
            *(free(_SOURCE, f"{base}{path}", "POST") for base in _BASES for path in OPENAI_FREE),
            PriceCase(path="/anthropic/**", usage="anthropic", genai_provider="azure"),
            *(
                PriceCase(path=path, usage="azure", genai_provider="azure")
                for path in ("/openai/**", "/models/**", "/api/projects/**")
            ),
        ),
    )


RULES: Final = (
    *(
        _rule(host)
        for host in ("*.openai.azure.com", "*.cognitiveservices.azure.com", "*.services.ai.azure.com")
    ),
    # A serverless deployment has its own host.
    ProviderDef(
        "*.models.ai.azure.com", "azure", usage="azure", genai_provider="azure", prices=(free(_SOURCE),)
    ),
)
