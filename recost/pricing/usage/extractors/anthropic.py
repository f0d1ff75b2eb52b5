"""Anthropic's messages on any host: plain, streamed, and the results of a batch.

Shapes: https://github.com/anthropics/anthropic-sdk-python (``types/usage.py`` and its neighbours).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, Optional

from recost.pricing.usage.extractors.batches import sum_up
from recost.pricing.usage.extractors.costs import reported_cost
from recost.pricing.usage.fields import add, add_part, child, children, count, identifier, receipt, word
from recost.pricing.usage.model import Number, Usage
from recost.pricing.usage.names import model_of, tier_of
from recost.pricing.usage.response import DecodedResponse

__all__ = ["WANTED", "is_message", "read"]

WANTED: Final = re.compile(rb'"usage"|"message_stop"|"succeeded"|invocationMetrics')

_CACHES: Final = frozenset({"cache_creation_input_tokens", "cache_read_input_tokens"})
_US_ONLY: Final = Decimal("1.1")
"""Factor of all token prices of a model that runs in the United States only:
https://platform.claude.com/docs/en/about-claude/pricing, as of 2026-11."""
_ANYWHERE: Final = frozenset({"", "global", "not_available"})
_REGIONAL: Final = Decimal("1.1")
"""Factor of all token prices on the regional endpoints of Vertex AI, from Sonnet 4.5 on:
https://platform.claude.com/docs/en/about-claude/pricing (third-party platforms), as of 2026-11."""
_REGION: Final = re.compile(r"/locations/(?!global/)[^/]{1,40}/publishers/anthropic/")
_SAME_EVERYWHERE: Final = re.compile(
    r"claude-(?:[123]|instant|(?:opus|sonnet|haiku)-4(?:-[01])?(?:@|-?2025|$))"
)
"""Models before Sonnet 4.5, which cost the same in all regions."""
_FREES_CODE: Final = frozenset({"web_search", "web_fetch"})
"""Tools that make the execution of code free, from their versions of 2026-02-09 on, which name their caller.
Without them it is billed by the hour: https://platform.claude.com/docs/en/about-claude/pricing (code
execution), as of 2026-11."""
_MESSAGES: Final = frozenset({"message", "message_start", "message_delta", "message_stop"})


def is_message(response: DecodedResponse) -> bool:
    """Return True if a response of a host with several APIs is a message of Anthropic's API."""
    if response.path.rstrip("/").endswith("/messages"):
        return True
    documents = response.documents
    kind = documents[0].get("type") if documents else None
    if isinstance(kind, str) and kind in _MESSAGES:
        return True
    for document in documents:
        usage = document.get("usage")
        if isinstance(usage, dict) and not _CACHES.isdisjoint(usage) and "prompt_tokens" not in usage:
            return True
    return False


def read(response: DecodedResponse) -> Optional[Usage]:
    """Return the usage of a message, or of all messages of a batch."""
    results = [child(document, "result") for document in response.documents if "custom_id" in document]
    if results:
        return _read_batch(response, results)
    usage = _merged(response)
    units = _read_units(usage)
    uncounted = []
    if _is_placeholder(response):
        units.pop("output_tokens", None)
        uncounted.append("output_tokens")
    model = identifier(model_of(response.documents))
    factor, missing = _factor(response, usage, model)
    uncounted += missing
    if _runs_code(response, usage):
        uncounted.append("code_execution")
    parts = _read_advice(Usage(model, dict(units), tier=tier_of(usage), token_factor=factor), usage)
    for part in parts[1:]:
        for unit, value in part.units.items():
            add_part(units, unit, value)
    return response.usage(
        units,
        model,
        final=_is_final(response),
        reported_usd=reported_cost(response, usage),
        tier=tier_of(usage),
        parts=parts,
        token_factor=factor,
        uncounted=tuple(uncounted),
    )


def _is_placeholder(response: DecodedResponse) -> bool:
    """Return True if output is counted in a message's first event only, where the count is a placeholder."""
    if not any(document.get("type") == "message_start" for document in response.documents):
        return False
    return not any(count(child(document, "usage").get("output_tokens")) for document in response.documents)


def _factor(
    response: DecodedResponse, usage: Mapping[str, Any], model: Optional[str]
) -> tuple[Optional[Decimal], tuple[str, ...]]:
    """Return the factor of the token prices, and the name of what is unknown about it."""
    geo = word(usage.get("inference_geo")).lower()
    if response.shape != "vertex" and "/publishers/anthropic/" not in response.path:
        if geo == "us":
            return _US_ONLY, ()
        return None, () if geo in _ANYWHERE else ("inference_geo",)
    named = response.path.rpartition("/models/")[2].partition(":")[0] or model or ""
    if _REGION.search(response.path) and not _SAME_EVERYWHERE.match(named):
        return _REGIONAL, ()
    return None, ()


