"""Sums of calls, in a window that is closed from time to time."""

from __future__ import annotations

import threading
import time
from typing import Any, Callable, Final, Optional, Union

from recost.aggregation.breakdown import Crossed, Facts
from recost.aggregation.window import Bucket, Cents, Key, Window, WindowTags
from recost.events import RawEvent, WindowSummary

__all__ = ["MAX_BUCKETS", "MAX_LATENCY_MS", "Aggregator", "CallRecord", "UnlockedAggregator"]

MAX_BUCKETS: Final = 2000
"""Unique (provider, endpoint, method) triplets that one window is meant to hold."""

MAX_LATENCY_MS: Final = 1e12  # keeps every sum finite
_MAX_BYTES: Final = 2**62
_MAX_TEXT: Final = 1024
_CLOCK_SET_BACK_MS: Final = 1000.0


class CallRecord:
    """The fields of one call that are added up. The aggregator does not keep it, so it can be reused."""

    __slots__ = (
        "endpoint_category",
        "error",
        "latency_ms",
        "method",
        "path",
        "provider",
        "request_bytes",
        "response_bytes",
    )

    def __init__(self) -> None:
        self.provider: Optional[str] = None
        self.endpoint_category: Optional[str] = None
        self.path = "/"
        self.method = ""
        self.latency_ms = 0.0
        self.request_bytes = 0
        self.response_bytes = 0
        self.error = False


Measured = Union[RawEvent, CallRecord]
"""A call for `Aggregator.ingest`. Without a provider it counts as ``unknown``."""


class UnlockedAggregator:
    """Sums of calls by (provider, endpoint, method). Not locked: one thread at a time.

    The arguments are those of `Aggregator`, the time at which the first window began, in seconds since the
    epoch, and what is kept by model and tags together.
    """

    def __init__(
        self,
        project_id: str = "",
        environment: str = "development",
        sdk_version: str = "0.0.0",
        max_buckets: int = MAX_BUCKETS,
        *,
        max_tag_sets: int = 100,
        clock: Callable[[], float] = time.time,
        since: Optional[float] = None,
        crossed: Optional[Crossed] = None,
    ) -> None:
        self.max_buckets = max_buckets
        self._tags = WindowTags(project_id, environment, sdk_version, max_tag_sets, crossed)
        self._clock = clock
        self._prepare()
        self._open((clock() if since is None else since) * 1000)

    def _prepare(self) -> None:
        """Create the state of a subclass before the first window."""

    @property
    def size(self) -> int:
        """Number of calls in the open window."""
        return self._window.call_count

    @property
    def bucket_count(self) -> int:
        """Number of triplets in the open window."""
        return len(self._buckets)

    def ingest(self, event: Measured, cost_cents: Cents = 0.0, facts: Optional[Facts] = None) -> None:
        """Add one call. A measurement that is negative or not a number counts as 0.

        Args:
            event: The call.
            cost_cents: Its cost, whatever its status. None, when the cost is unknown, adds nothing.
            facts: Its model, tokens, tags and source of cost, where they are added up.
        """
        try:
            bucket = self._buckets[event.provider, event.endpoint_category or event.path, event.method]  # type: ignore[index]
            latency_ms = event.latency_ms
            sent = event.request_bytes
            received = event.response_bytes
            if not (0.0 <= latency_ms <= MAX_LATENCY_MS and sent >= 0 <= received):
                raise ValueError  # noqa: TRY301 - the unusual way out of what is counted in nanoseconds
            samples = bucket.samples
            samples.append(latency_ms)
        except (KeyError, TypeError, ValueError):
            self._ingest_unusual(event, cost_cents, facts)
            return
        window = self._window
        window.call_count += 1
        bucket.request_bytes += sent
        bucket.response_bytes += received
        if event.error:
            bucket.error_count += 1
        if cost_cents:
            if cost_cents is bucket.unit_cost:
                bucket.unit_count += 1
            else:
                bucket.charge(cost_cents)
        if facts is not None:
            window.describe(bucket, facts)
        if len(samples) > bucket.limit:
            window.fold(bucket)

    def would_overflow(self, event: Measured) -> bool:
        """Return True if `ingest` would open a bucket beyond ``max_buckets``, which it does not refuse."""
        return len(self._buckets) >= self.max_buckets and _key(event) not in self._buckets

    def take(self) -> Optional[Window]:
        """Close the window and return it, or None if it is empty. The next one begins where it ends."""
        now_ms = self._clock() * 1000
        window = self._window
        if not window.buckets:
            self._open(now_ms)
            return None
        window.close(now_ms)
        # After a clock that was set back, windows follow the clock again instead of lasting 1 ms each.
        self._open(now_ms if now_ms < window.start_ms - _CLOCK_SET_BACK_MS else window.end_ms)
        return window

    def flush(self) -> Optional[WindowSummary]:
        """Close the window and return its summary, or None if it is empty."""
        window = self.take()
        return None if window is None else window.summary()

    def _open(self, start_ms: float) -> None:
        self.window = self._window = Window(self._tags, start_ms)
        """The open window."""
        self._buckets: dict[Key, Bucket] = self._window.buckets

    def _ingest_unusual(self, event: Measured, cost_cents: Cents, facts: Optional[Facts]) -> None:
        """Add the first call of a bucket, or a call with a field that can't be sent as it is."""
        key = _key(event)
        if key not in self._buckets:
            self._window.add_bucket(key)
        call = CallRecord()
        call.provider, call.endpoint_category, call.method = key
        call.latency_ms = _number(event.latency_ms, MAX_LATENCY_MS)
        call.request_bytes = int(_number(event.request_bytes, _MAX_BYTES))
        call.response_bytes = int(_number(event.response_bytes, _MAX_BYTES))
        call.error = event.error
        self.ingest(call, cost_cents, facts)


