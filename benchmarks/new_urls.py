"""CPU time of a URL that has never been seen: its rule, its route and its template."""

from __future__ import annotations

import functools
import random
import string
import uuid
from collections.abc import Callable
from typing import Any, Final

from lowest import lowest_s

from recost.pricing.registry import ProviderRegistry
from recost.pricing.route import Routes

__all__ = ["measure", "table"]

_WORDS: Final = ("summer", "holiday", "green", "river", "mountain", "house", "garden", "kitchen", "travel")


def _token(chance: random.Random, length: int, letters: str) -> str:
    return "".join(chance.choices(letters, k=length))


def _slug(chance: random.Random) -> str:
    return "-".join((*chance.choices(_WORDS, k=5), _token(chance, 3, string.ascii_lowercase)))


KINDS: Final[dict[str, tuple[str, str, Callable[[random.Random], str]]]] = {
    "number": ("unknown.example.org", "/v2/things/{}", lambda chance: str(chance.getrandbits(40))),
    "UUID": (
        "unknown.example.org",
        "/v2/things/{}/parts",
        lambda chance: str(uuid.UUID(int=chance.getrandbits(128))),
    ),
    "hexadecimal": (
        "unknown.example.org",
        "/v2/orders/{}/items",
        lambda chance: f"{chance.getrandbits(96):024x}",
    ),
    "id with a prefix": (
        "unknown.example.org",
        "/v1/customers/cus_{}",
        lambda chance: _token(chance, 24, string.ascii_letters + string.digits),
    ),
    "Stripe": (
        "api.stripe.com",
        "/v1/customers/cus_{}",
        lambda chance: _token(chance, 14, string.ascii_letters),
    ),
    "GitHub": (
        "api.github.com",
        "/repos/o/{}/issues",
        lambda chance: _token(chance, 9, string.ascii_letters),
    ),
    "S3": ("s3.us-east-1.amazonaws.com", "/bucket/{}", lambda chance: str(chance.getrandbits(40))),
    "e-mail address": (
        "unknown.example.org",
        "/users/{}%40example.com",
        lambda chance: _token(chance, 9, string.ascii_lowercase),
    ),
    "43 letters": (
        "unknown.example.org",
        "/v1/links/{}",
        lambda chance: _token(chance, 43, string.ascii_letters),
    ),
    "six words with hyphens": ("unknown.example.org", "/posts/{}", _slug),
}
"""Host and path by what differs in each URL."""


def measure(rounds: int, count: int) -> list[dict[str, Any]]:
    """Return microseconds a URL by what differs in each."""
    results = []
    chance = random.Random(5)
    for kind, (host, path, part) in KINDS.items():
        paths = iter([path.format(part(chance)) for _ in range(rounds * (count // 10))])
        took_s = lowest_s(functools.partial(_resolve, host, paths, count // 10), rounds, _routes)
        results.append({"kind": kind, "us": took_s / (count // 10) * 1e6})
    return results


def _routes() -> Routes:
    registry = ProviderRegistry()
    registry.prepare()
    return Routes(registry)


def _resolve(host: str, paths: Any, count: int, routes: Routes) -> None:
    for _, path in zip(range(count), paths):
        route = routes.find((host, path, "GET"))
        _ = route.category or route.template


def table(results: list[dict[str, Any]]) -> list[list[str]]:
    """Return the rows of the table, headings first."""
    return [["differs in each URL", "us"], *([result["kind"], f"{result['us']:.1f}"] for result in results)]
