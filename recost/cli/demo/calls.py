"""The calls of the demo."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from recost.cli.demo.routing import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CALLS", "Call", "shares"]


@dataclass(frozen=True)
class Call:
    """One request, the same for every client."""

    method: str
    host: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    streamed: bool = False
    """True if the client reads the response piece by piece."""

    @property
    def url(self) -> str:
        """The URL, without TLS because these names have no certificate."""
        return f"http://{self.host}{self.path}"


def _openai(path: str, *, streamed: bool = False, **asked: Any) -> Call:
    headers = {"Authorization": "Bearer sk-demo", "Content-Type": "application/json"}
    body = {**asked, **({"stream": True, "stream_options": {"include_usage": True}} if streamed else {})}
    return Call("POST", "api.openai.com", f"/v1/{path}", json.dumps(body).encode(), headers, streamed)


def _anthropic(model: str, *, streamed: bool = False) -> Call:
    headers = {"x-api-key": "demo", "anthropic-version": "2023-06-01", "Content-Type": "application/json"}
    body = {"model": model, "max_tokens": 64, "messages": _QUESTION, "stream": streamed}
    return Call("POST", "api.anthropic.com", "/v1/messages", json.dumps(body).encode(), headers, streamed)


def _stripe(method: str, path: str, **fields: Any) -> Call:
    headers = {"Authorization": "Bearer sk_test_demo"}
    if fields:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    return Call(method, "api.stripe.com", f"/v1/{path}", urlencode(fields).encode(), headers)


_QUESTION: Final = [{"role": "user", "content": "What does this call cost?"}]

CALLS: Final = (
    _openai("chat/completions", model="gpt-4o-mini", messages=_QUESTION),
    _openai("chat/completions", model="gpt-4o-mini", messages=_QUESTION, streamed=True),
    _anthropic("claude-sonnet-4-5"),
    _stripe("POST", "charges", amount=2000, currency="usd", source="tok_visa"),
    _openai("embeddings", model="text-embedding-3-small", input=["one text", "and another"]),
    _anthropic("claude-sonnet-4-5", streamed=True),
    Call("GET", UNREACHABLE, "/health"),
    _stripe("POST", "customers", name="Jenny Rosen", email="jenny@example.com"),
    _openai("responses", model="gpt-4o-mini", input="What does this call cost?"),
    _stripe("GET", "customers/cus_demoNffrFeUfNV"),
    _openai("chat/completions", model="demo-rate-limited", messages=_QUESTION),
    _stripe("POST", "payment_intents", amount=2000, currency="usd"),
    _anthropic("demo-broken"),
    _stripe("POST", "charges", amount=2000, currency="usd", source="tok_chargeDeclined"),
)
"""Calls of each kind: plain, chunked and streamed responses, 402, 429, 500, and a refused connection."""

_LEAST: Final = 42
_LEAST_EACH: Final = 6


def shares(clients: int) -> Iterator[list[Call]]:
    """Yield the calls of each client: together all kinds, and a few dozen calls in total."""
    size = max(_LEAST_EACH, -(-_LEAST // clients))
    endless = itertools.cycle(CALLS)
    for _ in range(clients):
        yield list(itertools.islice(endless, size))
