"""Responses of Gemini and Vertex AI: https://ai.google.dev/api/generate-content."""

from __future__ import annotations

import json
from typing import Any

from tests.pricing.usage.responses.anthropic import message, stream
from tests.pricing.usage.responses.build import SSE, TEXT, chat, plain, sample, sse, used

FLASH = "gemini-2.5-flash"
PATH = f"/v1beta/models/{FLASH}:generateContent"
STREAM = f"/v1beta/models/{FLASH}:streamGenerateContent"
VERTEX = f"/v1/projects/p/locations/us-central1/publishers/google/models/{FLASH}:generateContent"


def content(usage: Any, *, model: str = FLASH, text: str = TEXT, **more: Any) -> dict[str, Any]:
    return {
        "candidates": [
            {
                "content": {"parts": [{"text": text}], "role": "model"},
                "finishReason": "STOP",
                "index": 0,
                **more,
            }
        ],
        "usageMetadata": usage,
        "modelVersion": model,
        "responseId": "mLl0aNOHKqOtz7IPvYKq4AI",
    }


_SMALL = {
    "promptTokenCount": 8,
    "candidatesTokenCount": 11,
    "totalTokenCount": 19,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 8}],
}
_THOUGHT = {**_SMALL, "thoughtsTokenCount": 700, "totalTokenCount": 719}
_TOOLS = {**_THOUGHT, "toolUsePromptTokenCount": 102, "cachedContentTokenCount": 5, "totalTokenCount": 821}
_MEDIA = {
    "promptTokenCount": 2258,
    "candidatesTokenCount": 1295,
    "totalTokenCount": 3553,
    "cachedContentTokenCount": 600,
    "promptTokensDetails": [
        {"modality": "TEXT", "tokenCount": 100},
        {"modality": "AUDIO", "tokenCount": 1000},
        {"modality": "IMAGE", "tokenCount": 258},
        {"modality": "DOCUMENT", "tokenCount": 400},
        {"modality": "VIDEO", "tokenCount": 500},
    ],
    "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 600}],
    "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}],
}
_CHUNKS = (
    content({"promptTokenCount": 8, "totalTokenCount": 8}, text="The"),
    content({"promptTokenCount": 8, "candidatesTokenCount": 4, "totalTokenCount": 12}, text=" capital"),
    content({**_THOUGHT, "cachedContentTokenCount": 2}),
)
_STREAMED = used(FLASH, input_tokens=8, cache_read_tokens=2, output_tokens=711, reasoning_tokens=700)
_GROUNDING = {"webSearchQueries": ["a", "b"], "searchEntryPoint": {"renderedContent": "<div/>"}}

