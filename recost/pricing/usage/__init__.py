"""Usage that a response reports, extracted from its bytes.

The result holds numbers and the names of models and tiers only. No text of a response is in a result, an
exception, a repr or a log.

`SHAPES` names the extractor of each shape, a module of `recost.pricing.usage.extractors`. Its ``read``
returns the `Usage` of a `DecodedResponse`. Its ``WANTED`` matches every event of a stream that matters,
except the first.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Optional

from recost.captured import CapturedResponse
from recost.pricing.usage.gateways import GATEWAY_HEADERS, gateway_headers, with_headers
from recost.pricing.usage.model import Number, Usage

if TYPE_CHECKING:
    from recost.pricing.usage.decoding.limits import Work

__all__ = [
    "HEADERS",
    "SHAPES",
    "Number",
    "Reading",
    "Usage",
    "header_names",
    "read_model",
    "read_response",
    "read_usage",
]

SHAPES: Final = {
    "openai": "openai",
    "openai_regional": "openai",
    "azure": "openai",
    "cerebras": "openai",
    "cloudflare": "openai",
    "cloudflare_compat": "openai",
    "compatible": "openai",
    "databricks": "openai",
    "deepseek": "openai",
    "fireworks": "openai",
    "groq": "openai",
    "huggingface": "openai",
    "litellm": "openai",
    "mistral": "openai",
    "moonshot": "openai",
    "openrouter": "openai",
    "perplexity": "openai",
    "portkey": "openai",
    "together": "openai",
    "vercel": "openai",
    "voyage": "openai",
    "xai": "openai",
    "zai": "openai",
    "anthropic": "anthropic",
    "gemini": "google",
    "vertex": "google",
    "bedrock": "bedrock",
    "cohere": "cohere",
    "ollama": "ollama",
    "exa": "search",
    "firecrawl": "search",
    "serper": "search",
    "tavily": "search",
    "pinecone": "pinecone",
    "assemblyai": "media",
    "deepgram": "media",
    "elevenlabs": "media",
    "replicate": "media",
    "deepl": "messages",
    "twilio_sms": "messages",
    "stripe": "stripe",
}
"""Module of the extractor, by the name of the shape."""

HEADERS: Final = {
    "bedrock": (
        "x-amzn-bedrock-cache-read-input-token-count",
        "x-amzn-bedrock-cache-write-input-token-count",
        "x-amzn-bedrock-input-token-count",
        "x-amzn-bedrock-output-token-count",
        "x-amzn-bedrock-service-tier",
    ),
    "cloudflare_compat": ("cf-aig-provider",),
    "deepgram": ("dg-char-count", "dg-model-name"),
    "huggingface": ("x-inference-provider",),
    "elevenlabs": ("character-cost", "x-character-count"),
    **GATEWAY_HEADERS,
}
"""Lower-case names of the response headers that are read, by shape."""

_extractors: Final[dict[str, Any]] = {}


def header_names(shape: str, host: str) -> tuple[str, ...]:
    """Return the lower-case names of the response headers that are read."""
    return (*HEADERS.get(shape, ()), *gateway_headers(host))


class Reading(NamedTuple):
    """Result of reading one response."""

    usage: Optional[Usage]
    """Usage, or None if the response has no numbers and names no model."""
    unread: bool
    """True if part of the body could not be decoded, or was too expensive to read."""
    size: int = 0
    """Bytes of the decoded body, or 0 if unknown."""


def read_response(shape: str, captured: CapturedResponse) -> Reading:
    """Return the usage that a response reports, or at least its model. Never raises.

    Args:
        shape: One of `SHAPES`.
        captured: The captured response.
    """
    from recost.pricing.usage.decoding.limits import Work  # noqa: PLC0415 - only if usage is captured

    try:
        captured, work = _without_coding(captured) if captured.encoding else captured, Work()
        usage = _extract(shape, captured, work)
        if usage is None and (model := _read_model(captured, work)) is not None:  # a stream without usage
            usage = Usage(model=model, partial=captured.thinned or not captured.complete)
        unread = captured.unread or work.left <= 0
        if unread and usage is not None and not usage.partial:
            usage = replace(usage, partial=True)
        usage = with_headers(captured, usage) if captured.headers else usage
    except Exception:  # noqa: BLE001 - a response may be anything, and an error's text would quote it
        return Reading(None, unread=True)
    return Reading(usage, unread, captured.size)


def read_usage(shape: str, captured: CapturedResponse) -> Optional[Usage]:
    """Return the usage that a response reports, or None if it has no numbers. Never raises.

    Args:
        shape: One of `SHAPES`.
        captured: The captured response.
    """
    try:
        return _read(shape, captured)
    except Exception:  # noqa: BLE001 - as in `read_response`
        return None


def read_model(captured: CapturedResponse) -> Optional[str]:
    """Return the model that a response names, with or without usage. Never raises."""
    try:
        return _read_model(_without_coding(captured))
    except Exception:  # noqa: BLE001 - as in `read_response`
        return None


def _read(shape: str, captured: CapturedResponse) -> Optional[Usage]:
    return _extract(shape, _without_coding(captured), None)


def _extract(shape: str, captured: CapturedResponse, work: Optional[Work]) -> Optional[Usage]:
    """Return the usage of a response without content coding."""
    from recost.pricing.usage.decoding import read_documents  # noqa: PLC0415 - only if usage is captured

    name = SHAPES.get(shape)
    if name is None:
        return None
    extractor = _extractors.get(name)
    if extractor is None:
        extractor = _extractors[name] = import_module(f"recost.pricing.usage.extractors.{name}")
    response = read_documents(captured, extractor.WANTED, work)._replace(shape=shape)
    found: Optional[Usage]
    if captured.thinned:
        from recost.pricing.usage.decoding.left_out import Lookups, mark  # noqa: PLC0415 - only if thinned

        lookups = Lookups()
        found = extractor.read(response._replace(documents=mark(response.documents, lookups)))
        if found is not None and lookups.missed:
            found = replace(found, partial=True)
    else:
        found = extractor.read(response._replace(head=captured.head) if response.gap else response)
    if found is not None and found.model is None and shape == "mistral":
        return replace(found, model=_read_model(captured, work))  # named in another event than the usage
    return found


def _read_model(captured: CapturedResponse, work: Optional[Work] = None) -> Optional[str]:
    import re  # noqa: PLC0415

    from recost.pricing.usage.decoding import read_documents  # noqa: PLC0415
    from recost.pricing.usage.names import model_of  # noqa: PLC0415

    return model_of(read_documents(captured, re.compile(rb'"model'), work).documents)


def _without_coding(captured: CapturedResponse) -> CapturedResponse:
    """Return the response without content coding, or only its headers if the body can't be decoded."""
    if not captured.encoding:
        return captured
    from recost.pricing.usage.decoding.encodings import decode  # noqa: PLC0415 - most bodies have no coding

    decoded = decode(captured)
    if decoded is None:
        return captured._replace(head=b"", tail=b"", gap=False, encoding="", complete=False, unread=True)
    return decoded
