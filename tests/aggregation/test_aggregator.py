from __future__ import annotations

import json
import math
import random
import sys
import threading
import tracemalloc
from dataclasses import replace
from typing import Any

import pytest

from recost import wire
from recost.aggregation.aggregator import MAX_BUCKETS, Aggregator
from recost.events import RawEvent, WindowSummary

EVENT = RawEvent(
    0.0, "POST", "https://api.openai.com/v1/x", "api.openai.com", "/v1/x", 200, 10.0, 5, 7, "openai", "chat"
)


class Clock:
    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def test_calls_are_added_up() -> None:
    aggregator = Aggregator("project", "production", "9.9.9")
    aggregator.ingest(EVENT, 2.0)
    aggregator.ingest(replace(EVENT, latency_ms=30.0, error=True))
    aggregator.ingest(replace(EVENT, method="GET"), 0.5)
    assert (aggregator.size, aggregator.bucket_count) == (3, 2)
    summary = aggregator.flush()
    assert summary is not None
    assert (summary.project_id, summary.environment, summary.sdk_version) == (
        "project",
        "production",
        "9.9.9",
    )
    post, get = summary.metrics
    assert (post.provider, post.endpoint, post.method) == ("openai", "chat", "POST")
    assert (post.request_count, post.error_count) == (2, 1)
    assert (post.total_latency_ms, post.p50_latency_ms, post.p95_latency_ms) == (40.0, 10.0, 30.0)
    assert (post.total_request_bytes, post.total_response_bytes) == (10, 14)
    assert post.estimated_cost_cents == 2.0
    assert (get.method, get.request_count, get.estimated_cost_cents) == ("GET", 1, 0.5)
    assert (aggregator.size, aggregator.bucket_count, aggregator.flush()) == (0, 0, None)


@pytest.mark.parametrize("flushing", [False, True])
def test_calls_are_added_from_any_number_of_threads(flushing: bool) -> None:
    aggregator = Aggregator()
    taken: list[int] = []
    threads_left = [1] * 4

    def ingest() -> None:
        for number in range(3000):
            aggregator.ingest(replace(EVENT, endpoint_category=f"e{number % 3}"), 0.5)
        threads_left.pop()

    def flush() -> None:
        while threads_left or aggregator.size:
            summary = aggregator.flush()
            taken.extend(metric.request_count for metric in (summary.metrics if summary else ()))
            assert aggregator.bucket_count <= 3

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=ingest) for _ in range(4)]
        threads += [threading.Thread(target=flush)] * flushing
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    left = aggregator.flush()
    assert sum(taken) + sum(m.request_count for m in (left.metrics if left else ())) == 12_000


def test_a_summary_takes_text_for_times_and_no_metrics() -> None:
    summary = WindowSummary("p", "e", "python", "0", "2026-05-14T12:00:00.000Z", "2026-05-14T12:00:30.000Z")  # type: ignore[arg-type]
    assert summary.metrics == ()
    sent = summary.to_dict()
    assert (sent["windowStart"], sent["windowEnd"]) == (
        "2026-05-14T12:00:00.000Z",
        "2026-05-14T12:00:30.000Z",
    )
    with pytest.raises(ValueError, match=r"invalid time 'yesterday': expected 2026-05-14T12"):
        replace(summary, window_start="yesterday")  # type: ignore[arg-type]


def test_the_defaults() -> None:
    aggregator = Aggregator()
    aggregator.ingest(EVENT)
    summary = aggregator.flush()
    assert summary is not None
    assert (summary.project_id, summary.environment, summary.sdk_version) == ("", "development", "0.0.0")
    assert aggregator.max_buckets == MAX_BUCKETS == 2000


def test_an_event_without_labels_counts_as_unknown_under_its_path() -> None:
    aggregator = Aggregator()
    for _ in range(2):
        aggregator.ingest(replace(EVENT, provider=None, endpoint_category=None))
    summary = aggregator.flush()
    assert summary is not None
    (metric,) = summary.metrics
    assert (metric.provider, metric.endpoint, metric.request_count) == ("unknown", "/v1/x", 2)


