"""Anthropic's messages, on its own hosts and others: plain, streamed, and the results of a batch.

Shapes: https://github.com/anthropics/anthropic-sdk-python (``types/usage.py`` and its neighbours).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, Optional

from recost.pricing.usage.extractors.costs import reported_cost
from recost.pricing.usage.fields import add, add_part, child, count, identifier, receipt, word
from recost.pricing.usage.model import Number, Usage
from recost.pricing.usage.names import model_of, tier_of
from recost.pricing.usage.response import DecodedResponse

__all__ = ["WANTED", "is_message", "read"]

WANTED: Final = re.compile(rb'"usage"|"message_stop"|"succeeded"|invocationMetrics')

_CACHES: Final = frozenset({"cache_creation_input_tokens", "cache_read_input_tokens"})
_US_ONLY: Final = Decimal("1.1")
"""All prices of tokens of a model that runs in the United States only:
https://platform.claude.com/docs/en/about-claude/pricing, as of 2026-11."""
_ANYWHERE: Final = frozenset({"", "global", "not_available"})
_REGIONAL: Final = Decimal("1.1")
"""Claude on the regional endpoints of Vertex AI, from Sonnet 4.5 on:
https://platform.claude.com/docs/en/about-claude/pricing (third-party platforms), as of 2026-11."""
_REGION: Final = re.compile(r"/locations/(?!global/)[^/]{1,40}/publishers/anthropic/")
_SAME_EVERYWHERE: Final = re.compile(
    r"claude-(?:[123]|instant|(?:opus|sonnet|haiku)-4(?:-[01])?(?:@|-?2025|$))"
)
"""Models that cost the same in all regions: those before Sonnet 4.5."""
_FREES_CODE: Final = frozenset({"web_search", "web_fetch"})
"""Tools with which the execution of code is free, from their versions of 2026-02-09 on, which say who called
them; alone, it is billed by the hour: https://platform.claude.com/docs/en/about-claude/pricing (code
execution), as of 2026-11."""
_MESSAGES: Final = frozenset({"message", "message_start", "message_delta", "message_stop"})


def is_message(response: DecodedResponse) -> bool:
    """Tell whether a response of a host with several interfaces is of this one."""
    if response.path.rstrip("/").endswith("/messages"):
        return True
    if any(word(document.get("type")) in _MESSAGES for document in response.documents[:1]):
        return True
    usages = [child(document, "usage").keys() for document in response.documents]
    return any(_CACHES & names and "prompt_tokens" not in names for names in usages)


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
    factor, place = _factor(response, usage, model)
    if place is not None:
        uncounted.append(place)
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
    """Tell whether the only count of the output is that of a message's first event, which is none yet."""
    if not any(document.get("type") == "message_start" for document in response.documents):
        return False
    return not any(count(child(document, "usage").get("output_tokens")) for document in response.documents)


def _factor(
    response: DecodedResponse, usage: Mapping[str, Any], model: Optional[str]
) -> tuple[Optional[Decimal], Optional[str]]:
    """Return what the prices of tokens are multiplied by, and what is not known of it."""
    geo = word(usage.get("inference_geo")).lower()
    if response.shape != "vertex" and "/publishers/anthropic/" not in response.path:
        if geo == "us":
            return _US_ONLY, None
        return None, None if geo in _ANYWHERE else "inference_geo"
    named = response.path.rpartition("/models/")[2].partition(":")[0] or model or ""
    if _REGION.search(response.path) and not _SAME_EVERYWHERE.match(named):
        return _REGIONAL, None
    return None, None


def _runs_code(response: DecodedResponse, usage: Mapping[str, Any]) -> bool:
    """Tell whether code was run in a container, whose hours no response counts."""
    places = [
        place
        for document in response.documents
        for place in (document, child(document, "message"), child(document, "delta"))
    ]
    tools = [tool for place in places for tool in _server_tools(place.get("content"))]
    if any(word(tool.get("name")) in _FREES_CODE and child(tool, "caller") for tool in tools):
        return False
    if count(child(usage, "server_tool_use").get("code_execution_requests")):
        return True
    if any(child(place, "container") for place in places):
        return True
    return any("code_execution" in word(tool.get("name")) for tool in tools)


