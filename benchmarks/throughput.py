"""Calls that are added up in a second on one core: by the aggregator alone, and by the whole pipeline."""

from __future__ import annotations

import functools
import random
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from lowest import lowest_s

from recost.aggregation.aggregator import Aggregator, UnlockedAggregator
from recost.events import RawEvent
from recost.interceptors.exchange import Exchange, begin, unfinished
from recost.metering import Meter
from recost.pipeline import Pipeline
from recost.pricing.registry import ProviderRegistry
from recost.pricing.route import Routes

__all__ = ["measure", "table"]

_LEAST: Final = 200
_HOSTS: Final = (
    ("api.openai.com", "/v1/chat/completions"),
    ("api.stripe.com", "/v1/charges"),
    ("s3.us-east-1.amazonaws.com", "/bucket"),
    ("unknown.example.org", "/v2/things"),
)
_PRICED: Final = (
    ("api.stripe.com", "/v1/charges"),
    ("api.github.com", "/repos/o/r/issues"),
    ("api.anthropic.com", "/v1/messages"),
)
"""Hosts whose rules have unit prices."""


def measure(rounds: int, count: int) -> list[dict[str, Any]]:
    """Return calls a second.

    A few calls are taken again and again, because a call that is added up has just been made, and is in the
    processor's cache; at most, there is one for each path.
    """
    results = []
    for buckets in (20, 2000):
        events = [_event(index % buckets, latency) for index, latency in enumerate(_latencies(buckets))]
        ingesting = functools.partial(_ingest, events, count // len(events))
        for kind in (UnlockedAggregator, Aggregator):
            what = f"{kind.__name__}.ingest, {buckets:,} buckets"
            results.append(_result(what, count, lowest_s(ingesting, rounds, kind)))
    for paths in (20, 2000):
        exchanges = [_exchange(index % paths, latency) for index, latency in enumerate(_latencies(paths))]
        results.append(_drained(f"whole pipeline, {paths:,} paths", exchanges, rounds, count))
    for host, path in _PRICED:
        exchanges = [_exchange_with(host, path, latency) for latency in _latencies(20)]
        results.append(_drained(f"whole pipeline, {host}", exchanges, rounds, count))
    new = [_exchange(index % 20, 100.0, f"/{index}") for index in range(count)]
    what = "whole pipeline, an id in each path that never repeats"
    results.append(_result(what, count, lowest_s(functools.partial(_drain, new, 1), rounds, _pipeline)))
    return results


def _drained(what: str, exchanges: list[Exchange], rounds: int, count: int) -> dict[str, Any]:
    draining = functools.partial(_drain, exchanges, count // len(exchanges))
    return _result(what, count, lowest_s(draining, rounds, functools.partial(_pipeline, exchanges)))


def _latencies(paths: int) -> list[float]:
    generator = random.Random(1)
    return [generator.lognormvariate(5, 1) for _ in range(max(paths, _LEAST))]


def _ingest(events: list[RawEvent], times: int, aggregator: UnlockedAggregator) -> None:
    ingest = aggregator.ingest
    for _ in range(times):
        for event in events:
            ingest(event, 0.5)


def _drain(exchanges: list[Exchange], times: int, pipeline: Pipeline) -> None:
    for _ in range(times):
        pipeline.drain(deque(exchanges))


def _result(what: str, count: int, took_s: float) -> dict[str, Any]:
    return {"what": what, "per_s": count / took_s}


def table(results: list[dict[str, Any]]) -> list[list[str]]:
    """Return the rows of the table, headings first."""
    rows = [["what", "calls/s", "us a call"]]
    return rows + [[r["what"], f"{r['per_s']:,.0f}", f"{1e6 / r['per_s']:.2f}"] for r in results]


def _pipeline(known: Sequence[Exchange] = ()) -> Pipeline:
    """Return a pipeline that has met some calls before."""
    routes = Routes(ProviderRegistry())
    pipeline = Pipeline(
        routes,
        UnlockedAggregator(),
        exclude_patterns=("/healthz",),
        exclude_hosts=("metadata.internal",),
        meter=Meter(routes, report=_raise, reads=False),
        on_full=_nowhere,
        report=_raise,
    )
    for _ in range(2):
        pipeline.drain(deque(known))
    return pipeline


def _event(number: int, latency_ms: float) -> RawEvent:
    path = f"/v1/resource{number}"
    return RawEvent(
        time.time() * 1000, "POST", f"https://example.com{path}", "example.com", path, 200, latency_ms,
        300, 900, "example", path,
    )  # fmt: skip


def _nowhere(_: object) -> None:
    """Take it, and forget it."""


def _raise(error: BaseException) -> None:
    raise error


def _exchange(number: int, latency_ms: float, tail: str = "") -> Exchange:
    host, path = _HOSTS[number % len(_HOSTS)]
    return _exchange_with(host, f"{path}/{_word(number)}{tail}", latency_ms)


def _exchange_with(host: str, path: str, latency_ms: float) -> Exchange:
    exchange = Exchange()
    begin(exchange, _nowhere, "httpx", ("https", host, 443, path, "POST"))
    unfinished[exchange] = None
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
