"""Responses of models that the price list has, and of those that are newer."""

from __future__ import annotations

from typing import Final

from tests.pricing.usage.responses.anthropic import PATH, message
from tests.pricing.usage.responses.build import CHAT, SMALL, SSE, chat, chunk, ending, sample, sse, used

_PATHS: Final = {
    "azure": "/openai/deployments/d/chat/completions",
    "deepseek": "/chat/completions",
    "fireworks": "/inference/v1/chat/completions",
    "groq": "/openai/v1/chat/completions",
    "openrouter": "/api/v1/chat/completions",
    "zai": "/api/paas/v4/chat/completions",
}
_KNOWN: Final = (
    ("cerebras", "gpt-oss-120b"),
    ("cerebras", "llama3.1-8b"),
    ("deepseek", "deepseek-chat"),
    ("groq", "llama-3.3-70b-versatile"),
    ("groq", "openai/gpt-oss-120b"),
    ("mistral", "mistral-large-2512"),
    ("mistral", "codestral-2508"),
    ("openai", "gpt-4o-mini"),
    ("xai", "grok-3"),
    ("xai", "grok-4-0709"),
)
_NEWER: Final = (
    "azure",
    "cerebras",
    "deepseek",
    "fireworks",
    "groq",
    "mistral",
    "moonshot",
    "openai",
    "openrouter",
    "together",
    "xai",
    "zai",
)


def _path(provider: str) -> str:
    return _PATHS.get(provider, CHAT)


KNOWN = [
    each
    for provider, model in _KNOWN
    for each in (
        sample(
            f"{provider}: {model}",
            _path(provider),
            chat(model, SMALL),
            used(model, input_tokens=20, output_tokens=30),
        ),
        sample(
            f"{provider}: {model}, streamed",
            _path(provider),
            sse(chunk(model, "Hi", usage=None), ending(model, SMALL)),
            used(model, input_tokens=20, output_tokens=30),
            SSE,
        ),
    )
]
NEWER = [
    sample(
        f"{provider}: chat, newer than the list",
        _path(provider),
        chat("tomorrow-9", {"prompt_tokens": 150_000, "completion_tokens": 8000}),
        used("tomorrow-9", input_tokens=150_000, output_tokens=8000),
    )
    for provider in _NEWER
]
NEWER += [
    sample(
        "anthropic: message, newer than the list",
        PATH,
        message({"input_tokens": 150_000, "output_tokens": 8000}, model="claude-opus-99"),
        used("claude-opus-99", input_tokens=150_000, output_tokens=8000),
    ),
    sample(
        "gemini: content, newer than the list",
        "/v1beta/models/gemini-99-pro:generateContent",
        {
            "modelVersion": "gemini-99-pro",
            "usageMetadata": {"promptTokenCount": 150_000, "candidatesTokenCount": 8000},
        },
        used("gemini-99-pro", input_tokens=150_000, output_tokens=8000),
    ),
]

SAMPLES = [*KNOWN, *NEWER]
