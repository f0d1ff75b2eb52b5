"""Values that recost passes between its parts: a call, a metric, a summary of a window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, Optional

from recost import wire

__all__ = [
    "CellEntry",
    "FlushStatus",
    "Instance",
    "MetricEntry",
    "ModelEntry",
    "RawEvent",
    "TagEntry",
    "WindowSummary",
]


@dataclass(frozen=True)
class RawEvent:
    """One outbound HTTP call, as the application made it."""

    timestamp: float
    """Start of the call, in milliseconds since the epoch."""
    method: str
    """Upper case."""
    url: str = field(repr=False)
    """Scheme, host, port (when it is not the scheme's own) and path. No userinfo, query or fragment.

    Not in the ``repr``, which ends in logs, as a path may hold secrets.
    """
    host: str
    path: str = field(repr=False)
    status_code: int
    """0 when no response came."""
    latency_ms: float
    """Milliseconds from the start to the end of the response's body."""
    request_bytes: int
    """Body only, as sent."""
    response_bytes: int
    """Body only, as received, before decompression."""
    provider: Optional[str] = None
    endpoint_category: Optional[str] = None
    error: bool = False
    """True when no response came and for a status of 400 or more."""
    attempts: int = 1
    """Number of requests sent: retries, redirect hops and auth round trips included."""
    time_to_headers_ms: Optional[float] = None
    """Milliseconds from the start to the response's headers. None when no response came."""


@dataclass(frozen=True)
class ModelEntry:
    """Sums of the calls to one model."""

    model: str
    """Name in the responses, or ``other`` beyond the limit of models per bucket."""
    request_count: int
    estimated_cost_cents: float
    unpriced_count: int
    input_tokens: int
    """With those read from a cache."""
    output_tokens: int


@dataclass(frozen=True)
class TagEntry:
    """Sums of the calls with one set of tags."""

    tags: Optional[tuple[tuple[str, str], ...]]
    """Names and values, sorted by name. None for the sets beyond the limit."""
    request_count: int
    error_count: int
    estimated_cost_cents: float
    unpriced_count: int


@dataclass(frozen=True)
class CellEntry:
    """Exact sums of the calls with one model and one set of chosen tags, for destinations in the process."""

    model: Optional[str]
    """None if it is unknown, ``other`` beyond the limit."""
    tags: tuple[tuple[str, str], ...]
    """Names and values, sorted by name."""
    request_count: int
    error_count: int
    unpriced_count: int
    cost_cents: Mapping[str, Decimal]
    """US cents by source."""
    tokens: Mapping[str, int]
    """By kind, as in `MetricEntry.tokens`."""


@dataclass(frozen=True)
class MetricEntry:
    """Sums of the calls of one (provider, endpoint, method) within a window."""

    provider: str
    endpoint: str
    method: str
    request_count: int
    error_count: int
    total_latency_ms: float
    p50_latency_ms: float
    """Nearest rank. Exact up to 256 calls, at most 1 % off beyond."""
    p95_latency_ms: float
    total_request_bytes: int
    total_response_bytes: int
    estimated_cost_cents: float
    cost_source: Optional[Mapping[str, float]] = None
    """US cents by where they are from: ``reported``, ``computed``, ``estimated``."""
    unpriced_count: Optional[int] = None
    """Number of calls whose cost is not known."""
    attempts: Optional[int] = None
    """Number of requests sent, retries included."""
    tokens: Optional[Mapping[str, int]] = None
    """By kind: ``input`` (with those read from a cache), ``output``, ``cache_read``, ``cache_write``,
    ``reasoning``."""
    models: Optional[tuple[ModelEntry, ...]] = None
    tags: Optional[tuple[TagEntry, ...]] = None
    cells: Optional[tuple[CellEntry, ...]] = field(default=None, compare=False, repr=False)
    """Calls by model and chosen tags together, if a destination needs them. They are not sent."""

    def to_dict(self) -> dict[str, Any]:
        """Return the wire form."""
        return wire.metric_to_dict(self)


@dataclass(frozen=True)
class Instance:
    """The process that recorded a window."""

    host: str
    """A pseudonym: 16 hexadecimal digits, which differ by project. The host's name is not sent."""
    pid: int
    start: float
    """Start of recost in this process, in milliseconds since the epoch."""


@dataclass(frozen=True)
class WindowSummary:
    """Everything recorded between two instants."""

    project_id: str
    environment: str
    sdk_language: str
    sdk_version: str
    window_start: float
    """Milliseconds since the epoch. ISO 8601 text is accepted, and kept as milliseconds."""
    window_end: float
    """Milliseconds since the epoch, at least 1 more than ``window_start``. Text is accepted, too."""
    metrics: tuple[MetricEntry, ...] = ()
    protocol_version: str = "1.0"
    window_id: Optional[str] = None
    """A UUID, the same each time that the window is sent. None before that."""
    instance: Optional[Instance] = None

    def __post_init__(self) -> None:
        for name in ("window_start", "window_end"):
            given = getattr(self, name)
            if isinstance(given, str):
                object.__setattr__(self, name, wire.parse_time(given).timestamp() * 1000)

    def to_dict(self) -> dict[str, Any]:
        """Return the wire form, which has no project id."""
        return wire.window_to_dict(self)


@dataclass(frozen=True)
class FlushStatus:
    """Outcome of the latest delivery of a window."""

    status: Literal["ok", "error"]
    window_size: int
    """Number of metrics in the window."""
    timestamp: float
    """Milliseconds since the epoch."""
