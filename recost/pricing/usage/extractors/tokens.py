"""Counts of tokens as OpenAI's API, and those modelled on it, report them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Optional

from recost.pricing.usage.fields import add, add_part, child, count
from recost.pricing.usage.model import Number

__all__ = ["read_tokens"]

_INPUT_PARTS: Final = {f"{part}_tokens": f"input_{part}_tokens" for part in ("audio", "image", "video")}
_CACHED_PARTS: Final = {f"{part}_tokens": f"cache_{part}_read_tokens" for part in ("audio", "image", "video")}
_OUTPUT_PARTS: Final = {f"{part}_tokens": f"output_{part}_tokens" for part in ("audio", "image", "video")}
_INPUT_DETAILS: Final = dict.fromkeys(
    (
        "prompt_tokens_details",
        "input_tokens_details",
        "input_token_details",
        "prompt_token_details",  # of the runs of assistants
    )
).keys()
_OUTPUT_DETAILS: Final = dict.fromkeys(
    ("completion_tokens_details", "output_tokens_details", "output_token_details")
).keys()
_CACHED_IN_DETAILS: Final = ("cached_tokens", "cache_read_input_tokens")
_CACHED: Final = dict.fromkeys(
    ("prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens", "cache_read_input_tokens")
).keys()
"""Keys of DeepSeek, Moonshot, Mistral and others, which state it outside the details."""
_WRITTEN: Final = dict.fromkeys(("cache_write_tokens", "cache_creation_input_tokens")).keys()
"""Keys in the details. The last one may also be beside them."""


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
    details = {} if _INPUT_DETAILS.isdisjoint(usage) else _first(usage, _INPUT_DETAILS)
    cached = _first_count(details, _CACHED_IN_DETAILS) if details else None
    if not cached and not _CACHED.isdisjoint(usage):
        cached = _first_count(usage, _CACHED)
    written = None if _WRITTEN.isdisjoint(details) else _first_count(details, _WRITTEN)
    if not written and "cache_creation_input_tokens" in usage:  # Claude behind LiteLLM and Databricks
        written = count(usage["cache_creation_input_tokens"])
    if cached:
        add_part(units, "cache_read_tokens", cached)
    if written:
        add_part(units, "cache_write_tokens", written)
    if details:
        _read_parts(units, details, _INPUT_PARTS)
    if "cached_tokens_details" in details:
        _read_parts(units, child(details, "cached_tokens_details"), _CACHED_PARTS)


def _read_output(
    units: dict[str, Number], usage: Mapping[str, Any], input_tokens: Optional[Number], output_tokens: Number
) -> None:
    details = {} if _OUTPUT_DETAILS.isdisjoint(usage) else _first(usage, _OUTPUT_DETAILS)
    reasoning = count(details["reasoning_tokens"]) if details.get("reasoning_tokens") is not None else None
    if reasoning is None and "reasoning_tokens" in usage:
        reasoning = count(usage["reasoning_tokens"])
    if reasoning:
        total = count(usage.get("total_tokens"))
        if total is not None and total == add(input_tokens, output_tokens, reasoning):
            output_tokens = add(output_tokens, reasoning)  # xAI's chat counts them apart
    units["output_tokens"] = output_tokens
    if reasoning:
        add_part(units, "reasoning_tokens", reasoning)
    if details:
        _read_parts(units, details, _OUTPUT_PARTS)


def _read_parts(units: dict[str, Number], details: Mapping[str, Any], parts: Mapping[str, str]) -> None:
    for name, unit in parts.items():
        if details.get(name):
            add_part(units, unit, count(details[name]))


def _first(usage: Mapping[str, Any], names: Iterable[str]) -> Mapping[str, Any]:
    for name in names:
        details = usage.get(name)
        if details and isinstance(details, dict):
            return details
    return {}


def _first_count(place: Mapping[str, Any], names: Iterable[str]) -> Optional[Number]:
    """Return the first quantity that is not 0."""
    for name in names:
        value = place.get(name)
        found = count(value) if value else None
        if found:
            return found
    return None
