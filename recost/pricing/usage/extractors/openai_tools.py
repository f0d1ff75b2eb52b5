"""Usage of the built-in tools of OpenAI's Responses API, apart from the tokens of the calling model.

Prices: https://developers.openai.com/api/docs/pricing (built-in tools), as of 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, Optional

from recost.pricing.usage.extractors.tokens import read_tokens
from recost.pricing.usage.fields import add_part, child, children, count, identifier, word
from recost.pricing.usage.model import Number, Usage

__all__ = ["ToolUse", "are_calls_counted", "is_search", "read_chat_search", "read_tools", "whole_images"]

_FREE: Final = frozenset(
    {
        "apply_patch_call",
        "computer_call",
        "custom_tool_call",
        "function_call",
        "local_shell_call",
        "mcp_call",
        "tool_search_call",
    }
)
"""Calls that cost only tokens. A call of an unknown kind is named in `ToolUse.uncounted`."""
_COUNTED: Final = frozenset({"web_search_call", "file_search_call", "image_generation_call"})
_CONTAINERS: Final = {"code_interpreter_call": "code_interpreter", "shell_call": "shell"}
"""Calls that run in a container, which is billed by time and size. No response says whether it is new."""
_TOOLS: Final = {"web_search": "web_search", "image_generation": "image_gen"}
"""Tools whose use ``tool_usage`` states, with their names there."""
_FREE_TOOLS: Final = frozenset(
    {
        "apply_patch",
        "computer",
        "computer_use_preview",
        "custom",
        "function",
        "local_shell",
        "mcp",
        "tool_search",
    }
)
"""Tools whose calls are free."""
_WITHOUT_REASONING: Final = re.compile(r"(?:ft:)?(?:chatgpt-4o|gpt-4|gpt-3\.5)")
"""Models for which a search of the preview tool costs more, and its results are free."""
_BLOCK_MODELS: Final = re.compile(r"(?:ft:)?gpt-4(?:o|\.1)-mini")
_BLOCK: Final = 8000
"""Tokens that such a model is billed for the results of a search."""
_SEARCH_MODELS: Final = re.compile(r"gpt-[0-9a-z.]+(?:-mini)?-search-(preview|api)")
_IMAGE_TOKENS: Final = {
    "1024x1024": {"low": 272, "medium": 1056, "high": 4160},
    "1024x1536": {"low": 408, "medium": 1584, "high": 6240},
    "1536x1024": {"low": 400, "medium": 1568, "high": 6208},
}
"""Tokens of one image: https://developers.openai.com/api/docs/guides/image-generation, as of 2026-11."""
_COUNTED_MODELS: Final = frozenset({"gpt-image-1", "gpt-image-1.5"})


class ToolUse(NamedTuple):
    """Usage of the tools of a response."""

    units: Mapping[str, Number]
    """Quantities billed with the model that called the tools."""
    images: tuple[Usage, ...] = ()
    """Usage of the models that generated images."""
    uncounted: tuple[str, ...] = ()
    """Names of what was billed and is not counted."""


def read_tools(response: Mapping[str, Any], model: Optional[str], input_tokens: Optional[Number]) -> ToolUse:
    """Return the usage of the tools of a response.

    Args:
        response: Response object with ``output``, ``tools`` and, if present, ``tool_usage``.
        model: Model of the response.
        input_tokens: Input of the model.
    """
    units: dict[str, Number] = {}
    if _has_no_tools(response):
        return ToolUse(units)
    uncounted = [*_read_searches(units, response, model or "", input_tokens or 0)]
    for item in _items(response):
        kind = word(item.get("type"))
        if kind == "file_search_call" and item.get("status", "completed") == "completed":
            add_part(units, "file_searches", 1)
        elif kind == "file_search_call":
            uncounted.append("file_search")
        elif kind in _CONTAINERS:
            uncounted += [_CONTAINERS[kind]] if kind != "shell_call" or _is_hosted(item) else []
        elif kind.endswith("_call") and kind not in _FREE | _COUNTED and identifier(kind):
            uncounted.append(kind)
    images, counted = _read_images(response)
    if not counted:
        uncounted.append("image_generation")
    return ToolUse(units, images, tuple(dict.fromkeys(uncounted)))


def read_chat_search(model: Optional[str]) -> ToolUse:
    """Return one search, the minimum of a chat completion of a search model, which doesn't count them.

    https://developers.openai.com/api/docs/guides/tools-web-search (chat completions), as of 2026-11.
    """
    found = _SEARCH_MODELS.match(model or "")
    if found is None:
        return ToolUse({})
    unit = "preview_web_searches" if _WITHOUT_REASONING.match(model or "") else "web_searches"
    return ToolUse({unit: 1}, uncounted=("web_searches",))


