"""Additions of other providers to OpenAI's API: counts, tools, models and routes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Optional

from recost.pricing.usage.extractors.tokens import read_tokens
from recost.pricing.usage.fields import add, add_part, child, children, count, identifier, inner, word
from recost.pricing.usage.model import Number, Usage
from recost.pricing.usage.names import model_of
from recost.pricing.usage.response import DecodedResponse

__all__ = [
    "are_own_tools_possible",
    "find_uncounted",
    "model_and_provider",
    "read_breakdown",
    "read_extras",
    "read_request",
    "runs_own_tools",
]

_BY_REQUEST: Final = re.compile(r"sonar(?:-reasoning)?(?:-pro)?\Z")
"""Models of Perplexity that bill requests, rather than citations and searches:
https://docs.perplexity.ai/docs/getting-started/pricing, as of 2026-11."""
_CONTEXTS: Final = frozenset({"low", "medium", "high"})
"""Sizes of the context that was searched. The fee of a request depends on it."""
_COMPOUND: Final = re.compile(r"(?:groq/)?compound|\Z")
_HAVE_TOOLS: Final = re.compile(r"(?:groq/)?compound|(?:openai/)?gpt-oss|\Z")
"""Models of Groq with built-in tools: https://console.groq.com/docs/tool-use/built-in-tools. In a stream, the
tools of a single model come early."""
_PROVIDER_HEADERS: Final = {
    "cloudflare_compat": "cf-aig-provider",
    "huggingface": "x-inference-provider",
    "portkey": "x-portkey-provider",
}
"""https://developers.cloudflare.com/ai-gateway/features/routing/dynamic-routing/usage/,
https://huggingface.co/docs/inference-providers, https://github.com/Portkey-AI/gateway."""


def model_and_provider(
    response: DecodedResponse, model: Optional[str]
) -> tuple[Optional[str], Optional[str]]:
    """Return the model by its provider's name, and the provider behind a router or gateway.

    Vercel names both as ``openai/gpt-5``.
    """
    header = _PROVIDER_HEADERS.get(response.shape)
    if header is not None:
        return model, identifier(response.headers.get(header))
    if response.shape != "vercel" or model is None:
        return model, None
    provider, _, name = model.partition("/")
    return (name, provider) if name else (model, None)


def read_extras(
    units: dict[str, Number], shape: str, document: Mapping[str, Any], usage: Mapping[str, Any]
) -> None:
    """Add what a provider counts in its own way."""
    if shape in ("gemini", "vertex"):
        _read_thoughts(units, usage)
    elif shape == "mistral":
        _read_connectors(units, usage)
    elif shape == "perplexity" and not _BY_REQUEST.match(word(document.get("model"))):
        _read_perplexity(units, usage)
    elif shape == "voyage":
        _read_voyage(units, usage)


def _read_thoughts(units: dict[str, Number], usage: Mapping[str, Any]) -> None:
    """Add Gemini's thoughts, which are in the total only, to the output as which they are billed."""
    total, output_tokens = count(usage.get("total_tokens")), units.get("output_tokens")
    input_tokens = units.get("input_tokens")
    if total is None or input_tokens is None or "completion_tokens" not in usage:
        return
    thoughts = total - input_tokens - (output_tokens or 0)
    if thoughts > 0:
        units["output_tokens"] = add(output_tokens, thoughts)
        add_part(units, "reasoning_tokens", thoughts)


def _read_connectors(units: dict[str, Number], usage: Mapping[str, Any]) -> None:
    """Add what Mistral's connectors put into the prompt: ``ConversationUsageInfo`` of its SDK."""
    if "input_tokens" in units:
        add_part(units, "input_tokens", count(usage.get("connector_tokens")))
        add_part(units, "input_tool_tokens", count(usage.get("connector_tokens")))


def _read_perplexity(units: dict[str, Number], usage: Mapping[str, Any]) -> None:
    """Add what Perplexity counts apart: reasoning, citations and searches of its research models."""
    if "reasoning_tokens" in usage and count(usage.get("completion_tokens")) == units.get("output_tokens"):
        add_part(units, "output_tokens", count(usage["reasoning_tokens"]))
    add_part(units, "output_tokens", count(usage.get("citation_tokens")))
    add_part(units, "output_citation_tokens", count(usage.get("citation_tokens")))
    searches = child(usage, "tool_calls_details", "search_web").get("invocation")
    add_part(units, "web_searches", count(usage.get("num_search_queries", searches)))


def _read_voyage(units: dict[str, Number], usage: Mapping[str, Any]) -> None:
    """Separate text from pixels, as they are billed: https://docs.voyageai.com/docs/pricing."""
    pixels = add(count(usage.get("image_pixels")), count(usage.get("video_pixels")))
    if pixels:
        units["input_tokens"] = count(usage.get("text_tokens")) or 0
        units["input_pixels"] = pixels


def read_request(units: dict[str, Number], model: Optional[str], usage: Mapping[str, Any]) -> None:
    """Add the request to a model of Perplexity that bills requests by the size of the context."""
    if _BY_REQUEST.match(model or ""):
        size = word(usage.get("search_context_size"))
        units[f"{size if size in _CONTEXTS else 'low'}_context_requests"] = 1


def find_uncounted(
    response: DecodedResponse, document: Mapping[str, Any], usage: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return the names of tools and fees that are billed by the call, without a price in the list."""
    found: list[str] = []
    if response.shape == "mistral":
        connectors = child(usage, "connectors")
        found = [name for name in sorted(connectors) if count(connectors[name]) and identifier(name)]
        if count(usage.get("connector_tokens")) and not found:
            found = ["connectors"]
    elif response.shape == "xai":
        if count(usage.get("num_sources_used")):
            found.append("sources")
        tools = {
            **child(usage, "server_side_tool_usage_details"),
            **child(document, "server_side_tool_usage"),
        }
        found += [str(name).lower() for name in sorted(tools) if count(tools[name]) and identifier(name)]
    elif response.shape == "perplexity":
        model = word((inner(document, "response") or document).get("model"))
        counted = word(usage.get("search_context_size")) in _CONTEXTS and _BY_REQUEST.match(model)
        searches = "sonar" in model and "deep-research" not in model
        if not counted and (searches or not model):
            found.append("request_fee")
    return tuple(found)


def read_breakdown(response: DecodedResponse, document: Mapping[str, Any]) -> tuple[Usage, ...]:
    """Return the usage of each model of Groq's compound systems: https://console.groq.com/docs/compound."""
    for holder in (document, child(document, "x_groq")) if response.shape == "groq" else ():
        models = children(child(holder, "usage_breakdown").get("models"))
        if models:
            return tuple(
                Usage(identifier(model.get("model")), read_tokens(child(model, "usage"))) for model in models
            )
    return ()


def runs_own_tools(response: DecodedResponse) -> bool:
    """Return True if Groq's own tools, which are billed by the call, were run."""
    return response.shape == "groq" and any(
        child(choice, holder).get("executed_tools")
        for document in response.documents
        for choice in children(document.get("choices"))
        for holder in ("message", "delta")
    )


def are_own_tools_possible(response: DecodedResponse, document: Mapping[str, Any]) -> bool:
    """Return True if Groq's own tools may have been run."""
    if response.shape != "groq":
        return False
    model = model_of([*response.documents[:1], document]) or ""
    return bool((_COMPOUND if response.streamed else _HAVE_TOOLS).match(model))
