"""Responses that state their cost: of xAI, OpenRouter and Perplexity."""

from __future__ import annotations

from tests.pricing.usage.responses.anthropic import message
from tests.pricing.usage.responses.build import CHAT, SMALL, SSE, TEXT, chat, chunk, ending, sample, sse, used

_XAI = {
    "prompt_tokens": 199,
    "completion_tokens": 9,
    "total_tokens": 516,
    "prompt_tokens_details": {"text_tokens": 199, "audio_tokens": 0, "image_tokens": 0, "cached_tokens": 163},
    "completion_tokens_details": {"reasoning_tokens": 308, "audio_tokens": 0},
    "num_sources_used": 0,
    "cost_in_usd_ticks": 37756000,
}

XAI = [
    sample(
        "xai: chat, reasoning apart",
        CHAT,
        chat("grok-4-0709", _XAI),
        used(
            "grok-4-0709",
            usd="0.0037756",
            input_tokens=199,
            cache_read_tokens=163,
            output_tokens=317,
            reasoning_tokens=308,
        ),
    ),
    sample(
        "xai: chat, reasoning among the completion's tokens",
        CHAT,
        chat(
            "grok-4.3",
            {
                **_XAI,
                "completion_tokens": 317,
                "prompt_tokens_details": {"cached_tokens": 0},
                "cost_in_usd_ticks": 1,
            },
        ),
        used("grok-4.3", usd="0.0000000001", input_tokens=199, output_tokens=317, reasoning_tokens=308),
    ),
    sample(
        "xai: stream, each chunk counting what came before",
        CHAT,
        sse(
            {**chunk("grok-4", "Hi"), "usage": {**_XAI, "completion_tokens": 1, "total_tokens": 508}},
            {**chunk("grok-4"), "usage": _XAI},
        ),
        used(
            "grok-4",
            usd="0.0037756",
            input_tokens=199,
            cache_read_tokens=163,
            output_tokens=317,
            reasoning_tokens=308,
        ),
        SSE,
    ),
    sample(
        "xai: response",
        "/v1/responses",
        {
            "id": "r",
            "object": "response",
            "model": "grok-4.3",
            "output": [],
            "status": "completed",
            "usage": {
                "input_tokens": 32,
                "input_tokens_details": {"cached_tokens": 8},
                "output_tokens": 90,
                "output_tokens_details": {"reasoning_tokens": 80},
                "total_tokens": 122,
                "num_sources_used": 0,
                "cost_in_usd_ticks": 158500,
            },
        },
        used(
            "grok-4.3",
            usd="0.00001585",
            input_tokens=32,
            cache_read_tokens=8,
            output_tokens=90,
            reasoning_tokens=80,
        ),
    ),
    sample(
        "xai: image",
        "/v1/images/generations",
        {"data": [{"url": "https://imgen.x.ai/1.jpg"}], "usage": {"cost_in_usd_ticks": 200000000}},
        used(usd="0.02", images=1),
    ),
]

_OPENROUTER = {
    "prompt_tokens": 194,
    "completion_tokens": 2,
    "total_tokens": 196,
    "cost": 0.00095,
    "is_byok": False,
    "cost_details": {
        "upstream_inference_cost": 0.0009,
        "upstream_inference_prompt_cost": 0.0008,
        "upstream_inference_completions_cost": 0.0001,
    },
    "prompt_tokens_details": {
        "cached_tokens": 100,
        "cache_write_tokens": 50,
        "audio_tokens": 0,
        "video_tokens": 0,
    },
    "completion_tokens_details": {"reasoning_tokens": 1, "audio_tokens": 0},
}

