"""What the built-in tools of OpenAI's Responses are billed for, besides the tokens of the calling model.

Prices: https://developers.openai.com/api/docs/pricing (built-in tools), as of 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, Optional

from recost.pricing.usage.extractors.tokens import read_tokens
from recost.pricing.usage.fields import add_part, child, count, identifier, word
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
"""Calls that cost nothing but tokens. One of another kind is named as missing."""
_COUNTED: Final = frozenset({"web_search_call", "file_search_call", "image_generation_call"})
_CONTAINERS: Final = {"code_interpreter_call": "code_interpreter", "shell_call": "shell"}
"""Calls that run in a container, which is billed by time and size. No response says whether it is new."""
_TOOLS: Final = {"web_search": "web_search", "image_generation": "image_gen"}
"""Tools whose use ``tool_usage`` states, and the names that they have there."""
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
"""Models for which a search of the preview tool costs more, and what it finds is free."""
_BLOCK_MODELS: Final = re.compile(r"(?:ft:)?gpt-4(?:o|\.1)-mini")
_BLOCK: Final = 8000
"""Tokens that such a model is billed for what a search finds."""
_SEARCH_MODELS: Final = re.compile(r"gpt-[0-9a-z.]+(?:-mini)?-search-(preview|api)")
_IMAGE_TOKENS: Final = {
    "1024x1024": {"low": 272, "medium": 1056, "high": 4160},
    "1024x1536": {"low": 408, "medium": 1584, "high": 6240},
    "1536x1024": {"low": 400, "medium": 1568, "high": 6208},
}
"""Tokens of one image: https://developers.openai.com/api/docs/guides/image-generation, as of 2026-11."""
_WITH_THESE: Final = frozenset({"gpt-image-1", "gpt-image-1.5"})


class ToolUse(NamedTuple):
    """What the tools of a response used."""

    units: Mapping[str, Number]
    """Of the model that called them."""
    images: tuple[Usage, ...] = ()
    """Of the models that made images."""
    uncounted: tuple[str, ...] = ()
    """What was billed and has no count."""


def read_tools(response: Mapping[str, Any], model: Optional[str], taken: Optional[Number]) -> ToolUse:
    """Return what the tools of a response used.

    Args:
        response: With ``output``, ``tools`` and, where it has one, ``tool_usage``.
        model: That answered.
        taken: Tokens of its input.
    """
    units: dict[str, Number] = {}
    if _has_no_tools(response):
        return ToolUse(units)
    uncounted = [*_read_searches(units, response, model or "", taken or 0)]
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
    """Return the search that a chat completion of a search model makes at least: it doesn't count them.

    https://developers.openai.com/api/docs/guides/tools-web-search (chat completions), as of 2026-11.
    """
    found = _SEARCH_MODELS.match(model or "")
    if found is None:
        return ToolUse({})
    unit = "preview_web_searches" if _WITHOUT_REASONING.match(model or "") else "web_searches"
    return ToolUse({unit: 1}, uncounted=("web_searches",))


def are_calls_counted(response: Mapping[str, Any]) -> bool:
    """Tell whether no call that is billed can have been lost with other members of a response."""
    tools, stated = response.get("tools"), child(response, "tool_usage")
    billed = _billed(tools) if isinstance(tools, list) else set()
    if billed:
        return not billed - {name for name, key in _TOOLS.items() if key in stated}
    if isinstance(response.get("output"), list):
        return not any(_is_billed(item) or not item.get("type") for item in _items(response))
    return isinstance(tools, list) or bool(stated)


def is_search(item: Any) -> bool:
    """Tell whether an item is a web search; opening a page is not billed as one."""
    if not isinstance(item, dict) or item.get("type") != "web_search_call":
        return False
    return bool(child(item, "action").get("type", "search") == "search")


def whole_images(units: dict[str, Number]) -> dict[str, Number]:
    """Return the tokens of a model that makes images; all it makes are those, where it says nothing else."""
    made = units.get("output_tokens")
    if made and "output_image_tokens" not in units:
        units["output_image_tokens"] = made
    return units


def _has_no_tools(response: Mapping[str, Any]) -> bool:
    """Tell whether none of the tools is billed, of a response whose calls were lost or left out."""
    members = dict(response)  # to ask for one that was left out would tell that it is needed
    tools = members.get("tools")
    if isinstance(members.get("output"), list) or not isinstance(tools, list) or _billed(tools):
        return False
    stated = child(members, "tool_usage").values()
    return not any(count(value) for use in stated for value in child(use).values())


def _billed(tools: list[Any]) -> set[str]:
    """Return the kinds of the tools that may be billed, without version."""
    kinds = {word(child(tool).get("type")) for tool in tools} - _FREE_TOOLS
    return {next((name for name in _TOOLS if kind.startswith(name)), kind) for kind in kinds}


def _items(response: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    output = response.get("output")
    for item in output if isinstance(output, list) else ():
        yield child(item)


def _is_billed(item: Mapping[str, Any]) -> bool:
    kind = word(item.get("type"))
    return is_search(item) if kind == "web_search_call" else kind.endswith("_call") and kind not in _FREE


def _tool(response: Mapping[str, Any], kind: str) -> Iterator[Mapping[str, Any]]:
    tools = response.get("tools")
    for tool in tools if isinstance(tools, list) else ():
        if word(child(tool).get("type")).startswith(kind):
            yield child(tool)


def _read_searches(
    units: dict[str, Number], response: Mapping[str, Any], model: str, taken: Number
) -> Iterator[str]:
    """Count the web searches: as the response does, or by its calls."""
    searches = count(child(response, "tool_usage", "web_search").get("num_requests"))
    if searches is None:
        searches = sum(1 for item in _items(response) if is_search(item))
    if not searches:
        return
    kinds = [word(tool.get("type")) for tool in _tool(response, "web_search")]
    preview = bool(kinds) and all(kind.startswith("web_search_preview") for kind in kinds)
    dearer = preview and _WITHOUT_REASONING.match(model) is not None
    add_part(units, "preview_web_searches" if dearer else "web_searches", searches)
    if not preview and _BLOCK_MODELS.match(model) and taken < _BLOCK * searches:
        yield "search_content_tokens"


def _is_hosted(item: Mapping[str, Any]) -> bool:
    return word(child(item, "environment").get("type")).startswith("container")


def _read_images(response: Mapping[str, Any]) -> tuple[tuple[Usage, ...], bool]:
    """Return what images took, and whether that is all that is billed for them."""
    units = whole_images(read_tokens(child(response, "tool_usage", "image_gen")))
    calls = [item for item in _items(response) if item.get("type") == "image_generation_call"]
    made = [item for item in calls if item.get("status") != "failed"]
    if not made and not any(units.values()):
        return (), True
    models = {identifier(tool.get("model")) for tool in _tool(response, "image_generation")}
    model = next(iter(models)) if len(models) == 1 else None
    if any(units.values()):
        return ((Usage(model, units),), True) if model else ((), False)
    tokens = sum(_tokens_of(item) for item in made) if model in _WITH_THESE else 0
    guess = (Usage(model, {"output_tokens": tokens, "output_image_tokens": tokens}),) if tokens else ()
    return guess, False


def _tokens_of(item: Mapping[str, Any]) -> int:
    return _IMAGE_TOKENS.get(word(item.get("size")), {}).get(word(item.get("quality")), 0)
