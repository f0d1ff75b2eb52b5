"""Anthropic's shapes: https://docs.anthropic.com/en/api, November 2026."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from recost.cli.demo.apis.base import TEXT, WORDS, Respond, Response, asked, event, json_response

__all__ = ["ROUTES"]


def _messages(_path: str, body: str) -> Response:
    request = asked(body)
    if request.get("model") == "demo-broken":
        error = {"type": "api_error", "message": "Internal server error"}
        return json_response({"type": "error", "error": error, "request_id": "req_demo011C"}, status=500)
    message = {
        "id": "msg_demo01XFDUDYJgAACz",
        "type": "message",
        "role": "assistant",
        "model": request.get("model", "claude-sonnet-4-5"),
        "content": [{"type": "text", "text": TEXT}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 25, "output_tokens": len(WORDS)},
    }
    if request.get("stream"):
        return Response(200, list(_message_stream(message)), kind="sse")
    return json_response(message, chunked=True)


def _message_stream(message: dict[str, Any]) -> Iterator[bytes]:
    start = {**message, "content": [], "stop_reason": None, "usage": {"input_tokens": 25, "output_tokens": 1}}
    yield _named({"type": "message_start", "message": start})
    yield _named({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
    yield _named({"type": "ping"})
    for word in WORDS:
        delta = {"type": "text_delta", "text": word}
        yield _named({"type": "content_block_delta", "index": 0, "delta": delta})
    yield _named({"type": "content_block_stop", "index": 0})
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    yield _named({"type": "message_delta", "delta": stop, "usage": {"output_tokens": len(WORDS)}})
    yield _named({"type": "message_stop"})


def _named(data: dict[str, Any]) -> bytes:
    return event(data, name=data["type"])


ROUTES: Final[dict[tuple[str, str], Respond]] = {("POST", "/v1/messages"): _messages}
