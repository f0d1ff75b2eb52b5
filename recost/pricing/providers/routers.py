"""Hosts that forward calls to several providers and bill them: Hugging Face's router, Cloudflare."""

from __future__ import annotations

from typing import Final

from recost.pricing.model import PriceCase, ProviderDef

__all__ = ["RULES"]

_HUGGING_FACE: Final = (
    "cerebras",
    "fireworks-ai",
    "groq",
    "hyperbolic",
    "nebius",
    "novita",
    "nscale",
    "ovhcloud",
    "publicai",
    "sambanova",
    "together",
)
"""Providers whose prices genai-prices has."""

RULES: Final = (
    ProviderDef(
        "router.huggingface.co",
        "huggingface",
        usage="huggingface",
        prices=(
            *(PriceCase(path=f"/{name}/**", genai_provider=f"huggingface_{name}") for name in _HUGGING_FACE),
            # The response names the provider.
            PriceCase(path="/v1/**", method="POST", genai_provider="huggingface"),
        ),
    ),
    ProviderDef(
        "api.cloudflare.com",
        "cloudflare",
        prices=(
            PriceCase(path="/client/v4/accounts/*/ai/**", usage="cloudflare", genai_provider="cloudflare"),
        ),
    ),
)
