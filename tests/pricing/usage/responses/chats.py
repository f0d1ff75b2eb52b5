"""Responses of providers with OpenAI's API and additions of their own."""

from __future__ import annotations

from tests.pricing.usage.responses.build import CHAT, SMALL, SSE, TEXT, chat, chunk, ending, sample, sse, used

SAMPLES = [
    sample(
        "together: chat",
        CHAT,
        chat("meta-llama/Llama-3.3-70B-Instruct-Turbo", {**SMALL, "cached_tokens": 0}, prompt=[]),
        used("meta-llama/Llama-3.3-70B-Instruct-Turbo", input_tokens=20, output_tokens=30),
    ),
    sample(
        "together: chat with cached tokens",
        CHAT,
        chat("moonshotai/Kimi-K2", {**SMALL, "cached_tokens": 16}),
        used("moonshotai/Kimi-K2", input_tokens=20, cache_read_tokens=16, output_tokens=30),
    ),
    sample(
        "together: stream",
        CHAT,
        sse(chunk("deepseek-ai/DeepSeek-V3", "Hi", usage=None), ending("deepseek-ai/DeepSeek-V3", SMALL)),
        used("deepseek-ai/DeepSeek-V3", input_tokens=20, output_tokens=30),
        SSE,
    ),
    sample(
        "together: embeddings",
        "/v1/embeddings",
        {
            "object": "list",
            "data": [],
            "model": "BAAI/bge-large-en-v1.5",
            "usage": {"prompt_tokens": 4, "total_tokens": 4},
        },
        used("BAAI/bge-large-en-v1.5", input_tokens=4),
    ),
    sample(
        "together: rerank",
        "/v1/rerank",
        {
            "object": "rerank",
            "id": "1",
            "model": "Salesforce/Llama-Rank-V1",
            "results": [{"index": 0, "relevance_score": 0.29}],
            "usage": {"prompt_tokens": 1837, "completion_tokens": 0, "total_tokens": 1837},
        },
        used("Salesforce/Llama-Rank-V1", input_tokens=1837, output_tokens=0),
    ),
    sample(
        "fireworks: chat",
        "/inference/v1/chat/completions",
        chat(
            "accounts/fireworks/models/deepseek-v3p1",
            {**SMALL, "prompt_tokens_details": {"cached_tokens": 12}},
        ),
        used(
            "accounts/fireworks/models/deepseek-v3p1", input_tokens=20, cache_read_tokens=12, output_tokens=30
        ),
    ),
    sample(
        "fireworks: stream",
        "/inference/v1/chat/completions",
        sse(
            chunk("accounts/fireworks/models/glm-4p6", "Hi", usage=None),
            ending("accounts/fireworks/models/glm-4p6", SMALL, perf_metrics=None),
        ),
        used("accounts/fireworks/models/glm-4p6", input_tokens=20, output_tokens=30),
        SSE,
    ),
    sample(
        "cerebras: chat",
        CHAT,
        chat(
            "gpt-oss-120b",
            {
                **SMALL,
                "prompt_tokens_details": {"cached_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 11},
            },
            time_info={"queue_time": 0.0001, "total_time": 0.02},
        ),
        used("gpt-oss-120b", input_tokens=20, output_tokens=30, reasoning_tokens=11),
    ),
    sample(
        "cerebras: stream",
        CHAT,
        sse(
            chunk("llama3.1-8b", "Hi"),
            ending("llama3.1-8b", SMALL, time_info={"queue_time": 0.0001}),
            done=False,
        ),
        used("llama3.1-8b", input_tokens=20, output_tokens=30),
        SSE,
    ),
    sample(
        "voyage: embeddings",
        "/v1/embeddings",
        {
            "object": "list",
            "data": [{"object": "embedding", "embedding": [-0.013], "index": 0}],
            "model": "voyage-3.5",
            "usage": {"total_tokens": 10},
        },
        used("voyage-3.5", input_tokens=10),
    ),
    sample(
        "voyage: rerank",
        "/v1/rerank",
        {
            "object": "list",
            "data": [{"relevance_score": 0.43, "index": 0}],
            "model": "rerank-2.5",
            "usage": {"total_tokens": 26},
        },
        used("rerank-2.5", input_tokens=26),
    ),
    sample(
        "voyage: multimodal embeddings",
        "/v1/multimodalembeddings",
        {
            "object": "list",
            "data": [],
            "model": "voyage-multimodal-3",
            "usage": {"text_tokens": 5, "image_pixels": 2000000, "total_tokens": 3576},
        },
        used("voyage-multimodal-3", input_tokens=5, input_pixels=2000000),
    ),
    sample(
        "huggingface: chat",
        CHAT,
        chat("openai/gpt-oss-20b", {**SMALL, "prompt_tokens_details": None}),
        used("openai/gpt-oss-20b", input_tokens=20, output_tokens=30),
    ),
    sample(
        "huggingface: stream",
        CHAT,
        sse(
            chunk("meta-llama/Llama-3.1-8B-Instruct", "Hi"),
            chunk("meta-llama/Llama-3.1-8B-Instruct", usage=SMALL),
        ),
        used("meta-llama/Llama-3.1-8B-Instruct", input_tokens=20, output_tokens=30),
        SSE,
    ),
    sample(
        "moonshot: chat",
        CHAT,
        chat("kimi-k2-0905-preview", {**SMALL, "cached_tokens": 10}),
        used("kimi-k2-0905-preview", input_tokens=20, cache_read_tokens=10, output_tokens=30),
    ),
    sample(
        "moonshot: stream, usage in the choice",
        CHAT,
        sse(
            chunk("kimi-k2-turbo-preview", "Hi"),
            {
                **chunk("kimi-k2-turbo-preview"),
                "choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": SMALL}],
            },
        ),
        used("kimi-k2-turbo-preview", input_tokens=20, output_tokens=30),
        SSE,
    ),
    sample(
        "zai: chat",
        "/api/paas/v4/chat/completions",
        chat("glm-4.6", {**SMALL, "prompt_tokens_details": {"cached_tokens": 4}}, request_id="1"),
        used("glm-4.6", input_tokens=20, cache_read_tokens=4, output_tokens=30),
    ),
    sample(
        "zai: stream",
        "/api/paas/v4/chat/completions",
        sse(chunk("glm-4.6", "Hi"), ending("glm-4.6", SMALL)),
        used("glm-4.6", input_tokens=20, output_tokens=30),
        SSE,
    ),
    sample(
        "cloudflare: run",
        "/client/v4/accounts/a/ai/run/@cf/meta/llama-3.1-8b-instruct",
        {"result": {"response": TEXT, "usage": SMALL}, "success": True, "errors": [], "messages": []},
        used(input_tokens=20, output_tokens=30),
    ),
    sample(
        "cloudflare: stream",
        "/client/v4/accounts/a/ai/run/@cf/meta/llama-3.1-8b-instruct",
        sse({"response": "Hi", "p": "abc"}, {"response": "", "usage": SMALL}),
        used(input_tokens=20, output_tokens=30),
        SSE,
    ),
    sample(
        "cloudflare: chat",
        "/client/v4/accounts/a/ai/v1/chat/completions",
        chat("@cf/openai/gpt-oss-20b", SMALL),
        used("@cf/openai/gpt-oss-20b", input_tokens=20, output_tokens=30),
    ),
]
