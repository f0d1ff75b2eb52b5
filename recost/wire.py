"""The JSON contract: the only module that knows camelCase, protocol versions and timestamps."""

from __future__ import annotations

import json
import math
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recost.events import MetricEntry, ModelEntry, TagEntry, WindowSummary

__all__ = [
    "EXTENDED_VERSION",
    "PROTOCOL_VERSION",
    "encode_window",
    "format_timestamp",
    "metric_to_dict",
    "parse_timestamp",
    "window_to_dict",
]

PROTOCOL_VERSION = "1.0"
"""Of a frame that has no optional field."""
EXTENDED_VERSION = "1.1"
"""Of a frame that has one."""

_TOKENS = {
    "input": "input",
    "output": "output",
    "cache_read": "cacheRead",
    "cache_write": "cacheWrite",
    "reasoning": "reasoning",
}


def format_timestamp(epoch_ms: float) -> str:
    """Return an instant, given in milliseconds since the epoch, as ``2026-05-14T12:00:00.000Z``."""
    seconds, millis = divmod(math.floor(epoch_ms), 1000)
    moment = datetime.fromtimestamp(seconds, tz=timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{millis:03d}Z"


def parse_timestamp(text: str) -> float:
    """Return an instant of ISO 8601 in milliseconds since the epoch; without a zone it is UTC.

    Raises:
        ValueError: It is no such text.
    """
    try:
        moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00").replace("z", "+00:00"))
    except ValueError:
        raise ValueError(
            f"invalid time {text!r}: expected ISO 8601, as in 2026-05-14T12:00:00.000Z"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment.timestamp() * 1000


def metric_to_dict(entry: MetricEntry) -> dict[str, Any]:
    """Return the wire form of one metric; optional fields are left out where nothing is known."""
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
        **_optional(entry),
    }


def _optional(entry: MetricEntry) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if entry.cost_source is not None:
        found["costSource"] = dict(entry.cost_source)
    if entry.unpriced_count is not None:
        found["unpricedCount"] = entry.unpriced_count
    if entry.attempts is not None:
        found["attempts"] = entry.attempts
    if entry.tokens is not None:
        found["tokens"] = {_TOKENS[kind]: count for kind, count in entry.tokens.items() if kind in _TOKENS}
    if entry.models is not None:
        found["models"] = [_model_to_dict(each) for each in entry.models]
    if entry.tags is not None:
        found["tags"] = [_tags_to_dict(each) for each in entry.tags]
    return found


def _model_to_dict(entry: ModelEntry) -> dict[str, Any]:
    return {
        "model": entry.model,
        "requestCount": entry.request_count,
        "estimatedCostCents": entry.estimated_cost_cents,
        "unpricedCount": entry.unpriced_count,
        "inputTokens": entry.input_tokens,
        "outputTokens": entry.output_tokens,
    }


def _tags_to_dict(entry: TagEntry) -> dict[str, Any]:
    which: dict[str, Any] = {"other": True} if entry.tags is None else {"tags": dict(entry.tags)}
    return {
        **which,
        "requestCount": entry.request_count,
        "errorCount": entry.error_count,
        "estimatedCostCents": entry.estimated_cost_cents,
        "unpricedCount": entry.unpriced_count,
    }


def window_to_dict(summary: WindowSummary) -> dict[str, Any]:
    """Return the wire form of a window; ``windowEnd`` is after ``windowStart`` by at least 1 ms."""
    start = math.floor(summary.window_start)
    end = max(math.floor(summary.window_end), start + 1)
    version = summary.protocol_version
    if version == PROTOCOL_VERSION and any(_optional(entry) for entry in summary.metrics):
        version = EXTENDED_VERSION
    return {
        "protocolVersion": version,
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
