"""Gemini and Vertex AI: ``usageMetadata``, and the interfaces of other publishers on these hosts.

Shapes: https://github.com/googleapis/python-genai (``types.py``, ``GenerateContentResponseUsageMetadata``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Optional

from recost.pricing.usage.extractors import google_batches, openai
from recost.pricing.usage.fields import UNKNOWN, add, add_part, child, count, identifier, receipt, word
from recost.pricing.usage.model import Number, Usage
from recost.pricing.usage.names import model_of
from recost.pricing.usage.response import DecodedResponse

__all__ = ["WANTED", "read"]

WANTED: Final = re.compile(
    rb'"usage|"groundingMetadata"|"google_(?:maps|search)_call"|"message_stop"|"token_count"'
)

_PARTS: Final = {"AUDIO": "audio", "IMAGE": "image", "DOCUMENT": "image", "VIDEO": "video"}
_DETAILS: Final = (
    ("promptTokensDetails", "input_{}_tokens"),
    ("promptTokenDetails", "input_{}_tokens"),  # of embeddings
    ("toolUsePromptTokensDetails", "input_{}_tokens"),
    ("candidatesTokensDetails", "output_{}_tokens"),
    ("responseTokensDetails", "output_{}_tokens"),
    ("cacheTokensDetails", "cache_{}_read_tokens"),
)
_INTERACTION_DETAILS: Final = (
    ("input_tokens_by_modality", "input_{}_tokens"),
    ("tool_use_tokens_by_modality", "input_{}_tokens"),
    ("output_tokens_by_modality", "output_{}_tokens"),
    ("cached_tokens_by_modality", "cache_{}_read_tokens"),
)
_REGION: Final = re.compile(r"/locations/(?!global/)[^/]{1,40}/")
_SAME_EVERYWHERE: Final = re.compile(r"gemini-(?:1|2\b|embedding-001)|(?:text|multimodal)")
"""Models for which Google has one price for all regions."""
_TOKEN_COUNT: Final = re.compile(rb'"token_count"[ \t\r\n]{0,20}:[ \t\r\n]{0,20}([0-9]{1,12})\b')
"""Stands before the numbers of an embedding, which may be too long to keep. Such a response has no text."""
_ONE_INPUT: Final = "/gemini-embedding-001:predict"
"""The model that embeds one text a call: https://cloud.google.com/vertex-ai/generative-ai/docs/embeddings/
get-text-embeddings, as of 2026-11."""
_TIERS: Final = {"on_demand_priority": "priority", "on_demand_flex": "flex"}
_BILLED_BY_PROMPT: Final = re.compile(r"(?:.*/)?gemini-[12]\b")
"""Models of which a prompt with searches is billed once, however many searches it leads to:
https://ai.google.dev/gemini-api/docs/pricing, as of 2026-11."""


def read(response: DecodedResponse) -> Optional[Usage]:
    """Return the usage of the last chunk that has one; each counts all that came before it."""
    if google_batches.is_batch(response):
        return google_batches.read_batch(response, read)
    for document in reversed(response.documents):
        usage = child(document, "usageMetadata") or child(document, UNKNOWN, "usageMetadata")
        units = _read_units(usage)
        if units:
            model = model_of([*response.documents[:1], document])
            add_part(units, "web_searches", _count_searches(response, model or response.path))
            final = response.is_last(document) and _is_counted(response, document)
            uncounted = (*_find_regional(response, model), *_find_grounding(response))
            return response.usage(units, model, final=final, tier=_tier(usage), uncounted=uncounted)
    return _read_interaction(response) or _read_predictions(response) or openai.read(response)


def _find_regional(response: DecodedResponse, model: Optional[str]) -> tuple[str, ...]:
    """Return that a price depends on the region: the price list has one for all."""
    if response.shape != "vertex" or not _REGION.search(response.path):
        return ()
    named = model or response.path.rpartition("/models/")[2]
    return () if _SAME_EVERYWHERE.match(named) or not named.startswith("gemini") else ("region",)


def _find_grounding(response: DecodedResponse) -> tuple[str, ...]:
    """Return the sources besides the web that a response is grounded in, as far as they are billed.

    Places of Google Maps are, https://ai.google.dev/gemini-api/docs/maps-grounding, and what is searched for
    on Vertex AI; the files that Gemini searches are billed when they are stored. As of 2026-11.
    """
    chunks = [
        child(chunk)
        for document in response.documents
        for candidate in _candidates(document)
        for chunk in _list(child(candidate, "groundingMetadata").get("groundingChunks"))
    ]
    found = ("map_searches",) if any("maps" in chunk for chunk in chunks) else ()
    if response.shape == "vertex" and any("retrievedContext" in chunk for chunk in chunks):
        return (*found, "retrievals")
    return found


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _read_interaction(response: DecodedResponse) -> Optional[Usage]:
    """Return the usage of an interaction: https://ai.google.dev/api/interactions-api."""
    if not response.path.rstrip("/").partition("/interactions")[1]:
        return None
    for document in reversed(response.documents):
        for place in (document, child(document, "interaction"), child(document, UNKNOWN)):
            usage = child(place, "usage")
            units = _read_interaction_units(usage)
            if units:
                named = [child(other, "interaction") or other for other in response.documents]
                ended = word(document.get("event_type")) in _INTERACTION_ENDS or response.is_last(document)
                return response.usage(
                    units,
                    model_of(named),
                    final=ended,
                    tier=_tier(usage),
                    uncounted=_interaction_tools(response, usage),
                    receipts=_interaction_id(response, named),
                )
    return None