def _runs_code(response: DecodedResponse, usage: Mapping[str, Any]) -> bool:
    """Return True if code was run in a container. Responses don't count its hours."""
    places = [
        place
        for document in response.documents
        for place in (document, child(document, "message"), child(document, "delta"))
    ]
    blocks = [block for place in places for block in children(place.get("content"))]
    tools = [block for block in blocks if block.get("type") == "server_tool_use"]
    if any(word(tool.get("name")) in _FREES_CODE and child(tool, "caller") for tool in tools):
        return False
    if count(child(usage, "server_tool_use").get("code_execution_requests")):
        return True
    if any(child(place, "container") for place in places):
        return True
    return any("code_execution" in word(tool.get("name")) for tool in tools)


def _read_advice(own: Usage, usage: Mapping[str, Any]) -> tuple[Usage, ...]:
    """Return the usage of each model, the message's own first, or nothing if it is the only one.

    https://platform.claude.com/docs/en/agents-and-tools/tool-use/advisor-tool
    """
    others = []
    for iteration in children(usage.get("iterations")):
        if "advisor" in word(iteration.get("type")):  # billed at its own model, and not in the totals
            units: dict[str, Number] = {}
            _read_tokens(units, iteration)
            model = identifier(iteration.get("model"))
            others.append(Usage(model, units, tier=own.tier, token_factor=own.token_factor))
    return (own, *others) if others else ()


def _merged(response: DecodedResponse) -> Mapping[str, Any]:
    """Return the usage of the message, updated by later events, whose counts are cumulative."""
    merged: dict[str, Any] = {}
    for document in response.documents:
        usage = child(document, "usage") or child(document, "message", "usage")
        merged.update((key, value) for key, value in usage.items() if value is not None)
    return merged


def _is_final(response: DecodedResponse) -> bool:
    """Return True if the counts are final. A message's first event has the input only."""
    kinds = {word(document.get("type")) for document in response.documents}
    counted = any(child(document, "usage") for document in response.after_gap)
    if response.streamed or "message_start" in kinds:
        counted = counted and "message_start" in kinds  # the event that has the input
    return counted and (response.ended or "message_stop" in kinds)


def _read_units(usage: Mapping[str, Any]) -> dict[str, Number]:
    units: dict[str, Number] = {}
    _read_tokens(units, usage)
    for iteration in children(usage.get("iterations")):
        if iteration.get("type") == "compaction":  # not in the totals
            _read_tokens(units, iteration)
    searches = child(usage, "server_tool_use").get("web_search_requests")
    add_part(units, "web_searches", count(searches))
    return units


def _read_tokens(units: dict[str, Number], usage: Mapping[str, Any]) -> None:
    """Add the tokens of a usage, whose ``input_tokens`` exclude those read from or written to the cache."""
    fresh = count(usage.get("input_tokens"))
    output_tokens = count(usage.get("output_tokens"))
    read_cached = count(usage.get("cache_read_input_tokens"))
    lasting = count(child(usage, "cache_creation").get("ephemeral_1h_input_tokens")) or 0
    short = count(child(usage, "cache_creation").get("ephemeral_5m_input_tokens"))
    written = count(usage.get("cache_creation_input_tokens"))
    if written is None:
        written = add(lasting, short)
    if fresh is not None:
        units["input_tokens"] = add(units.get("input_tokens"), fresh, read_cached, written)
        add_part(units, "cache_read_tokens", read_cached)
        add_part(units, "cache_write_tokens", written - lasting if written >= lasting else short)
        add_part(units, "cache_write_1h_tokens", lasting)
    if output_tokens is not None:
        units["output_tokens"] = add(units.get("output_tokens"), output_tokens)
        thoughts = child(usage, "output_tokens_details").get("thinking_tokens")
        add_part(units, "reasoning_tokens", count(thoughts))


def _read_batch(response: DecodedResponse, results: list[Mapping[str, Any]]) -> Optional[Usage]:
    """Return the sum over the results that succeeded."""
    messages = [child(result, "message") for result in results if result.get("type") == "succeeded"]
    total = sum_up(
        (_read_result(response, message) for message in messages),
        partial=response.gap or not response.complete,
        receipts=receipt(response.path),
    )
    return total if total.units else None


def _read_result(response: DecodedResponse, message: Mapping[str, Any]) -> Usage:
    usage, model = child(message, "usage"), identifier(message.get("model"))
    factor, missing = _factor(response, usage, model)
    own = Usage(model, _read_units(usage), token_factor=factor)
    return replace(own, parts=_read_advice(own, usage), uncounted=missing)
