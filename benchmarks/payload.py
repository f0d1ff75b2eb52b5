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
    body = json.dumps(_document(text)).encode()
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


_RESPONSES: Final = {"small": lambda: _plain(100), "2 KB": lambda: _plain(1800), "events": _events}

RESPONSE: Final = _RESPONSES[os.environ.get("BENCHMARK_RESPONSE", "small")]()
"""About 300 bytes; 2,000, or a stream of events, one in each chunk, if the environment says so."""
