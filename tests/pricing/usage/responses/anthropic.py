"""Responses of Anthropic: https://docs.claude.com/en/api/messages."""

from __future__ import annotations

from typing import Any, Optional

from tests.pricing.usage.responses.build import NDJSON, SSE, TEXT, ndjson, sample, sse, used

PATH = "/v1/messages"
CLAUDE = "claude-sonnet-4-5-20250929"
RESULTS = "/v1/messages/batches/msgbatch_01HkcTjaV5uDC8jWR4ZsDV8d/results"


def message(usage: Any, *, model: str = CLAUDE, **more: Any) -> dict[str, Any]:
    return {
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": TEXT}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": usage,
        **more,
    }


def events(start: Any, *deltas: Any, model: str = CLAUDE, stop: bool = True) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"type": "message_start", "message": message(start, model=model, content=[], stop_reason=None)},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": TEXT}},
        {"type": "content_block_stop", "index": 0},
    ]
    found += [
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": delta}
        for delta in deltas
    ]
    return [*found, {"type": "message_stop"}] if stop else found


def stream(start: Any, *deltas: Any, **more: Any) -> bytes:
    return sse(*events(start, *deltas, **more), done=False, named=True)


def _result(custom_id: str, usage: Optional[Any], model: str = CLAUDE) -> dict[str, Any]:
    if usage is None:
        return {"custom_id": custom_id, "result": {"type": "errored", "error": {"type": "invalid_request"}}}
    return {"custom_id": custom_id, "result": {"type": "succeeded", "message": message(usage, model=model)}}


_SMALL = {"input_tokens": 10, "output_tokens": 25}
_CACHED = {
    "input_tokens": 21,
    "cache_creation_input_tokens": 1000,
    "cache_read_input_tokens": 5000,
    "cache_creation": {"ephemeral_5m_input_tokens": 600, "ephemeral_1h_input_tokens": 400},
    "output_tokens": 393,
    "service_tier": "standard",
}
_START = {
    "input_tokens": 25,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 2051,
    "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
    "output_tokens": 1,
    "service_tier": "standard",
}

