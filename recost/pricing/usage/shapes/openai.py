"""OpenAI's interfaces, and those made after them: chat, responses, embeddings, images, audio, OCR.

Shapes: https://github.com/openai/openai-python (``types/``), the SDKs of Groq, Mistral, Perplexity and
OpenRouter, and the extractors of https://github.com/pydantic/genai-prices.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Optional

from recost.pricing.usage.answer import Answer
from recost.pricing.usage.fields import UNKNOWN, add, add_part, child, count, inner, word
from recost.pricing.usage.model import Number, Usage
from recost.pricing.usage.names import model_of, tier_of
from recost.pricing.usage.shapes import anthropic
from recost.pricing.usage.shapes.costs import reported_cost
from recost.pricing.usage.shapes.tokens import read_tokens

__all__ = ["WANTED", "read"]

WANTED: Final = re.compile(rb'"usage(?:_info)?"\s*:\s*[{]|"message_stop"|invocationMetrics')

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
_IMAGE_PATHS: Final = ("/images/generations", "/images/edits", "/images/variations")


def read(answer: Answer) -> Optional[Usage]:
    """Return the usage of the last document that has one."""
    if anthropic.is_message(answer):
        return anthropic.read(answer)
    for document in reversed(answer.documents):
        for usage in filter(None, _usages(document)):
            units = _read_units(answer, document, usage)
            cost = reported_cost(answer.shape, usage)
            if units or cost is not None:
                return answer.usage(
                    units,
                    model_of([*answer.documents[:1], document]),
                    final=_is_final(answer, document) and _is_counted(answer, document, units),
                    reported_usd=cost,
                    tier=tier_of(document, inner(document, "response"), usage),
                )
    return _read_without_usage(answer)


def _usages(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what stands where a usage is expected, the likeliest place first."""
    yield child(document, "usage")
    for holder in ("response", "result", "x_groq", UNKNOWN):
        yield child(document, holder, "usage")
    choices = document.get("choices")
    if isinstance(choices, list) and len(choices) == 1:
        yield child(choices[0], "usage")  # Moonshot's streams
    yield child(document, "usage_info")  # Mistral's OCR


def _read_units(answer: Answer, document: Mapping[str, Any], usage: Mapping[str, Any]) -> dict[str, Number]:
    units = read_tokens(usage)
    if answer.shape == "perplexity":
        _read_perplexity(units, usage)
    if answer.shape == "voyage":
        _read_voyage(units, usage)
    add_part(units, "seconds", count(usage.get("seconds", usage.get("prompt_audio_seconds"))))
    _read_pages(units, document, usage)
    _read_searches(units, inner(document, "response") or document)
    if "output_tokens" not in units:
        _read_images(units, answer, document)
    return units


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


def _read_searches(units: dict[str, Number], response: Mapping[str, Any]) -> None:
    """Count the web searches of OpenAI's own tool: as the response does, or by its calls."""
    reported = count(child(response, "tool_usage", "web_search").get("num_requests"))
    output = response.get("output")
    if reported is None and isinstance(output, list):
        reported = sum(1 for item in output if _is_search(item))
    add_part(units, "web_searches", reported)


def _is_search(item: Any) -> bool:
    """Tell whether an item is a web search; opening a page is not billed as one."""
    if not isinstance(item, dict) or item.get("type") != "web_search_call":
        return False
    return bool(child(item, "action").get("type", "search") == "search")


def _read_images(units: dict[str, Number], answer: Answer, document: Mapping[str, Any]) -> None:
    data = document.get("data")
    if isinstance(data, list) and answer.path.rstrip("/").endswith(_IMAGE_PATHS):
        add_part(units, "images", len(data))


def _is_final(answer: Answer, document: Mapping[str, Any]) -> bool:
    """Tell whether nothing can follow that changes the usage of this document."""
    if answer.is_last(document) or word(document.get("type")) in _LAST_EVENTS:
        return True
    return answer.streamed and document.get("choices") == []


def _is_counted(answer: Answer, document: Mapping[str, Any], units: Mapping[str, Number]) -> bool:
    """Tell whether nothing that counts was lost in a gap: the last event of a response has all of it."""
    if not answer.gap or (answer.streamed and word(document.get("type")) in _LAST_EVENTS):
        return True
    path = answer.path.rstrip("/")
    if "usage_info" in document:
        return "document_annotation" in document
    if path.endswith(_IMAGE_PATHS):
        return "data" in document or "output_tokens" in units
    if path.endswith("/responses"):
        return _are_searches_counted(inner(document, "response") or document)
    return "input_tokens" in units or "output_tokens" not in units


def _are_searches_counted(response: Mapping[str, Any]) -> bool:
    """Tell whether no web search can have been lost with other members of a response."""
    if child(response, "tool_usage"):
        return True
    output, tools = response.get("output"), response.get("tools")
    if isinstance(output, list):
        return not any(_is_search(item) for item in output)
    kinds = [str(child(tool).get("type")) for tool in tools] if isinstance(tools, list) else ["web_search"]
    return not any(kind.startswith("web_search") for kind in kinds)


def _read_without_usage(answer: Answer) -> Optional[Usage]:
    """Return what an answer says that has no usage: how long an audio is, how many images there are."""
    document = answer.last
    units: dict[str, Number] = {}
    if "/audio/" in answer.path:
        add_part(units, "seconds", count(document.get("duration")))
    if not answer.streamed and not answer.gap:
        _read_images(units, answer, document)
    return answer.usage(units, document.get("model"), tier=tier_of(document))
