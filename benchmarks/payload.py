"""What every measured call sends and receives: a small JSON request and response, as of a chat completion."""

from __future__ import annotations

import json
import os
from typing import Any, Final

__all__ = ["BODY", "EVENTS", "HEADERS", "HOST", "PATH", "RESPONSE"]

HOST: Final = "api.openai.com"
"""The host where the network is in memory; it has a built-in rule."""
PATH: Final = "/v1/chat/completions"
HEADERS: Final = {"Content-Type": "application/json", "Authorization": "Bearer sk-benchmark"}
_MESSAGES: Final = [{"role": "user", "content": "x" * 100}]
BODY: Final = json.dumps({"model": "gpt-small", "messages": _MESSAGES}).encode()

EVENTS: Final = int(os.environ.get("BENCHMARK_EVENTS", "500"))
"""Events of a response that is a stream."""


def _document(text: int) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "y" * text}}],
        "usage": {"prompt_tokens": 25, "completion_tokens": 25, "total_tokens": 50},
    }


def _plain(text: int) -> bytes:
    return _json(_document(text))


def _json(document: dict[str, Any]) -> bytes:
    body = json.dumps(document).encode()
    return (
        b"HTTP/1.1 200 OK\r\n"
        b"Content-Type: application/json\r\n"
        b"x-request-id: req_0123456789\r\n"
        b"Content-Length: %d\r\n\r\n%s"
    ) % (len(body), body)


def _events() -> bytes:
    delta = {"choices": [{"index": 0, "delta": {"content": "y" * 20}}], "usage": None}
    events = [{**_document(0), **delta}] * (EVENTS - 1) + [{**_document(0), "choices": []}]
    texts = [b"data: " + json.dumps(event).encode() + b"\n\n" for event in events]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(text), text) for text in texts)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + chunks + b"0\r\n\r\n"


def _numbers() -> bytes:
    document = {**_document(0), "embedding": [index / 7 for index in range(50_000)]}
    return _json(document)


_RESPONSES: Final = {
    "small": lambda: _plain(100),
    "2 KB": lambda: _plain(1800),
    "events": _events,
    "1 MB": lambda: _plain(1_000_000),
    "1 MB of numbers": _numbers,
}

RESPONSE: Final = _RESPONSES[os.environ.get("BENCHMARK_RESPONSE", "small")]()
"""About 300 bytes, unless the environment names another one. A stream has one event in each chunk."""
