"""Responses of OpenAI: https://platform.openai.com/docs/api-reference."""

from __future__ import annotations

from typing import Any

from tests.pricing.usage.responses.build import CHAT, SSE, TEXT, chat, chunk, plain, sample, sse, used

RESPONSES = "/v1/responses"
GPT = "gpt-4o-2024-08-06"

DETAILED = {
    "prompt_tokens": 2006,
    "completion_tokens": 300,
    "total_tokens": 2306,
    "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 128,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 10,
        "rejected_prediction_tokens": 2,
    },
}
SMALL = {"prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29}


def response(model: str, usage: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": "resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b",
        "object": "response",
        "created_at": 1741476542,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "model": model,
        "output": [
            {
                "type": "message",
                "id": "msg_67ccd2bf17f0819081ff3bb2cf6508e60bb6a6b452d3795b",
                "status": "completed",
                "role": "assistant",
                "content": [{"type": "output_text", "text": TEXT, "annotations": []}],
            }
        ],
        "parallel_tool_calls": True,
        "service_tier": "default",
        "tool_choice": "auto",
        "tools": [],
        "usage": usage,
        "user": None,
        "metadata": {"usage": "canary"},
        **more,
    }


RESPONSE_USAGE = {
    "input_tokens": 328,
    "input_tokens_details": {"cached_tokens": 64},
    "output_tokens": 52,
    "output_tokens_details": {"reasoning_tokens": 20},
    "total_tokens": 380,
}
_SEARCH = {
    "type": "web_search_call",
    "id": "ws_1",
    "status": "completed",
    "action": {"type": "search", "query": "x"},
}
_OPEN = {**_SEARCH, "action": {"type": "open_page", "url": "https://example.com"}}


def _events(kind: str, final: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    begun = {**final, "status": "in_progress", "usage": None, "output": []}
    return (
        {"type": "response.created", "sequence_number": 0, "response": begun},
        {"type": "response.in_progress", "sequence_number": 1, "response": begun},
        {
            "type": "response.output_text.delta",
            "sequence_number": 2,
            "item_id": "msg_1",
            "delta": "The capital",
        },
        {"type": "response.output_text.done", "sequence_number": 3, "item_id": "msg_1", "text": TEXT},
        {"type": kind, "sequence_number": 4, "response": final},
    )


SAMPLES = [
    sample("openai: chat", CHAT, chat(GPT, SMALL), used(GPT, input_tokens=19, output_tokens=10)),
    sample(
        "openai: chat, cached and reasoned, priority",
        CHAT,
        chat("gpt-5.1-2025-11-13", DETAILED, service_tier="priority", system_fingerprint="fp_1"),
        used(
            "gpt-5.1-2025-11-13",
            tier="priority",
            input_tokens=2006,
            cache_read_tokens=1920,
            output_tokens=300,
            reasoning_tokens=128,
        ),
    ),
    sample(
        "openai: chat, pretty-printed, flex",
        CHAT,
        plain(chat("o3-2025-04-16", SMALL, service_tier="flex"), indent=2),
        used("o3-2025-04-16", tier="flex", input_tokens=19, output_tokens=10),
    ),
    sample(
        "openai: chat with audio",
        CHAT,
        chat(
            "gpt-4o-audio-preview-2024-12-17",
            {
                "prompt_tokens": 120,
                "completion_tokens": 250,
                "total_tokens": 370,
                "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 100, "text_tokens": 20},
                "completion_tokens_details": {
                    "reasoning_tokens": 0,
                    "audio_tokens": 200,
                    "text_tokens": 50,
                },
            },
        ),
        used(
            "gpt-4o-audio-preview-2024-12-17",
            input_tokens=120,
            input_audio_tokens=100,
            output_tokens=250,
            output_audio_tokens=200,
        ),
    ),
    sample(
        "openai: chat that wrote to the cache",
        CHAT,
        chat(
            "gpt-5.6",
            {
                "prompt_tokens": 5000,
                "completion_tokens": 7,
                "total_tokens": 5007,
                "prompt_tokens_details": {"cached_tokens": 1024, "cache_write_tokens": 3072},
            },
        ),
        used("gpt-5.6", input_tokens=5000, cache_read_tokens=1024, cache_write_tokens=3072, output_tokens=7),
    ),
    sample(
        "openai: chat with a tool whose argument is called usage",
        CHAT,
        {
            **chat(GPT, SMALL),
            "choices": [
                {
                    "index": 0,
                    "message": {
                        "role": "assistant",
                        "content": None,
                        "tool_calls": [
                            {
                                "id": "call_1",
                                "type": "function",
                                "function": {"name": "f", "arguments": '{"usage": {"prompt_tokens": 7}}'},
                            }
                        ],
                    },
                    "finish_reason": "tool_calls",
                }
            ],
        },
        used(GPT, input_tokens=19, output_tokens=10),
    ),
    sample(
        "openai: completion",
        "/v1/completions",
        {
            "id": "cmpl-1",
            "object": "text_completion",
            "created": 1589478378,
            "model": "gpt-3.5-turbo-instruct:20230824-v2",
            "choices": [{"text": "\n\nThis is indeed a test", "index": 0, "logprobs": None}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12},
        },
        used("gpt-3.5-turbo-instruct:20230824-v2", input_tokens=5, output_tokens=7),
    ),
    sample(
        "openai: chat stream with usage",
        CHAT,
        sse(
            chunk(GPT, "", usage=None, service_tier="default"),
            chunk(GPT, "The capital", usage=None),
            chunk(GPT, TEXT, usage=None),
            chunk(GPT, usage=DETAILED, service_tier="default"),
        ),
        used(
            GPT,
            tier="default",
            input_tokens=2006,
            cache_read_tokens=1920,
            output_tokens=300,
            reasoning_tokens=128,
        ),
        SSE,
    ),
    sample(
        "openai: chat stream with CRLF and no space after the colon",
        CHAT,
        sse(chunk(GPT, "Hi", usage=None), chunk(GPT, usage=SMALL), newline="\r\n", space=""),
        used(GPT, input_tokens=19, output_tokens=10),
        SSE,
    ),
    sample(
        "openai: chat stream with CR, a BOM, comments, ids and retries",
        CHAT,
        b"\xef\xbb\xbf: hello\r\rid: 7\rretry: 100\r"
        + sse(chunk(GPT, "Hi", usage=None), ": keep-alive", chunk(GPT, usage=SMALL), newline="\r"),
        used(GPT, input_tokens=19, output_tokens=10),
        SSE,
    ),
    sample(
        "openai: chat stream with data on several lines",
        CHAT,
        b"\n\n".join(
            b"\n".join(b"data: " + line for line in plain(document, indent=1).splitlines())
            for document in (chunk(GPT, "Hi", usage=None), chunk(GPT, usage=SMALL))
        )
        + b"\n\ndata: [DONE]\n\n",
        used(GPT, input_tokens=19, output_tokens=10),
        SSE,
    ),
    sample(
        "openai: chat stream without usage",
        CHAT,
        sse(chunk(GPT, "Hi"), chunk(GPT, TEXT)),
        None,
        SSE,
    ),
    sample(
        "openai: chat stream that says no content type",
        CHAT,
        sse(chunk(GPT, "Hi", usage=None), chunk(GPT, usage=SMALL)),
        used(GPT, input_tokens=19, output_tokens=10),
        "",
    ),
    sample(
        "openai: response",
        RESPONSES,
        response("gpt-4.1-2025-04-14", RESPONSE_USAGE),
        used(
            "gpt-4.1-2025-04-14",
            tier="default",
            input_tokens=328,
            cache_read_tokens=64,
            output_tokens=52,
            reasoning_tokens=20,
        ),
    ),
    sample(
        "openai: response with web searches",
        RESPONSES,
        response("gpt-5", RESPONSE_USAGE, output=[_SEARCH, _OPEN, _SEARCH], tools=[{"type": "web_search"}]),
        used(
            "gpt-5",
            tier="default",
            input_tokens=328,
            cache_read_tokens=64,
            output_tokens=52,
            reasoning_tokens=20,
            web_searches=2,
        ),
    ),
    sample(
        "openai: response that counts its web searches",
        RESPONSES,
        response(
            "gpt-5",
            RESPONSE_USAGE,
            output=[_SEARCH, _SEARCH],
            tool_usage={"web_search": {"num_requests": 1}},
        ),
        used(
            "gpt-5",
            tier="default",
            input_tokens=328,
            cache_read_tokens=64,
            output_tokens=52,
            reasoning_tokens=20,
            web_searches=1,
        ),
    ),
    sample(
        "openai: response stream",
        RESPONSES,
        sse(*_events("response.completed", response("gpt-4.1", RESPONSE_USAGE)), done=False, named=True),
        used(
            "gpt-4.1",
            tier="default",
            input_tokens=328,
            cache_read_tokens=64,
            output_tokens=52,
            reasoning_tokens=20,
        ),
        SSE,
    ),
    sample(
        "openai: response stream that is incomplete",
        RESPONSES,
        sse(
            *_events(
                "response.incomplete",
                response(
                    "o4-mini-2025-04-16",
                    {
                        "input_tokens": 12,
                        "input_tokens_details": {"cached_tokens": 0},
                        "output_tokens": 640,
                        "output_tokens_details": {"reasoning_tokens": 640},
                        "total_tokens": 652,
                    },
                    status="incomplete",
                    service_tier="flex",
                ),
            ),
            done=False,
            named=True,
        ),
        used("o4-mini-2025-04-16", tier="flex", input_tokens=12, output_tokens=640, reasoning_tokens=640),
        SSE,
    ),
    sample(
        "openai: response stream that failed",
        RESPONSES,
        sse(*_events("response.failed", response("gpt-4.1", None, status="failed")), done=False, named=True),
        None,
        SSE,
    ),
    sample(
        "openai: count of input tokens",
        "/v1/responses/input_tokens",
        {"object": "response.input_tokens", "input_tokens": 11},
        None,
    ),
    sample(
        "openai: error",
        CHAT,
        {"error": {"message": TEXT, "type": "invalid_request_error", "param": None, "code": None}},
        None,
    ),
    sample(
        "openai: list of models",
        "/v1/models",
        {"object": "list", "data": [{"id": "gpt-4o", "object": "model", "created": 1686935002}]},
        None,
    ),
]
