"""Answers of several models at once, or of what is billed besides tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from recost.pricing.usage import Usage
from tests.pricing.usage.responses.anthropic import PATH, message, stream
from tests.pricing.usage.responses.build import (
    CHAT,
    SMALL,
    SSE,
    TEXT,
    Sample,
    chat,
    chunk,
    ending,
    plain,
    sse,
    used,
)

SONNET = "claude-sonnet-4-6"
OPUS = "claude-opus-4-7"
_GROQ = "/openai/v1/chat/completions"
_CONTAINER = {"id": "container_011CPR5CNjB747bTd36fQLFk", "expires_at": "2026-11-23T21:13:31Z"}


def _advised(*models: str, **more: Any) -> dict[str, Any]:
    """Return a usage of 2,000 and 100 tokens, with advice of 2,500 and 500 by each of the models."""
    own = {"type": "message", "input_tokens": 2000, "output_tokens": 100}
    advice = [
        {"type": "advisor_message", "model": model, "input_tokens": 2500, "output_tokens": 500, **more}
        for model in models
    ]
    return {"input_tokens": 2000, "output_tokens": 100, "iterations": [own, *advice]}


def _parts(*models: str, model: str = SONNET) -> list[Usage]:
    advice = [used(name, input_tokens=2500, output_tokens=500) for name in models]
    return [used(model, input_tokens=2000, output_tokens=100), *advice]


def _advice(name: str, *models: str) -> Sample:
    count = len(models)
    return Sample(
        f"anthropic: {name}",
        "anthropic",
        PATH,
        plain(message(_advised(*models), model=SONNET)),
        used(
            SONNET,
            parts=_parts(*models),
            input_tokens=2000 + 2500 * count,
            output_tokens=100 + 500 * count,
        ),
    )


def _called(name: str, caller: str = "") -> dict[str, Any]:
    """Return the call of a tool that Anthropic runs; versions of old don't say who called it."""
    block = {"type": "server_tool_use", "id": "srvtoolu_01", "name": name, "input": {}}
    return {**block, "caller": {"type": caller}} if caller else block


ADVISED = [
    _advice("message with advice", OPUS),
    _advice("message with advice of two", OPUS, "claude-opus-4-8"),
    _advice("message with advice twice", OPUS, OPUS),
    Sample(
        "anthropic: message with advice from the cache",
        "anthropic",
        PATH,
        plain(message(_advised(OPUS, cache_read_input_tokens=1000), model=SONNET)),
        used(
            SONNET,
            parts=[
                used(SONNET, input_tokens=2000, output_tokens=100),
                used(OPUS, input_tokens=3500, cache_read_tokens=1000, output_tokens=500),
            ],
            input_tokens=5500,
            cache_read_tokens=1000,
            output_tokens=600,
        ),
    ),
    Sample(
        "anthropic: stream with advice",
        "anthropic",
        PATH,
        stream({"input_tokens": 2000, "output_tokens": 1}, _advised(OPUS), model=SONNET),
        used(SONNET, parts=_parts(OPUS), input_tokens=4500, output_tokens=600),
        SSE,
    ),
]

CODE = [
    Sample(
        "anthropic: message that ran code",
        "anthropic",
        PATH,
        plain(message({"input_tokens": 10, "output_tokens": 25}, model=SONNET, container=_CONTAINER)),
        used(SONNET, uncounted=["code_execution"], input_tokens=10, output_tokens=25),
    ),
    Sample(
        "anthropic: message that counts the code it ran",
        "anthropic",
        PATH,
        plain(
            message(
                {
                    "input_tokens": 10,
                    "output_tokens": 25,
                    "server_tool_use": {"web_search_requests": 0, "code_execution_requests": 2},
                },
                model=OPUS,
            )
        ),
        used(OPUS, uncounted=["code_execution"], input_tokens=10, output_tokens=25),
    ),
    *(
        Sample(
            f"anthropic: message that ran code {name}",
            "anthropic",
            PATH,
            plain(
                message(
                    {
                        "input_tokens": 10,
                        "output_tokens": 25,
                        "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0},
                    },
                    model=SONNET,
                    container=_CONTAINER,
                    content=[_called("code_execution"), _called(*search)],
                )
            ),
            used(SONNET, uncounted=uncounted, input_tokens=10, output_tokens=25, web_searches=1),
        )
        for name, search, uncounted in (
            ("for a search", ("web_search", "code_execution_20260120"), ()),
            ("beside a search", ("web_search", "direct"), ()),
            ("for a page", ("web_fetch", "code_execution_20260120"), ()),
            ("and searched with a tool of old", ("web_search",), ["code_execution"]),
        )
    ),
    Sample(
        "anthropic: stream that ran code",
        "anthropic",
        PATH,
        sse(
            {
                "type": "message_start",
                "message": message({"input_tokens": 10, "output_tokens": 1}, model=SONNET, content=[]),
            },
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn", "container": _CONTAINER},
                "usage": {"output_tokens": 25},
            },
            {"type": "message_stop"},
            done=False,
            named=True,
        ),
        used(SONNET, uncounted=["code_execution"], input_tokens=10, output_tokens=25),
        SSE,
    ),
]

