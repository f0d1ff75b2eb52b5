"""Responses whose price depends on where the model ran, and other interfaces of Google."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.pricing.usage.responses.anthropic import PATH, message, stream
from tests.pricing.usage.responses.build import (
    CHAT,
    SMALL,
    SSE,
    chat,
    chunk,
    ending,
    plain,
    sample,
    sse,
    used,
)

_OPENAI_STYLE = "/v1beta/openai/chat/completions"
_INTERACTIONS = "/v1beta/interactions"
_FLASH, _PRO = "gemini-2.5-flash", "gemini-2.5-pro"

GEO = [
    sample(
        f"anthropic: message for {geo}, {model}",
        PATH,
        message({"input_tokens": 1000, "output_tokens": 100, "inference_geo": geo}, model=model),
        used(model, factor=factor, uncounted=uncounted, input_tokens=1000, output_tokens=100),
    )
    for geo, model, factor, uncounted in (
        ("us", "claude-opus-4-6", "1.1", ()),
        ("us", "claude-sonnet-4-6", "1.1", ()),
        ("us", "claude-opus-4-7", "1.1", ()),
        ("global", "claude-opus-4-6", None, ()),
        ("not_available", "claude-haiku-4-5", None, ()),
        ("eu", "claude-opus-4-7", None, ["inference_geo"]),
    )
]
GEO += [
    sample(
        "anthropic: stream for us",
        PATH,
        stream(
            {"input_tokens": 500, "output_tokens": 1, "inference_geo": "us"},
            {"output_tokens": 70},
            model="claude-opus-4-6",
        ),
        used("claude-opus-4-6", factor="1.1", input_tokens=500, output_tokens=70),
        SSE,
    )
]


def _claude(location: str, model: str) -> str:
    return f"/v1/projects/p/locations/{location}/publishers/anthropic/models/{model}:rawPredict"


def _gemini(location: str, model: str) -> str:
    return f"/v1/projects/p/locations/{location}/publishers/google/models/{model}:generateContent"


VERTEX = [
    sample(
        f"vertex: {model} in {location}",
        _claude(location, model),
        message({"input_tokens": 1000, "output_tokens": 100}, model=model.replace("@", "-")),
        used(model.replace("@", "-"), factor=factor, input_tokens=1000, output_tokens=100),
    )
    for location, model, factor in (
        ("global", "claude-haiku-4-5@20251001", None),
        ("europe-west1", "claude-haiku-4-5@20251001", "1.1"),
        ("us", "claude-sonnet-4-6", "1.1"),
        ("us-east5", "claude-opus-4-7", "1.1"),
        ("us-east5", "claude-sonnet-4@20250514", None),
        ("us-east5", "claude-3-5-haiku@20241022", None),
    )
]
VERTEX += [
    sample(
        f"vertex: {model} in {location}",
        _gemini(location, model),
        {
            "candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}],
            "usageMetadata": {
                "promptTokenCount": 100,
                "candidatesTokenCount": 20,
                "totalTokenCount": 120,
            },
            "modelVersion": model,
        },
        used(model, uncounted=uncounted, input_tokens=100, output_tokens=20),
    )
    for location, model, uncounted in (
        ("us-central1", _FLASH, ()),
        ("europe-west4", _PRO, ()),
        ("global", "gemini-3-flash-preview", ()),
        ("us-central1", "gemini-3-flash-preview", ["region"]),
    )
]


def _predictions(*counts: int, numbers: int) -> dict[str, Any]:
    values = [0.012345678901234567] * numbers
    return {
        "predictions": [
            {"embeddings": {"statistics": {"token_count": count, "truncated": False}, "values": values}}
            for count in counts
        ]
    }


EMBEDDINGS = [
    sample(
        f"vertex: embedding of {numbers} numbers{note}",
        f"/v1/projects/p/locations/us-central1/publishers/google/models/{model}:predict",
        plain(_predictions(*counts, numbers=numbers), indent=indent),
        used(partial=partial, input_tokens=sum(counts[:seen])),
    )
    for numbers, counts, model, indent, partial, seen, note in (
        (768, (1000,), "gemini-embedding-001", None, False, 9, ""),
        (3072, (1000,), "gemini-embedding-001", 1, False, 9, ", a line each"),
        (3072, (77,), "gemini-embedding-001", 4, False, 9, ", indented"),
    )
]


def _interaction(model: str, **counts: int) -> dict[str, Any]:
    usage = {f"total_{name}_tokens": count for name, count in counts.items()}
    return {"id": "v1_ChdX", "object": "interaction", "model": model, "status": "completed", "usage": usage}


INTERACTIONS = [
    sample(
        "gemini: interaction",
        _INTERACTIONS,
        _interaction(_FLASH, input=9, output=13, thought=207, cached=0, tool_use=0),
        used(_FLASH, input_tokens=9, output_tokens=220, reasoning_tokens=207),
    ),
    sample(
        "gemini: interaction with a cache",
        _INTERACTIONS,
        _interaction(_PRO, input=900, output=13, thought=0, cached=600),
        used(_PRO, input_tokens=900, cache_read_tokens=600, output_tokens=13),
    ),
    sample(
        "gemini: interaction with tools",
        _INTERACTIONS,
        _interaction("gemini-3-flash-preview", input=100, output=13, thought=20, tool_use=40),
        used(
            "gemini-3-flash-preview",
            input_tokens=140,
            input_tool_tokens=40,
            output_tokens=33,
            reasoning_tokens=20,
        ),
    ),
    *(
        sample(
            f"gemini: interaction, streamed to {last}",
            _INTERACTIONS,
            sse(
                {"type": "x", "event_type": "interaction.start", "interaction": {"model": _FLASH}},
                {"type": "x", "event_type": "content.delta", "delta": {"type": "text", "text": "Hi"}},
                {"type": "x", "event_type": last, "interaction": _interaction(_FLASH, input=9, output=13)},
                done=False,
            ),
            used(_FLASH, input_tokens=9, output_tokens=13),
            SSE,
        )
        for last in ("interaction.complete", "interaction.completed")
    ),
]

OPENAI_STYLE = [
    sample(
        f"gemini: chat as OpenAI's, {name}",
        _OPENAI_STYLE,
        chat(model, {"prompt_tokens": 20, "completion_tokens": 198, **usage}),
        replace(used(model), units={"input_tokens": 20, **units}),
    )
    for name, model, usage, units in (
        (
            "thoughts in the total",
            _FLASH,
            {"total_tokens": 623},
            {"output_tokens": 603, "reasoning_tokens": 405},
        ),
        ("many thoughts", _PRO, {"total_tokens": 9218}, {"output_tokens": 9198, "reasoning_tokens": 9000}),
        ("no thoughts", "gemini-2.0-flash", {"total_tokens": 218}, {"output_tokens": 198}),
        (
            "thoughts counted",
            _FLASH,
            {"total_tokens": 218, "completion_tokens_details": {"reasoning_tokens": 90}},
            {"output_tokens": 198, "reasoning_tokens": 90},
        ),
    )
]
OPENAI_STYLE += [
    sample(
        "gemini: chat as OpenAI's, streamed with thoughts",
        _OPENAI_STYLE,
        sse(chunk(_FLASH, "Hi"), ending(_FLASH, {**SMALL, "total_tokens": 150})),
        used(_FLASH, input_tokens=20, output_tokens=130, reasoning_tokens=100),
        SSE,
    ),
]

_RESPONSES = "/v1/responses"
_RESPONSE = {"id": "resp_1", "object": "response", "status": "completed", "output": [], "tools": []}
_TAKEN = {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}
OPENAI = [
    sample(
        f"openai in a region: chat of {model}",
        CHAT,
        chat(model, SMALL),
        used(model, factor=factor, uncounted=uncounted, input_tokens=20, output_tokens=30),
        shape="openai_regional",
    )
    for model, factor, uncounted in (
        ("gpt-4o-2024-08-06", None, ()),
        ("gpt-5-mini-2025-08-07", None, ()),
        ("gpt-5.2", None, ()),
        ("gpt-5.4", "1.1", ()),
        ("gpt-5.5", "1.1", ()),
        ("gpt-6-sol", "1.1", ()),
        ("gpt-chat-latest", None, ["regional_processing"]),
    )
]
OPENAI += [
    sample(
        "openai in a region: response",
        _RESPONSES,
        {**_RESPONSE, "model": "gpt-5.4-mini", "usage": _TAKEN},
        used("gpt-5.4-mini", factor="1.1", input_tokens=1000, output_tokens=100),
        shape="openai_regional",
    ),
    sample(
        "openai in a region: response that searched files",
        _RESPONSES,
        {
            **_RESPONSE,
            "model": "gpt-5.5",
            "output": [{"type": "file_search_call", "status": "completed"}],
            "tools": [{"type": "file_search"}],
            "usage": _TAKEN,
        },
        used("gpt-5.5", factor="1.1", input_tokens=1000, output_tokens=100, file_searches=1),
        shape="openai_regional",
    ),
    sample(
        "openai in a region: stream",
        CHAT,
        sse(chunk("gpt-5.4", "Hi"), chunk("gpt-5.4", None, usage=SMALL)),
        used("gpt-5.4", factor="1.1", input_tokens=20, output_tokens=30),
        SSE,
        shape="openai_regional",
    ),
    sample(
        "openai in a region: embeddings",
        "/v1/embeddings",
        {"object": "list", "data": [], "model": "text-embedding-3-small", "usage": {"prompt_tokens": 8}},
        used("text-embedding-3-small", input_tokens=8),
        shape="openai_regional",
    ),
]

SHORT = [sample for sample in EMBEDDINGS if len(sample.body) <= 50_000]
LONG = [sample for sample in EMBEDDINGS if len(sample.body) > 50_000]
"""Samples that are too long for the tests that cut a response at every byte."""
SAMPLES = [
    *GEO,
    *VERTEX,
    *(sample for sample in EMBEDDINGS if sample not in LONG),
    *INTERACTIONS,
    *OPENAI_STYLE,
    *OPENAI,
]
