"""What of OpenAI's is asked again until it is done: batches, responses in the background, runs."""

from __future__ import annotations

from typing import Any

from tests.pricing.usage.responses.build import SSE, chat, ndjson, sample, sse, used
from tests.pricing.usage.responses.openai import response
from tests.pricing.usage.responses.openai_tools import FILES, USAGE

BATCH = "/v1/batches/batch_1"
CONTENT = "/v1/files/file-1/content"
STORED = "/v1/responses/resp_1"
RUN = "/v1/threads/thread_1/runs/run_1"
BY_HAND: dict[str, str] = {}
"""US dollars by the name of the sample, for batches: half of the prices of tokens."""


def batch(model: Any, usage: Any, status: str = "completed", completed: int = 10) -> dict[str, Any]:
    return {
        "id": "batch_1",
        "object": "batch",
        "endpoint": "/v1/chat/completions",
        "model": model,
        "errors": None,
        "input_file_id": "file-0",
        "completion_window": "24h",
        "status": status,
        "output_file_id": "file-1",
        "error_file_id": None,
        "created_at": 1714508499,
        "request_counts": {"total": completed, "completed": completed, "failed": 0},
        "metadata": None,
        "usage": usage,
    }


def counts(taken: int, made: int, cached: int = 0) -> dict[str, Any]:
    return {
        "input_tokens": taken,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": taken + made,
    }


def line(number: int, body: Any, status: int = 200) -> dict[str, Any]:
    envelope = {"status_code": status, "request_id": f"r{number}", "body": body}
    return {"id": f"batch_req_{number}", "custom_id": str(number), "response": envelope, "error": None}


MINI = "gpt-4o-mini-2024-07-18"
_CHAT = chat(MINI, {"prompt_tokens": 1000, "completion_tokens": 1000, "total_tokens": 2000})
_EMBEDDINGS = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.1]}],
    "model": "text-embedding-3-small",
    "usage": {"prompt_tokens": 1000, "total_tokens": 1000},
}
_ERROR = {"error": {"message": "x", "type": "invalid_request_error", "param": None, "code": None}}
_LARGE = counts(31493594, 19786241, 24045184)

_BATCHES: list[tuple[str, dict[str, Any], Any, str]] = [
    (
        "completed batch",
        batch("gpt-5-2025-08-07", _LARGE),
        used(
            "gpt-5-2025-08-07",
            tier="batch",
            requests=10,
            input_tokens=31493594,
            cache_read_tokens=24045184,
            output_tokens=19786241,
        ),
        "105.08928525",
    ),
    (
        "batch that expired",
        batch(MINI, counts(1000, 1000), "expired"),
        used(MINI, tier="batch", requests=10, input_tokens=1000, output_tokens=1000),
        "0.000375",
    ),
    (
        "batch that was cancelled",
        batch("o3", counts(1_000_000, 100_000), "cancelled", 500),
        used("o3", tier="batch", requests=500, input_tokens=1_000_000, output_tokens=100_000),
        "1.4",
    ),
    # 100 prompts of 30,000 tokens each: long ones would cost twice as much.
    (
        "batch of a model whose long prompts cost more",
        batch("gpt-5.4", counts(3_000_000, 100_000), completed=100),
        used("gpt-5.4", tier="batch", requests=100, input_tokens=3_000_000, output_tokens=100_000),
        "4.5",
    ),
    (
        "small batch of such a model",
        batch("gpt-5.4", counts(10_000, 1000)),
        used("gpt-5.4", tier="batch", requests=10, input_tokens=10_000, output_tokens=1000),
        "0.02",
    ),
    ("batch that goes on", batch("gpt-5", None, "in_progress"), used("gpt-5"), "0"),
    ("batch that has counted something", batch("gpt-5", counts(10, 10), "finalizing"), used("gpt-5"), "0"),
    ("batch that is being checked", batch(None, counts(0, 0), "validating", 0), used(), "0"),
    ("batch that failed", batch("gpt-5", counts(0, 0), "failed", 0), used("gpt-5"), "0"),
]
_FILES: list[tuple[str, bytes, Any, str]] = [
    (
        "output of a batch",
        ndjson(*(line(number, _CHAT) for number in range(10))),
        used(MINI, tier="batch", requests=10, input_tokens=10_000, output_tokens=10_000),
        "0.00375",
    ),
    (
        "output of a batch, one failed",
        ndjson(line(0, _CHAT), line(1, _ERROR, 400), line(2, _CHAT)),
        used(MINI, tier="batch", requests=2, input_tokens=2000, output_tokens=2000),
        "0.00075",
    ),
    (
        "output of a batch of embeddings",
        ndjson(*(line(number, _EMBEDDINGS) for number in range(3))),
        used("text-embedding-3-small", tier="batch", requests=3, input_tokens=3000),
        "0.00006",
    ),
    (
        "output of a batch of responses that searched",
        ndjson(
            *(line(number, {**response("gpt-5", USAGE), "output": [FILES]}) for number in range(2)),
        ),
        used("gpt-5", tier="batch", requests=2, input_tokens=2000, output_tokens=1000, file_searches=2),
        "0.01125",
    ),
    (
        "file with examples",
        ndjson(
            {"messages": [{"role": "user", "content": "x"}], "usage": {"prompt_tokens": 7}}, {"messages": []}
        ),
        used(),
        "0",
    ),
]
_RESPONSES: list[tuple[str, dict[str, Any], Any, str]] = [
    (
        "response in the background, read when it is done",
        {**response("o3-deep-research", counts(200_000, 20_000)), "id": "resp_1", "background": True},
        used("o3-deep-research", tier="default", input_tokens=200_000, output_tokens=20_000),
        "2.8",
    ),
    (
        "response in the background, read while it goes on",
        {**response("gpt-5", None), "id": "resp_1", "status": "in_progress", "background": True},
        None,
        "0",
    ),
    (
        "response that is read again",
        {**response("gpt-5", USAGE), "id": "resp_1", "background": False},
        used("gpt-5"),
        "0",
    ),
    ("response of old that is read again", {**response("gpt-5", USAGE), "id": "resp_1"}, used("gpt-5"), "0"),
]

