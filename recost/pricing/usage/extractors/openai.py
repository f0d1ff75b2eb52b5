"""OpenAI's API and those modelled on it: chat, responses, embeddings, images, audio, OCR.

Shapes: https://github.com/openai/openai-python (``types/``), the SDKs of Groq, Mistral, Perplexity and
OpenRouter, and the extractors of https://github.com/pydantic/genai-prices.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Optional

from recost.pricing.usage.extractors import anthropic, openai_batches, openai_compatible
from recost.pricing.usage.extractors.costs import reported_cost
from recost.pricing.usage.extractors.openai_billing import OWN_SHAPES, as_billed, in_region, sum_parts
from recost.pricing.usage.extractors.openai_tools import are_calls_counted, is_search, whole_images
from recost.pricing.usage.extractors.tokens import read_tokens
from recost.pricing.usage.fields import UNKNOWN, add_part, child, count, elements, inner, receipt, word
from recost.pricing.usage.model import Number, Usage
from recost.pricing.usage.names import model_of, tier_of
from recost.pricing.usage.request_fields import is_image_path
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
"""Types of the events whose usage is that of the whole call."""
_MEASURES: Final = frozenset({"seconds", "prompt_audio_seconds", "pages_processed"})


def read(response: DecodedResponse) -> Optional[Usage]:
    """Return the usage that a response reports."""
    found = _read(response)
    return in_region(found) if found is not None and response.shape == "openai_regional" else found


def _read(response: DecodedResponse) -> Optional[Usage]:
    """Return the usage of the last document that has one."""
    if anthropic.is_message(response):
        return anthropic.read(response)
    own = response.shape in OWN_SHAPES
    if own and openai_batches.is_batch(response):
        return openai_batches.read_batch(response, read)
    for document in reversed(response.documents):
        usage = document.get("usage")
        found = _read_used(response, document, usage) if usage and isinstance(usage, dict) else None
        if found is None:
            found = _read_elsewhere(response, document)
        if found is not None:
            return as_billed(response, document, found) if own else found
    return _read_without_usage(response)


def _read_elsewhere(response: DecodedResponse, document: Mapping[str, Any]) -> Optional[Usage]:
    """Return the usage that is not under the key ``usage``."""
    for usage in filter(None, _other_usages(document)):
        found = _read_used(response, document, usage)
        if found is not None:
            return found
    return None


def _read_used(
    response: DecodedResponse, document: Mapping[str, Any], usage: Mapping[str, Any]
) -> Optional[Usage]:
    units = _read_units(response, document, usage)
    model = model_of([*response.documents[:1], document])
    served_by, cost = None, None
    parts: tuple[Usage, ...] = ()
    uncounted: tuple[str, ...] = ()
    if response.shape not in OWN_SHAPES:
        model, served_by = openai_compatible.model_and_provider(response, model)
        cost = reported_cost(response, usage)
    if not units and cost is None:
        return None
    if response.shape not in OWN_SHAPES:
        parts = openai_compatible.read_breakdown(response, document)
        uncounted = () if cost is not None else openai_compatible.find_uncounted(response, document, usage)
        if openai_compatible.runs_own_tools(response):
            uncounted = ("executed_tools",)
    final = _is_final(response, document) and (not response.gap or _is_counted(response, document, units))
    if cost is None and response.shape == "perplexity":
        openai_compatible.read_request(units, model, usage)
        final = final and (model is not None or not response.gap)
    return response.usage(
        sum_parts(parts) if parts else units,
        model,
        final=final,
        reported_usd=cost,
        tier=tier_of(document, inner(document, "response"), usage),
        parts=parts,
        served_by=served_by,
        uncounted=uncounted,
        # An asynchronous request of Perplexity can be read often, one of xAI only once.
        receipts=receipt(document.get("id")) if "/async/" in response.path else (),
    )


def _other_usages(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield each other place where a usage may be, the likeliest first."""
    for holder in ("response", "result", "x_groq", UNKNOWN):
        yield child(document, holder, "usage")
    choices = elements(document.get("choices"))
    if len(choices) == 1:
        yield child(choices[0], "usage")  # Moonshot's streams
    yield child(document, "usage_info")  # Mistral's OCR


def _read_units(
    response: DecodedResponse, document: Mapping[str, Any], usage: Mapping[str, Any]
) -> dict[str, Number]:
    units = read_tokens(usage)
    own = response.shape in OWN_SHAPES
    if not own:
        openai_compatible.read_extras(units, response.shape, document, usage)
    if not _MEASURES.isdisjoint(usage):
        add_part(units, "seconds", count(usage.get("seconds", usage.get("prompt_audio_seconds"))))
        pages = count(usage.get("pages_processed"))
        add_part(units, "pages", pages)
        if document.get("document_annotation") is not None:
            add_part(units, "annotated_pages", pages)
    if not own:
        _read_searches(units, inner(document, "response") or document)
    elif is_image_path(response.path):
        whole_images(units)
    if "output_tokens" not in units:
        _read_images(units, response, document)
    return units


def _read_searches(units: dict[str, Number], body: Mapping[str, Any]) -> None:
    """Add the web searches of providers with OpenAI's tool, as reported or else by their calls."""
    reported = count(child(body, "tool_usage", "web_search").get("num_requests"))
    output = elements(body.get("output"))
    add_part(units, "web_searches", sum(map(is_search, output)) if reported is None else reported)


def _read_images(units: dict[str, Number], response: DecodedResponse, document: Mapping[str, Any]) -> None:
    data = elements(document.get("data"))
    if is_image_path(response.path):
        add_part(units, "images", len(data))


def _is_final(response: DecodedResponse, document: Mapping[str, Any]) -> bool:
    """Return True if nothing can follow that changes the usage of this document."""
    if response.is_last(document) or word(document.get("type")) in _LAST_EVENTS:
        return True
    return response.streamed and document.get("choices") == []


def _is_counted(response: DecodedResponse, document: Mapping[str, Any], units: Mapping[str, Number]) -> bool:
    """Return True if the gap can't hide anything billed. The last event of a response has all of it."""
    if response.streamed and word(document.get("type")) in _LAST_EVENTS:
        return True
    body, path = inner(document, "response") or document, response.path.rstrip("/")
    tools_lost = openai_compatible.are_own_tools_possible(response, document)
    if tools_lost or ("output_citation_tokens" in units and not body.get("model")):
        return False  # without its name, it is unknown whether the model bills citations
    if "usage_info" in document:
        return "document_annotation" in document
    if is_image_path(path):
        return "data" in document or "output_tokens" in units
    if path.endswith("/responses"):
        return are_calls_counted(body)
    return "input_tokens" in units or "output_tokens" not in units


def _read_without_usage(response: DecodedResponse) -> Optional[Usage]:
    """Return the length of an audio or the number of images of a response without usage."""
    document = response.last
    units: dict[str, Number] = {}
    if "/audio/" in response.path:
        add_part(units, "seconds", count(document.get("duration")))
    if not response.streamed and not response.gap:
        _read_images(units, response, document)
    return response.usage(units, document.get("model"), tier=tier_of(document))
