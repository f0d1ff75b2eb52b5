"""Windows that were sent or written once, read back from their lines: same id, same content."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timezone
from typing import Any, Final, Optional, Union

from recost.delivery.identity import new_window_id
from recost.events import Instance, MetricEntry, ModelEntry, TagEntry, WindowSummary
from recost.wire import TOKEN_NAMES, parse_time
from recost.wire.parsing import MAX_METRICS, parse_frame

__all__ = ["call_count", "halves", "thaw"]

_KINDS: Final = {name: kind for kind, name in TOKEN_NAMES.items()}


def thaw(line: bytes) -> Optional[WindowSummary]:
    """Return the window of a line, which encodes to the same line. None if it is damaged or has no id."""
    frame = parse_frame(line)
    if frame is None:
        return None
    try:
        return _summary(frame)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        return None


def call_count(summary: WindowSummary) -> int:
    """Return the number of calls in a window."""
    return sum(metric.request_count for metric in summary.metrics)


def halves(summary: WindowSummary) -> Iterable[WindowSummary]:
    """Return two windows that add up to this one, with ids of their own."""
    middle = (len(summary.metrics) + 1) // 2
    for metrics in (summary.metrics[:middle], summary.metrics[middle:]):
        yield replace(summary, metrics=metrics, window_id=new_window_id())


def _summary(frame: Mapping[str, Any]) -> WindowSummary:
    metrics = _list(frame["metrics"])
    if not 0 < len(metrics) <= MAX_METRICS:
        raise ValueError("no metrics, or too many")
    instance = frame.get("instance")
    return WindowSummary(
        project_id="",
        environment=_text(frame["environment"]),
        sdk_language=_text(frame["sdkLanguage"]),
        sdk_version=_text(frame["sdkVersion"]),
        window_start=_moment(frame["windowStart"]),
        window_end=_moment(frame["windowEnd"]),
        metrics=tuple(_metric(each) for each in metrics),
        protocol_version=_text(frame["protocolVersion"]),
        window_id=_text(frame["windowId"]),
        instance=None if instance is None else _instance(instance),
    )


def _instance(value: Mapping[str, Any]) -> Instance:
    return Instance(_text(value["host"]), _whole(value["pid"]), _moment(value["start"]))


def _metric(value: Mapping[str, Any]) -> MetricEntry:
    unpriced, attempts = value.get("unpricedCount"), value.get("attempts")
    sources, tokens = value.get("costSource"), value.get("tokens")
    models, tags = value.get("models"), value.get("tags")
    return MetricEntry(
        provider=_text(value["provider"]),
        endpoint=_text(value["endpoint"]),
        method=_text(value["method"]),
        request_count=_whole(value["requestCount"]),
        error_count=_whole(value["errorCount"]),
        total_latency_ms=_number(value["totalLatencyMs"]),
        p50_latency_ms=_number(value["p50LatencyMs"]),
        p95_latency_ms=_number(value["p95LatencyMs"]),
        total_request_bytes=_whole(value["totalRequestBytes"]),
        total_response_bytes=_whole(value["totalResponseBytes"]),
        estimated_cost_cents=_number(value["estimatedCostCents"]),
        cost_source=None if sources is None else {_text(k): _number(v) for k, v in sources.items()},
        unpriced_count=None if unpriced is None else _whole(unpriced),
        attempts=None if attempts is None else _whole(attempts),
        tokens=None if tokens is None else {_KINDS[kind]: _whole(count) for kind, count in tokens.items()},
        models=None if models is None else tuple(_model(each) for each in _list(models)),
        tags=None if tags is None else tuple(_tags(each) for each in _list(tags)),
    )


def _model(value: Mapping[str, Any]) -> ModelEntry:
    return ModelEntry(
        model=_text(value["model"]),
        request_count=_whole(value["requestCount"]),
        estimated_cost_cents=_number(value["estimatedCostCents"]),
        unpriced_count=_whole(value["unpricedCount"]),
        input_tokens=_whole(value["inputTokens"]),
        output_tokens=_whole(value["outputTokens"]),
    )


def _tags(value: Mapping[str, Any]) -> TagEntry:
    tags = value.get("tags")
    return TagEntry(
        tags=None if tags is None else tuple((_text(name), _text(text)) for name, text in tags.items()),
        request_count=_whole(value["requestCount"]),
        error_count=_whole(value["errorCount"]),
        estimated_cost_cents=_number(value["estimatedCostCents"]),
        unpriced_count=_whole(value["unpricedCount"]),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value


def _number(value: Any) -> Any:
    """Return a number as it was written: an integer stays one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError("not a number")
    if not (math.isfinite(value) and value >= 0):
        raise ValueError("not a sum")
    return value


def _whole(value: Any) -> int:
    number: Union[int, float] = _number(value)
    if not isinstance(number, int):
        raise TypeError("not an integer")
    return number


def _moment(value: Any) -> float:
    """Return milliseconds since the epoch, whole ones: a fraction would change the text."""
    return round(parse_time(_text(value)).astimezone(timezone.utc).timestamp() * 1000)
