"""Data of the SDK's model, as its exporters take it: made of the counters and histograms.

Importing this imports the SDK.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple, Union

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Buckets,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.export import Histogram as FixedHistogram
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from recost._pacing import rest
from recost._version import __version__
from recost.delivery.transports.otlp.conventions import Attributes, Semconv
from recost.delivery.transports.otlp.counters import Row
from recost.delivery.transports.otlp.histograms import ExplicitHistogram, Histogram
from recost.delivery.transports.otlp.recorder import HTTP_DURATION, OPERATION_DURATION

__all__ = ["Batch", "Interval", "batches", "metrics_data"]

_SERIES_AT_ONCE: Final = 250
"""Series in one request: encoding is done in C, while no other thread can run."""
_MAX_INT: Final = 2**63 - 1
_MAX_USD: Final = Decimal(10) ** 300
_SCHEMA: Final = "https://opentelemetry.io/schemas/1.37.0"
_USAGE: Final = "gen_ai.client.inference.usage."
_USAGE_OF: Final = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read.input_tokens",
    "cache_write": "cache_write.input_tokens",
    "reasoning": "reasoning.output_tokens",
}
_DESCRIBED: Final = {
    "recost.cost": ("USD", "Cost of calls, in US dollars."),
    "recost.calls": ("{call}", "Number of calls."),
    "recost.errors": ("{call}", "Number of calls without a response, or with a status of 400 or more."),
    "recost.unpriced": ("{call}", "Number of calls whose cost is unknown."),
    "recost.tokens": ("{token}", "Number of tokens. Input and output include those of caches and reasoning."),
    HTTP_DURATION: ("s", "Duration of HTTP client requests."),
    OPERATION_DURATION: ("s", "GenAI operation duration."),
}  # fmt: skip
_TOKENS: Final = ("{token}", "Number of tokens used.")


class Interval(NamedTuple):
    """The time that data is about, in nanoseconds since the epoch."""

    start_ns: int
    end_ns: int


class Batch(NamedTuple):
    """Series that are exported in one request."""

    rows: Mapping[Attributes, Row]
    histograms: Sequence[tuple[str, Attributes, Histogram]]


def batches(
    rows: Mapping[Attributes, Row], recordings: Mapping[str, Mapping[Attributes, Histogram]]
) -> Iterator[Batch]:
    """Yield the series in batches of limited size."""
    keys = list(rows)
    found = [
        (name, attributes, histogram)
        for name, histograms in recordings.items()
        for attributes, histogram in histograms.items()
    ]
    for start in range(0, max(len(keys), len(found)), _SERIES_AT_ONCE):
        end = start + _SERIES_AT_ONCE
        yield Batch({key: rows[key] for key in keys[start:end]}, found[start:end])


def metrics_data(
    batch: Batch, interval: Interval, resource: Resource, *, cumulative: bool, semconv: Semconv
) -> MetricsData:
    """Return a batch as the SDK's exporters take it."""
    scope = InstrumentationScope("recost", __version__, _SCHEMA)
    metrics = [*_sums(batch, interval, semconv, cumulative=cumulative)]
    metrics += _histograms(batch, interval, cumulative=cumulative)
    return MetricsData([ResourceMetrics(resource, [ScopeMetrics(scope, metrics, _SCHEMA)], _SCHEMA)])


def _sums(batch: Batch, interval: Interval, semconv: Semconv, *, cumulative: bool) -> Iterator[Metric]:

    points: dict[str, list[Any]] = {}
    for attributes, row in batch.rows.items():
        for name, more, value in _values(attributes, row, semconv):
            if value or (cumulative and not more):  # a counter that begins at 0 has a rate from then on
                point = NumberDataPoint({**dict(attributes), **more}, *interval, value)
                points.setdefault(name, []).append(point)
        rest()
    for name, found in points.items():
        unit, description = _DESCRIBED.get(name, _TOKENS)
        yield Metric(
            name, description, unit, Sum(found, _temporality(cumulative=cumulative), is_monotonic=True)
        )


def _values(
    attributes: Attributes, row: Row, semconv: Semconv
) -> Iterator[tuple[str, dict[str, str], Union[int, float]]]:
    """Yield the name of a metric, further attributes, and the value."""
    yield "recost.calls", {}, _whole(row.calls)
    yield "recost.errors", {}, _whole(row.errors)
    yield "recost.unpriced", {}, _whole(row.unpriced)
    for source, usd in row.costs.items():
        yield "recost.cost", {"recost.cost.source": source}, float(min(usd, _MAX_USD))
    for kind, number in row.tokens.items():
        yield "recost.tokens", {"gen_ai.token.type": kind}, _whole(number)
    named = dict(attributes)
    if semconv == "inference" and named.get("gen_ai.operation.name", "embeddings") != "embeddings":
        for kind, number in row.tokens.items():
            if kind in _USAGE_OF:
                yield _USAGE + _USAGE_OF[kind], {"gen_ai.token.modality": "unknown"}, _whole(number)


def _histograms(batch: Batch, interval: Interval, *, cumulative: bool) -> Iterator[Metric]:

    by_name: dict[str, list[tuple[Attributes, Histogram]]] = {}
    for name, attributes, histogram in batch.histograms:
        by_name.setdefault(name, []).append((attributes, histogram))
    temporality = _temporality(cumulative=cumulative)
    for name, found in by_name.items():
        unit, description = _DESCRIBED.get(name, _TOKENS)
        points = [_point(attributes, histogram, interval) for attributes, histogram in found]
        kind: Any = FixedHistogram if isinstance(found[0][1], ExplicitHistogram) else ExponentialHistogram
        yield Metric(name, description, unit, kind(points, temporality))


def _point(attributes: Attributes, histogram: Histogram, interval: Interval) -> Any:

    sums: dict[str, Any] = {
        "attributes": dict(attributes),
        "start_time_unix_nano": interval.start_ns,
        "time_unix_nano": interval.end_ns,
        "count": histogram.count,
        "sum": histogram.total,
        "min": histogram.lowest,
        "max": histogram.highest,
    }
    rest()
    if isinstance(histogram, ExplicitHistogram):
        return HistogramDataPoint(
            **sums, bucket_counts=tuple(histogram.counts), explicit_bounds=tuple(histogram.bounds)
        )
    offset, counts = histogram.dense()
    return ExponentialHistogramDataPoint(
        **sums,
        scale=histogram.scale,
        zero_count=histogram.zeros,
        positive=Buckets(offset, counts),
        negative=Buckets(0, []),
        flags=0,
    )


def _temporality(*, cumulative: bool) -> Any:

    return AggregationTemporality.CUMULATIVE if cumulative else AggregationTemporality.DELTA


def _whole(number: int) -> int:
    return min(number, _MAX_INT)
