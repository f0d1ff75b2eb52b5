"""Tokens of audio, images and video for which a model of genai-prices has no price of its own.

They cost up to sixteen times as much as those of text, so they are not priced as text. The highest known
price of the model is used instead, and the cost is an estimate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from recost.pricing.rates import Units

__all__ = ["dearest_token", "find_guessed", "own_prices", "without"]

_MODALITIES: Final = ("audio", "image", "video")
_PLAIN: Final = {
    "google": frozenset({"input_audio", "input_image", "input_video"}),
    "x-ai": frozenset({"input_image"}),
}
"""Modalities with the price of text, unless the list has a price of their own. Sources, as of 2026-11:
Gemini's prices of input, "text / image / video", https://ai.google.dev/gemini-api/docs/pricing
xAI's images, "billed at the rate for the model", https://docs.x.ai/developers/models"""
_OWN: Final = {
    "gpt-4o-audio-preview": {"input_audio_tokens": "40", "output_audio_tokens": "80"},
    "gpt-4o-mini-audio-preview": {"input_audio_tokens": "10", "output_audio_tokens": "20"},
}
"""US dollars for a million audio tokens of OpenAI's models that genai-prices has only a price of text for.
Source: the page of each, as https://developers.openai.com/api/docs/models/gpt-4o-audio-preview, on
2026-11-29."""
_DEARER: Final = "gpt-4o-audio-preview-2024-10-01"
"""A snapshot that cost more, and is in no list any more."""
_PARENTS: Final = {"input": "input_tokens", "output": "output_tokens"}


def find_guessed(provider: str, model: str, price: Any, units: Units) -> frozenset[str]:
    """Return the units of tokens that were used, and have no price of their own.

    Args:
        provider: Its id in genai-prices.
        model: Its id there.
        price: The model's prices.
        units: What was used.
    """
    found = set()
    for kind in _MODALITIES:
        for direction in ("input", "output"):
            unit = f"{direction}_{kind}_tokens"
            if units.get(unit) and not _has_price(provider, model, price, direction, kind):
                found.add(unit)
    return frozenset(found)


def own_prices(provider: str, model: str, units: Units) -> Mapping[str, Decimal]:
    """Return the prices of tokens that genai-prices doesn't have, in US dollars.

    Args:
        provider: Its id in genai-prices.
        model: Name in the response.
        units: What was used.
    """
    if provider != "openai" or model == _DEARER or units.get("cache_audio_read_tokens"):
        return {}
    for name, prices in _OWN.items():
        if model.startswith(name):
            return {unit: Decimal(price) / 1_000_000 for unit, price in prices.items()}
    return {}


def dearest_token(price: Any) -> Decimal:
    """Return the highest price that a model has for a token of any kind."""
    known = [
        each
        for name, value in vars(price).items()
        if name.endswith("_mtok") and value is not None
        for each in (getattr(value, "base", value), *(tier.price for tier in getattr(value, "tiers", ())))
    ]
    return max(known, default=Decimal(0)) / 1_000_000


def without(units: Units, guessed: Iterable[str]) -> Units:
    """Return the usage without some tokens, cached ones included."""
    rest = dict(units)
    for unit in guessed:
        direction, kind, _ = unit.split("_")
        cached = rest.pop(f"cache_{kind}_read_tokens", 0) if direction == "input" else 0
        for whole, taken in ((_PARENTS[direction], rest.pop(unit)), ("cache_read_tokens", cached)):
            if whole in rest:
                rest[whole] = max(rest[whole] - taken, 0)
    return {unit: value for unit, value in rest.items() if value}


def _has_price(provider: str, model: str, price: Any, direction: str, kind: str) -> bool:
    if getattr(price, f"{direction}_{kind}_mtok", None) is not None:
        return True
    if f"{direction}_{kind}" in _PLAIN.get(provider, ()):
        return True
    return direction == "output" and _makes_nothing_else(model, price, kind)


def _makes_nothing_else(model: str, price: Any, kind: str) -> bool:
    """Return True if all output of a model is of one kind, so that its price is that of the kind."""
    if kind == "image":  # those that make text as well have no price of images that are given to them
        return "image" in model and getattr(price, "input_image_mtok", None) is not None
    return kind == "audio" and "tts" in model
