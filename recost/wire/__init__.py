"""The wire format: the only encoder of windows. `recost.wire.parsing` is the only parser in Python."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from recost._pacing import rest
from recost._patterns import LazyPattern

if TYPE_CHECKING:
    from recost.events import Instance, MetricEntry, ModelEntry, TagEntry, WindowSummary

__all__ = [
    "EXTENDED_VERSION",
    "IDENTIFIED_VERSION",
    "PROTOCOL_VERSION",
    "TIME_PATTERN",
    "TOKEN_NAMES",
    "encode_window",
    "format_timestamp",
    "metric_to_dict",
    "parse_time",
    "window_to_dict",
]

PROTOCOL_VERSION = "1.0"
"""The version of a frame without optional fields."""
EXTENDED_VERSION = "1.1"
"""The version of a frame with an optional field of a metric."""
IDENTIFIED_VERSION = "1.2"
"""The version of a frame with an id or an instance."""

TIME_PATTERN: Final = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
    r"(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?)?"
)
"""ISO 8601: a date, or a date and a time of day. A time without an offset is UTC."""
_TIME: Final = LazyPattern(TIME_PATTERN)
TOKEN_NAMES: Final = {
    "input": "input",
    "output": "output",
    "cache_read": "cacheRead",
    "cache_write": "cacheWrite",
    "reasoning": "reasoning",
}
"""The fields of ``tokens`` by the kinds of `MetricEntry.tokens`."""


def format_timestamp(epoch_ms: float) -> str:
    """Return an instant, given in milliseconds since the epoch, as ``2026-05-14T12:00:00.000Z``."""
    seconds, millis = divmod(math.floor(epoch_ms), 1000)
    moment = datetime.fromtimestamp(seconds, tz=timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{millis:03d}Z"


def parse_time(text: str) -> datetime:
    """Return a time of the wire format in UTC.

    Raises:
        ValueError: The time is invalid or out of range.
    """
    if not _TIME.fullmatch(text):
        raise ValueError(f"invalid time {text[:40]!r}: expected 2026-05-14T12:00:00.000Z")
    day, clock = text[:10], text[11:]
    offset = timezone.utc
    if clock.endswith("Z"):
        clock = clock[:-1]
    elif clock[-6:-5] in {"+", "-"}:
        minutes = int(clock[-5:-3]) * 60 + int(clock[-2:])
        offset = timezone(timedelta(minutes=-minutes if clock[-6] == "-" else minutes))
        clock = clock[:-6]
    whole, _, fraction = clock.partition(".")
    hour, minute, second = (*map(int, whole.split(":")), 0)[:3] if whole else (0, 0, 0)
    micros = int(fraction[:6].ljust(6, "0")) if fraction else 0
    year, month, date = map(int, day.split("-"))
    try:
        moment = datetime(year, month, date, hour, minute, second, micros, offset)
        return moment.astimezone(timezone.utc)
    except OverflowError:
        raise ValueError(f"invalid time {text[:40]!r}: out of range") from None


def metric_to_dict(entry: MetricEntry) -> dict[str, Any]:
    """Return the wire form of one metric. Optional fields that are not set are omitted."""
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
        found["tokens"] = {
            TOKEN_NAMES[kind]: count for kind, count in entry.tokens.items() if kind in TOKEN_NAMES
        }
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
    """Return the wire form of a window. ``windowEnd`` is at least 1 ms after ``windowStart``."""
    return {**_window_to_dict(summary), "metrics": [metric_to_dict(entry) for entry in summary.metrics]}


def _window_to_dict(summary: WindowSummary) -> dict[str, Any]:
    """Return the wire form of a window without its metrics, which follow it."""
    start = math.floor(summary.window_start)
    end = max(math.floor(summary.window_end), start + 1)
    version = summary.protocol_version
    if version == PROTOCOL_VERSION and any(_optional(entry) for entry in summary.metrics):
        version = EXTENDED_VERSION
    identity = _identity(summary)
    if version in {PROTOCOL_VERSION, EXTENDED_VERSION} and identity:
        version = IDENTIFIED_VERSION
    return {
        "protocolVersion": version,
        "environment": summary.environment,
        "sdkLanguage": summary.sdk_language,
        "sdkVersion": summary.sdk_version,
        "windowStart": format_timestamp(start),
        "windowEnd": format_timestamp(end),
        **identity,
    }


def _identity(summary: WindowSummary) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if summary.window_id is not None:
        found["windowId"] = summary.window_id
    if summary.instance is not None:
        found["instance"] = _instance_to_dict(summary.instance)
    return found


def _instance_to_dict(instance: Instance) -> dict[str, Any]:
    return {"host": instance.host, "pid": instance.pid, "start": format_timestamp(instance.start)}


def encode_window(summary: WindowSummary) -> bytes:
    """Return a window as one line of UTF-8 JSON, without the line feed.

    Metrics are encoded one by one: the encoder holds the interpreter lock, and encoding the thousands of
    metrics of a full window at once would block other threads for too long.

    Raises:
        ValueError: A number is not finite.
    """
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
    head = encode(_window_to_dict(summary))
    pieces = [f'{head[:-1]},"metrics":['.encode("utf-8", "replace")]
    for entry in summary.metrics:
        if len(pieces) > 1:
            pieces.append(b",")
        pieces.append(encode(metric_to_dict(entry)).encode("utf-8", "replace"))
        rest()
    pieces.append(b"]}")
    line = b"".join(pieces)
    rest()
    return line
