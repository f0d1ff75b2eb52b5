from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost import wire
from recost.events import Instance, MetricEntry, WindowSummary
from recost.wire.parsing import parse_window

amounts = st.floats(0, 1e12, allow_nan=False)
counts = st.integers(0, 10**9)
entries = st.builds(
    MetricEntry,
    provider=st.text(min_size=1),
    endpoint=st.text(min_size=1),
    method=st.sampled_from(["GET", "POST"]),
    request_count=counts,
    error_count=counts,
    total_latency_ms=amounts,
    p50_latency_ms=amounts,
    p95_latency_ms=amounts,
    total_request_bytes=counts,
    total_response_bytes=counts,
    estimated_cost_cents=amounts,
)


def window(start: float, end: float, *metrics: MetricEntry) -> WindowSummary:
    return WindowSummary("secret-project", "test", "python", "0.2.0", start, end, metrics)


def parse(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


def test_timestamps_are_utc_with_milliseconds() -> None:
    assert wire.format_timestamp(1778760000000) == "2026-05-14T12:00:00.000Z"
    assert wire.format_timestamp(1778760000007.9) == "2026-05-14T12:00:00.007Z"


@given(st.floats(0, 4e12), st.floats(-10, 1e8))
def test_the_end_is_after_the_start_by_at_least_a_millisecond(start: float, length: float) -> None:
    frame = window(start, start + length).to_dict()
    begun, ended = parse(frame["windowStart"]), parse(frame["windowEnd"])
    assert round(ended) - round(begun) >= 1
    assert abs(begun - math.floor(start)) < 1


@given(st.lists(entries, max_size=5))
def test_a_window_survives_the_round_trip_on_one_line(metrics: list[MetricEntry]) -> None:
    summary = window(0, 1, *metrics)
    data = wire.encode_window(summary)
    assert b"\n" not in data
    assert json.loads(data) == json.loads(json.dumps(summary.to_dict()))
    assert [m["requestCount"] for m in json.loads(data)["metrics"]] == [m.request_count for m in metrics]


def test_the_names_on_the_wire() -> None:
    frame = window(0, 1, MetricEntry("p", "/e", "GET", 1, 0, 2.0, 2.0, 2.0, 3, 4, 0.5)).to_dict()
    assert list(frame) == [
        "protocolVersion",
        "environment",
        "sdkLanguage",
        "sdkVersion",
        "windowStart",
        "windowEnd",
        "metrics",
    ]
    assert frame["metrics"] == [
        {
            "provider": "p",
            "endpoint": "/e",
            "method": "GET",
            "requestCount": 1,
            "errorCount": 0,
            "totalLatencyMs": 2.0,
            "p50LatencyMs": 2.0,
            "p95LatencyMs": 2.0,
            "totalRequestBytes": 3,
            "totalResponseBytes": 4,
            "estimatedCostCents": 0.5,
        }
    ]
    assert "secret-project" not in json.dumps(frame)


def test_what_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        wire.encode_window(window(0, 1, MetricEntry("p", "/e", "GET", 1, 0, math.inf, 0.0, 0.0, 0, 0, 0.0)))


def test_a_lone_surrogate_does_not_stop_a_window() -> None:
    data = wire.encode_window(
        window(0, 1, MetricEntry("p", "/\ud800", "GET", 1, 0, 1.0, 1.0, 1.0, 0, 0, 0.0))
    )
    assert json.loads(data)["metrics"][0]["endpoint"] == "/?"


WINDOW_ID = "9f6c1d2e-8a3b-4c5d-8e6f-0a1b2c3d4e5f"


def test_an_id_and_an_instance_make_it_1_2() -> None:
    entry = MetricEntry("p", "/e", "GET", 1, 0, 2.0, 2.0, 2.0, 3, 4, 0.5)
    plain = window(0, 1, entry)
    named = replace(plain, window_id=WINDOW_ID)
    whole = replace(named, instance=Instance("9f86d081884c7d65", 7, 1778760000007.9))
    assert plain.to_dict()["protocolVersion"] == "1.0"
    assert named.to_dict() == {**plain.to_dict(), "protocolVersion": "1.2", "windowId": WINDOW_ID}
    assert whole.to_dict()["instance"] == {
        "host": "9f86d081884c7d65",
        "pid": 7,
        "start": "2026-05-14T12:00:00.007Z",
    }
    extended = window(0, 1, replace(entry, attempts=1))
    assert extended.to_dict()["protocolVersion"] == "1.1"
    assert replace(extended, window_id=WINDOW_ID).to_dict()["protocolVersion"] == "1.2"
    assert replace(named, protocol_version="1.7").to_dict()["protocolVersion"] == "1.7"


def test_the_id_is_read_and_a_file_may_have_lines_with_and_without() -> None:
    plain = window(0, 1, MetricEntry("p", "/e", "GET", 1, 0, 2.0, 2.0, 2.0, 3, 4, 0.5))
    old, new = (
        parse_window(wire.encode_window(plain)),
        parse_window(
            wire.encode_window(replace(plain, window_id=WINDOW_ID.upper(), instance=Instance("h", 7, 0.0)))
        ),
    )
    assert old is not None
    assert new is not None
    assert (old.window_id, new.window_id) == (None, WINDOW_ID)
    assert new == old._replace(window_id=WINDOW_ID)


@pytest.mark.parametrize("odd", ["7", "null", '""', "[]", '{"a":1}', '"9f6c1d2e8a3b4c5d8e6f0a1b2c3d4e5f"'])
def test_an_odd_id_or_instance_costs_no_window(odd: str) -> None:
    line = wire.encode_window(window(0, 1, MetricEntry("p", "/e", "GET", 1, 0, 2.0, 2.0, 2.0, 3, 4, 0.5)))
    found = parse_window(line[:-1] + f',"windowId":{odd},"instance":{odd}}}'.encode())
    assert found is not None
    assert (found.window_id, len(found.metrics), found.bad_metrics) == (None, 1, 0)
