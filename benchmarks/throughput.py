"""Calls that are added up in a second on one core: by the aggregator alone, and by the whole pipeline."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, Final

from lowest import lowest_s
from recost.aggregation.aggregator import Aggregator
from recost.events import RawEvent
from recost.interceptors.exchange import Exchange
from recost.pipeline import Pipeline
from recost.pricing.registry import ProviderRegistry

__all__ = ["measure", "table"]

_BUCKETS: Final = (20, 2000)
_HOSTS: Final = (
    ("api.openai.com", "/v1/chat/completions"),
    ("api.stripe.com", "/v1/charges"),
    ("s3.us-east-1.amazonaws.com", "/bucket"),
    ("unknown.example.org", "/v2/things"),
)
_Ingest = Callable[[Any], None]


def measure(rounds: int, count: int) -> list[dict[str, Any]]:
    """Return calls a second."""
    generator = random.Random(1)  # noqa: S311 - the same calls in every run
    latencies = [generator.lognormvariate(5, 1) for _ in range(count)]
    results = []
    for buckets in _BUCKETS:
        events = [_event(index % buckets, latency) for index, latency in enumerate(latencies)]
        results.append(
            {
                "what": f"Aggregator.ingest, {buckets:,} buckets",
                "per_s": count / lowest_s(lambda ingest, events=events: _each(ingest, events), rounds, _aggregator),
            }
        )
    for buckets, distinct in ((20, False), (2000, False), (2000, True)):
        exchanges = [
            _exchange(index % buckets, latency, index if distinct else 0)
            for index, latency in enumerate(latencies)
        ]
        results.append(
            {
                "what": f"pipeline, {buckets:,} paths" + (", an id that never repeats in each" if distinct else ""),
                "per_s": count / lowest_s(lambda process, given=exchanges: _each(process, given), rounds, _pipeline),
            }
        )
    return results


def table(results: list[dict[str, Any]]) -> list[list[str]]:
    """Return the rows of the table, headings first."""
    rows = [["what", "calls/s", "us a call"]]
    return rows + [[r["what"], f"{r['per_s']:,.0f}", f"{1e6 / r['per_s']:.2f}"] for r in results]


def _each(take: _Ingest, things: list[Any]) -> None:
    for thing in things:
        take(thing)


def _aggregator() -> _Ingest:
    ingest = Aggregator().ingest
    return lambda event: ingest(event, 0.5)


def _pipeline() -> _Ingest:
    pipeline = Pipeline(
        ProviderRegistry(),
        Aggregator(),
        exclude_patterns=("/healthz",),
        exclude_hosts=("metadata.internal",),
        on_full=_nowhere,
        report=_raise,
    )
    return pipeline.process


def _event(number: int, latency_ms: float) -> RawEvent:
    path = f"/v1/resource{number}"
    return RawEvent(
        time.time() * 1000, "POST", f"https://api.example.com{path}", "api.example.com", path, 200, latency_ms,
        300, 900, "example", path,
    )  # fmt: skip


def _nowhere(_: object) -> None:
    """Take it, and forget it."""


def _raise(error: BaseException) -> None:
    raise error


def _exchange(number: int, latency_ms: float, identifier: int) -> Exchange:
    host, path = _HOSTS[number % len(_HOSTS)]
    tail = f"/{_word(number)}" + (f"/{identifier}" if identifier else "")
    exchange = Exchange(_nowhere, "httpx", "POST", "https", host, 443, path + tail)
    exchange.attempts = 1
    exchange.headers_received(200)
    exchange.request_bytes, exchange.response_bytes = 300, 900
    exchange.finish()
    exchange.started_ns = exchange.ended_ns - int(latency_ms * 1e6)
    return exchange


def _word(number: int) -> str:
    """Return a path part that no templating takes for an identifier."""
    letters = ""
    while True:
        number, digit = divmod(number, 26)
        letters += chr(ord("a") + digit)
        if not number:
            return letters