CLOSED = [
    Sample(
        f"anthropic: stream closed early, {name}",
        "anthropic",
        PATH,
        sse(
            {
                "type": "message_start",
                "message": message({**usage, "output_tokens": 1}, model=model, content=[]),
            },
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": TEXT}},
            *(
                {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta"}}
                for _ in range(20)
            ),
            done=False,
            named=True,
        ),
        replace(used(model, partial=True, uncounted=["output_tokens"]), units=units),
        SSE,
    )
    for name, model, usage, units in (
        ("Sonnet", SONNET, {"input_tokens": 25}, {"input_tokens": 25}),
        ("Haiku", "claude-haiku-4-5", {"input_tokens": 2500}, {"input_tokens": 2500}),
        (
            "with a cache",
            OPUS,
            {"input_tokens": 5, "cache_read_input_tokens": 900},
            {"input_tokens": 905, "cache_read_tokens": 900},
        ),
    )
]


def _broken_down(*models: tuple[str, int, int]) -> dict[str, Any]:
    return {
        "models": [
            {"model": name, "usage": {"prompt_tokens": taken, "completion_tokens": made}}
            for name, taken, made in models
        ]
    }


_LLAMA, _OSS = "llama-3.3-70b-versatile", "openai/gpt-oss-120b"
_LLAMA_PART = used(_LLAMA, input_tokens=100, output_tokens=50)
_OSS_PART = used(_OSS, input_tokens=700, output_tokens=80)
GROQ = [
    Sample(
        "groq: compound of one model",
        "groq",
        _GROQ,
        plain(chat("groq/compound", SMALL, usage_breakdown=_broken_down((_LLAMA, 100, 50)))),
        used("groq/compound", parts=[_LLAMA_PART], input_tokens=100, output_tokens=50),
    ),
    Sample(
        "groq: compound of two models",
        "groq",
        _GROQ,
        plain(chat("groq/compound", SMALL, usage_breakdown=_broken_down((_LLAMA, 100, 50), (_OSS, 700, 80)))),
        used("groq/compound", parts=[_LLAMA_PART, _OSS_PART], input_tokens=800, output_tokens=130),
    ),
    Sample(
        "groq: small compound",
        "groq",
        _GROQ,
        plain(chat("groq/compound-mini", SMALL, usage_breakdown=_broken_down((_OSS, 700, 80)))),
        used("groq/compound-mini", parts=[_OSS_PART], input_tokens=700, output_tokens=80),
    ),
    Sample(
        "groq: compound that ran tools",
        "groq",
        _GROQ,
        plain(
            {
                **chat("groq/compound", SMALL, usage_breakdown=_broken_down((_OSS, 700, 80))),
                "choices": [{"message": {"content": "Hi", "executed_tools": [{"type": "search"}]}}],
            }
        ),
        used(
            "groq/compound",
            parts=[_OSS_PART],
            uncounted=["executed_tools"],
            input_tokens=700,
            output_tokens=80,
        ),
    ),
]

_CONVERSATION = {"object": "conversation.response", "conversation_id": "conv_06835a34f8ed7b8a80003e9d"}
_OUTPUTS = [{"type": "message.output", "model": "mistral-medium-2508", "content": "Hi"}]
MISTRAL = [
    Sample(
        f"mistral: conversation{name}",
        "mistral",
        "/v1/conversations",
        plain({**_CONVERSATION, "outputs": _OUTPUTS, "usage": {**SMALL, **usage}}),
        replace(
            used("mistral-medium-2508", uncounted=uncounted),
            units={"input_tokens": 20, "output_tokens": 30, **units},
        ),
    )
    for name, usage, uncounted, units in (
        ("", {"connector_tokens": None, "connectors": None}, (), {}),
        (
            " with a search",
            {"connector_tokens": 400, "connectors": {"web_search": 1}},
            ["web_search"],
            {"input_tokens": 420, "input_tool_tokens": 400},
        ),
        (
            " with code and an image",
            {"connector_tokens": 0, "connectors": {"image_generation": 1, "code_interpreter": 2}},
            ["code_interpreter", "image_generation"],
            {},
        ),
        (
            " with connectors that are not named",
            {"connector_tokens": 7},
            ["connectors"],
            {"input_tokens": 27, "input_tool_tokens": 7},
        ),
    )
]
MISTRAL += [
    Sample(
        "mistral: conversation, streamed",
        "mistral",
        "/v1/conversations",
        sse(
            {"type": "conversation.response.started", "conversation_id": "conv_06835a34"},
            {"type": "message.output.delta", "model": "mistral-small-latest", "content": "Hi"},
            {"type": "conversation.response.done", "usage": SMALL},
            done=False,
            named=True,
        ),
        used("mistral-small-latest", input_tokens=20, output_tokens=30),
        SSE,
    )
]

XAI = [
    Sample(
        f"xai: chat, {name}",
        "xai",
        CHAT,
        plain(chat("grok-4-0709", {**SMALL, **usage})),
        used("grok-4-0709", uncounted=uncounted, input_tokens=20, output_tokens=30),
    )
    for name, usage, uncounted in (
        ("no sources", {"num_sources_used": 0}, ()),
        ("sources", {"num_sources_used": 12}, ["sources"]),
        (
            "tools",
            {"server_side_tool_usage_details": {"web_search_calls": 2, "x_search_calls": 0}},
            ["web_search_calls"],
        ),
    )
]
XAI += [
    Sample(
        "xai: stream with sources",
        "xai",
        CHAT,
        sse(chunk("grok-3", "Hi"), ending("grok-3", {**SMALL, "num_sources_used": 3})),
        used("grok-3", uncounted=["sources"], input_tokens=20, output_tokens=30),
        SSE,
    )
]

PERPLEXITY = [
    Sample(
        f"perplexity: {model} without a cost",
        "perplexity",
        "/chat/completions",
        plain(chat(model, {**SMALL, "search_context_size": "low"})),
        used(model, input_tokens=20, output_tokens=30, low_context_requests=1),
    )
    for model in ("sonar", "sonar-pro", "sonar-reasoning-pro")
]
PERPLEXITY += [
    Sample(
        "perplexity: chat with a medium context, without a cost",
        "perplexity",
        "/chat/completions",
        plain(chat("sonar", {**SMALL, "search_context_size": "medium"})),
        used("sonar", input_tokens=20, output_tokens=30, medium_context_requests=1),
    ),
    Sample(
        "perplexity: stream with a high context, without a cost",
        "perplexity",
        "/chat/completions",
        sse(
            {**chunk("sonar-pro", "Hi"), "usage": {**SMALL, "search_context_size": "high"}},
            ending("sonar-pro", {**SMALL, "search_context_size": "high"}),
            done=False,
        ),
        used("sonar-pro", input_tokens=20, output_tokens=30, high_context_requests=1),
        SSE,
    ),
    Sample(
        "perplexity: research without a cost",
        "perplexity",
        "/chat/completions",
        plain(chat("sonar-deep-research", {**SMALL, "citation_tokens": 10, "num_search_queries": 2})),
        used(
            "sonar-deep-research",
            input_tokens=20,
            output_tokens=40,
            output_citation_tokens=10,
            web_searches=2,
        ),
    ),
]

SAMPLES = [*ADVISED, *CODE, *CLOSED, *GROQ, *MISTRAL, *XAI, *PERPLEXITY]