OPENROUTER = [
    sample(
        "openrouter: chat",
        "/api/v1/chat/completions",
        chat("anthropic/claude-sonnet-4.5", _OPENROUTER, provider="Anthropic"),
        used(
            "anthropic/claude-sonnet-4.5",
            usd="0.00095",
            input_tokens=194,
            cache_read_tokens=100,
            cache_write_tokens=50,
            output_tokens=2,
            reasoning_tokens=1,
        ),
    ),
    sample(
        "openrouter: chat with a key of one's own",
        "/api/v1/chat/completions",
        chat(
            "openai/gpt-5",
            {
                **SMALL,
                "cost": 0.000045,
                "is_byok": True,
                "cost_details": {"upstream_inference_cost": 0.0009},
            },
        ),
        used("openai/gpt-5", usd="0.000945", input_tokens=20, output_tokens=30),
    ),
    sample(
        "openrouter: chat with a key of one's own, within the free ones",
        "/api/v1/chat/completions",
        chat(
            "openai/gpt-5",
            {**SMALL, "cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": 1.5e-05}},
        ),
        used("openai/gpt-5", usd="0.000015", input_tokens=20, output_tokens=30),
    ),
    sample(
        "openrouter: chat with a free model",
        "/api/v1/chat/completions",
        chat("deepseek/deepseek-r1:free", {**SMALL, "cost": 0, "is_byok": False}),
        used("deepseek/deepseek-r1:free", usd="0", input_tokens=20, output_tokens=30),
    ),
    sample(
        "openrouter: stream",
        "/api/v1/chat/completions",
        sse(
            ": OPENROUTER PROCESSING",
            chunk("google/gemini-2.5-flash", "Hi", provider="Google"),
            ": OPENROUTER PROCESSING",
            ending("google/gemini-2.5-flash", {**SMALL, "cost": 0.0000842}, provider="Google"),
        ),
        used("google/gemini-2.5-flash", usd="0.0000842", input_tokens=20, output_tokens=30),
        SSE,
    ),
    sample(
        "openrouter: response",
        "/api/v1/responses",
        {
            "id": "resp_1",
            "object": "response",
            "model": "openai/o4-mini",
            "output": [],
            "usage": {
                "input_tokens": 12,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": 45,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": 57,
                "cost": 0.0002112,
                "is_byok": False,
            },
        },
        used("openai/o4-mini", usd="0.0002112", input_tokens=12, output_tokens=45),
    ),
    sample(
        "openrouter: message",
        "/api/v1/messages",
        message(
            {"input_tokens": 9, "output_tokens": 3, "cost": 0.000072, "is_byok": False},
            model="claude-opus-4.5",
        ),
        used("claude-opus-4.5", usd="0.000072", input_tokens=9, output_tokens=3),
    ),
]

_PERPLEXITY = {
    "prompt_tokens": 8,
    "completion_tokens": 439,
    "total_tokens": 447,
    "search_context_size": "low",
    "cost": {
        "input_tokens_cost": 2.4e-05,
        "output_tokens_cost": 0.006585,
        "request_cost": 0.006,
        "total_cost": 0.012609,
    },
}

PERPLEXITY = [
    sample(
        "perplexity: chat",
        "/chat/completions",
        {**chat("sonar-pro", _PERPLEXITY), "citations": ["https://a.example"], "search_results": []},
        used("sonar-pro", usd="0.012609", input_tokens=8, output_tokens=439),
    ),
    sample(
        "perplexity: research",
        "/chat/completions",
        chat(
            "sonar-deep-research",
            {
                "prompt_tokens": 33,
                "completion_tokens": 7163,
                "total_tokens": 7196,
                "citation_tokens": 20016,
                "num_search_queries": 30,
                "reasoning_tokens": 95305,
                "cost": {"total_cost": 0.5333},
            },
        ),
        used(
            "sonar-deep-research",
            usd="0.5333",
            input_tokens=33,
            output_tokens=122484,
            reasoning_tokens=95305,
            output_citation_tokens=20016,
            web_searches=30,
        ),
    ),
    sample(
        "perplexity: stream",
        "/chat/completions",
        sse(
            {
                **chunk("sonar", "Hi"),
                "usage": {"prompt_tokens": 8, "completion_tokens": 1, "total_tokens": 9},
            },
            ending("sonar", {**_PERPLEXITY, "cost": {"total_cost": 0.005012}}),
            done=False,
            newline="\r\n",
        ),
        used("sonar", usd="0.005012", input_tokens=8, output_tokens=439),
        SSE,
    ),
    sample(
        "perplexity: response",
        "/v1/responses",
        {
            "id": "resp_1",
            "object": "response",
            "model": "xai/grok-4-1",
            "output": [],
            "status": "completed",
            "usage": {
                "input_tokens": 3681,
                "output_tokens": 780,
                "total_tokens": 4461,
                "input_tokens_details": {
                    "cache_creation_input_tokens": 0,
                    "cache_read_input_tokens": 128,
                },
                "tool_calls_details": {"search_web": {"invocation": 2}},
                "cost": {
                    "currency": "USD",
                    "input_cost": 0.0007,
                    "output_cost": 0.00039,
                    "total_cost": 0.01109,
                },
            },
        },
        used(
            "xai/grok-4-1",
            usd="0.01109",
            input_tokens=3681,
            cache_read_tokens=128,
            output_tokens=780,
            web_searches=2,
        ),
    ),
    sample(
        "perplexity: search",
        "/search",
        {"results": [{"title": TEXT, "url": "https://a.example", "snippet": TEXT}], "id": "1"},
        None,
    ),
]

SAMPLES = [*XAI, *OPENROUTER, *PERPLEXITY]
