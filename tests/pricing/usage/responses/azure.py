"""Responses of Azure: https://learn.microsoft.com/en-us/azure/ai-foundry/openai/reference."""

from __future__ import annotations

from tests.pricing.usage.responses.build import SSE, chat, chunk, ending, sample, sse, used
from tests.pricing.usage.responses.openai import DETAILED, RESPONSE_USAGE, SMALL, response

SAMPLES = [
    sample(
        "azure: chat with content filters",
        "/openai/deployments/my-gpt/chat/completions",
        chat(
            "gpt-4o-2024-11-20",
            {**DETAILED, "completion_tokens_details": {"reasoning_tokens": 0}},
            prompt_filter_results=[
                {"prompt_index": 0, "content_filter_results": {"hate": {"filtered": False}}}
            ],
        ),
        used("gpt-4o-2024-11-20", input_tokens=2006, cache_read_tokens=1920, output_tokens=300),
    ),
    sample(
        "azure: chat stream that begins with the filters of the prompt",
        "/openai/deployments/my-gpt/chat/completions",
        sse(
            {"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": []},
            chunk("gpt-4o-2024-11-20", "Hi", usage=None),
            chunk("gpt-4o-2024-11-20", usage=SMALL),
        ),
        used("gpt-4o-2024-11-20", input_tokens=19, output_tokens=10),
        SSE,
    ),
    sample(
        "azure: embeddings",
        "/openai/deployments/ada/embeddings",
        {
            "object": "list",
            "data": [{"object": "embedding", "index": 0, "embedding": [0.1, -2e-05]}],
            "model": "text-embedding-ada-002",
            "usage": {"prompt_tokens": 5, "total_tokens": 5},
        },
        used("text-embedding-ada-002", input_tokens=5),
    ),
    sample(
        "azure: response",
        "/openai/v1/responses",
        response("gpt-5-mini", {**RESPONSE_USAGE, "input_tokens_details": {"cached_tokens": 0}}),
        used("gpt-5-mini", tier="default", input_tokens=328, output_tokens=52, reasoning_tokens=20),
    ),
    sample(
        "azure: chat stream, last chunk with a reason",
        "/openai/deployments/deepseek/chat/completions",
        sse(chunk("DeepSeek-V3.1", "Hi"), ending("DeepSeek-V3.1", SMALL)),
        used("DeepSeek-V3.1", input_tokens=19, output_tokens=10),
        SSE,
    ),
]
