"""Bodies of responses as servers write them."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Optional

from recost.captured import CapturedResponse
from recost.pricing.usage import Usage
from recost.pricing.usage.model import Number

CHAT = "/v1/chat/completions"
"""Path of chats of OpenAI and compatible APIs."""
SMALL = {"prompt_tokens": 20, "completion_tokens": 30, "total_tokens": 50}
"""Usage of such a response."""
JSON = "application/json"
SSE = "text/event-stream; charset=utf-8"
NDJSON = "application/x-ndjson"
AWS = "application/vnd.amazon.eventstream"
TEXT = 'The capital of France is Paris, and "usage": {"prompt_tokens": 9} is only text; 東京 ok.\n'
"""Text of the models in these responses."""


class Sample(NamedTuple):
    """A response and the usage it reports, worked out by hand from the body."""

    name: str
    shape: str
    path: str
    body: bytes
    usage: Optional[Usage]
    content_type: str = JSON
    headers: Mapping[str, str] = {}

    @property
    def provider(self) -> str:
        return self.name.partition(":")[0]

    def captured(self, **changes: Any) -> CapturedResponse:
        content = CapturedResponse(
            self.body, content_type=self.content_type, path=self.path, headers=self.headers
        )
        return content._replace(**changes)


def sample(
    name: str,
    path: str,
    body: Any,
    usage: Optional[Usage],
    content_type: str = JSON,
    headers: Mapping[str, str] = {},
    *,
    shape: str = "",
) -> Sample:
    """Return a sample.

    Args:
        name: Provider, colon and what is special about the response.
        path: Path of the request.
        body: Bytes, or a JSON document.
        usage: Usage that the body reports, worked out by hand.
        content_type: Content type of the response.
        headers: Headers of the response.
        shape: Name of the shape. By default that of the provider.
    """
    encoded = body if isinstance(body, bytes) else plain(body)
    return Sample(name, shape or name.partition(":")[0], path, encoded, usage, content_type, headers)


def used(
    model: Optional[str] = None,
    /,
    *,
    tier: Optional[str] = None,
    usd: Optional[str] = None,
    partial: bool = False,
    parts: Sequence[Usage] = (),
    factor: Optional[str] = None,
    served_by: Optional[str] = None,
    uncounted: Sequence[str] = (),
    requests: int = 1,
    **units: Number,
) -> Usage:
    return Usage(
        model,
        units,
        None if usd is None else Decimal(usd),
        tier,
        partial,
        tuple(parts),
        None if factor is None else Decimal(factor),
        served_by,
        tuple(uncounted),
        requests=requests,
    )


def plain(document: Any, *, indent: Optional[int] = None) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=indent).encode()


def sse(
    *documents: Any, done: bool = True, newline: str = "\n", named: bool = False, space: str = " "
) -> bytes:
    lines: list[str] = []
    for document in documents:
        if isinstance(document, str):
            lines += [document, ""]  # a comment
            continue
        if named:
            lines.append(f"event: {document['type']}")
        lines += [f"data:{space}{json.dumps(document, ensure_ascii=False)}", ""]
    if done:
        lines += [f"data:{space}[DONE]", ""]
    return newline.join([*lines, ""]).encode()


def ndjson(*documents: Any) -> bytes:
    return "".join(json.dumps(document, ensure_ascii=False) + "\n" for document in documents).encode()


def aws(*events: tuple[str, Any]) -> bytes:
    return b"".join(aws_message(kind, json.dumps(payload).encode()) for kind, payload in events)


def aws_message(kind: str, payload: bytes) -> bytes:
    headers = b"".join(
        bytes([len(name)]) + name + b"\x07" + len(value).to_bytes(2, "big") + value
        for name, value in (
            (b":event-type", kind.encode()),
            (b":content-type", b"application/json"),
            (b":message-type", b"event"),
        )
    )
    prelude = (len(headers) + len(payload) + 16).to_bytes(4, "big") + len(headers).to_bytes(4, "big")
    message = prelude + zlib.crc32(prelude).to_bytes(4, "big") + headers + payload
    return message + zlib.crc32(message).to_bytes(4, "big")


def aws_chunks(*documents: Any) -> bytes:
    """Return the stream of ``invoke-with-response-stream``."""
    return aws(
        *(
            ("chunk", {"bytes": base64.b64encode(json.dumps(document).encode()).decode(), "p": "abcdefghij"})
            for document in documents
        )
    )


def chat(model: Optional[str], usage: Any, **more: Any) -> dict[str, Any]:
    """Return a chat completion."""
    return {
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
        "object": "chat.completion",
        "created": 1741569952,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": TEXT, "refusal": None, "annotations": []},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": usage,
        **more,
    }


def chunk(model: Optional[str], text: Optional[str] = None, **more: Any) -> dict[str, Any]:
    """Return one chunk of a chat that is streamed."""
    choices = [{"index": 0, "delta": {"content": text}, "logprobs": None, "finish_reason": None}]
    if text is None:
        choices = []
    return {
        "id": "chatcmpl-123",
        "object": "chat.completion.chunk",
        "created": 1694268190,
        "model": model,
        "system_fingerprint": "fp_44709d6fcb",
        "choices": choices,
        **more,
    }


def ending(model: Optional[str], usage: Any, **more: Any) -> dict[str, Any]:
    """Return the last chunk of a chat, where it has both the reason why it ended and the usage."""
    choices = [{"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}]
    return {**chunk(model), "choices": choices, "usage": usage, **more}
