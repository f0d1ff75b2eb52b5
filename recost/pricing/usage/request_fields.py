"""Fields of requests that are read, by the shape of the response and the path.

A field is read only if the price depends on it and the response doesn't state it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Optional

from recost.pricing.usage.fields import identifier
from recost.pricing.usage.model import Usage
from recost.pricing.usage.names import tier_of

__all__ = [
    "MODEL",
    "REQUEST_FIELDS",
    "is_image_path",
    "price_key",
    "request_fields",
    "requested_model",
    "with_request_fields",
]

MODEL: Final = ("model",)
_LONG: Final = 4
"""Digits of a number of images that is too large for one request."""
_IMAGES: Final = ("/images/generations", "/images/edits", "/images/variations")
_OPENAI: Final = (
    ("/audio/transcriptions", MODEL),
    ("/audio/translations", MODEL),
    ("/audio/speech", MODEL),
    *((path, ("model", "n", "size", "quality")) for path in _IMAGES),
    ("/responses/compact", ("model", "service_tier")),
)
"""The endpoints whose responses name no model: https://github.com/openai/openai-python (``types/``)."""

REQUEST_FIELDS: Final[Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]]] = {
    "cloudflare_compat": (("", MODEL),),
    "cohere": (("", MODEL),),
    **dict.fromkeys(
        (
            *("openai", "azure", "deepseek", "fireworks", "groq", "mistral", "moonshot"),
            *("openrouter", "together", "xai", "zai"),
        ),
        _OPENAI,
    ),
    # DashScope's own API names no model.
    "compatible": (("/generation", MODEL), *_OPENAI),
    # The response has the provider's own name of the model.
    **dict.fromkeys(
        ("databricks", "huggingface"), (("/chat/completions", MODEL), ("/embeddings", MODEL), *_OPENAI)
    ),
}
"""End of the path and fields of the request, by the shape of the response."""


def request_fields(shape: str, path: str) -> tuple[str, ...]:
    """Return the names of the request fields that are read.

    Args:
        shape: Shape of the response.
        path: Path of the request, without query.
    """
    path = path.rstrip("/")
    return next((names for end, names in REQUEST_FIELDS.get(shape, ()) if path.endswith(end)), ())


def is_image_path(path: str) -> bool:
    """Return True if a path, without query, is that of an endpoint for images."""
    return path.rstrip("/").endswith(_IMAGES)


def requested_model(fields: Mapping[str, str]) -> Optional[str]:
    """Return the model that a request names, or None if it has no valid name."""
    return identifier(fields.get("model"))


def price_key(path: str, fields: Mapping[str, str], reported: Optional[str] = None) -> Optional[str]:
    """Return the key of a rule's prices by model: the model and, for images, size and quality.

    Args:
        path: Path of the request, without query.
        fields: Fields of the request.
        reported: Model that the response names.
    """
    model = reported or requested_model(fields)
    if model is None or not is_image_path(path):
        return model
    # The defaults of DALL-E: https://developers.openai.com/api/reference/resources/images.
    return f"{model}.{fields.get('size', '1024x1024')}.{fields.get('quality', 'standard')}"


def with_request_fields(usage: Optional[Usage], path: str, fields: Mapping[str, str]) -> Optional[Usage]:
    """Return the usage with what only the request states.

    Args:
        usage: Usage that the response states.
        path: Path of the request, without query.
        fields: Fields of the request.
    """
    if usage is None and "model" in fields and is_image_path(path):
        number = fields.get("n", "1")  # the images were too long to be counted
        return Usage(units={"images": int(number)}) if number.isdigit() and len(number) < _LONG else None
    if usage is not None and usage.served_by is None and "/compat/" in path:
        usage = _with_route(usage, requested_model(fields) or "")
    return _with_tier(usage, fields) if "service_tier" in fields else usage


def _with_route(usage: Usage, requested: str) -> Usage:
    """Return the usage with the provider of a requested model: ``openai/gpt-5``, at Cloudflare's gateway."""
    provider, _, name = requested.partition("/")
    return replace(usage, served_by=provider, model=usage.model or name) if name else usage


def _with_tier(usage: Optional[Usage], fields: Mapping[str, str]) -> Optional[Usage]:
    """Return the usage with the requested tier, if the response states no tier.

    A request for priority may have been served without it.
    """
    requested: Mapping[str, Any] = {"service_tier": fields.get("service_tier")}
    tier = None if usage is None or usage.tier is not None else tier_of(requested)
    if usage is None or tier is None or tier == "auto":
        return usage
    return replace(usage, tier=tier, partial=usage.partial or tier in {"priority", "fast"})
