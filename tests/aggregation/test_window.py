from __future__ import annotations

import decimal
import json
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost import wire
from recost.aggregation.aggregator import Aggregator
from recost.aggregation.window import Bucket, Window, WindowTags
from recost.events import MetricEntry, RawEvent

PRICES = st.sampled_from([0.0, 0.01, 0.1, 0.2, 0.79, 2.0, Decimal("0.003"), None])
CALLS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["x", "y"]),
        st.sampled_from(["GET", "POST"]),
        st.integers(0, 5000),
        st.booleans(),
        PRICES,
    ),
    max_size=60,
)


def window_of(calls: Sequence[Any], start: float = 1000.0, end: float = 2000.0) -> Window:
    clock = iter([start, end, end])
    aggregator = Aggregator("p", "test", "1.2.3", clock=lambda: next(clock) / 1000)
    for provider, endpoint, method, latency, error, cost in calls:
        event = RawEvent(
            0, method, "u", "h", "/", 500 if error else 200, latency, latency, 1, provider, endpoint, error
        )
        aggregator.ingest(event, cost)
    window = aggregator.take()
    return Window(WindowTags("p", "test", "1.2.3"), start) if window is None else window


def metrics(window: Window) -> dict[tuple[str, str, str], MetricEntry]:
    entries = window.summary().metrics
    assert len({(m.provider, m.endpoint, m.method) for m in entries}) == len(entries)
    return {(m.provider, m.endpoint, m.method): m for m in entries}


@given(st.lists(CALLS, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_merged_windows_are_the_window_of_all_calls(parts: list[list[Any]], chance: Any) -> None:
    wanted = window_of([call for part in parts for call in part])
    windows = [window_of(part) for part in parts]
    chance.shuffle(windows)
    merged = windows[0]
    for window in windows[1:]:
        merged.merge(window)
    assert metrics(merged) == metrics(wanted)
    assert merged.call_count == wanted.call_count == sum(map(len, parts))
    assert merged.bucket_count == wanted.bucket_count
    assert merged.nbytes == wanted.nbytes


@given(CALLS, st.integers(1, 13))
def test_the_parts_of_a_window_add_up_to_it(calls: list[Any], limit: int) -> None:
    wanted = metrics(window_of(calls))
    parts = window_of(calls).split(limit)
    assert all(part.bucket_count <= limit for part in parts)
    assert sum(part.call_count for part in parts) == len(calls)
    assert all((part.start_ms, part.end_ms) == (1000, parts[0].end_ms) for part in parts)
    found = [entry for part in parts for entry in metrics(part).items()]
    assert len(found) == len(wanted)
    assert dict(found) == wanted


def test_a_window_within_the_limit_is_its_only_part() -> None:
    window = window_of([("a", "x", "GET", 1, False, 0.0)])
    assert window.split(1) == [window]


@pytest.mark.parametrize("limit", [0, -1])
def test_parts_of_nothing_are_refused(limit: int) -> None:
    with pytest.raises(ValueError, match="can't be split"):
        window_of([]).split(limit)


def test_merged_windows_span_both() -> None:
    early, late = window_of([], 1000, 2000), window_of([("a", "x", "GET", 1, False, 0.0)], 5000, 6000)
    early.close(2000)
    late.merge(early)
    assert (late.start_ms, late.end_ms) == (1000, 6000)


@pytest.mark.parametrize("end", [1000.0, 999.0, -5e12, 1000.5, 5000.0])
def test_the_end_is_a_millisecond_after_the_start_at_least(end: float) -> None:
    window = Window(WindowTags(), 1000.0)
    assert window.end_ms == 1001
    window.close(end)
    assert window.end_ms == max(end, 1001)


def test_nbytes_grows_with_buckets_and_samples_and_is_bounded_by_bins() -> None:
    few = window_of([("a", "x", "GET", 1, False, 0.0)] * 10)
    some = window_of([("a", "x", "GET", 1, False, 0.0)] * 200)
    many = window_of([("a", "x", "GET", 1, False, 0.0)] * 20_000)
    other = window_of([(str(n), "x", "GET", 1, False, 0.0) for n in range(10)])
    assert few.nbytes < some.nbytes < other.nbytes
    assert many.nbytes < 4000


def test_costs_are_exact() -> None:
    (entry,) = metrics(window_of([("a", "x", "GET", 1, False, 0.1)] * 3)).values()
    assert entry.estimated_cost_cents == 0.3
    bucket = Bucket()
    for cost in (0.1, 0.2, Decimal("0.3"), 0.1, 1, 0.0, None):
        bucket.charge(cost)
    assert bucket.cost_cents == Decimal("1.7")


def test_costs_do_not_depend_on_the_application_s_decimal_context() -> None:
    with decimal.localcontext() as context:
        context.prec = 2
        context.traps[decimal.Inexact] = True
        bucket = Bucket()
        for cost in (1000.01, 0.001, 2000.02):
            bucket.charge(cost)
        assert bucket.cost_cents == Decimal("3000.031")


@pytest.mark.parametrize(
    "cost", [math.nan, math.inf, -math.inf, -1.0, Decimal("NaN"), Decimal("sNaN"), Decimal(-1), "x", 10**400]
)
def test_what_is_no_cost_costs_nothing(cost: Any) -> None:
    bucket = Bucket()
    bucket.charge(2.5)
    bucket.charge(cost)
    bucket.charge(2.5)
    assert bucket.cost_cents == Decimal(5)


def test_a_huge_sum_is_still_a_number() -> None:
    window = window_of([("a", "x", "GET", 1, False, 1.7e308)] * 3)
    (entry,) = metrics(window).values()
    assert math.isfinite(entry.estimated_cost_cents)


@given(CALLS.filter(bool))
def test_the_wire_form_keeps_the_contract(calls: list[Any]) -> None:
    frame = json.loads(wire.encode_window(window_of(calls).summary()))
    assert frame["sdkLanguage"] == "python"
    assert frame["windowStart"] < frame["windowEnd"]
    for metric in frame["metrics"]:
        assert 0 <= metric["errorCount"] <= metric["requestCount"]
        assert metric["p50LatencyMs"] <= metric["p95LatencyMs"] <= metric["totalLatencyMs"]
    assert sum(metric["requestCount"] for metric in frame["metrics"]) == len(calls)
