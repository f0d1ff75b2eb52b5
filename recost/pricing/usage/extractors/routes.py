"""Who answered behind a router or a gateway, as its response tells."""

from __future__ import annotations

from typing import Final, Optional

from recost.pricing.usage.fields import identifier
from recost.pricing.usage.response import DecodedResponse

__all__ = ["route_of"]

_HEADERS: Final = {
    "cloudflare_compat": "cf-aig-provider",
    "huggingface": "x-inference-provider",
    "portkey": "x-portkey-provider",
}
"""https://developers.cloudflare.com/ai-gateway/features/routing/dynamic-routing/usage/,
https://huggingface.co/docs/inference-providers, https://github.com/Portkey-AI/gateway."""


def route_of(response: DecodedResponse, model: Optional[str]) -> tuple[Optional[str], Optional[str]]:
    """Return the model by its provider's name, and the provider; Vercel has them as ``openai/gpt-5``."""
    header = _HEADERS.get(response.shape)
    if header is not None:
        return model, identifier(response.headers.get(header))
    if response.shape != "vercel" or model is None:
        return model, None
    provider, _, name = model.partition("/")
    return (name, provider) if name else (model, None)
