"""Gateways: hosts that forward calls to a provider, which bills them as direct calls.

The host, the path, or a response header identifies the provider. Gateways add nothing to its price, and
responses from their caches cost nothing (`recost.pricing.usage.gateways`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from recost.pricing.model import PriceCase, ProviderDef
from recost.pricing.sources import OPENAI_FEES, PricePage

__all__ = ["RULES"]

_CLOUDFLARE: Final = PricePage("https://developers.cloudflare.com/ai-gateway/usage/providers/", "2026-11-21")
_HELICONE: Final = PricePage(
    "https://docs.helicone.ai/getting-started/integration-method/gateway", "2026-11-21"
)
_PYDANTIC: Final = PricePage("https://ai.pydantic.dev/gateway/", "2026-11-21")

_OPENAI: Final = ("openai", "openai")
_ANTHROPIC: Final = ("anthropic", "anthropic")
_GROQ: Final = ("groq", "groq")
_GEMINI: Final = ("gemini", "google")
_VERTEX: Final = ("vertex", "google")
_BEDROCK: Final = ("bedrock", "aws")
_MISTRAL: Final = ("mistral", "mistral")

_BEHIND_CLOUDFLARE: Final = {
    "openai": _OPENAI,
    "anthropic": _ANTHROPIC,
    "groq": _GROQ,
    "workers-ai": ("cloudflare", "cloudflare"),
    "google-ai-studio": _GEMINI,
    "mistral": _MISTRAL,
    "deepseek": ("deepseek", "deepseek"),
    "cohere": ("cohere", "cohere"),
    "grok": ("xai", "x-ai"),
    "perplexity-ai": ("perplexity", "perplexity"),
    "openrouter": ("openrouter", "openrouter"),
    "cerebras": ("cerebras", "cerebras"),
    "azure-openai": ("azure", "azure"),
    "aws-bedrock": _BEDROCK,
    "google-vertex-ai": _VERTEX,
}
"""By the part of the path that names a provider: the shape of its responses, and its id in genai-prices."""
_BEHIND_PYDANTIC: Final = {
    "openai": _OPENAI,
    "openai-chat": _OPENAI,
    "openai-responses": _OPENAI,
    "chat": _OPENAI,
    "responses": _OPENAI,
    "anthropic": _ANTHROPIC,
    "groq": _GROQ,
    "google-vertex": _VERTEX,
    "gemini": _VERTEX,
    "bedrock": _BEDROCK,
    "converse": _BEDROCK,
}
_BEHIND_HELICONE: Final = {
    "oai.helicone.ai": _OPENAI,
    "oai.hconeai.com": _OPENAI,
    "anthropic.helicone.ai": _ANTHROPIC,
    "groq.helicone.ai": _GROQ,
    "perplexity.helicone.ai": ("perplexity", "perplexity"),
}


def _cases(before: str, behind: dict[str, tuple[str, str]], source: PricePage) -> Iterator[PriceCase]:
    for name, (shape, provider) in behind.items():
        yield PriceCase(
            path=f"{before}/{name}/**",
            usage=shape,
            genai_provider=provider,
            usd_per_unit=OPENAI_FEES if shape == "openai" else {},
            price_source=source.url if shape == "openai" else None,
            price_date=source.day if shape == "openai" else None,
        )


_PYDANTICS: Final = tuple(_cases("/proxy", _BEHIND_PYDANTIC, _PYDANTIC))

RULES: Final = (
    ProviderDef(
        "gateway.ai.cloudflare.com",
        "cloudflare",
        prices=(
            *_cases("/v1/*/*", _BEHIND_CLOUDFLARE, _CLOUDFLARE),
            # A header of the response names the provider, or the model of the request does.
            PriceCase(
                path="/v1/*/*/compat/**", usage="cloudflare_compat", genai_provider="cloudflare_compat"
            ),
        ),
    ),
    *(
        ProviderDef(host, "pydantic", prices=_PYDANTICS)
        for host in ("gateway.pydantic.dev", "gateway-us.pydantic.dev", "gateway-eu.pydantic.dev")
    ),
    *(
        ProviderDef(
            host,
            "helicone",
            usage=shape,
            genai_provider=provider,
            usd_per_unit=OPENAI_FEES if shape == "openai" else {},
            price_source=_HELICONE.url if shape == "openai" else None,
            price_date=_HELICONE.day if shape == "openai" else None,
        )
        for host, (shape, provider) in _BEHIND_HELICONE.items()
    ),
    # Each response names the provider.
    ProviderDef("api.portkey.ai", "portkey", "/v1", usage="portkey", genai_provider="portkey"),
    ProviderDef("ai-gateway.vercel.sh", "vercel", "/v1", usage="vercel", genai_provider="vercel"),
)
