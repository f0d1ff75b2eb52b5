"""Counts of tokens as OpenAI's API, and those modelled on it, report them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Optional

from recost.pricing.usage.fields import add, add_part, child, count
from recost.pricing.usage.model import Number

__all__ = ["read_tokens"]

_INPUT_PARTS: Final = {f"{part}_tokens": f"input_{part}_tokens" for part in ("audio", "image", "video")}
_CACHED_PARTS: Final = {f"{part}_tokens": f"cache_{part}_read_tokens" for part in ("audio", "image", "video")}
_OUTPUT_PARTS: Final = {f"{part}_tokens": f"output_{part}_tokens" for part in ("audio", "image", "video")}
_INPUT_DETAILS: Final = (
    "prompt_tokens_details",
    "input_tokens_details",
    "input_token_details",
    "prompt_token_details",  # of the runs of assistants
)
_OUTPUT_DETAILS: Final = ("completion_tokens_details", "output_tokens_details", "output_token_details")
_CACHED: Final = ("prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens", "cache_read_input_tokens")
"""Keys of DeepSeek, Moonshot, Mistral and others, which state it outside the details."""


def read_tokens(usage: Mapping[str, Any]) -> dict[str, Number]:
    """Return the tokens of a ``usage`` of chat, responses, embeddings, images or transcriptions."""
    units: dict[str, Number] = {}
    input_tokens, output_tokens = _main_counts(usage)
    if input_tokens is not None:
        units["input_tokens"] = input_tokens
        _read_input_details(units, usage)
    if output_tokens is not None:
        _read_output(units, usage, input_tokens, output_tokens)
    return units


def _main_counts(usage: Mapping[str, Any]) -> tuple[Optional[Number], Optional[Number]]:
    for input_key, output_key in (("prompt_tokens", "completion_tokens"), ("input_tokens", "output_tokens")):
        counts = count(usage.get(input_key)), count(usage.get(output_key))
        if any(counts):
            return counts
    if "prompt_tokens" in usage or "input_tokens" in usage:
        return (
            count(usage.get("prompt_tokens", usage.get("input_tokens"))),
            count(usage.get("completion_tokens", usage.get("output_tokens"))),
        )
    return count(usage.get("total_tokens")), None  # embeddings that name only the total


def _read_input_details(units: dict[str, Number], usage: Mapping[str, Any]) -> None:
    details = _first(usage, _INPUT_DETAILS)
    cached = count(details.get("cached_tokens")) or count(details.get("cache_read_input_tokens"))
    for name in _CACHED:
        cached = cached or count(usage.get(name))
    add_part(units, "cache_read_tokens", cached)
    written = count(details.get("cache_write_tokens"))
    for place in (details, usage):  # beside the details: Claude behind LiteLLM and Databricks
        written = written or count(place.get("cache_creation_input_tokens"))
    add_part(units, "cache_write_tokens", written)
    _read_parts(units, details, _INPUT_PARTS)
    _read_parts(units, child(details, "cached_tokens_details"), _CACHED_PARTS)


def _read_output(
    units: dict[str, Number], usage: Mapping[str, Any], input_tokens: Optional[Number], output_tokens: Number
) -> None:
    details = _first(usage, _OUTPUT_DETAILS)
    reasoning = count(details.get("reasoning_tokens"))
    if reasoning is None:
        reasoning = count(usage.get("reasoning_tokens"))
    total = count(usage.get("total_tokens"))
    if reasoning and total is not None and total == add(input_tokens, output_tokens, reasoning):
        output_tokens = add(output_tokens, reasoning)  # xAI's chat counts them apart
    units["output_tokens"] = output_tokens
    add_part(units, "reasoning_tokens", reasoning)
    _read_parts(units, details, _OUTPUT_PARTS)


def _read_parts(units: dict[str, Number], details: Mapping[str, Any], parts: Mapping[str, str]) -> None:
    for name, unit in parts.items() if details else ():
        if details.get(name):
            add_part(units, unit, count(details[name]))


def _first(usage: Mapping[str, Any], names: tuple[str, ...]) -> Mapping[str, Any]:
    for name in names:
        details = child(usage, name)
        if details:
            return details
    return {}