class Aggregator(UnlockedAggregator):
    """Sums of calls by (provider, endpoint, method), from any number of threads.

    Args:
        project_id: Part of every summary, but not sent.
        environment: Part of every summary.
        sdk_version: Part of every summary.
        max_buckets: Maximum number of triplets in a window, see `would_overflow`.
        max_tag_sets: Sets of tags that one window keeps apart. The rest is counted under ``other``.
        clock: Seconds since the epoch.
    """

    def _prepare(self) -> None:
        # Re-entrant: a signal handler or a finaliser may add a call while its own thread does.
        self._lock = threading.RLock()

    @property
    def size(self) -> int:
        """Number of calls in the open window."""
        with self._lock:
            return super().size

    @property
    def bucket_count(self) -> int:
        """Number of triplets in the open window."""
        with self._lock:
            return super().bucket_count

    def ingest(self, event: Measured, cost_cents: Cents = 0.0, facts: Optional[Facts] = None) -> None:
        """Add one call. A measurement that is negative or not a number counts as 0.

        Args:
            event: The call.
            cost_cents: Its cost, whatever its status. None, when the cost is unknown, adds nothing.
            facts: Its model, tokens, tags and source of cost, where they are added up.
        """
        with self._lock:
            super().ingest(event, cost_cents, facts)

    def would_overflow(self, event: Measured) -> bool:
        """Return True if `ingest` would open a bucket beyond ``max_buckets``, which it does not refuse."""
        with self._lock:
            return super().would_overflow(event)

    def take(self) -> Optional[Window]:
        """Close the window and return it, or None if it is empty. The next one begins where it ends."""
        with self._lock:
            return super().take()


def _key(event: Measured) -> Key:
    """Return the key as it may be sent: without blank or very long texts."""
    endpoint = event.endpoint_category or event.path
    return (_text(event.provider, "unknown"), _text(endpoint, "/"), _text(event.method, "UNKNOWN"))


def _text(given: Any, fallback: str) -> str:
    if not isinstance(given, str):
        return fallback
    given = given[:_MAX_TEXT]
    return given if given.strip() else fallback


def _number(given: Any, most: float) -> float:
    if isinstance(given, (int, float)) and given >= 0:  # false for NaN
        return min(given, most)
    return 0