SAMPLES = [
    sample(
        "gemini: content",
        PATH,
        plain(content(_SMALL), indent=2),
        used(FLASH, input_tokens=8, output_tokens=11),
    ),
    sample(
        "gemini: content after thoughts",
        PATH,
        content(_THOUGHT),
        used(FLASH, input_tokens=8, output_tokens=711, reasoning_tokens=700),
    ),
    sample(
        "gemini: content with tools and a cache",
        PATH,
        content(_TOOLS),
        used(
            FLASH,
            input_tokens=110,
            input_tool_tokens=102,
            cache_read_tokens=5,
            output_tokens=711,
            reasoning_tokens=700,
        ),
    ),
    sample(
        "gemini: content of every modality",
        PATH,
        content(_MEDIA, model="gemini-2.5-flash-image"),
        used(
            "gemini-2.5-flash-image",
            input_tokens=2258,
            input_audio_tokens=1000,
            input_image_tokens=658,
            input_video_tokens=500,
            cache_read_tokens=600,
            cache_audio_read_tokens=600,
            output_tokens=1295,
            output_image_tokens=1290,
        ),
    ),
    sample(
        "gemini: content that was searched for, billed by prompt",
        PATH,
        content(_SMALL, groundingMetadata=_GROUNDING),
        used(FLASH, input_tokens=8, output_tokens=11, web_searches=1),
    ),
    sample(
        "gemini: content that was searched for, billed by search",
        "/v1beta/models/gemini-3-pro-preview:generateContent",
        content(_SMALL, model="gemini-3-pro-preview", groundingMetadata=_GROUNDING),
        used("gemini-3-pro-preview", input_tokens=8, output_tokens=11, web_searches=2),
    ),
    sample(
        "gemini: content that is blocked",
        PATH,
        {
            "promptFeedback": {"blockReason": "SAFETY"},
            "usageMetadata": {"promptTokenCount": 8, "totalTokenCount": 8},
            "modelVersion": FLASH,
        },
        used(FLASH, input_tokens=8),
    ),
    sample("gemini: stream", STREAM, sse(*_CHUNKS, done=False, newline="\r\n"), _STREAMED, SSE),
    sample(
        "gemini: stream as an array",
        STREAM,
        ("[" + ",\r\n".join(json.dumps(chunk, indent=2) for chunk in _CHUNKS) + "]\n").encode(),
        _STREAMED,
    ),
    sample(
        "gemini: chat",
        "/v1beta/openai/chat/completions",
        chat(FLASH, {"prompt_tokens": 8, "completion_tokens": 11, "total_tokens": 19}),
        used(FLASH, input_tokens=8, output_tokens=11),
    ),
    sample(
        "gemini: embedding without usage",
        "/v1beta/models/gemini-embedding-001:embedContent",
        {"embedding": {"values": [0.1, 0.2]}},
        None,
    ),
    sample(
        "gemini: count of tokens",
        f"/v1beta/models/{FLASH}:countTokens",
        {"totalTokens": 31, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 31}]},
        None,
    ),
    sample(
        "gemini: error",
        PATH,
        {"error": {"code": 429, "message": TEXT, "status": "RESOURCE_EXHAUSTED"}},
        None,
    ),
    sample(
        "vertex: content on demand",
        VERTEX,
        content({**_SMALL, "trafficType": "ON_DEMAND"}),
        used(FLASH, tier="on_demand", input_tokens=8, output_tokens=11),
    ),
    sample(
        "vertex: content, flex",
        VERTEX,
        content({**_SMALL, "trafficType": "ON_DEMAND_FLEX"}),
        used(FLASH, tier="flex", input_tokens=8, output_tokens=11),
    ),
    sample(
        "vertex: content, provisioned",
        VERTEX,
        content({**_SMALL, "trafficType": "PROVISIONED_THROUGHPUT"}),
        used(FLASH, tier="provisioned_throughput", input_tokens=8, output_tokens=11),
    ),
    sample(
        "vertex: stream whose first chunks name only the kind of traffic",
        VERTEX.replace("generate", "streamGenerate"),
        sse(
            content({"trafficType": "ON_DEMAND"}, text="The"),
            content({**_SMALL, "trafficType": "ON_DEMAND"}),
            done=False,
        ),
        used(FLASH, tier="on_demand", input_tokens=8, output_tokens=11),
        SSE,
    ),
    sample(
        "vertex: Claude",
        "/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict",
        message({"input_tokens": 9, "cache_read_input_tokens": 91, "output_tokens": 7}),
        used(
            "claude-sonnet-4-5-20250929",
            factor="1.1",
            input_tokens=100,
            cache_read_tokens=91,
            output_tokens=7,
        ),
    ),
    sample(
        "vertex: Claude, streamed",
        "/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-opus-4-1:streamRawPredict",
        stream({"input_tokens": 9, "output_tokens": 1}, {"output_tokens": 7}, model="claude-opus-4-1"),
        used("claude-opus-4-1", input_tokens=9, output_tokens=7),
        SSE,
    ),
    sample(
        "vertex: Mistral",
        "/v1/projects/p/locations/europe-west4/publishers/mistralai/models/mistral-small-2503:rawPredict",
        chat("mistral-small-2503", {"prompt_tokens": 4, "completion_tokens": 6, "total_tokens": 10}),
        used("mistral-small-2503", input_tokens=4, output_tokens=6),
    ),
    sample(
        "vertex: embeddings",
        "/v1/projects/p/locations/us-central1/publishers/google/models/text-embedding-005:predict",
        {
            "predictions": [
                {"embeddings": {"values": [0.1], "statistics": {"truncated": False, "token_count": 4}}},
                {"embeddings": {"values": [0.2], "statistics": {"truncated": False, "token_count": 6.0}}},
            ],
            "metadata": {"billableCharacterCount": 33},
        },
        used(input_tokens=10),
    ),
]
