"""Windows for the tests of the delivery."""

from __future__ import annotations

from typing import Any

from recost.events import MetricEntry, WindowSummary


def metric(endpoint: str = "chat", **fields: Any) -> MetricEntry:
    """Return a valid metric, with some fields as given."""
    values: dict[str, Any] = {
        "provider": "openai",
        "endpoint": endpoint,
        "method": "POST",
        "request_count": 3,
        "error_count": 1,
        "total_latency_ms": 30.5,
        "p50_latency_ms": 10.0,
        "p95_latency_ms": 12.5,
        "total_request_bytes": 300,
        "total_response_bytes": 3000,
        "estimated_cost_cents": 0.25,
        **fields,
    }
    return MetricEntry(**values)


def window(*metrics: MetricEntry, **fields: Any) -> WindowSummary:
    """Return a valid window: of one metric, unless some are given."""
    values: dict[str, Any] = {
        "project_id": "proj-1",
        "environment": "test",
        "sdk_language": "python",
        "sdk_version": "0.2.0",
        "window_start": 1_778_760_000_000.0,
        "window_end": 1_778_760_030_000.0,
        "metrics": metrics or (metric(),),
        **fields,
    }
    return WindowSummary(**values)


def window_of(nbytes: int, environment: str = "test") -> WindowSummary:
    """Return a window that takes at least ``nbytes`` bytes on the wire."""
    return window(metric("e" * nbytes), environment=environment)
