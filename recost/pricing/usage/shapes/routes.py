"""Who answered behind a router or a gateway, as its answer tells."""

from __future__ import annotations

from typing import Final, Optional

from recost.pricing.usage.answer import Answer
from recost.pricing.usage.fields import identifier

__all__ = ["route_of"]

_HEADERS: Final = {"huggingface": "x-inference-provider", "portkey": "x-portkey-provider"}
"""https://huggingface.co/docs/inference-providers; https://github.com/Portkey-AI/gateway."""


def route_of(answer: Answer, model: Optional[str]) -> tuple[Optional[str], Optional[str]]:
    """Return the model by its provider's name, and the provider; Vercel has them as ``openai/gpt-5``."""
    header = _HEADERS.get(answer.shape)
    if header is not None:
        return model, identifier(answer.headers.get(header))
    if answer.shape != "vercel" or model is None:
        return model, None
    provider, _, name = model.partition("/")
    return (name, provider) if name else (model, None)
