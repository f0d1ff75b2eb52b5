"""The wire format, as strictly as the API takes it."""

from __future__ import annotations

import json
import math
import re
from datetime import datetime
from typing import Any

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_WINDOW_FIELDS = {
    "protocolVersion", "environment", "sdkLanguage", "sdkVersion", "windowStart", "windowEnd", "metrics",
}  # fmt: skip
_STRINGS = ("provider", "endpoint", "method")
COUNTS = ("requestCount", "errorCount", "totalRequestBytes", "totalResponseBytes")
_NUMBERS = ("totalLatencyMs", "p50LatencyMs", "p95LatencyMs", "estimatedCostCents")
_IDENTITY_FIELDS = {"windowId", "instance"}
_WINDOW_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_METRIC_FIELDS = {*_STRINGS, *COUNTS, *_NUMBERS}
_MAX_METRICS = 2000


def validate(body: bytes) -> dict[str, Any]:
    """Return the window in a request's body.

    Raises:
        ValueError: It breaks the wire format anywhere.
    """
    window = json.loads(body.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_no_duplicates)
    _need(isinstance(window, dict), "the body is not an object")
    missing = _WINDOW_FIELDS - set(window)
    _need(not missing, f"missing: {sorted(missing)}")
    for name in ("protocolVersion", "environment", "sdkLanguage", "sdkVersion"):
        _string(window[name], name)
    _need(window["sdkLanguage"] == "python", "sdkLanguage")
    start, end = _instant(window["windowStart"]), _instant(window["windowEnd"])
    _need((end - start) * 1000 > 0.5, "windowEnd is not after windowStart")
    metrics = window["metrics"]
    _need(isinstance(metrics, list) and bool(metrics), "metrics is empty")
    _need(len(metrics) <= _MAX_METRICS, f"{len(metrics)} metrics")
    keys = [_metric(metric) for metric in metrics]
    _need(len(set(keys)) == len(keys), "a (provider, endpoint, method) occurs twice")
    _version(window, metrics)
    _identity(window)
    return dict(window)


def _version(window: dict[str, Any], metrics: list[dict[str, Any]]) -> None:
    """Check the protocol version: 1.0 without optional fields, 1.1 with any, 1.2 with an identity."""
    identity = set(window) & _IDENTITY_FIELDS
    optional = set(window) - _WINDOW_FIELDS - _IDENTITY_FIELDS
    for metric in metrics:
        optional |= set(metric) - _METRIC_FIELDS
    wanted = "1.2" if identity else "1.1" if optional else "1.0"
    optional |= identity
    _need(
        window["protocolVersion"] == wanted, f"protocolVersion is not {wanted}; optional: {sorted(optional)}"
    )


def _identity(window: dict[str, Any]) -> None:
    if "windowId" in window:
        _string(window["windowId"], "windowId")
        _need(_WINDOW_ID.fullmatch(window["windowId"]) is not None, "windowId is no UUID of version 4")
    if "instance" in window:
        instance = window["instance"]
        _need(isinstance(instance, dict) and set(instance) == {"host", "pid", "start"}, "instance")
        _string(instance["host"], "host")
        _need(isinstance(instance["pid"], int) and instance["pid"] > 0, "pid")
        _instant(instance["start"])


def _metric(metric: Any) -> tuple[str, str, str]:
    _need(isinstance(metric, dict), "a metric is not an object")
    missing = _METRIC_FIELDS - set(metric)
    _need(not missing, f"missing in a metric: {sorted(missing)}")
    for name in _STRINGS:
        _string(metric[name], name)
    for name in (*COUNTS, *_NUMBERS):
        value = metric[name]
        _need(isinstance(value, (int, float)) and not isinstance(value, bool), f"{name} is not a number")
        _need(math.isfinite(value) and value >= 0, f"{name} is {value}")
    for name in COUNTS:
        _need(isinstance(metric[name], int), f"{name} is not an integer")
    _need(metric["errorCount"] <= metric["requestCount"], "errorCount > requestCount")
    return metric["provider"], metric["endpoint"], metric["method"]


def _need(condition: bool, problem: str) -> None:
    if not condition:
        raise ValueError(problem)


def _string(value: Any, name: str) -> None:
    _need(isinstance(value, str) and bool(value.strip()), f"{name} is blank or no string")


def _instant(value: Any) -> float:
    _need(isinstance(value, str) and _TIME.fullmatch(value) is not None, f"not a time: {value!r}")
    return datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    _need(len({name for name, _ in pairs}) == len(pairs), "a name occurs twice in an object")
    return dict(pairs)
