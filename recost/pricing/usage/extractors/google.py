"""Gemini and Vertex AI: ``usageMetadata``, and the APIs of other publishers on these hosts.

Shapes: https://github.com/googleapis/python-genai (``types.py``, ``GenerateContentResponseUsageMetadata``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Optional

from recost.pricing.usage.extractors import google_batches, openai
from recost.pricing.usage.extractors.google_interactions import read_interaction
from recost.pricing.usage.extractors.google_tokens import read_content_tokens, read_tier
from recost.pricing.usage.fields import UNKNOWN, add, add_part, child, children, count, elements, word
from recost.pricing.usage.model import Usage
from recost.pricing.usage.names import model_of
from recost.pricing.usage.response import DecodedResponse

__all__ = ["WANTED", "read"]

WANTED: Final = re.compile(
    rb'"usage|"groundingMetadata"|"google_(?:maps|search)_call"|"message_stop"|"token_count"'
)

_REGION: Final = re.compile(r"/locations/(?!global/)[^/]{1,40}/")
_SAME_EVERYWHERE: Final = re.compile(r"gemini-(?:1|2\b|embedding-001)|(?:text|multimodal)")
"""Models that cost the same in all regions."""
_TOKEN_COUNT: Final = re.compile(rb'"token_count"[ \t\r\n]{0,20}:[ \t\r\n]{0,20}([0-9]{1,12})\b')
"""Count that precedes the numbers of an embedding, which may be too long to keep."""
_ONE_INPUT: Final = "/gemini-embedding-001:predict"
"""Path of the model that embeds one text a call:
https://cloud.google.com/vertex-ai/generative-ai/docs/embeddings/get-text-embeddings, as of 2026-11."""
_BILLED_BY_PROMPT: Final = re.compile(r"(?:.*/)?gemini-[12]\b")
"""Models that bill a prompt with searches once, however many searches it leads to:
https://ai.google.dev/gemini-api/docs/pricing, as of 2026-11."""


def read(response: DecodedResponse) -> Optional[Usage]:
    """Return the usage of the last chunk that has one. The counts of a chunk include those before it."""
    if google_batches.is_batch(response):
        return google_batches.read_batch(response, read)
    for document in reversed(response.documents):
        usage = child(document, "usageMetadata") or child(document, UNKNOWN, "usageMetadata")
        units = read_content_tokens(usage)
        if units:
            model = model_of([*response.documents[:1], document])
            add_part(units, "web_searches", _count_searches(response, model or response.path))
            final = response.is_last(document) and _are_searches_counted(response, document)
            uncounted = (*_find_regional(response, model), *_find_grounding(response))
            return response.usage(units, model, final=final, tier=read_tier(usage), uncounted=uncounted)
    return read_interaction(response) or _read_predictions(response) or openai.read(response)


def _find_regional(response: DecodedResponse, model: Optional[str]) -> tuple[str, ...]:
    """Return ``region`` if the price depends on the region. The price list has one price for all regions."""
    if response.shape != "vertex" or not _REGION.search(response.path):
        return ()
    named = model or response.path.rpartition("/models/")[2]
    return () if _SAME_EVERYWHERE.match(named) or not named.startswith("gemini") else ("region",)


def _find_grounding(response: DecodedResponse) -> tuple[str, ...]:
    """Return the billed sources of grounding, except the web.

    These are Google Maps (https://ai.google.dev/gemini-api/docs/maps-grounding) and, on Vertex AI, documents
    that are retrieved. Files that Gemini searches are billed when they are stored. As of 2026-11.
    """
    chunks = [
        chunk
        for document in response.documents
        for candidate in _candidates(document)
        for chunk in children(child(candidate, "groundingMetadata").get("groundingChunks"))
    ]
    found = ("map_searches",) if any("maps" in chunk for chunk in chunks) else ()
    if response.shape == "vertex" and any("retrievedContext" in chunk for chunk in chunks):
        return (*found, "retrievals")
    return found


def _count_searches(response: DecodedResponse, model: str) -> int:
    queries: set[str] = set()
    for document in response.documents:
        for candidate in _candidates(document):
            found = child(candidate, "groundingMetadata").get("webSearchQueries")
            queries.update(word(query) for query in elements(found))
    queries.discard("")
    return min(len(queries), 1) if _BILLED_BY_PROMPT.match(model) else len(queries)


def _candidates(document: Mapping[str, Any]) -> list[Any]:
    return elements(document.get("candidates", document.get(UNKNOWN)))


def _are_searches_counted(response: DecodedResponse, document: Mapping[str, Any]) -> bool:
    """Return True if the gap can't hide searches. They follow the reason why the text ended."""
    if response.streamed or not response.gap or isinstance(document.get("candidates"), list):
        return True
    return any("finishReason" in child(candidate) for candidate in _candidates(document))


def _read_predictions(response: DecodedResponse) -> Optional[Usage]:
    """Return the tokens of Vertex's embeddings, which are counted by prediction."""
    counts = [
        count(child(prediction, "embeddings", "statistics").get("token_count"))
        for document in response.documents
        for prediction in elements(document.get("predictions"))
    ]
    if response.head:
        counts = [count(int(found)) for found in _TOKEN_COUNT.findall(response.head)]
    known = [found for found in counts if found is not None]
    final = response.ended and (not response.gap or response.path.endswith(_ONE_INPUT))
    return response.usage({"input_tokens": add(*known)}, final=final) if known else None
