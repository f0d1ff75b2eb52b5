"""Billing rules of OpenAI's own API: built-in tools, regional processing, repeated reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from recost.pricing.usage.extractors.openai_tools import ToolUse, read_chat_search, read_tools
from recost.pricing.usage.fields import add_units, children, inner, receipt, word
from recost.pricing.usage.model import Number, Usage
from recost.pricing.usage.response import DecodedResponse

__all__ = ["OWN_SHAPES", "as_billed", "in_region", "sum_parts"]

OWN_SHAPES: Final = frozenset({"openai", "openai_regional", "azure"})
"""Shapes of OpenAI's own models, with its own tools."""
_RESPONSE: Final = re.compile(r"/responses(?:/compact|/(resp_[^/]{1,200})(?:/cancel)?)?/?\Z")
"""Path at which a response is created or, with its id, read."""
_RUN: Final = re.compile(r"/threads/(?:[^/]{1,200}/)?runs(?:/([^/]{1,200})(?:/[a-z_]{1,40})?)?/?\Z")
"""Path at which an assistant's run is created or, with its id, read."""
_RUN_TOOLS: Final = frozenset({"code_interpreter", "file_search", "retrieval"})
"""Tools of a run that are billed by the call: https://developers.openai.com/api/docs/pricing."""
_REGIONAL: Final = Decimal("1.1")
"""Token factor of models released since 2026-03-05, on hosts of data residency:
https://developers.openai.com/api/docs/pricing (regional processing), as of 2026-11."""
_UPLIFTED: Final = re.compile(r"gpt-(?:5\.[4-9]|[6-9])(?![0-9])")
_EARLIER: Final = re.compile(
    r"(?:ft:)?(?:gpt-(?:3\.5|4|5(?:\.[1-3])?(?![.0-9])|image-1(?:\.5)?(?![.0-9]))"
    r"|o[134]|chatgpt-4o|text-embedding|tts-1|whisper-1)"
)
"""Models released before: https://developers.openai.com/api/docs/changelog, as of 2026-11."""


def in_region(usage: Usage) -> Usage:
    """Return a usage with the surcharge for tokens that are processed in a region."""
    parts = tuple(in_region(part) for part in usage.parts)
    missing = [name for part in parts for name in part.uncounted]
    model, factor = usage.model or "", None
    if usage.units and not parts:
        factor = _REGIONAL if _UPLIFTED.match(model) else None
        missing = [] if factor or _EARLIER.match(model) else ["regional_processing"]
    uncounted = tuple(dict.fromkeys((*usage.uncounted, *missing)))
    return replace(usage, parts=parts, token_factor=factor, uncounted=uncounted)


def as_billed(response: DecodedResponse, document: Mapping[str, Any], usage: Usage) -> Usage:
    """Return a usage with the built-in tools that were used, and the receipt that it is billed under."""
    run, place = _RUN.search(response.path), _RESPONSE.search(response.path)
    if run is not None:
        return replace(
            usage,
            partial=usage.partial or (response.gap and "tools" not in document),
            uncounted=(*usage.uncounted, *_run_tools(document)),
            receipts=receipt(run[1] or document.get("id")),
        )
    if place is None:
        is_chat = response.path.endswith("/chat/completions")
        tools = read_chat_search(usage.model) if is_chat else ToolUse({})
        if not (tools.units or response.gap or usage.parts or usage.receipts):
            return usage
        lost = is_chat and usage.model is None  # it may be a model that searches
        return _with_tools(response, usage, tools, lost=lost)
    body, read_again = inner(document, "response") or document, place[1]
    lost = read_again is not None and "background" not in body
    if read_again and body.get("background") is not True and not (lost and response.gap):
        return Usage(usage.model)  # it was billed when it was created
    tools = read_tools(body, usage.model, usage.units.get("input_tokens"))
    receipts = receipt(body.get("id") or read_again)
    return replace(_with_tools(response, usage, tools, lost=lost), receipts=receipts)


def sum_parts(parts: tuple[Usage, ...]) -> dict[str, Number]:
    """Return the units of all parts together."""
    units: dict[str, Number] = {}
    for part in parts:
        add_units(units, part.units)
    return units


def _with_tools(response: DecodedResponse, usage: Usage, tools: ToolUse, *, lost: bool) -> Usage:
    """Return a usage with the tools that were used.

    Args:
        response: The response.
        usage: Usage of the model.
        tools: Usage of the tools.
        lost: Whether a gap may hide what decides about the tools.
    """
    own = Usage(usage.model, {**usage.units, **tools.units}, tier=usage.tier)
    parts = (own, *tools.images) if tools.images else ()
    return replace(
        usage,
        units=sum_parts(parts) if parts else own.units,
        parts=parts,
        partial=usage.partial or (response.gap and (lost or bool(tools.uncounted))),
        uncounted=(*usage.uncounted, *tools.uncounted),
        receipts=(),
    )


def _run_tools(run: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the billed tools that a run may have called. Its calls are in its steps, not in the run."""
    names = {word(tool.get("type")) for tool in children(run.get("tools"))}
    return tuple(sorted(names & _RUN_TOOLS))