def _server_tools(content: Any) -> list[Mapping[str, Any]]:
    """Return the calls of tools that Anthropic runs."""
    blocks = content if isinstance(content, list) else ()
    return [child(block) for block in blocks if child(block).get("type") == "server_tool_use"]


def _read_advice(own: Usage, usage: Mapping[str, Any]) -> tuple[Usage, ...]:
    """Return the usage of each model, the message's own first; nothing where it is the only one.

    https://platform.claude.com/docs/en/agents-and-tools/tool-use/advisor-tool
    """
    others = []
    iterations = usage.get("iterations")
    for iteration in iterations if isinstance(iterations, list) else ():
        if "advisor" in word(child(iteration).get("type")):  # billed at its own model, in no total
            units: dict[str, Number] = {}
            _read_tokens(units, iteration)
            model = identifier(iteration.get("model"))
            others.append(Usage(model, units, tier=own.tier, token_factor=own.token_factor))
    return (own, *others) if others else ()


def _merged(response: DecodedResponse) -> Mapping[str, Any]:
    """Return the usage of the message, overridden by what the events after it say; these are cumulative."""
    merged: dict[str, Any] = {}
    for document in response.documents:
        usage = child(document, "usage") or child(document, "message", "usage")
        merged.update((key, value) for key, value in usage.items() if value is not None)
    return merged


def _is_final(response: DecodedResponse) -> bool:
    """Tell whether the numbers are the last ones: a message's first event knows only what went in."""
    kinds = {word(document.get("type")) for document in response.documents}
    told = any(child(document, "usage") for document in response.after_gap)
    if response.streamed or "message_start" in kinds:
        told = told and "message_start" in kinds  # it is what knows what went in
    return told and (response.ended or "message_stop" in kinds)


def _read_units(usage: Mapping[str, Any]) -> dict[str, Number]:
    units: dict[str, Number] = {}
    _read_tokens(units, usage)
    iterations = usage.get("iterations")
    for iteration in iterations if isinstance(iterations, list) else ():
        if child(iteration) and iteration.get("type") == "compaction":  # not in the totals
            _read_tokens(units, iteration)
    searches = child(usage, "server_tool_use").get("web_search_requests")
    add_part(units, "web_searches", count(searches))
    return units


def _read_tokens(units: dict[str, Number], usage: Mapping[str, Any]) -> None:
    """Add the tokens of a usage, whose ``input_tokens`` are those besides what the cache had or was given."""
    fresh = count(usage.get("input_tokens"))
    made = count(usage.get("output_tokens"))
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
    if made is not None:
        units["output_tokens"] = add(units.get("output_tokens"), made)
        add_part(
            units, "reasoning_tokens", count(child(usage, "output_tokens_details").get("thinking_tokens"))
        )


def _read_batch(response: DecodedResponse, results: list[Mapping[str, Any]]) -> Optional[Usage]:
    """Return the sum over the results that succeeded; None is the model when there are several."""
    units: dict[str, Number] = {}
    by_model: dict[tuple[Optional[str], Optional[Decimal]], dict[str, Number]] = {}
    uncounted: set[str] = set()
    requests: dict[tuple[Optional[str], Optional[Decimal]], int] = {}
    for message in _succeeded(results):
        usage, model = child(message, "usage"), identifier(message.get("model"))
        factor, place = _factor(response, usage, model)
        uncounted.update(() if place is None else (place,))
        own = Usage(model, _read_units(usage), token_factor=factor)
        for part in _read_advice(own, usage) or (own,):
            sums = by_model.setdefault((part.model, part.token_factor), {})
            requests[part.model, part.token_factor] = requests.get((part.model, part.token_factor), 0) + 1
            for unit, value in part.units.items():
                units[unit] = add(units.get(unit), value)
                sums[unit] = add(sums.get(unit), value)
    several = len(by_model) > 1
    model, factor = (None, None) if several or not by_model else next(iter(by_model))
    return response.usage(
        units,
        model,
        final=response.complete and not response.gap,
        tier="batch",
        token_factor=factor,
        uncounted=tuple(sorted(uncounted)),
        receipts=receipt(response.path),
        requests=sum(requests.values()),
        parts=tuple(
            Usage(name, sums, tier="batch", token_factor=times, requests=requests[name, times])
            for (name, times), sums in by_model.items()
            if several
        ),
    )


def _succeeded(results: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for result in results:
        if result.get("type") == "succeeded":
            yield child(result, "message")
