"""The responses of the demo's APIs."""

from __future__ import annotations

import json
from typing import Any, Callable, Final

__all__ = ["CREATED", "TEXT", "WORDS", "Respond", "Response", "asked", "event", "json_response"]

WORDS: Final = ("A", " call", " that", " is", " counted", " is", " a", " cost", " understood", ".")
"""The reply of every model, by tokens."""
TEXT: Final = "".join(WORDS)
CREATED: Final = 1_767_225_600
"""Seconds since the epoch."""


class Response:
    """A status, a body in one or more parts, and how it is sent."""

    def __init__(
        self, status: int, parts: list[bytes], *, kind: str = "plain", retry_after: str = ""
    ) -> None:
        self.status = status
        self.parts = parts
        self.kind = kind
        """``plain`` with a Content-Length, ``chunked``, or ``sse``, which is chunked too."""
        self.retry_after = retry_after

    @property
    def content_type(self) -> str:
        """The Content-Type of the provider."""
        return "text/event-stream; charset=utf-8" if self.kind == "sse" else "application/json"


Respond = Callable[[str, str], Response]
"""A function from a path and a request body to the response."""


def json_response(value: Any, *, status: int = 200, chunked: bool = False, retry_after: str = "") -> Response:
    """Return a value as JSON, in one piece or in three chunks."""
    data = json.dumps(value, indent=2).encode()
    if not chunked:
        return Response(status, [data], retry_after=retry_after)
    third = len(data) // 3 + 1
    return Response(status, [data[at : at + third] for at in range(0, len(data), third)], kind="chunked")


def asked(body: str) -> dict[str, Any]:
    """Return the JSON object in a request body, or an empty one for any other body."""
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def event(data: dict[str, Any], *, name: str = "") -> bytes:
    """Return one server-sent event."""
    line = f"event: {name}\n" if name else ""
    return f"{line}data: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
