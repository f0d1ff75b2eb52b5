"""Anthropic's messages, on its own hosts and others: plain, streamed, and the results of a batch.

Shapes: https://github.com/anthropics/anthropic-sdk-python (``types/usage.py`` and its neighbours).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Optional

from recost.pricing.usage.answer import Answer
from recost.pricing.usage.fields import add, add_part, child, count, identifier, word
from recost.pricing.usage.model import Number, Usage
from recost.pricing.usage.names import model_of, tier_of
from recost.pricing.usage.shapes.costs import reported_cost

__all__ = ["WANTED", "is_message", "read"]

WANTED: Final = re.compile(rb'"usage"|"message_stop"|"succeeded"|invocationMetrics')

_CACHES: Final = frozenset({"cache_creation_input_tokens", "cache_read_input_tokens"})
_MESSAGES: Final = frozenset({"message", "message_start", "message_delta", "message_stop"})


def is_message(answer: Answer) -> bool:
    """Tell whether an answer of a host with several interfaces is of this one."""
    if answer.path.rstrip("/").endswith("/messages"):
        return True
    if any(word(document.get("type")) in _MESSAGES for document in answer.documents[:1]):
        return True
    return any(_CACHES & child(document, "usage").keys() for document in answer.documents)


def read(answer: Answer) -> Optional[Usage]:
    """Return the usage of a message, or of all messages of a batch."""
    results = [child(document, "result") for document in answer.documents if "custom_id" in document]
    if results:
        return _read_batch(answer, results)
    usage = _merged(answer)
    units = _read_units(usage)
    model = model_of(answer.documents)
    return answer.usage(
        units,
        model,
        final=_is_final(answer),
        reported_usd=reported_cost(answer.shape, usage),
        tier=tier_of(usage),
    )


def _merged(answer: Answer) -> Mapping[str, Any]:
    """Return the usage of the message, overridden by what the events after it say; these are cumulative."""
    merged: dict[str, Any] = {}
    for document in answer.documents:
        usage = child(document, "usage") or child(document, "message", "usage")
        merged.update((key, value) for key, value in usage.items() if value is not None)
    return merged


def _is_final(answer: Answer) -> bool:
    """Tell whether the numbers are the last ones: a message's first event knows only what went in."""
    kinds = {word(document.get("type")) for document in answer.documents}
    told = any(child(document, "usage") for document in answer.after_gap)
    if answer.streamed or "message_start" in kinds:
        told = told and "message_start" in kinds  # it is what knows what went in
    return told and (answer.ended or "message_stop" in kinds)


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


def _read_batch(answer: Answer, results: list[Mapping[str, Any]]) -> Optional[Usage]:
    """Return the sum over the results that succeeded; None is the model when there are several."""
    units: dict[str, Number] = {}
    models = set()
    for message in _succeeded(results):
        for unit, value in _read_units(child(message, "usage")).items():
            units[unit] = add(units.get(unit), value)
        models.add(identifier(message.get("model")))
    model = models.pop() if len(models) == 1 else None
    return answer.usage(units, model, final=answer.complete and not answer.gap, tier="batch")


def _succeeded(results: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for result in results:
        if result.get("type") == "succeeded":
            yield child(result, "message")
