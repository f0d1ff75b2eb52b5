"""Responses of OpenAI whose tools are billed besides tokens, and what each costs by the price list, by hand.

A million tokens in and out: gpt-4.1 $2 and $8, -mini $0.40 and $1.60, -nano $0.10 and $0.40; gpt-4o $2.50 and
$10, -mini $0.15 and $0.60; gpt-5 $1.25 and $10, -mini $0.25 and $2; o3 $2 and $8; o4-mini $1.10 and $4.40.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from recost.pricing.usage import Usage
from tests.pricing.usage.responses.build import CHAT, JSON, SSE, Sample, chat, plain, sample, sse, used
from tests.pricing.usage.responses.openai import RESPONSES, response

USAGE = {
    "input_tokens": 1000,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 500,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 1500,
}
BY_HAND: dict[str, str] = {}
"""US dollars by the name of the sample."""


def call(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": f"{kind}_call", "id": "c_1", "status": "completed", **more}


def tools(*names: str, **more: Any) -> dict[str, Any]:
    return {"tools": [{"type": name, **more} for name in names]}


SEARCH = call("web_search", action={"type": "search", "query": "x"})
OPEN = call("web_search", action={"type": "open_page", "url": "https://a.example"})
FILES = call("file_search", queries=["a"], results=None)
CODE = call("code_interpreter", container_id="cntr_1", code="1", outputs=None)
SHELL = call("shell", environment={"type": "container_reference", "container_id": "cntr_1"})
FREE = [
    call("function", name="f", arguments="{}", call_id="c"),
    call("custom_tool", name="f", input="x", call_id="c"),
    call("mcp", name="f", arguments="{}", server_label="s"),
    call("computer", action={"type": "screenshot"}),
    call("local_shell", action={"type": "exec"}),
    call("shell", environment={"type": "local"}),
    call("apply_patch", operation={}),
    OPEN,
]


def named(output: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the tools that make these calls."""
    return tools(*sorted({item["type"].removesuffix("_call") for item in output}))


def image(quality: str, size: str, **more: Any) -> dict[str, Any]:
    return call("image_generation", result="iVBO", quality=quality, size=size, **more)


def made(model: str, usage: dict[str, Any]) -> dict[str, Any]:
    stated = {"image_gen": usage, "web_search": {"num_requests": 0}}
    return {**tools("image_generation", model=model), "tool_usage": stated}


def stated(taken: int, count: int, **details: Any) -> dict[str, Any]:
    return {"input_tokens": taken, "output_tokens": count, "total_tokens": taken + count, **details}


ALL_IMAGE = {"output_tokens_details": {"image_tokens": 7024, "text_tokens": 0}}
SENT_IMAGE = {"input_tokens_details": {"text_tokens": 100, "image_tokens": 900}}

_ROWS: list[tuple[str, str, list[dict[str, Any]], dict[str, Any], dict[str, Any], Sequence[str], str]] = [
    ("a file search", "gpt-5-mini", [FILES], {}, {"file_searches": 1}, (), "0.00375"),
    ("three file searches", "gpt-4o", [FILES] * 3, {}, {"file_searches": 3}, (), "0.015"),
    (
        "a file search, no price for the model",
        "gpt-4.1-nano",
        [FILES],
        {},
        {"file_searches": 1},
        (),
        "0.0028",
    ),
    (
        "file and web searches",
        "o3",
        [FILES, SEARCH],
        {},
        {"file_searches": 1, "web_searches": 1},
        (),
        "0.0185",
    ),
    (
        "a file search that failed",
        "gpt-5",
        [{**FILES, "status": "failed"}],
        {},
        {},
        ["file_search"],
        "0.00625",
    ),
    ("a code interpreter", "gpt-5", [CODE], tools("code_interpreter"), {}, ["code_interpreter"], "0.00625"),
    (
        "code and files",
        "gpt-5",
        [CODE, FILES, CODE],
        {},
        {"file_searches": 1},
        ["code_interpreter"],
        "0.00875",
    ),
    ("a shell of its own", "gpt-5", [SHELL], tools("shell"), {}, ["shell"], "0.00625"),
    ("calls that cost nothing", "gpt-5", FREE, tools("function", "mcp", "local_shell"), {}, (), "0.00625"),
    ("a call of a new kind", "gpt-5", [call("teleport")], {}, {}, ["teleport_call"], "0.00625"),
    ("a search", "gpt-4o", [SEARCH], tools("web_search"), {"web_searches": 1}, (), "0.0175"),
    ("a dated search", "gpt-4.1", [SEARCH], tools("web_search_2025_08_26"), {"web_searches": 1}, (), "0.016"),
    (
        "a preview search",
        "gpt-4o",
        [SEARCH],
        tools("web_search_preview"),
        {"preview_web_searches": 1},
        (),
        "0.0325",
    ),
    (
        "two dated preview searches",
        "gpt-4.1-2025-04-14",
        [SEARCH, OPEN, SEARCH],
        tools("function", "web_search_preview_2025_03_11"),
        {"preview_web_searches": 2},
        (),
        "0.056",
    ),
    (
        "a preview search, reasoning",
        "o4-mini",
        [SEARCH],
        tools("web_search_preview"),
        {"web_searches": 1},
        (),
        "0.0133",
    ),
    (
        "a preview search of GPT-5",
        "gpt-5",
        [SEARCH],
        tools("web_search_preview"),
        {"web_searches": 1},
        (),
        "0.01625",
    ),
    (
        "a preview search, mini",
        "gpt-4o-mini",
        [SEARCH],
        tools("web_search_preview"),
        {"preview_web_searches": 1},
        (),
        "0.02545",
    ),
    (
        "a search whose content isn't among the tokens",
        "gpt-4.1-mini",
        [SEARCH],
        tools("web_search"),
        {"web_searches": 1},
        ["search_content_tokens"],
        "0.0112",
    ),
    (
        "an image, not counted",
        "gpt-5-mini",
        [image("high", "1024x1024")],
        tools("image_generation", model="gpt-image-2"),
        {},
        ["image_generation"],
        "0.00125",
    ),
    (
        "an image of whatever model",
        "gpt-5-mini",
        [image("high", "1024x1024")],
        {},
        {},
        ["image_generation"],
        "0.00125",
    ),
]

