"""Names of models and service tiers in a response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Optional

from recost.pricing.usage.fields import UNKNOWN, child, children, identifier

__all__ = ["model_of", "tier_name", "tier_of"]

_LONGEST_TIER: Final = 40
_HOLDERS: Final = ("response", "message", "result", "interaction", UNKNOWN)


def model_of(documents: Sequence[Mapping[str, Any]]) -> Optional[str]:
    """Return the model that the documents name. The last one that names a model decides."""
    for document in reversed(documents):
        name = identifier(document.get("model")) or identifier(document.get("modelVersion"))
        for key in () if name else _HOLDERS:
            name = name or _named(child(document, key))
        for item in children(document.get("outputs")) if name is None else ():  # Mistral's conversations
            name = name or _named(item)
        if name is not None:
            return name
    return None


def _named(place: Mapping[str, Any]) -> Optional[str]:
    return identifier(place.get("model")) or identifier(place.get("modelVersion"))


def tier_of(*places: Mapping[str, Any]) -> Optional[str]:
    """Return the service tier that one of the objects names. A fast speed counts as a tier."""
    found = None
    for place in places:
        if place.get("speed") == "fast":
            return "fast"
        if found is None and place.get("service_tier"):
            found = tier_name(place["service_tier"])
    return found


def tier_name(value: Any) -> Optional[str]:
    """Return the name of a tier in lower case, or None if the value is not a short name."""
    name = identifier(value)
    return None if name is None or len(name) > _LONGEST_TIER else name.lower()
