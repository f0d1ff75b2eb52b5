"""Gemini's interactions: https://ai.google.dev/api/interactions-api."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Optional

from recost.pricing.usage.extractors.google_tokens import read_interaction_tokens, read_tier
from recost.pricing.usage.fields import UNKNOWN, child, children, count, elements, receipt, word
from recost.pricing.usage.model import Usage
from recost.pricing.usage.names import model_of
from recost.pricing.usage.response import DecodedResponse

__all__ = ["read_interaction"]

_LAST_EVENTS: Final = frozenset({"interaction.complete", "interaction.completed"})
_BILLED_STEPS: Final = frozenset({"google_maps_call", "google_search_call"})


def read_interaction(response: DecodedResponse) -> Optional[Usage]:
    """Return the usage of an interaction."""
    if not response.path.rstrip("/").partition("/interactions")[1]:
        return None
    for document in reversed(response.documents):
        for place in (document, child(document, "interaction"), child(document, UNKNOWN)):
            usage = child(place, "usage")
            units = read_interaction_tokens(usage)
            if units:
                named = [child(other, "interaction") or other for other in response.documents]
                last = word(document.get("event_type")) in _LAST_EVENTS
                return response.usage(
                    units,
                    model_of(named),
                    final=last or response.is_last(document),
                    tier=read_tier(usage),
                    uncounted=_tools(response, usage),
                    receipts=_receipt(response, named),
                )
    return None


def _receipt(response: DecodedResponse, places: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    """Return the receipt of an interaction, which is billed once however often it is read."""
    requested = response.path.partition("/interactions/")[2].partition("/")[0]
    return receipt(requested or next((found for place in places if (found := word(place.get("id")))), ""))


def _tools(response: DecodedResponse, usage: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the searches of an interaction, which are billed apart."""
    counted = children(usage.get("grounding_tool_count"))
    kinds = {word(tool.get("type")) for tool in counted if count(tool.get("count"))}
    kinds |= {word(step.get("type")).replace("_call", "") for step in _steps(response)}
    found = ("map_searches",) if "google_maps" in kinds else ()
    return ("web_searches", *found) if kinds - {"google_maps"} else found


def _steps(response: DecodedResponse) -> list[Mapping[str, Any]]:
    """Return the calls of billed tools in an interaction or its events."""
    places = [
        place
        for document in response.documents
        for name in ("steps", "outputs")
        for place in (*elements(document.get(name)), *elements(child(document, "interaction").get(name)))
    ]
    places += [document.get(name) for document in response.documents for name in ("step", "content")]
    return [child(place) for place in places if word(child(place).get("type")) in _BILLED_STEPS]
