"""OpenAI's interfaces, and those made after them: chat, responses, embeddings, images, audio, OCR.

Shapes: https://github.com/openai/openai-python (``types/``), the SDKs of Groq, Mistral, Perplexity and
OpenRouter, and the extractors of https://github.com/pydantic/genai-prices.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, Optional

from recost.pricing.usage.asked import is_for_images
from recost.pricing.usage.extractors import anthropic, openai_batches
from recost.pricing.usage.extractors.costs import reported_cost
from recost.pricing.usage.extractors.openai_tools import (
    ToolUse,
    are_calls_counted,
    is_search,
    read_chat_search,
    read_tools,
    whole_images,
)
from recost.pricing.usage.extractors.routes import route_of
from recost.pricing.usage.extractors.tokens import read_tokens
from recost.pricing.usage.fields import UNKNOWN, add, add_part, child, count, identifier, inner, receipt, word
from recost.pricing.usage.model import Number, Usage
from recost.pricing.usage.names import model_of, tier_of
from recost.pricing.usage.response import DecodedResponse

__all__ = ["WANTED", "read"]

WANTED: Final = re.compile(rb'"usage(?:_info)?"\s*:\s*[{]|"message_stop"|invocationMetrics|"executed_tools"')

_LAST_EVENTS: Final = frozenset(
    {
        "response.completed",
        "response.incomplete",
        "response.failed",
        "transcript.text.done",
        "speech.audio.done",
        "image_generation.completed",
        "image_edit.completed",
    }
)
"""Types of the events whose usage is the whole call's."""
_OWN_SHAPES: Final = frozenset({"openai", "openai_regional", "azure"})
"""Those of OpenAI's own models, with its own tools."""
_RESPONSE: Final = re.compile(r"/responses(?:/compact|/(resp_[^/]{1,200})(?:/cancel)?)?/?\Z")
"""Where a response is asked for, or, by its id, read."""
_RUN: Final = re.compile(r"/threads/(?:[^/]{1,200}/)?runs(?:/([^/]{1,200})(?:/[a-z_]{1,40})?)?/?\Z")
"""Where an assistant's run is asked for, or, by its id, read."""
_RUN_TOOLS: Final = frozenset({"code_interpreter", "file_search", "retrieval"})
"""Those that are billed by the call, too: https://developers.openai.com/api/docs/pricing."""
_BY_REQUEST: Final = re.compile(r"sonar(?:-reasoning)?(?:-pro)?\Z")
"""Models of Perplexity's that bill requests, rather than citations and searches:
https://docs.perplexity.ai/docs/getting-started/pricing, as of 2026-11."""
_CONTEXTS: Final = frozenset({"low", "medium", "high"})
"""Sizes of the context that was searched, which the fee of a request depends on."""
_COMPOUND: Final = re.compile(r"(?:groq/)?compound|\Z")
_HAVE_TOOLS: Final = re.compile(r"(?:groq/)?compound|(?:openai/)?gpt-oss|\Z")
"""Models of Groq that have tools of its own: https://console.groq.com/docs/tool-use/built-in-tools. The
tools of those that are one model come early in a stream."""


_REGIONAL: Final = Decimal("1.1")
"""Models released since 2026-03-05, on hosts of data residency: https://developers.openai.com/api/docs/pricing
(regional processing), as of 2026-11."""
_UPLIFTED: Final = re.compile(r"gpt-(?:5\.[4-9]|[6-9])(?![0-9])")
_EARLIER: Final = re.compile(
    r"(?:ft:)?(?:gpt-(?:3\.5|4|5(?:\.[1-3])?(?![.0-9])|image-1(?:\.5)?(?![.0-9]))"
    r"|o[134]|chatgpt-4o|text-embedding|tts-1|whisper-1)"
)
"""Models released before: https://developers.openai.com/api/docs/changelog, as of 2026-11."""


def read(response: DecodedResponse) -> Optional[Usage]:
    """Return what a response says was used."""
    found = _read(response)
    return _in_region(found) if found is not None and response.shape == "openai_regional" else found


