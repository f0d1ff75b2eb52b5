"""Counts of tokens as Gemini and Vertex AI report them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Optional

from recost.pricing.usage.fields import add, add_part, children, count, identifier
from recost.pricing.usage.model import Number
from recost.pricing.usage.names import tier_name

__all__ = ["read_content_tokens", "read_interaction_tokens", "read_tier"]

_PARTS: Final = {"AUDIO": "audio", "IMAGE": "image", "DOCUMENT": "image", "VIDEO": "video"}
_DETAILS: Final = {
    "promptTokensDetails": "input_{}_tokens",
    "promptTokenDetails": "input_{}_tokens",  # of embeddings
    "toolUsePromptTokensDetails": "input_{}_tokens",
    "candidatesTokensDetails": "output_{}_tokens",
    "responseTokensDetails": "output_{}_tokens",
    "cacheTokensDetails": "cache_{}_read_tokens",
}
_INTERACTION_DETAILS: Final = {
    "input_tokens_by_modality": "input_{}_tokens",
    "tool_use_tokens_by_modality": "input_{}_tokens",
    "output_tokens_by_modality": "output_{}_tokens",
    "cached_tokens_by_modality": "cache_{}_read_tokens",
}
_TIERS: Final = {"on_demand_priority": "priority", "on_demand_flex": "flex"}


def read_content_tokens(usage: Mapping[str, Any]) -> dict[str, Number]:
    """Return the tokens of a ``usageMetadata``."""
    units = _sums(
        prompt=count(usage.get("promptTokenCount")),
        tools=count(usage.get("toolUsePromptTokenCount")),
        cached=count(usage.get("cachedContentTokenCount")),
        output=count(usage.get("candidatesTokenCount", usage.get("responseTokenCount"))),
        thoughts=count(usage.get("thoughtsTokenCount")),
    )
    _read_modalities(units, usage, _DETAILS, "tokenCount")
    return units


def read_interaction_tokens(usage: Mapping[str, Any]) -> dict[str, Number]:
    """Return the tokens of an interaction's ``usage``."""
    units = _sums(
        prompt=count(usage.get("total_input_tokens")),
        tools=count(usage.get("total_tool_use_tokens")),
        cached=count(usage.get("total_cached_tokens")),
        output=count(usage.get("total_output_tokens")),
        thoughts=count(usage.get("total_thought_tokens")),
    )
    _read_modalities(units, usage, _INTERACTION_DETAILS, "tokens")
    return units


def read_tier(usage: Mapping[str, Any]) -> Optional[str]:
    """Return the service tier of a usage."""
    tier = tier_name(identifier(usage.get("trafficType")) or usage.get("serviceTier"))
    return None if tier is None else _TIERS.get(tier, tier)


def _sums(
    *,
    prompt: Optional[Number],
    tools: Optional[Number],
    cached: Optional[Number],
    output: Optional[Number],
    thoughts: Optional[Number],
) -> dict[str, Number]:
    """Return the units of counts that exclude the results of tools, and the thoughts."""
    units: dict[str, Number] = {}
    if prompt is not None or tools is not None:
        units["input_tokens"] = add(prompt, tools)
        add_part(units, "input_tool_tokens", tools)
        add_part(units, "cache_read_tokens", cached)
    if output is not None or thoughts is not None:
        units["output_tokens"] = add(output, thoughts)
        add_part(units, "reasoning_tokens", thoughts)
    return units


def _read_modalities(
    units: dict[str, Number], usage: Mapping[str, Any], details: Mapping[str, str], key: str
) -> None:
    for name, unit in details.items() if units else ():
        for detail in children(usage.get(name)):
            part = _PARTS.get(str(detail.get("modality")).upper())
            if part is not None:
                add_part(units, unit.format(part), count(detail.get(key)))
