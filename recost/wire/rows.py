"""A line of a window as rows for a database: one a metric, with its models and tag sets beside it.

The rules are those of `recost.analytics.ingest.lines`, which makes the same rows with SQL.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, NamedTuple, Optional

from recost._money import EXACT
from recost.wire import parse_time
from recost.wire.parsing import MAX_CENTS, MAX_COUNT_DIGITS, MAX_LATENCY_MS

__all__ = ["MetricRow", "ModelRow", "TagRow", "parse_rows"]

_LAST_PLACE: Final = Decimal(1).scaleb(-24)
_MAX_COUNT: Final = 10**MAX_COUNT_DIGITS - 1
_NOTHING: Final = Decimal(0)


class ModelRow(NamedTuple):
    """The part of a metric that belongs to one model."""

    model: Optional[str]
    calls: int
    cost: Decimal
    """US cents, like all amounts here."""
    unpriced: int


class TagRow(NamedTuple):
    """The part of a metric that has the same tags."""

    tags: Mapping[str, str]
    other: bool
    """True for tag sets beyond the limit of the SDK."""
    calls: int
    errors: int
    cost: Decimal
    unpriced: int


class MetricRow(NamedTuple):
    """The calls to one endpoint and method in a window. Times are UTC."""

    started: datetime
    environment: str
    provider: str
    endpoint: str
    method: str
    calls: int
    errors: int
    latency_ms: float
    p50_ms: float
    p95_ms: float
    bytes_up: int
    bytes_down: int
    cost: Decimal
    reported: Decimal
    computed: Decimal
    estimated: Decimal
    unpriced: int
    uncounted: int
    """Calls of a window that does not record whether they have a price."""
    attempts: Optional[int]
    models: Sequence[ModelRow]
    tags: Sequence[TagRow]


def parse_rows(line: bytes) -> list[MetricRow]:
    """Return the rows of a window that has passed the checks of a collector. Amounts are as written."""
    return list(_rows(json.loads(line, parse_float=Decimal)))


def _rows(content: Mapping[str, Any]) -> Iterator[MetricRow]:
    started = parse_time(content["windowStart"]).replace(tzinfo=None)
    environment = content["environment"]
    for entry in content["metrics"]:
        calls, unpriced = _count(entry.get("requestCount")), _count(entry.get("unpricedCount"))
        sources = entry.get("costSource")
        sources = sources if isinstance(sources, dict) else {}
        yield MetricRow(
            started,
            environment,
            entry["provider"],
            entry["endpoint"],
            entry["method"],
            calls or 0,
            _count(entry.get("errorCount")) or 0,
            _latency(entry.get("totalLatencyMs")),
            _latency(entry.get("p50LatencyMs")),
            _latency(entry.get("p95LatencyMs")),
            _count(entry.get("totalRequestBytes")) or 0,
            _count(entry.get("totalResponseBytes")) or 0,
            _cents(entry.get("estimatedCostCents")),
            _cents(sources.get("reported")),
            _cents(sources.get("computed")),
            _cents(sources.get("estimated")),
            unpriced or 0,
            (calls or 0) if unpriced is None else 0,
            _count(entry.get("attempts")),
            [_model(each) for each in _objects(entry.get("models"))],
            [_tag_set(each) for each in _objects(entry.get("tags"))],
        )


def _objects(entries: Any) -> Iterator[Mapping[str, Any]]:
    return (each for each in entries if isinstance(each, dict)) if isinstance(entries, list) else iter(())


def _model(entry: Mapping[str, Any]) -> ModelRow:
    name = entry.get("model")
    return ModelRow(
        name if isinstance(name, str) else None,
        _count(entry.get("requestCount")) or 0,
        _cents(entry.get("estimatedCostCents")),
        _count(entry.get("unpricedCount")) or 0,
    )


def _tag_set(entry: Mapping[str, Any]) -> TagRow:
    tags = entry.get("tags")
    return TagRow(
        {
            name: value if isinstance(value, str) else json.dumps(value, default=str)
            for name, value in (tags.items() if isinstance(tags, dict) else ())
            if value is not None
        },
        entry.get("other") is True,
        _count(entry.get("requestCount")) or 0,
        _count(entry.get("errorCount")) or 0,
        _cents(entry.get("estimatedCostCents")),
        _count(entry.get("unpricedCount")) or 0,
    )


def _count(value: Any) -> Optional[int]:
    if type(value) is int:
        return value if 0 <= value <= _MAX_COUNT else None
    if type(value) is Decimal and 0 <= value <= _MAX_COUNT and value == int(value):
        return int(value)
    return None


def _cents(value: Any) -> Decimal:
    if type(value) is int:
        return Decimal(value) if 0 <= value <= MAX_CENTS else _NOTHING
    if type(value) is not Decimal or not 0 <= value <= MAX_CENTS:
        return _NOTHING
    exponent = value.as_tuple().exponent
    return value if -24 <= int(exponent) <= 0 else value.quantize(_LAST_PLACE, ROUND_HALF_UP, EXACT)


def _latency(value: Any) -> float:
    return float(value) if type(value) in {int, Decimal} and 0 <= value <= MAX_LATENCY_MS else 0.0