SAMPLES = [
    sample(
        "anthropic: message",
        PATH,
        message(_SMALL),
        used(CLAUDE, input_tokens=10, output_tokens=25),
    ),
    sample(
        "anthropic: message with both caches",
        PATH,
        message(_CACHED),
        used(
            CLAUDE,
            tier="standard",
            input_tokens=6021,
            cache_read_tokens=5000,
            cache_write_tokens=600,
            cache_write_1h_tokens=400,
            output_tokens=393,
        ),
    ),
    sample(
        "anthropic: message that wrote to the cache, without details",
        PATH,
        message({**_SMALL, "cache_creation_input_tokens": 188086, "cache_read_input_tokens": 0}),
        used(CLAUDE, input_tokens=188096, cache_write_tokens=188086, output_tokens=25),
    ),
    sample(
        "anthropic: message with a tool whose input is called usage",
        PATH,
        message(
            _SMALL,
            content=[
                {
                    "type": "tool_use",
                    "id": "toolu_1",
                    "name": "report",
                    "input": {"usage": {"input_tokens": 999, "output_tokens": 999}},
                }
            ],
            stop_reason="tool_use",
        ),
        used(CLAUDE, input_tokens=10, output_tokens=25),
    ),
    sample(
        "anthropic: message with web searches",
        PATH,
        message({**_SMALL, "server_tool_use": {"web_search_requests": 3, "web_fetch_requests": 1}}),
        used(CLAUDE, input_tokens=10, output_tokens=25, web_searches=3),
    ),
    sample(
        "anthropic: message, priority",
        PATH,
        message({**_SMALL, "service_tier": "priority", "speed": "standard"}),
        used(CLAUDE, tier="priority", input_tokens=10, output_tokens=25),
    ),
    sample(
        "anthropic: message, fast",
        PATH,
        message({**_SMALL, "service_tier": "standard", "speed": "fast"}, model="claude-opus-4-6"),
        used("claude-opus-4-6", tier="fast", input_tokens=10, output_tokens=25),
    ),
    sample(
        "anthropic: message after thinking",
        PATH,
        message({**_SMALL, "output_tokens_details": {"thinking_tokens": 15}}),
        used(CLAUDE, input_tokens=10, output_tokens=25, reasoning_tokens=15),
    ),
    sample(
        "anthropic: message after a compaction, which is not in the totals",
        PATH,
        message(
            {
                "input_tokens": 23000,
                "output_tokens": 1000,
                "iterations": [
                    {"type": "compaction", "input_tokens": 180000, "output_tokens": 3500},
                    {"type": "message", "input_tokens": 23000, "output_tokens": 1000},
                ],
            }
        ),
        used(CLAUDE, input_tokens=203000, output_tokens=4500),
    ),
    sample(
        "anthropic: stream",
        PATH,
        stream({"input_tokens": 25, "output_tokens": 1}, {"output_tokens": 15}),
        used(CLAUDE, input_tokens=25, output_tokens=15),
        SSE,
    ),
    sample(
        "anthropic: stream with cumulative deltas",
        PATH,
        stream(_START, {"output_tokens": 15}, {"output_tokens": 89}),
        used(CLAUDE, tier="standard", input_tokens=2076, cache_read_tokens=2051, output_tokens=89),
        SSE,
    ),
    sample(
        "anthropic: stream with web searches, whose delta has all counts",
        PATH,
        stream(
            {
                "input_tokens": 2679,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": 3,
            },
            {
                "input_tokens": 10682,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 100,
                "output_tokens": 510,
                "server_tool_use": {"web_search_requests": 1},
            },
        ),
        used(CLAUDE, input_tokens=10782, cache_read_tokens=100, output_tokens=510, web_searches=1),
        SSE,
    ),
    sample(
        "anthropic: stream that wrote to the cache for an hour",
        PATH,
        stream(
            {
                "input_tokens": 4,
                "cache_creation_input_tokens": 3000,
                "cache_read_input_tokens": 0,
                "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 3000},
                "output_tokens": 2,
            },
            {
                "input_tokens": 4,
                "cache_creation_input_tokens": 3000,
                "cache_read_input_tokens": 0,
                "output_tokens": 7,
            },
        ),
        used(CLAUDE, input_tokens=3004, cache_write_1h_tokens=3000, output_tokens=7),
        SSE,
    ),
    sample(
        "anthropic: stream that ended with an error",
        PATH,
        sse(
            *events({"input_tokens": 25, "output_tokens": 1}, stop=False),
            {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
            done=False,
            named=True,
        ),
        used(CLAUDE, partial=True, uncounted=["output_tokens"], input_tokens=25),
        SSE,
    ),
    sample(
        "anthropic: results of a batch",
        RESULTS,
        ndjson(_result("a", {**_SMALL, "service_tier": "batch"}), _result("b", None), _result("c", _CACHED)),
        used(
            CLAUDE,
            tier="batch",
            requests=2,
            input_tokens=6031,
            cache_read_tokens=5000,
            cache_write_tokens=600,
            cache_write_1h_tokens=400,
            output_tokens=418,
        ),
        NDJSON,
    ),
    sample(
        "anthropic: results of a batch with two models",
        RESULTS,
        ndjson(_result("a", _SMALL), _result("b", _SMALL, "claude-haiku-4-5")),
        used(
            tier="batch",
            requests=2,
            parts=[
                used(name, tier="batch", input_tokens=10, output_tokens=25)
                for name in (CLAUDE, "claude-haiku-4-5")
            ],
            input_tokens=20,
            output_tokens=50,
        ),
        "application/binary",
    ),
    sample(
        "anthropic: count of tokens",
        "/v1/messages/count_tokens",
        {"input_tokens": 2095},
        None,
    ),
    sample(
        "anthropic: batch",
        "/v1/messages/batches",
        {
            "id": "msgbatch_1",
            "type": "message_batch",
            "request_counts": {"processing": 100, "succeeded": 0},
        },
        None,
    ),
    sample(
        "anthropic: error",
        PATH,
        {"type": "error", "error": {"type": "not_found_error", "message": TEXT}, "request_id": "req_1"},
        None,
    ),
    sample(
        "azure: message of Claude",
        "/anthropic/v1/messages",
        message(_CACHED),
        used(
            CLAUDE,
            tier="standard",
            input_tokens=6021,
            cache_read_tokens=5000,
            cache_write_tokens=600,
            cache_write_1h_tokens=400,
            output_tokens=393,
        ),
    ),
    sample(
        "moonshot: message",
        "/anthropic/v1/messages",
        stream(
            {"input_tokens": 0, "output_tokens": 0},
            {"input_tokens": 19, "output_tokens": 21},
            model="kimi-k2",
        ),
        used("kimi-k2", input_tokens=19, output_tokens=21),
        SSE,
    ),
]