_RUN_COUNTS = {
    "prompt_tokens": 1000,
    "prompt_token_details": {"cached_tokens": 200},  # as it is spelt there
    "completion_tokens": 100,
    "completion_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 1100,
}


def run(usage: Any, *tools: str, status: str = "completed", **more: Any) -> dict[str, Any]:
    return {
        "id": "run_1",
        "object": "thread.run",
        "assistant_id": "asst_1",
        "thread_id": "thread_1",
        "status": status,
        "model": "gpt-4o",
        "tools": [{"type": name} for name in tools],
        "usage": usage,
        **more,
    }


_OF_RUN: dict[str, Any] = {"input_tokens": 1000, "cache_read_tokens": 200, "output_tokens": 100}
# gpt-4o: 800 at $2.50, 200 at $1.25 and 100 at $10 a million.
_RUNS: list[tuple[str, dict[str, Any], Any, str]] = [
    ("run", run(_RUN_COUNTS, "function"), used("gpt-4o", **_OF_RUN), "0.00325"),
    ("run that is incomplete", run(_RUN_COUNTS, status="incomplete"), used("gpt-4o", **_OF_RUN), "0.00325"),
    ("run that goes on", run(None, "code_interpreter", status="in_progress"), None, "0"),
    (
        "run that may have searched files",
        run(_RUN_COUNTS, "file_search", "code_interpreter"),
        used("gpt-4o", uncounted=("code_interpreter", "file_search"), **_OF_RUN),
        "0.00325",
    ),
]

SAMPLES = [
    *(sample(f"openai: {name}", RUN, body, usage) for name, body, usage, _ in _RUNS),
    *(
        sample(f"azure: {name}", RUN.replace("/v1/", "/openai/"), body, usage)
        for name, body, usage, _ in _RUNS
    ),
    *(sample(f"openai: {name}", BATCH, body, usage) for name, body, usage, _ in _BATCHES),
    *(
        sample(f"openai: {name}", CONTENT, body, usage, "application/octet-stream")
        for name, body, usage, _ in _FILES
    ),
    *(sample(f"openai: {name}", STORED, body, usage) for name, body, usage, _ in _RESPONSES),
]
BY_HAND.update({f"openai: {row[0]}": row[-1] for row in (*_BATCHES, *_FILES, *_RESPONSES, *_RUNS)})
BY_HAND.update({f"azure: {row[0]}": row[-1] for row in _RUNS})
READ = tuple(sample.name for sample in SAMPLES)
"""Those that are asked for with GET."""
ESTIMATED = (
    "openai: batch of a model whose long prompts cost more",
    "openai: output of a batch of embeddings",  # the list has no price of theirs in a batch
)
SAMPLES.append(
    sample(
        "openai: response in the background, asked for",
        "/v1/responses",
        {**response("gpt-5", None), "status": "queued", "background": True, "output": []},
        None,
    )
)
_STEP_COUNTS = {"prompt_tokens": 400, "completion_tokens": 50, "total_tokens": 450}
SAMPLES.append(
    sample(
        "openai: run, streamed",
        "/v1/threads/thread_1/runs",
        sse(
            run(None, status="queued"),
            {"id": "step_1", "object": "thread.run.step", "status": "in_progress", "usage": None},
            {"id": "msg_1", "object": "thread.message.delta", "delta": {"content": []}},
            {"id": "step_1", "object": "thread.run.step", "status": "completed", "usage": _STEP_COUNTS},
            run(_RUN_COUNTS),
        ),
        used("gpt-4o", **_OF_RUN),
        SSE,
    )
)
BY_HAND["openai: run, streamed"] = "0.00325"
UNKNOWN = ("openai: response in the background, asked for",)
