"""What a random program does: a client, its hooks, and steps, all drawn from one number."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final, Optional

from tests.integration.clients import installed

__all__ = ["ASYNC_CLIENTS", "SYNC_CLIENTS", "Program", "Step", "program"]

SYNC_CLIENTS: Final = ("httpx", "httpx2", "requests", "urllib3", "urllib.request", "http.client")
ASYNC_CLIENTS: Final = ("httpx", "httpx2", "aiohttp")

_ANSWERS: Final = (
    "plain?n=100", "plain?n=70000", "chunked?n=5000&k=7", "sse?k=4&s=0", "gzip?n=4000", "empty",
    "close?n=300", "status/404", "status/500", "status/304",
)  # fmt: skip
_TROUBLE: Final = (
    "truncate?n=400",
    "reset",
    "hang",
    "refused",
    "redirect",
    "redirects",
    "flaky?fail=1",
    "badname",
)
_BODIES: Final = ("bytes", "pieces", "file", "json", "form", "calling", "old", None)
_METHODS: Final = ("GET", "GET", "POST", "POST", "PUT", "DELETE", "HEAD", "PATCH")


@dataclass(frozen=True)
class Step:
    """One call."""

    number: int
    method: str
    answer: str
    """What the server does, as its path and query; see `tests.loopback`."""
    body: Optional[str]
    """``bytes``, ``pieces``, ``file``, ``json``, ``form``; ``old``: in a way that the client warns of;
    ``calling``: pieces, and making them calls the same host; None: no body."""
    read: str
    """How the response is read: ``all``, ``stream``, ``early``, ``never``."""
    timeout_s: float

    @property
    def calm(self) -> bool:
        """Whether its course doesn't depend on what else the machine does."""
        return self.answer in _ANSWERS and self.read in {"all", "stream"}


@dataclass(frozen=True)
class Program:
    """Calls through one client, one after the other or at once."""

    seed: int
    client: str
    is_async: bool
    at_once: bool
    hooks: str
    """``none``, ``noting``; ``calling``: a hook makes a call of its own to the same host."""
    scope: str
    """``none``, ``tag``, ``track``."""
    steps: tuple[Step, ...]


def program(seed: int) -> Program:
    """Return the program of a number, the same on every run with the same clients installed."""
    chance = random.Random(seed)
    is_async = chance.random() < 0.4
    client = chance.choice(
        [name for name in (ASYNC_CLIENTS if is_async else SYNC_CLIENTS) if installed(name)]
    )
    at_once = chance.random() < 0.25
    steps = [_step(chance, number) for number in range(chance.randint(1, 6))]
    if at_once:
        steps = [step for step in steps if step.calm] * 3
        steps = [Step(n, s.method, s.answer, s.body, s.read, s.timeout_s) for n, s in enumerate(steps)]
    hooks = chance.choice(("none", "none", "noting", "calling"))
    scope = chance.choice(("none", "none", "tag", "track"))
    return Program(seed, client, is_async, at_once, hooks, scope, tuple(steps))


def _step(chance: random.Random, number: int) -> Step:
    troubled = chance.random() < 0.3
    answer = chance.choice(_TROUBLE if troubled else _ANSWERS)
    method = "GET" if answer in {"reset", "hang", "truncate?n=400"} else chance.choice(_METHODS)
    body = chance.choice(_BODIES) if method in {"POST", "PUT", "PATCH"} else None
    read = chance.choice(("all", "all", "stream", "early", "never"))
    return Step(number, method, answer, body, read, 0.2 if answer == "hang" else 20.0)