_INTERACTION_ENDS: Final = frozenset({"interaction.complete", "interaction.completed"})


def _read_interaction_units(usage: Mapping[str, Any]) -> dict[str, Number]:
    units = _sums(
        taken=count(usage.get("total_input_tokens")),
        tool=count(usage.get("total_tool_use_tokens")),
        cached=count(usage.get("total_cached_tokens")),
        made=count(usage.get("total_output_tokens")),
        thoughts=count(usage.get("total_thought_tokens")),
    )
    _read_modalities(units, usage, _INTERACTION_DETAILS, "tokens")
    return units


def _interaction_id(response: DecodedResponse, places: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    """Return what stands for an interaction, so that it is billed once, however often it is read."""
    asked = response.path.partition("/interactions/")[2].partition("/")[0]
    return receipt(asked or next((found for place in places if (found := word(place.get("id")))), ""))


def _interaction_tools(response: DecodedResponse, usage: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the searches that an interaction was grounded in, which are billed in ways of their own."""
    counted = [child(tool) for tool in _list(usage.get("grounding_tool_count"))]
    kinds = {word(tool.get("type")) for tool in counted if count(tool.get("count"))}
    kinds |= {word(step.get("type")).replace("_call", "") for step in _steps(response)}
    found = ("map_searches",) if "google_maps" in kinds else ()
    return ("web_searches", *found) if kinds - {"google_maps"} else found


def _steps(response: DecodedResponse) -> list[Mapping[str, Any]]:
    """Return the calls of the tools that are billed, of an interaction, or of the events of one."""
    places = [
        place
        for document in response.documents
        for name in ("steps", "outputs")
        for place in (*_list(document.get(name)), *_list(child(document, "interaction").get(name)))
    ]
    places += [document.get(name) for document in response.documents for name in ("step", "content")]
    return [child(place) for place in places if word(child(place).get("type")) in _BILLED_STEPS]


_BILLED_STEPS: Final = frozenset({"google_maps_call", "google_search_call"})


def _read_units(usage: Mapping[str, Any]) -> dict[str, Number]:
    units = _sums(
        taken=count(usage.get("promptTokenCount")),
        tool=count(usage.get("toolUsePromptTokenCount")),
        cached=count(usage.get("cachedContentTokenCount")),
        made=count(usage.get("candidatesTokenCount", usage.get("responseTokenCount"))),
        thoughts=count(usage.get("thoughtsTokenCount")),
    )
    _read_modalities(units, usage, _DETAILS, "tokenCount")
    return units


def _sums(
    *,
    taken: Optional[Number],
    tool: Optional[Number],
    cached: Optional[Number],
    made: Optional[Number],
    thoughts: Optional[Number],
) -> dict[str, Number]:
    """Return the units of counts that leave out the results of tools, and the thoughts."""
    units: dict[str, Number] = {}
    if taken is not None or tool is not None:
        units["input_tokens"] = add(taken, tool)
        add_part(units, "input_tool_tokens", tool)
        add_part(units, "cache_read_tokens", cached)
    if made is not None or thoughts is not None:
        units["output_tokens"] = add(made, thoughts)
        add_part(units, "reasoning_tokens", thoughts)
    return units


def _read_modalities(
    units: dict[str, Number], usage: Mapping[str, Any], details: Sequence[tuple[str, str]], key: str
) -> None:
    for name, unit in details if units else ():
        found = usage.get(name)
        for detail in found if isinstance(found, list) else ():
            part = _PARTS.get(str(child(detail).get("modality")).upper())
            if part is not None:
                add_part(units, unit.format(part), count(detail.get(key)))


def _tier(usage: Mapping[str, Any]) -> Optional[str]:
    name = identifier(usage.get("trafficType")) or identifier(usage.get("serviceTier"))
    return None if name is None or len(name) > 40 else _TIERS.get(name.lower(), name.lower())


def _count_searches(response: DecodedResponse, model: str) -> int:
    queries: set[str] = set()
    for document in response.documents:
        for candidate in _candidates(document):
            found = child(candidate, "groundingMetadata").get("webSearchQueries")
            queries.update(word(query) for query in _list(found))
    queries.discard("")
    return min(len(queries), 1) if _BILLED_BY_PROMPT.match(model) else len(queries)


def _candidates(document: Mapping[str, Any]) -> list[Any]:
    candidates = document.get("candidates", document.get(UNKNOWN))
    return _list(candidates)


def _is_counted(response: DecodedResponse, document: Mapping[str, Any]) -> bool:
    """Tell whether no searches were lost in a gap: they come after the reason why the text ended."""
    if response.streamed or not response.gap or isinstance(document.get("candidates"), list):
        return True
    return any("finishReason" in child(candidate) for candidate in _candidates(document))


def _predictions(document: Mapping[str, Any]) -> list[Any]:
    return _list(document.get("predictions"))


def _read_predictions(response: DecodedResponse) -> Optional[Usage]:
    """Return the tokens of Vertex's embeddings, which each prediction counts for itself."""
    counts = [
        count(child(prediction, "embeddings", "statistics").get("token_count"))
        for document in response.documents
        for prediction in _predictions(document)
    ]
    if response.head:
        counts = [count(int(found)) for found in _TOKEN_COUNT.findall(response.head)]
    known = [found for found in counts if found is not None]
    final = response.ended and (not response.gap or response.path.endswith(_ONE_INPUT))
    return response.usage({"input_tokens": add(*known)}, final=final) if known else None
