"""The JSON contract: the only module that knows camelCase, protocol versions and timestamps."""

from __future__ import annotations

import json
import math
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recost.events import MetricEntry, WindowSummary

__all__ = ["PROTOCOL_VERSION", "encode_window", "format_timestamp", "metric_to_dict", "window_to_dict"]

PROTOCOL_VERSION = "1.0"
"""Of a frame that has no optional field."""


def format_timestamp(epoch_ms: float) -> str:
    """Return an instant, given in milliseconds since the epoch, as ``2026-05-14T12:00:00.000Z``."""
    seconds, millis = divmod(math.floor(epoch_ms), 1000)
    moment = datetime.fromtimestamp(seconds, tz=timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{millis:03d}Z"


def metric_to_dict(entry: MetricEntry) -> dict[str, Any]:
    """Return the wire form of one metric."""
    return {
        "provider": entry.provider,
        "endpoint": entry.endpoint,
        "method": entry.method,
        "requestCount": entry.request_count,
        "errorCount": entry.error_count,
        "totalLatencyMs": entry.total_latency_ms,
        "p50LatencyMs": entry.p50_latency_ms,
        "p95LatencyMs": entry.p95_latency_ms,
        "totalRequestBytes": entry.total_request_bytes,
        "totalResponseBytes": entry.total_response_bytes,
        "estimatedCostCents": entry.estimated_cost_cents,
    }


def window_to_dict(summary: WindowSummary) -> dict[str, Any]:
    """Return the wire form of a window; ``windowEnd`` is after ``windowStart`` by at least 1 ms."""
    start = math.floor(summary.window_start)
    end = max(math.floor(summary.window_end), start + 1)
    return {
        "protocolVersion": summary.protocol_version,
        "environment": summary.environment,
        "sdkLanguage": summary.sdk_language,
        "sdkVersion": summary.sdk_version,
        "windowStart": format_timestamp(start),
        "windowEnd": format_timestamp(end),
        "metrics": [metric_to_dict(entry) for entry in summary.metrics],
    }


def encode_window(summary: WindowSummary) -> bytes:
    """Return a window as one line of UTF-8 JSON, without the line feed.

    Raises:
        ValueError: A number is not finite.
    """
    text = json.dumps(window_to_dict(summary), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "replace")
