"""OpenAI's shapes: https://platform.openai.com/docs/api-reference, November 2026."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from recost.cli.demo.apis.base import CREATED, TEXT, WORDS, Respond, Response, asked, event, json_response

__all__ = ["ROUTES"]

_USAGE: Final = {"prompt_tokens": 24, "completion_tokens": len(WORDS), "total_tokens": 24 + len(WORDS)}


def _chat(_path: str, body: str) -> Response:
    request = asked(body)
    if request.get("model") == "demo-rate-limited":
        return _rate_limit()
    if request.get("stream"):
        return Response(200, list(_chat_stream(request)), kind="sse")
    message: dict[str, Any] = {"role": "assistant", "content": TEXT, "refusal": None, "annotations": []}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return json_response(
        {**_chat_head(request, "chat.completion"), "choices": [choice], "usage": _USAGE}, chunked=True
    )


def _chat_head(request: dict[str, Any], kind: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-demo8YwZ2mPqLk5sT3vX",
        "object": kind,
        "created": CREATED,
        "model": request.get("model", "gpt-4o-mini"),
        "service_tier": "default",
        "system_fingerprint": "fp_demo0cost1",
    }


def _chat_stream(request: dict[str, Any]) -> Iterator[bytes]:
    head = _chat_head(request, "chat.completion.chunk")
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "", "refusal": None}]
    deltas += [{"content": word} for word in WORDS]
    deltas.append({})
    for delta in deltas:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None if delta else "stop"}
        yield event({**head, "choices": [choice]})
    if (request.get("stream_options") or {}).get("include_usage"):
        yield event({**head, "choices": [], "usage": _USAGE})
    yield b"data: [DONE]\n\n"


def _rate_limit() -> Response:
    message = "Rate limit reached for requests per min (RPM): Limit 3, Used 3, Requested 1."
    error = {"message": message, "type": "requests", "param": None, "code": "rate_limit_exceeded"}
    return json_response({"error": error}, status=429, retry_after="20")


def _embeddings(_path: str, body: str) -> Response:
    request = asked(body)
    texts = request.get("input", "")
    vector = [round(((index * 37) % 101 - 50) / 700, 6) for index in range(256)]
    count = len(texts) if isinstance(texts, list) else 1
    data = [{"object": "embedding", "index": index, "embedding": vector} for index in range(count)]
    usage = {"prompt_tokens": 8 * count, "total_tokens": 8 * count}
    model = request.get("model", "text-embedding-3-small")
    return json_response({"object": "list", "data": data, "model": model, "usage": usage}, chunked=True)


def _responses(_path: str, body: str) -> Response:
    text = {"type": "output_text", "text": TEXT, "annotations": [], "logprobs": []}
    message = {
        "id": "msg_demo7f3a",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [text],
    }
    usage = {
        "input_tokens": 24,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": len(WORDS),
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 24 + len(WORDS),
    }
    return json_response(
        {
            "id": "resp_demo41c9",
            "object": "response",
            "created_at": CREATED,
            "status": "completed",
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": {},
            "model": asked(body).get("model", "gpt-4o-mini"),
            "output": [message],
            "parallel_tool_calls": True,
            "temperature": 1.0,
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "usage": usage,
        },
        chunked=True,
    )


ROUTES: Final[dict[tuple[str, str], Respond]] = {
    ("POST", "/v1/chat/completions"): _chat,
    ("POST", "/v1/embeddings"): _embeddings,
    ("POST", "/v1/responses"): _responses,
}