RESPONSE_SAMPLES = [
    sample(
        f"openai: response with {name}",
        RESPONSES,
        response(
            model,
            USAGE,
            **{**named(output), **more, "output": [*output, *response(model, USAGE)["output"]]},
        ),
        used(model, tier="default", uncounted=uncounted, input_tokens=1000, output_tokens=500, **units),
    )
    for name, model, output, more, units, uncounted, _ in _ROWS
]
BY_HAND.update({f"openai: response with {row[0]}": row[-1] for row in _ROWS})


def _with_images(
    name: str,
    usd: str,
    image_model: str,
    units: dict[str, int],
    more: dict[str, Any],
    *output: Any,
    uncounted: Sequence[str] = (),
    streamed: bool = False,
) -> Sample:
    final = response("gpt-5-mini", USAGE, **more)
    final["output"] = [*output, *final["output"]]
    body = plain(final)
    if streamed:
        begun = {**final, "status": "in_progress", "usage": None, "output": []}
        events = (("response.created", begun), ("response.in_progress", begun), ("response.completed", final))
        body = sse(*({"type": kind, "response": each} for kind, each in events), done=False, named=True)
    own = used("gpt-5-mini", tier="default", input_tokens=1000, output_tokens=500)
    parts = [own, Usage(image_model, units)]
    total: dict[str, Any] = dict(own.units)
    for unit, value in units.items():
        total[unit] = total.get(unit, 0) + value
    name = f"openai: response with {name}"
    BY_HAND[name] = usd
    sample_usage = used("gpt-5-mini", tier="default", parts=parts, uncounted=uncounted, **total)
    return sample(name, RESPONSES, body, sample_usage, SSE if streamed else JSON, shape="openai")


IMAGE_SAMPLES = [
    # 7,024 at $30 a million.
    _with_images(
        "an image of gpt-image-2",
        "0.21197",
        "gpt-image-2",
        {"input_tokens": 0, "output_tokens": 7024, "output_image_tokens": 7024},
        made("gpt-image-2", stated(0, 7024, **ALL_IMAGE)),
        image("high", "1024x1024"),
    ),
    _with_images(
        "an image, streamed",
        "0.21197",
        "gpt-image-2",
        {"input_tokens": 0, "output_tokens": 7024, "output_image_tokens": 7024},
        made("gpt-image-2", stated(0, 7024, **ALL_IMAGE)),
        image("high", "1024x1024"),
        streamed=True,
    ),
    # 50 of text at $5, 4,160 of images at $32.
    _with_images(
        "an image without details",
        "0.13462",
        "gpt-image-1.5",
        {"input_tokens": 50, "output_tokens": 4160, "output_image_tokens": 4160},
        made("gpt-image-1.5", stated(50, 4160)),
        image("high", "1024x1024"),
    ),
    # 100 of text at $5, 900 of images at $10, 1,056 at $40.
    _with_images(
        "an image that was edited",
        "0.05299",
        "gpt-image-1",
        {"input_tokens": 1000, "input_image_tokens": 900, "output_tokens": 1056, "output_image_tokens": 1056},
        made("gpt-image-1", stated(1000, 1056, **SENT_IMAGE)),
        image("medium", "1024x1024"),
    ),
    # Twice 1,568 at $40, by the guide; what they took in isn't known.
    _with_images(
        "two images by their size",
        "0.12669",
        "gpt-image-1",
        {"output_tokens": 3136, "output_image_tokens": 3136},
        tools("image_generation", model="gpt-image-1"),
        image("medium", "1536x1024"),
        image("medium", "1536x1024"),
        uncounted=["image_generation"],
    ),
]

_CHATS: list[tuple[str, dict[str, Any], str]] = [
    ("gpt-4o-search-preview", {"preview_web_searches": 1}, "0.0325"),
    ("gpt-4o-search-preview-2025-03-11", {"preview_web_searches": 1}, "0.0325"),
    ("gpt-5-search-api", {"web_searches": 1}, "0.01625"),
]
CHAT_SAMPLES = [
    sample(
        f"openai: chat of {model}",
        CHAT,
        chat(model, {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}),
        used(model, uncounted=["web_searches"], input_tokens=1000, output_tokens=500, **units),
    )
    for model, units, _ in _CHATS
]
BY_HAND.update({f"openai: chat of {model}": usd for model, _, usd in _CHATS})

SAMPLES = [*RESPONSE_SAMPLES, *IMAGE_SAMPLES, *CHAT_SAMPLES]
