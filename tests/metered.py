"""A server whose answers say what they used: each a number of tokens of its own, at a price known here."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
from contextlib import AbstractContextManager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from recost.pricing.model import ProviderDef
from tests.serving import serving

__all__ = ["CANARY", "Metered", "metered_server", "usd"]

CANARY = "do-not-let-this-text-out"
MODEL = "house-model-1"
_USD_PER_TOKEN = Decimal("0.000001")


_DETAILS = {
    "choices": [{"index": 0, "message": {"role": "assistant", "content": CANARY * 80, "annotations": []}}],
    "service_tier": "default",
}
"""What OpenAI's own chat completions also say."""


def usd(tokens: int) -> Decimal:
    """Return what that many input tokens cost, and half as many output tokens at twice the price."""
    return tokens * _USD_PER_TOKEN * 2


class Metered(ThreadingHTTPServer):
    """Answers ``/v1/chat``, also ``?as=sse``, ``gzip``, ``slow`` (a stream in tiny pieces) and ``2kb``."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.tokens = itertools.count(2, 2)
        self.log: list[int] = []
        """Tokens of each answer that was sent."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def rules(self) -> list[ProviderDef]:
        """Return the rule that prices the answers."""
        return [
            ProviderDef(
                "127.0.0.1",
                "house",
                "/v1",
                "chat",
                usage="openai",
                usd_per_unit={"input_tokens": _USD_PER_TOKEN, "output_tokens": _USD_PER_TOKEN * 2},
                price_source="this test",
                price_date="2026-11-21",
            )
        ]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement
    server: Metered

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        tokens = next(self.server.tokens)
        self.server.log.append(tokens)
        how = self.path.partition("?as=")[2]
        if how in ("sse", "slow"):
            self._stream(tokens, 7 if how == "slow" else 4000)
            return
        body = json.dumps({**_completion(tokens), **(_DETAILS if how == "2kb" else {})}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        if how == "gzip":
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815 - the name that the base class looks for

    def _stream(self, tokens: int, size: int) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        whole = _completion(tokens)
        choice = {"index": 0, "delta": {"content": CANARY}}
        events = [{**whole, "choices": [choice], "usage": None}] * 5 + [{**whole, "choices": []}]
        text = (
            b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
            + b"data: [DONE]\n\n"
        )
        for start in range(0, len(text), size):
            piece = text[start : start + size]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # a client that does not wait for the end of a stream
            super().handle()

    def log_message(self, *args: Any) -> None:
        """Keep quiet."""


def _completion(tokens: int) -> dict[str, Any]:
    return {
        "id": f"c-{tokens}",
        "object": "chat.completion",
        "model": MODEL,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": CANARY}}],
        "usage": {
            "prompt_tokens": tokens,
            "completion_tokens": tokens // 2,
            "total_tokens": tokens * 3 // 2,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
    }


def metered_server() -> AbstractContextManager[Metered]:
    """Run a server for the length of the block."""
    return serving(Metered())
