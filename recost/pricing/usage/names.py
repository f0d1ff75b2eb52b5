"""The names of models and tiers in a response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Optional

from recost.pricing.usage.fields import UNKNOWN, child, identifier

__all__ = ["model_of", "tier_of"]

_LONGEST_TIER: Final = 40
_HOLDERS: Final = ("response", "message", "result", "interaction", UNKNOWN)


def model_of(documents: Sequence[Mapping[str, Any]]) -> Optional[str]:
    """Return the model that the documents name, the last one's word first."""
    for document in reversed(documents):
        name = _named(document)
        for key in () if name else _HOLDERS:
            name = name or _named(child(document, key))
        outputs = document.get("outputs")  # of Mistral's conversations
        for item in outputs if isinstance(outputs, list) and name is None else ():
            name = name or _named(child(item))
        if name is not None:
            return name
    return None


def _named(place: Mapping[str, Any]) -> Optional[str]:
    return identifier(place.get("model")) or identifier(place.get("modelVersion"))


def tier_of(*places: Mapping[str, Any]) -> Optional[str]:
    """Return the service tier that one of the places names, in lower case; a fast speed counts as one."""
    for place in places:
        if place.get("speed") == "fast":
            return "fast"
    for place in places:
        tier = identifier(place.get("service_tier"))
        if tier is not None and len(tier) <= _LONGEST_TIER:
            return tier.lower()
    return None