def _in_region(usage: Usage) -> Usage:
    """Return a usage with what tokens cost more where they stay in a region, as far as that is known."""
    parts = tuple(_in_region(part) for part in usage.parts)
    missing = [name for part in parts for name in part.uncounted]
    model, factor = usage.model or "", None
    if usage.units and not parts:
        factor = _REGIONAL if _UPLIFTED.match(model) else None
        missing = [] if factor or _EARLIER.match(model) else ["regional_processing"]
    uncounted = tuple(dict.fromkeys((*usage.uncounted, *missing)))
    return replace(usage, parts=parts, token_factor=factor, uncounted=uncounted)


def _read(response: DecodedResponse) -> Optional[Usage]:
    """Return the usage of the last document that has one."""
    if anthropic.is_message(response):
        return anthropic.read(response)
    own = response.shape in _OWN_SHAPES
    if own and openai_batches.is_batch(response):
        return openai_batches.read_batch(response, read)
    for document in reversed(response.documents):
        for usage in filter(None, _usages(document)):
            found = _read_used(response, document, usage)
            if found is not None:
                return _as_billed(response, document, found) if own else found
    return _read_without_usage(response)


def _read_used(
    response: DecodedResponse, document: Mapping[str, Any], usage: Mapping[str, Any]
) -> Optional[Usage]:
    units = _read_units(response, document, usage)
    model, served_by = route_of(response, model_of([*response.documents[:1], document]))
    cost = reported_cost(response, usage)
    if not units and cost is None:
        return None
    parts = _read_breakdown(document) if response.shape == "groq" else ()
    uncounted = () if cost is not None else _find_uncounted(response, document, usage)
    if cost is None and response.shape == "perplexity" and _BY_REQUEST.match(model or ""):
        size = word(usage.get("search_context_size"))
        units[f"{size if size in _CONTEXTS else 'low'}_context_requests"] = 1
    unnamed = response.gap and response.shape == "perplexity" and cost is None and model is None
    if response.shape == "groq" and any(map(_runs_tools, response.documents)):
        uncounted = ("executed_tools",)
    return response.usage(
        _sum(parts) if parts else units,
        model,
        final=_is_final(response, document) and _is_counted(response, document, units) and not unnamed,
        reported_usd=cost,
        tier=tier_of(document, inner(document, "response"), usage),
        parts=parts,
        served_by=served_by,
        uncounted=uncounted,
        # Perplexity's that were asked for before; xAI's can be read but once.
        receipts=receipt(document.get("id")) if "/async/" in response.path else (),
    )


def _as_billed(response: DecodedResponse, document: Mapping[str, Any], used: Usage) -> Usage:
    """Return a usage with what OpenAI's own tools are billed for, and the id that it is billed under."""
    body, place = inner(document, "response") or document, _RESPONSE.search(response.path)
    run = _RUN.search(response.path)
    if run is not None:
        return replace(
            used,
            partial=used.partial or (response.gap and "tools" not in document),
            uncounted=(*used.uncounted, *_run_tools(document)),
            receipts=receipt(run[1] or document.get("id")),
        )
    if place is None:
        is_chat = response.path.endswith("/chat/completions")
        tools = read_chat_search(used.model) if is_chat else ToolUse({})
        lost = is_chat and used.model is None  # it may be one that searches
    else:
        lost = place[1] is not None and "background" not in body
        if place[1] and body.get("background") is not True and not (lost and response.gap):
            return Usage(used.model)  # what is read again was billed when it was asked for
        tools = read_tools(body, used.model, used.units.get("input_tokens"))
    own = Usage(used.model, {**used.units, **tools.units}, tier=used.tier)
    parts = (own, *tools.images) if tools.images else ()
    return replace(
        used,
        units=_sum(parts) if parts else own.units,
        parts=parts,
        partial=used.partial or (response.gap and (lost or bool(tools.uncounted))),
        uncounted=(*used.uncounted, *tools.uncounted),
        receipts=() if place is None else receipt(body.get("id") or place[1]),
    )


