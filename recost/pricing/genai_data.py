"""Names, tiers and start days in the data of genai-prices."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final, Optional

from recost._patterns import LazyPattern

__all__ = ["context_of", "has_tier", "listed_name", "start_dates"]

_STANDARD: Final = frozenset({"standard", "default", "auto", "normal", "on_demand", "scale", "base"})
"""Service tiers whose prices are the list's."""
_SNAPSHOT: Final = LazyPattern(r"(davinci|babbage):[0-9]{4}-[0-9]{2}-[0-9]{2}-v2\Z")
"""Names of ``davinci-002`` and ``babbage-002`` in OpenAI's responses."""


def listed_name(model: str) -> Optional[str]:
    """Return the name that the list has for a model with another name in responses."""
    found = _SNAPSHOT.match(model)
    return None if found is None else f"{found[1]}-002"


def context_of(tier: Optional[str]) -> dict[str, str]:
    """Return the price context with which genai-prices selects one of a model's prices."""
    if tier is None or tier in _STANDARD:
        return {}
    found = {"service_tier": tier}
    if tier == "batch":
        found["processing"] = "batch"
    if tier == "fast":
        found["speed"] = "fast"
    return found


def has_tier(result: Any, context: dict[str, str], now: datetime) -> bool:
    """Return True if the price is the tier's own, rather than the standard one in its place."""
    if not context:
        return True
    if not any(model is result.model for model in result.provider.models):
        return False  # another provider's model: its tiers are not used
    return any(
        all(context.get(key) == value for key, value in variant.when.items())
        and (variant.constraint is None or variant.constraint.active(now))
        for variant in result.model.price_variants or ()
    )


def start_dates(providers: Any) -> set[date]:
    """Return the days on which prices begin to hold."""
    found = set()
    for provider in providers:
        for model in provider.models:
            prices = model.prices if isinstance(model.prices, list) else []
            for price in (*prices, *(model.price_variants or ())):
                start = getattr(price.constraint, "start_date", None)
                if start is not None:
                    found.add(start)
    return found