@pytest.mark.parametrize(
    "fields",
    [
        {"provider": " ", "endpoint_category": "", "path": "", "method": "\t"},
        {"provider": 7, "endpoint_category": None, "path": None, "method": None},
        {"provider": ["x"], "path": b"/x", "endpoint_category": None, "method": {}},
    ],
)
def test_no_text_is_blank(fields: Any) -> None:
    aggregator = Aggregator()
    for _ in range(3):
        aggregator.ingest(replace(EVENT, **fields))
    summary = aggregator.flush()
    assert summary is not None
    (metric,) = summary.metrics
    assert (metric.provider, metric.endpoint, metric.method) == ("unknown", "/", "UNKNOWN")
    assert metric.request_count == 3


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf, -1, None, "x", 1e300, 5.5, True])
@pytest.mark.parametrize("field", ["latency_ms", "request_bytes", "response_bytes"])
def test_what_is_sent_is_finite_and_not_negative(field: str, odd: Any) -> None:
    aggregator = Aggregator()
    for event in (EVENT, replace(EVENT, **{field: odd}), EVENT, replace(EVENT, **{field: odd})):
        aggregator.ingest(event, odd)
    summary = aggregator.flush()
    assert summary is not None
    frame = json.loads(wire.encode_window(summary))
    (metric,) = frame["metrics"]
    assert metric["requestCount"] == 4
    for value in list(metric.values())[3:]:
        assert math.isfinite(value)
        assert value >= 0
    assert isinstance(metric["totalRequestBytes"], int)
    assert isinstance(metric["totalResponseBytes"], int)
    wanted = {"latency_ms": "totalLatencyMs", "request_bytes": "totalRequestBytes"}
    assert metric[wanted.get(field, "totalResponseBytes")] >= 2 * getattr(EVENT, field)


def test_long_texts_are_cut() -> None:
    aggregator = Aggregator()
    for _ in range(2):
        aggregator.ingest(replace(EVENT, endpoint_category="/" + "x" * 100_000))
    summary = aggregator.flush()
    assert summary is not None
    assert [len(metric.endpoint) for metric in summary.metrics] == [1024]


def test_what_would_overflow_is_counted_all_the_same() -> None:
    aggregator = Aggregator(max_buckets=2)
    other, third = replace(EVENT, method="GET"), replace(EVENT, method="PUT")
    blank = replace(EVENT, provider=None)
    assert not aggregator.would_overflow(EVENT)
    aggregator.ingest(EVENT)
    assert not aggregator.would_overflow(blank)
    aggregator.ingest(blank)
    assert not aggregator.would_overflow(EVENT)
    assert not aggregator.would_overflow(blank)
    assert aggregator.would_overflow(third)
    aggregator.ingest(third)
    assert (aggregator.bucket_count, aggregator.size) == (3, 3)
    assert aggregator.would_overflow(other)


def test_windows_follow_each_other() -> None:
    clock = Clock()
    aggregator = Aggregator(clock=clock)
    clock.now = 1030.0
    aggregator.ingest(EVENT)
    first = aggregator.take()
    clock.now = 1060.0
    aggregator.ingest(EVENT)
    second = aggregator.take()
    assert first is not None
    assert second is not None
    assert (first.start_ms, first.end_ms) == (1_000_000, 1_030_000)
    assert (second.start_ms, second.end_ms) == (1_030_000, 1_060_000)


def test_an_empty_window_moves_its_start() -> None:
    clock = Clock()
    aggregator = Aggregator(clock=clock)
    clock.now = 1030.0
    assert aggregator.take() is None
    clock.now = 1031.0
    aggregator.ingest(EVENT)
    window = aggregator.take()
    assert window is not None
    assert (window.start_ms, window.end_ms) == (1_030_000, 1_031_000)


def test_a_clock_that_stands_still() -> None:
    aggregator = Aggregator(clock=Clock())
    windows = []
    for _ in range(3):
        aggregator.ingest(EVENT)
        windows.append(aggregator.take())
    spans = [(window.start_ms, window.end_ms) for window in windows if window]
    assert spans == [(1_000_000, 1_000_001), (1_000_001, 1_000_002), (1_000_002, 1_000_003)]


def test_a_clock_that_is_set_back() -> None:
    clock = Clock()
    aggregator = Aggregator(clock=clock)
    aggregator.ingest(EVENT)
    clock.now = 500.0
    window = aggregator.take()
    assert window is not None
    assert (window.start_ms, window.end_ms) == (1_000_000, 1_000_001)
    aggregator.ingest(EVENT)
    clock.now = 530.0
    window = aggregator.take()
    assert window is not None
    assert (window.start_ms, window.end_ms) == (500_000, 530_000)


def test_memory_of_many_calls_over_many_buckets() -> None:
    chance = random.Random(3)
    events = [replace(EVENT, endpoint_category=f"endpoint_{n}") for n in range(200)]
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        aggregator = Aggregator()
        for _ in range(500):
            for event in events:
                aggregator.ingest(replace(event, latency_ms=chance.lognormvariate(5, 1)), 2.0)
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    window = aggregator.take()
    assert window is not None
    assert window.call_count == 100_000
    assert used < 1_000_000, "a tenth of a million calls over a tenth of 2,000 buckets in a tenth of 10 MB"
    assert used / 3 < window.nbytes < used * 3
