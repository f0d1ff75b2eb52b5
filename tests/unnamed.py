"""A server whose answers say what they used, and not which model did it."""

from __future__ import annotations

import contextlib
import json
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.serving import serving

__all__ = ["ANSWERS", "Unnamed", "unnamed_server"]

_BILLED = {"billed_units": {"input_tokens": 1000, "output_tokens": 500}}
ANSWERS: dict[str, dict[str, Any]] = {
    "/v2/chat": {"id": "c-1", "message": {"role": "assistant"}, "usage": _BILLED},
    "/v1/chat": {"response_id": "c-1", "text": "", "meta": _BILLED},
    "/v2/embed": {"id": "e-1", "embeddings": {}, "meta": {"billed_units": {"input_tokens": 1000}}},
    "/v1/audio/transcriptions": {
        "text": "",
        "usage": {
            "type": "tokens",
            "input_tokens": 100,
            "input_token_details": {"text_tokens": 0, "audio_tokens": 100},
            "output_tokens": 50,
            "total_tokens": 150,
        },
    },
    "/v1/audio/translations": {"text": "", "usage": {"type": "duration", "seconds": 60}},
    "/v1/images/generations": {
        "created": 1,
        "data": [{"b64_json": ""}],
        "usage": {
            "input_tokens": 50,
            "input_tokens_details": {"text_tokens": 50, "image_tokens": 0},
            "output_tokens": 1000,
            "total_tokens": 1050,
        },
    },
    "/v1/responses/compact": {
        "id": "r-1",
        "object": "response.compaction",
        "created_at": 1,
        "output": [],
        "usage": {
            "input_tokens": 1000,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 500,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 1500,
        },
    },
}


class Unnamed(ThreadingHTTPServer):
    """Answers the paths of `ANSWERS`, whatever it is asked, also as a proxy of any host."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.log: list[bytes] = []
        """The bodies of the requests."""
        self.answers: dict[str, Any] = dict(ANSWERS)
        """By path; bytes are sent as they are."""
        self.headers: dict[str, str] = {}
        """Further ones of every response."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Unnamed

    def do_POST(self) -> None:
        self.server.log.append(self.rfile.read(int(self.headers.get("content-length") or 0)))
        answer = self.server.answers[urlsplit(self.path).path]
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle()

    def log_message(self, *args: Any) -> None:
        """Keep quiet."""


def unnamed_server() -> AbstractContextManager[Unnamed]:
    """Run a server for the length of the block."""
    return serving(Unnamed())
