"""Usage that a response reports, extracted from its bytes.

Only numbers and the names of models and tiers come out; no text of a response is in a result, an exception,
a repr or a log. Each shape has an extractor, the module of `recost.pricing.usage.extractors` that `SHAPES`
names. Its ``read`` returns the `Usage` of a `DecodedResponse`. Its ``WANTED`` matches every event of a stream
that matters, except the first.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Optional

from recost.captured import CapturedResponse
from recost.pricing.usage.gateways import GATEWAY_HEADERS, gateway_headers, with_headers
from recost.pricing.usage.model import Number, Usage

if TYPE_CHECKING:
    from recost.pricing.usage.decoding import Documents
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
"""The name of each shape of a response, and the module that reads it."""

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
"""Names of the response headers that are read, in lower case, by the shape that reads them."""

_readers: Final[dict[str, Any]] = {}


def header_names(shape: str, host: str) -> tuple[str, ...]:
    """Return the names of the headers that are read of a response, in lower case."""
    return (*HEADERS.get(shape, ()), *gateway_headers(host))


class Reading(NamedTuple):
    """What was read of a response."""

    usage: Optional[Usage]
    """None: it has no numbers, and names no model."""
    unread: bool
    """True: it was not read to its end, because that would take too long or can't be done."""
    size: int = 0
    """Bytes of the body without its encoding; 0 where that is not known."""


def read_response(shape: str, content: CapturedResponse) -> Reading:
    """Return what a response says was used, or at least its model. Nothing is raised.

    Args:
        shape: One of `SHAPES`.
        content: What was captured of the response.
    """
    try:
        return _read_response(shape, content)
    except Exception:  # noqa: BLE001 - a response may be anything, and an error's text would quote it
        return Reading(None, unread=True)


def read_usage(shape: str, content: CapturedResponse) -> Optional[Usage]:
    """Return what a response says was used; None when it has no numbers. Nothing is raised.

    Args:
        shape: One of `SHAPES`.
        content: What was captured of the response.
    """
    try:
        return _read(shape, content)
    except Exception:  # noqa: BLE001 - as above
        return None


def read_model(content: CapturedResponse) -> Optional[str]:
    """Return the model that a response names, also one that says nothing of its usage. Nothing is raised."""
    try:
        return _read_model(_decoded(content))
    except Exception:  # noqa: BLE001 - the same
        return None


def _read_response(shape: str, content: CapturedResponse) -> Reading:
    from recost.pricing.usage.decoding.limits import Work  # noqa: PLC0415 - only where responses are read at all

    decoded, work = _decoded(content), Work()
    usage = _read_decoded(shape, decoded, work)
    if usage is None and (model := _read_model(decoded, work)) is not None:
        partial = decoded.thinned or not decoded.complete
        usage = Usage(model=model, partial=partial)  # a stream that doesn't say what it used
    unread = decoded.unread or work.done
    if unread and usage is not None and not usage.partial:
        usage = replace(usage, partial=True)
    return Reading(with_headers(content, usage), unread, decoded.size)


def _read(shape: str, content: CapturedResponse) -> Optional[Usage]:
    return _read_decoded(shape, _decoded(content), None)


def _read_decoded(shape: str, content: CapturedResponse, work: Optional[Work]) -> Optional[Usage]:
    from recost.pricing.usage.decoding import read_documents  # noqa: PLC0415
    from recost.pricing.usage.response import DecodedResponse  # noqa: PLC0415 - only where responses are read at all

    name = SHAPES.get(shape)
    if name is None:
        return None
    reader = _readers.get(name)
    if reader is None:
        reader = _readers[name] = import_module(f"recost.pricing.usage.extractors.{name}")
    documents = read_documents(content, reader.WANTED, work)
    found: Optional[Usage]
    if content.thinned:
        found = _read_thinned(shape, reader, documents, content)
    else:
        response = DecodedResponse(shape, *documents, content.complete, content.path, content.headers)
        found = reader.read(response._replace(head=content.head) if documents.gap else response)
    if found is not None and found.model is None and shape == "mistral":
        return replace(found, model=_read_model(content, work))  # named in another event than the usage
    return found


def _read_thinned(
    shape: str, reader: Any, documents: Documents, content: CapturedResponse
) -> Optional[Usage]:
    """Return what a response says was used, some members of which were left out."""
    from recost.pricing.usage.decoding.left_out import Asked, mark  # noqa: PLC0415
    from recost.pricing.usage.response import DecodedResponse  # noqa: PLC0415 - only for long responses

    asked = Asked()
    documents = documents._replace(found=mark(documents.found, asked))
    response = DecodedResponse(shape, *documents, content.complete, content.path, content.headers)
    found: Optional[Usage] = reader.read(response)
    return replace(found, partial=True) if found is not None and asked.any else found


def _read_model(content: CapturedResponse, work: Optional[Work] = None) -> Optional[str]:
    import re  # noqa: PLC0415

    from recost.pricing.usage.decoding import read_documents  # noqa: PLC0415
    from recost.pricing.usage.names import model_of  # noqa: PLC0415

    return model_of(read_documents(content, re.compile(rb'"model'), work).found)


def _decoded(content: CapturedResponse) -> CapturedResponse:
    """Return the content without its encoding; only its headers where it can't be decoded."""
    if not content.encoding:
        return content
    from recost.pricing.usage.decoding.encodings import decode  # noqa: PLC0415 - most bodies arrive decoded

    decoded = decode(content)
    if decoded is None:
        return content._replace(head=b"", tail=b"", gap=False, encoding="", complete=False, unread=True)
    return decoded
