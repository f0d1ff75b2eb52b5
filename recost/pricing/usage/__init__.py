"""From the bytes of an answer to what it says was used.

Only numbers and the names of models and tiers come out; no text of an answer is in a result, an exception,
a repr or a log. A shape is read by the module of `recost.pricing.usage.shapes` that `SHAPES` names: its
``read`` makes a `Usage` of an `Answer`; its ``WANTED`` is found in every event of a stream that matters,
besides the first.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final, Optional

from recost.pricing.usage.content import Content
from recost.pricing.usage.model import Number, Usage

__all__ = ["HEADERS", "SHAPES", "Content", "Number", "Usage", "read_model", "read_usage"]

SHAPES: Final = {
    "openai": "openai",
    "azure": "openai",
    "cerebras": "openai",
    "cloudflare": "openai",
    "deepseek": "openai",
    "fireworks": "openai",
    "groq": "openai",
    "huggingface": "openai",
    "mistral": "openai",
    "moonshot": "openai",
    "openrouter": "openai",
    "perplexity": "openai",
    "together": "openai",
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
"""The name of each shape of an answer, and the module that reads it."""

HEADERS: Final = {
    "bedrock": (
        "x-amzn-bedrock-cache-read-input-token-count",
        "x-amzn-bedrock-cache-write-input-token-count",
        "x-amzn-bedrock-input-token-count",
        "x-amzn-bedrock-output-token-count",
        "x-amzn-bedrock-service-tier",
    ),
    "deepgram": ("dg-char-count", "dg-model-name"),
    "elevenlabs": ("character-cost", "x-character-count"),
}
"""Names of the response headers that are read, in lower case, by the shape that reads them."""

_readers: Final[dict[str, Any]] = {}


def read_usage(shape: str, content: Content) -> Optional[Usage]:
    """Return what an answer says was used; None when it has no numbers. Nothing is raised.

    Args:
        shape: One of `SHAPES`.
        content: What was captured of the answer.
    """
    try:
        return _read(shape, content)
    except Exception:  # noqa: BLE001 - an answer may be anything, and an error's text would quote it
        return None


def read_model(content: Content) -> Optional[str]:
    """Return the model that an answer names, also one that says nothing of its usage. Nothing is raised."""
    try:
        return _read_model(content)
    except Exception:  # noqa: BLE001 - the same
        return None


def _read(shape: str, content: Content) -> Optional[Usage]:
    from recost.pricing.usage.answer import Answer  # noqa: PLC0415 - only where answers are read at all
    from recost.pricing.usage.bodies import read_documents  # noqa: PLC0415

    name = SHAPES.get(shape)
    if name is None:
        return None
    reader = _readers.get(name)
    if reader is None:
        reader = _readers[name] = import_module(f"recost.pricing.usage.shapes.{name}")
    decoded = _decoded(content)
    if decoded is None:
        decoded = content._replace(head=b"", tail=b"", gap=False, encoding="", complete=False)
    documents = read_documents(decoded, reader.WANTED)
    answer = Answer(shape, *documents, decoded.complete, content.path, content.headers)
    found: Optional[Usage] = reader.read(answer)
    return found


def _read_model(content: Content) -> Optional[str]:
    import re  # noqa: PLC0415

    from recost.pricing.usage.bodies import read_documents  # noqa: PLC0415
    from recost.pricing.usage.names import model_of  # noqa: PLC0415

    decoded = _decoded(content)
    if decoded is None:
        return None
    return model_of(read_documents(decoded, re.compile(rb'"model')).found)


def _decoded(content: Content) -> Optional[Content]:
    if not content.encoding:
        return content
    from recost.pricing.usage.bodies.encodings import decode  # noqa: PLC0415 - most bodies arrive decoded

    return decode(content)