def _run_tools(run: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the tools that a run may have called: its calls are in its steps, not in itself."""
    tools = run.get("tools")
    names = {word(child(tool).get("type")) for tool in tools} if isinstance(tools, list) else set()
    return tuple(sorted(names & _RUN_TOOLS))


def _sum(parts: tuple[Usage, ...]) -> dict[str, Number]:
    units: dict[str, Number] = {}
    for part in parts:
        for unit, value in part.units.items():
            units[unit] = add(units.get(unit), value)
    return units


def _usages(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what stands where a usage is expected, the likeliest place first."""
    yield child(document, "usage")
    for holder in ("response", "result", "x_groq", UNKNOWN):
        yield child(document, holder, "usage")
    choices = document.get("choices")
    if isinstance(choices, list) and len(choices) == 1:
        yield child(choices[0], "usage")  # Moonshot's streams
    yield child(document, "usage_info")  # Mistral's OCR


def _read_units(
    response: DecodedResponse, document: Mapping[str, Any], usage: Mapping[str, Any]
) -> dict[str, Number]:
    units = read_tokens(usage)
    if response.shape in ("gemini", "vertex"):
        _read_thoughts(units, usage)
    if response.shape == "mistral":
        _read_connectors(units, usage)
    if response.shape == "perplexity" and not _BY_REQUEST.match(word(document.get("model"))):
        _read_perplexity(units, usage)
    if response.shape == "voyage":
        _read_voyage(units, usage)
    add_part(units, "seconds", count(usage.get("seconds", usage.get("prompt_audio_seconds"))))
    _read_pages(units, document, usage)
    if response.shape not in _OWN_SHAPES:
        _read_searches(units, inner(document, "response") or document)
    elif is_for_images(response.path):
        whole_images(units)
    if "output_tokens" not in units:
        _read_images(units, response, document)
    return units


def _read_thoughts(units: dict[str, Number], usage: Mapping[str, Any]) -> None:
    """Count the thoughts of Gemini, which are in the total alone, with the output they are billed as."""
    total, taken, made = (
        count(usage.get("total_tokens")),
        units.get("input_tokens"),
        units.get("output_tokens"),
    )
    if total is None or taken is None or "completion_tokens" not in usage:
        return
    thoughts = total - taken - (made or 0)
    if thoughts > 0:
        units["output_tokens"] = add(made, thoughts)
        add_part(units, "reasoning_tokens", thoughts)


def _read_connectors(units: dict[str, Number], usage: Mapping[str, Any]) -> None:
    """Count what Mistral's connectors put into the prompt: ``ConversationUsageInfo`` of its SDK."""
    if "input_tokens" in units:
        add_part(units, "input_tokens", count(usage.get("connector_tokens")))
        add_part(units, "input_tool_tokens", count(usage.get("connector_tokens")))


def _find_uncounted(
    response: DecodedResponse, document: Mapping[str, Any], usage: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return what is billed by the call as well, and has no price in the list."""
    found: list[str] = []
    if response.shape == "mistral":
        connectors = child(usage, "connectors")
        found = [name for name in sorted(connectors) if count(connectors[name]) and identifier(name)]
        if count(usage.get("connector_tokens")) and not found:
            found = ["connectors"]
    if response.shape == "xai":
        if count(usage.get("num_sources_used")):
            found.append("sources")
        tools = {
            **child(usage, "server_side_tool_usage_details"),
            **child(document, "server_side_tool_usage"),
        }
        found += [str(name).lower() for name in sorted(tools) if count(tools[name]) and identifier(name)]
    model = word(_model_beside(document))
    counted = usage.get("search_context_size") in _CONTEXTS and _BY_REQUEST.match(model)
    searches = "sonar" in model and "deep-research" not in model
    if response.shape == "perplexity" and not counted and (searches or not model):
        found.append("request_fee")
    return tuple(found)


def _read_breakdown(document: Mapping[str, Any]) -> tuple[Usage, ...]:
    """Return the usage of each model of Groq's compound systems: https://console.groq.com/docs/compound."""
    parts: list[Usage] = []
    for holder in (document, child(document, "x_groq")):
        models = child(holder, "usage_breakdown").get("models")
        for model in models if isinstance(models, list) and not parts else ():
            units = read_tokens(child(model, "usage"))
            parts.append(Usage(identifier(child(model).get("model")), units))
    return tuple(parts)


def _runs_tools(document: Mapping[str, Any]) -> bool:
    """Tell whether Groq's own tools were run, which are billed by the call."""
    choices = document.get("choices")
    return isinstance(choices, list) and any(
        child(choice, holder).get("executed_tools") for choice in choices for holder in ("message", "delta")
    )


def _runs_own_tools(response: DecodedResponse, document: Mapping[str, Any]) -> bool:
    """Tell whether Groq's own tools may have been run."""
    model = model_of([*response.documents[:1], document]) or ""
    return bool((_COMPOUND if response.streamed else _HAVE_TOOLS).match(model))


def _model_beside(document: Mapping[str, Any]) -> Any:
    return (inner(document, "response") or document).get("model")


def _read_perplexity(units: dict[str, Number], usage: Mapping[str, Any]) -> None:
    """Add what Perplexity counts apart: reasoning and citations of its research models, and the searches."""
    if "reasoning_tokens" in usage and count(usage.get("completion_tokens")) == units.get("output_tokens"):
        add_part(units, "output_tokens", count(usage["reasoning_tokens"]))
    add_part(units, "output_tokens", count(usage.get("citation_tokens")))
    add_part(units, "output_citation_tokens", count(usage.get("citation_tokens")))
    searches = child(usage, "tool_calls_details", "search_web").get("invocation")
    add_part(units, "web_searches", count(usage.get("num_search_queries", searches)))


def _read_voyage(units: dict[str, Number], usage: Mapping[str, Any]) -> None:
    """Count text and pixels apart, as they are billed: https://docs.voyageai.com/docs/pricing."""
    pixels = add(count(usage.get("image_pixels")), count(usage.get("video_pixels")))
    if pixels:
        units["input_tokens"] = count(usage.get("text_tokens")) or 0
        units["input_pixels"] = pixels


def _read_pages(units: dict[str, Number], document: Mapping[str, Any], usage: Mapping[str, Any]) -> None:
    pages = count(usage.get("pages_processed"))
    add_part(units, "pages", pages)
    if document.get("document_annotation") is not None:
        add_part(units, "annotated_pages", pages)


def _read_searches(units: dict[str, Number], body: Mapping[str, Any]) -> None:
    """Count the web searches of those that have OpenAI's tool: as the response does, or by its calls."""
    reported = count(child(body, "tool_usage", "web_search").get("num_requests"))
    output = body.get("output")
    if reported is None and isinstance(output, list):
        reported = sum(1 for item in output if is_search(item))
    add_part(units, "web_searches", reported)


def _read_images(units: dict[str, Number], response: DecodedResponse, document: Mapping[str, Any]) -> None:
    data = document.get("data")
    if isinstance(data, list) and is_for_images(response.path):
        add_part(units, "images", len(data))


def _is_final(response: DecodedResponse, document: Mapping[str, Any]) -> bool:
    """Tell whether nothing can follow that changes the usage of this document."""
    if response.is_last(document) or word(document.get("type")) in _LAST_EVENTS:
        return True
    return response.streamed and document.get("choices") == []


def _is_counted(response: DecodedResponse, document: Mapping[str, Any], units: Mapping[str, Number]) -> bool:
    """Tell whether nothing that counts was lost in a gap: the last event of a response has all of it."""
    if not response.gap or (response.streamed and word(document.get("type")) in _LAST_EVENTS):
        return True
    path = response.path.rstrip("/")
    tools_lost = response.shape == "groq" and _runs_own_tools(response, document)
    if tools_lost or ("output_citation_tokens" in units and not _model_beside(document)):
        return False  # so may be what the tools were, or that the model doesn't bill citations
    if "usage_info" in document:
        return "document_annotation" in document
    if is_for_images(path):
        return "data" in document or "output_tokens" in units
    if path.endswith("/responses"):
        return are_calls_counted(inner(document, "response") or document)
    return "input_tokens" in units or "output_tokens" not in units


def _read_without_usage(response: DecodedResponse) -> Optional[Usage]:
    """Return what a response says that has no usage: how long an audio is, how many images there are."""
    document = response.last
    units: dict[str, Number] = {}
    if "/audio/" in response.path:
        add_part(units, "seconds", count(document.get("duration")))
    if not response.streamed and not response.gap:
        _read_images(units, response, document)
    return response.usage(units, document.get("model"), tier=tier_of(document))
