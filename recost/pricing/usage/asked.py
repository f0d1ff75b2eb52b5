"""What is read of requests: which fields, by the shape of the response, and by the path where it matters.

A field is asked for only where the price depends on it and the response doesn't state it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Optional

from recost.pricing.usage.fields import identifier
from recost.pricing.usage.model import Usage
from recost.pricing.usage.names import tier_of

__all__ = ["ASKED", "MODEL", "fields_asked", "is_for_images", "kind_of", "model_in", "with_asked"]

MODEL: Final = ("model",)
_LONG: Final = 4
"""Digits of more images than one request can ask for."""
_IMAGES: Final = ("/images/generations", "/images/edits", "/images/variations")
_OPENAI: Final = (
    ("/audio/transcriptions", MODEL),
    ("/audio/translations", MODEL),
    ("/audio/speech", MODEL),
    *((path, ("model", "n", "size", "quality")) for path in _IMAGES),
    ("/responses/compact", ("model", "service_tier")),
)
"""The endpoints whose responses name no model: https://github.com/openai/openai-python (``types/``)."""

ASKED: Final[Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]]] = {
    "cloudflare_compat": (("", MODEL),),
    "cohere": (("", MODEL),),
    **dict.fromkeys(
        (
            *("openai", "azure", "deepseek", "fireworks", "groq", "mistral", "moonshot"),
            *("openrouter", "together", "xai", "zai"),
        ),
        _OPENAI,
    ),
    # DashScope's own interface names no model.
    "compatible": (("/generation", MODEL), *_OPENAI),
    # The response has the name that those who run the model have for it.
    **dict.fromkeys(
        ("databricks", "huggingface"), (("/chat/completions", MODEL), ("/embeddings", MODEL), *_OPENAI)
    ),
}
"""By the shape of the response: the end of the path, and the fields of the request."""


def fields_asked(shape: str, path: str) -> tuple[str, ...]:
    """Return the names of the fields that are read of a request.

    Args:
        shape: Of the response.
        path: Without query.
    """
    path = path.rstrip("/")
    return next((names for end, names in ASKED.get(shape, ()) if path.endswith(end)), ())


def is_for_images(path: str) -> bool:
    """Tell whether images are asked for at a path, given without query."""
    return path.rstrip("/").endswith(_IMAGES)


def model_in(fields: Mapping[str, str]) -> Optional[str]:
    """Return the model that a request names; None where what it has there is no name."""
    return identifier(fields.get("model"))


def kind_of(path: str, fields: Mapping[str, str], reported: Optional[str] = None) -> Optional[str]:
    """Return what a rule's prices by model are named by: the model, and of images size and quality, too.

    Args:
        path: Without query.
        fields: Of the request.
        reported: The model, as the response names it.
    """
    model = reported or model_in(fields)
    if model is None or not is_for_images(path):
        return model
    # Their defaults for DALL-E: https://developers.openai.com/api/reference/resources/images.
    return f"{model}.{fields.get('size', '1024x1024')}.{fields.get('quality', 'standard')}"


def with_asked(usage: Optional[Usage], path: str, fields: Mapping[str, str]) -> Optional[Usage]:
    """Return the usage with what only the request says of it.

    Args:
        usage: That the response states.
        path: Without query.
        fields: Of the request.
    """
    if usage is None and "model" in fields and is_for_images(path):
        number = fields.get("n", "1")  # the images were too long to be counted
        return Usage(units={"images": int(number)}) if number.isdigit() and len(number) < _LONG else None
    if usage is not None and usage.served_by is None and "/compat/" in path:
        usage = _with_route(usage, model_in(fields) or "")
    return _with_tier(usage, fields)


def _with_route(usage: Usage, asked: str) -> Usage:
    """Return the usage with the provider that a request names: ``openai/gpt-5``, at Cloudflare's gateway."""
    provider, _, name = asked.partition("/")
    return replace(usage, served_by=provider, model=usage.model or name) if name else usage


def _with_tier(usage: Optional[Usage], fields: Mapping[str, str]) -> Optional[Usage]:
    """Return the usage at the tier that was asked for, where the response doesn't state another.

    What is asked for with priority may have been done without.
    """
    asked: Mapping[str, Any] = {"service_tier": fields.get("service_tier")}
    tier = None if usage is None or usage.tier is not None else tier_of(asked)
    if usage is None or tier is None or tier == "auto":
        return usage
    return replace(usage, tier=tier, partial=usage.partial or tier in {"priority", "fast"})
