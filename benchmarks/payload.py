"""What every measured call sends and receives: a small JSON request and answer, as of a chat completion."""

from __future__ import annotations

import json
from typing import Final

__all__ = ["ANSWER", "BODY", "HEADERS", "HOST", "PATH"]

HOST: Final = "api.openai.com"
"""The host where the network is in memory; it has a built-in rule."""
PATH: Final = "/v1/chat/completions"
HEADERS: Final = {"Content-Type": "application/json", "Authorization": "Bearer sk-benchmark"}
_MESSAGES: Final = [{"role": "user", "content": "x" * 100}]
BODY: Final = json.dumps({"model": "gpt-small", "messages": _MESSAGES}).encode()

_DOCUMENT: Final = json.dumps(
    {
        "id": "chatcmpl-1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "y" * 100}}],
        "usage": {"prompt_tokens": 25, "completion_tokens": 25, "total_tokens": 50},
    }
).encode()

ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\n"
    b"Content-Type: application/json\r\n"
    b"x-request-id: req_0123456789\r\n"
    b"Content-Length: %d\r\n\r\n%s"
) % (len(_DOCUMENT), _DOCUMENT)
