"""Gemini and Vertex AI: ``usageMetadata``, and the interfaces of other publishers on these hosts.

Shapes: https://github.com/googleapis/python-genai (``types.py``, ``GenerateContentResponseUsageMetadata``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Optional

from recost.pricing.usage.answer import Answer
from recost.pricing.usage.fields import UNKNOWN, add, add_part, child, count, identifier, word
from recost.pricing.usage.model import Number, Usage
from recost.pricing.usage.names import model_of
from recost.pricing.usage.shapes import openai

__all__ = ["WANTED", "read"]

WANTED: Final = re.compile(rb'"usage|"webSearchQueries"|"message_stop"')

_PARTS: Final = {"AUDIO": "audio", "IMAGE": "image", "DOCUMENT": "image", "VIDEO": "video"}
_DETAILS: Final = (
    ("promptTokensDetails", "input_{}_tokens"),
    ("toolUsePromptTokensDetails", "input_{}_tokens"),
    ("candidatesTokensDetails", "output_{}_tokens"),
    ("responseTokensDetails", "output_{}_tokens"),
    ("cacheTokensDetails", "cache_{}_read_tokens"),
)
_TIERS: Final = {"on_demand_priority": "priority", "on_demand_flex": "flex"}
_BILLED_BY_PROMPT: Final = re.compile(r"(?:.*/)?gemini-[12]\b")
"""Models of which a prompt with searches is billed once, however many searches it leads to:
https://ai.google.dev/gemini-api/docs/pricing, as of 2026-11."""


def read(answer: Answer) -> Optional[Usage]:
    """Return the usage of the last chunk that has one; each counts all that came before it."""
    for document in reversed(answer.documents):
        usage = child(document, "usageMetadata") or child(document, UNKNOWN, "usageMetadata")
        units = _read_units(usage)
        if units:
            model = model_of([*answer.documents[:1], document])
            add_part(units, "web_searches", _count_searches(answer, model or answer.path))
            final = answer.is_last(document) and _is_counted(answer, document)
            return answer.usage(units, model, final=final, tier=_tier(usage))
    return _read_predictions(answer) or openai.read(answer)


def _read_units(usage: Mapping[str, Any]) -> dict[str, Number]:
    units: dict[str, Number] = {}
    prompt, tool = count(usage.get("promptTokenCount")), count(usage.get("toolUsePromptTokenCount"))
    made = count(usage.get("candidatesTokenCount", usage.get("responseTokenCount")))
    thoughts = count(usage.get("thoughtsTokenCount"))
    if prompt is not None or tool is not None:
        units["input_tokens"] = add(prompt, tool)
        add_part(units, "input_tool_tokens", tool)
        add_part(units, "cache_read_tokens", count(usage.get("cachedContentTokenCount")))
    if made is not None or thoughts is not None:
        units["output_tokens"] = add(made, thoughts)
        add_part(units, "reasoning_tokens", thoughts)
    for name, unit in _DETAILS if units else ():
        details = usage.get(name)
        for detail in details if isinstance(details, list) else ():
            part = _PARTS.get(str(child(detail).get("modality")))
            if part is not None:
                add_part(units, unit.format(part), count(detail.get("tokenCount")))
    return units


def _tier(usage: Mapping[str, Any]) -> Optional[str]:
    name = identifier(usage.get("trafficType")) or identifier(usage.get("serviceTier"))
    return None if name is None or len(name) > 40 else _TIERS.get(name.lower(), name.lower())


def _count_searches(answer: Answer, model: str) -> int:
    queries: set[str] = set()
    for document in answer.documents:
        for candidate in _candidates(document):
            found = child(candidate, "groundingMetadata").get("webSearchQueries")
            queries.update(word(query) for query in (found if isinstance(found, list) else ()))
    queries.discard("")
    return min(len(queries), 1) if _BILLED_BY_PROMPT.match(model) else len(queries)


def _candidates(document: Mapping[str, Any]) -> list[Any]:
    candidates = document.get("candidates", document.get(UNKNOWN))
    return candidates if isinstance(candidates, list) else []


def _is_counted(answer: Answer, document: Mapping[str, Any]) -> bool:
    """Tell whether no searches were lost in a gap: they come after the reason why the text ended."""
    if answer.streamed or not answer.gap or isinstance(document.get("candidates"), list):
        return True
    return any("finishReason" in child(candidate) for candidate in _candidates(document))


def _read_predictions(answer: Answer) -> Optional[Usage]:
    """Return the tokens of Vertex's embeddings, which each prediction counts for itself."""
    document = answer.last
    predictions = document.get("predictions")
    counts = [
        count(child(prediction, "embeddings", "statistics").get("token_count"))
        for prediction in (predictions if isinstance(predictions, list) else ())
    ]
    known = [found for found in counts if found is not None]
    return answer.usage({"input_tokens": add(*known)}) if known and not answer.gap else None