def are_calls_counted(response: Mapping[str, Any]) -> bool:
    """Return True if no billed call can be missing from a truncated response."""
    tools, stated = response.get("tools"), child(response, "tool_usage")
    billed = _billed(tools) if isinstance(tools, list) else set()
    if billed:
        return not billed - {name for name, key in _TOOLS.items() if key in stated}
    if isinstance(response.get("output"), list):
        return not any(_is_billed(item) or not item.get("type") for item in _items(response))
    return isinstance(tools, list) or bool(stated)


def is_search(item: Any) -> bool:
    """Return True if an item is a web search. Opening a page is not billed as one."""
    if not isinstance(item, dict) or item.get("type") != "web_search_call":
        return False
    return bool(child(item, "action").get("type", "search") == "search")


def whole_images(units: dict[str, Number]) -> dict[str, Number]:
    """Return the tokens of an image model. Without details, all its output is images."""
    output_tokens = units.get("output_tokens")
    if output_tokens and "output_image_tokens" not in units:
        units["output_image_tokens"] = output_tokens
    return units


def _has_no_tools(response: Mapping[str, Any]) -> bool:
    """Return True if no tool is billed, for a response whose calls are missing."""
    members = dict(response)  # a copy, so that no lookup is recorded
    tools = members.get("tools")
    if isinstance(members.get("output"), list) or not isinstance(tools, list) or _billed(tools):
        return False
    stated = child(members, "tool_usage").values()
    return not any(count(value) for use in stated for value in child(use).values())


def _billed(tools: list[Any]) -> set[str]:
    """Return the kinds of the tools that may be billed, without their versions."""
    kinds = {word(tool.get("type")) for tool in children(tools)} - _FREE_TOOLS
    return {next((name for name in _TOOLS if kind.startswith(name)), kind) for kind in kinds}


def _items(response: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return children(response.get("output"))


def _is_billed(item: Mapping[str, Any]) -> bool:
    kind = word(item.get("type"))
    return is_search(item) if kind == "web_search_call" else kind.endswith("_call") and kind not in _FREE


def _tools(response: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    return [tool for tool in children(response.get("tools")) if word(tool.get("type")).startswith(kind)]


def _read_searches(
    units: dict[str, Number], response: Mapping[str, Any], model: str, input_tokens: Number
) -> Iterator[str]:
    """Add the web searches, as reported or else by their calls. Yield what is not counted."""
    searches = count(child(response, "tool_usage", "web_search").get("num_requests"))
    if searches is None:
        searches = sum(1 for item in _items(response) if is_search(item))
    if not searches:
        return
    kinds = [word(tool.get("type")) for tool in _tools(response, "web_search")]
    preview = bool(kinds) and all(kind.startswith("web_search_preview") for kind in kinds)
    dearer = preview and _WITHOUT_REASONING.match(model) is not None
    add_part(units, "preview_web_searches" if dearer else "web_searches", searches)
    if not preview and _BLOCK_MODELS.match(model) and input_tokens < _BLOCK * searches:
        yield "search_content_tokens"


def _is_hosted(item: Mapping[str, Any]) -> bool:
    return word(child(item, "environment").get("type")).startswith("container")


def _read_images(response: Mapping[str, Any]) -> tuple[tuple[Usage, ...], bool]:
    """Return the usage of image models, and whether it is complete."""
    units = whole_images(read_tokens(child(response, "tool_usage", "image_gen")))
    calls = [item for item in _items(response) if item.get("type") == "image_generation_call"]
    generated = [item for item in calls if item.get("status") != "failed"]
    if not generated and not any(units.values()):
        return (), True
    models = {identifier(tool.get("model")) for tool in _tools(response, "image_generation")}
    model = next(iter(models)) if len(models) == 1 else None
    if any(units.values()):
        return ((Usage(model, units),), True) if model else ((), False)
    tokens = sum(_tokens_of(item) for item in generated) if model in _COUNTED_MODELS else 0
    estimate = (Usage(model, {"output_tokens": tokens, "output_image_tokens": tokens}),) if tokens else ()
    return estimate, False


def _tokens_of(item: Mapping[str, Any]) -> int:
    return _IMAGE_TOKENS.get(word(item.get("size")), {}).get(word(item.get("quality")), 0)
