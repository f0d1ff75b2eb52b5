"""Windows: buckets of calls between two instants, which can be merged and split."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from decimal import Decimal
from struct import pack
from typing import Any, Final, NamedTuple, Optional, Union

from recost._money import LENIENT
from recost._pacing import rest
from recost.aggregation.breakdown import NOTHING, Crossed, Detail, Facts, Tags, TagSets
from recost.aggregation.quantiles import Latencies
from recost.events import MetricEntry, WindowSummary

__all__ = ["Bucket", "Cents", "Key", "TargetCounts", "Window", "WindowTags"]

Key = tuple[str, str, str]
"""Provider, endpoint, method."""
Cents = Union[float, Decimal, None]
"""An amount of US cents. None when it is unknown."""

_MAX_BYTES: Final = 2**62
_BUCKET_BYTES: Final = 850
"""Measured size of an empty bucket: its objects, its key and its place in the dict."""


class WindowTags(NamedTuple):
    """Fields that all windows of one SDK share."""

    project_id: str = ""
    environment: str = "development"
    sdk_version: str = "0.0.0"
    max_tag_sets: int = 100
    """Sets of tags that one window keeps apart."""
    crossed: Optional[Crossed] = None
    """None: nothing is kept by model and tags together."""

    def tag_sets(self) -> TagSets:
        """Return the sets of tags of a new window."""
        return (
            TagSets(self.max_tag_sets) if self.crossed is None else self.crossed.tag_sets(self.max_tag_sets)
        )


class Bucket:
    """The calls of one (provider, endpoint, method)."""

    __slots__ = (
        "_cost",
        "_unit_exact",
        "detail",
        "error_count",
        "latencies",
        "limit",
        "request_bytes",
        "response_bytes",
        "samples",
        "unit_cost",
        "unit_count",
    )

    def __init__(self) -> None:
        self.latencies = Latencies()
        self.samples = self.latencies.samples
        self.limit = self.latencies.limit
        """`Window.fold` is due when there are more samples than this."""
        self.detail: Optional[Detail] = None
        """Breakdowns, where responses are metered or calls are tagged."""
        self.error_count = 0
        self.request_bytes = 0
        self.response_bytes = 0
        self.unit_cost: Cents = None
        """Cost of the latest call that had one."""
        self.unit_count = 0
        """Calls at that cost that are not in the sum yet: one product instead of many sums."""
        self._unit_exact = NOTHING
        self._cost = NOTHING

    @property
    def cost_cents(self) -> Decimal:
        """Exact sum of the costs."""
        self.finish_sum()
        return self._cost

    def charge(self, cost_cents: Cents, count: int = 1) -> None:
        """Add the cost of some calls. One that is negative or not a finite number is ignored."""
        amount = _exact(cost_cents)
        if amount is None:
            return
        if amount != self._unit_exact or self.unit_cost is None:
            self.finish_sum()
            self.unit_cost, self._unit_exact = cost_cents, amount
        self.unit_count += count

    def fold(self) -> None:
        """Count the latencies in bins."""
        self.latencies.fold()
        self.limit = self.latencies.limit

    def merge(self, other: Bucket) -> None:
        """Add the calls of another bucket, which must not be used afterwards."""
        self.latencies.merge(other.latencies)
        self.limit = self.latencies.limit
        self.error_count += other.error_count
        self.request_bytes += other.request_bytes
        self.response_bytes += other.response_bytes
        self._cost = LENIENT.add(self.cost_cents, other.cost_cents)
        if self.detail is None:
            self.detail = other.detail
        elif other.detail is not None:
            self.detail.merge(other.detail)

    def to_entry(self, key: Key) -> MetricEntry:
        """Return the bucket as a metric."""
        provider, endpoint, method = key
        latencies = self.latencies
        p50, p95 = latencies.percentiles(50, 95)
        detail, sums = self.detail, (latencies.count, self.error_count, self.cost_cents)
        optional = {} if detail is None else detail.metric_fields(*sums)
        return MetricEntry(
            provider=provider,
            endpoint=endpoint,
            method=method,
            request_count=latencies.count,
            error_count=self.error_count,
            total_latency_ms=latencies.total,
            p50_latency_ms=p50,
            p95_latency_ms=p95,
            total_request_bytes=int(min(self.request_bytes, _MAX_BYTES)),
            total_response_bytes=int(min(self.response_bytes, _MAX_BYTES)),
            estimated_cost_cents=min(float(self.cost_cents), sys.float_info.max),
            **optional,
        )

    def finish_sum(self) -> None:
        """Add the calls at the latest cost to the sum."""
        if self.unit_count:
            self._cost = LENIENT.fma(self._unit_exact, Decimal(self.unit_count), self._cost)
            self.unit_count = 0


class TargetCounts:
    """Calls of the open window to one target whose cost depends on the target and on failure only.

    Their latencies are in the samples of the bucket. All else is in these counts until
    `Window.add_target_counts`. A group of calls is added at once.

    Args:
        bucket: The bucket of the target.
        succeeded: Facts of a call that succeeded. None if it is not described.
        failed: Facts of a call that failed.
    """

    __slots__ = ("bucket", "calls", "facts", "failed", "received", "sent", "waiting")

    def __init__(self, bucket: Bucket, succeeded: Optional[Facts], failed: Optional[Facts]) -> None:
        self.bucket = bucket
        self.waiting: list[Any] = []
        """Calls that the pipeline has grouped here, and which it will add at once."""
        self.facts = succeeded, failed
        self.calls = 0
        self.failed = 0
        """Number of these calls that failed."""
        self.sent = self.received = 0
        """Bytes of requests and responses."""

    def add(self, window: Window, latencies_ms: list[float], failed: int, sent: int, received: int) -> None:
        """Add the calls that wait, and let go of them. An interruption adds all of them, or leaves them all.

        Args:
            window: The open window.
            latencies_ms: The latency of each, in milliseconds.
            failed: Number of them that failed.
            sent: Bytes of their requests.
            received: Bytes of their responses.
        """
        number, bucket = len(latencies_ms), self.bucket
        size = len(bucket.samples)
        raw = pack(f"{number}d", *latencies_ms)
        calls = window.call_count + number
        sums = self.calls + number, self.failed + failed, self.sent + sent, self.received + received
        try:
            self._store(window, calls, size, raw, sums)
        except BaseException:
            self._store(window, calls, size, raw, sums)  # once more, to the same values
            raise
        if size + number > bucket.limit:
            window.fold(bucket)

    def _store(
        self, window: Window, calls: int, size: int, raw: bytes, sums: tuple[int, int, int, int]
    ) -> None:
        samples = self.bucket.samples
        if len(samples) == size:
            samples.frombytes(raw)
        window.call_count = calls
        self.calls, self.failed, self.sent, self.received = sums
        self.waiting.clear()


class Window:
    """Buckets by key. Not locked: one thread at a time.

    Args:
        tags: Fields of every summary.
        start_ms: Start, in milliseconds since the epoch.
    """

    def __init__(self, tags: WindowTags, start_ms: float) -> None:
        self.tags = tags
        self.start_ms = start_ms
        self.end_ms = start_ms + 1
        """Set by `close`."""
        self.buckets: dict[Key, Bucket] = {}
        self.call_count = 0
        """Number of calls."""
        self.folded = 0
        """Number of calls whose latencies are in bins."""
        self.held_bytes = 0
        """Memory of keys, bins, details and empty buckets."""
        self.target_counts: list[TargetCounts] = []
        """Counts that have not been added to their buckets yet."""
        self._tag_sets = tags.tag_sets()

    @property
    def bucket_count(self) -> int:
        """Number of metrics that the summary has."""
        return len(self.buckets)

    @property
    def nbytes(self) -> int:
        """Approximate size in memory."""
        return self.held_bytes + 8 * (self.call_count - self.folded)

    def add_bucket(self, key: Key) -> Bucket:
        """Make the bucket of a new key."""
        bucket = self.buckets[key] = Bucket()
        self.held_bytes += _key_bytes(key)
        return bucket

    def count_target(self, key: Key, succeeded: Optional[Facts], failed: Optional[Facts]) -> TargetCounts:
        """Return new counts for the calls to a target.

        Args:
            key: Key of a bucket of this window.
            succeeded: Facts of a call that succeeded.
            failed: Facts of a call that failed.

        Raises:
            KeyError: The window has no such bucket.
        """
        counts = TargetCounts(self.buckets[key], succeeded, failed)
        self.target_counts.append(counts)
        return counts

    def keeps_apart(self, tags: Tags) -> bool:
        """Return True if the window has calls with these tags, and doesn't count them under ``other``."""
        return tags in self._tag_sets

    def add_target_counts(self) -> None:
        """Add the counts of all targets to their buckets. They must not be used afterwards."""
        while self.target_counts:
            counts = self.target_counts.pop()
            bucket = counts.bucket
            bucket.request_bytes += counts.sent
            bucket.response_bytes += counts.received
            bucket.error_count += counts.failed
            for facts, count in zip(counts.facts, (counts.calls - counts.failed, counts.failed)):
                if count and facts is not None:
                    bucket.charge(facts.cost_cents, count)
                    self.describe(bucket, facts, count)
            rest()

    def describe(self, bucket: Bucket, facts: Facts, count: int = 1) -> None:
        """Add the facts of a call to the breakdowns, or of a number of calls with the same facts."""
        detail = bucket.detail
        if detail is None:
            detail = bucket.detail = self._tag_sets.detail()
            self.held_bytes += detail.nbytes
        if not facts.metered and not facts.tags:
            detail.add_costs(facts, count)
            return
        self.held_bytes += detail.add(facts, self._tag_sets, count)

    def fold(self, bucket: Bucket) -> None:
        """Count the bucket's latencies in bins."""
        latencies = bucket.latencies
        folded, size = latencies.folded, latencies.bin_bytes
        bucket.fold()
        self.folded += latencies.folded - folded
        self.held_bytes += latencies.bin_bytes - size

    def close(self, end_ms: float) -> None:
        """Set the end: at least 1 ms after the start, also when the clock was set back."""
        self.add_target_counts()
        self.end_ms = max(end_ms, self.start_ms + 1)

    def merge(self, other: Window) -> None:
        """Absorb another window, which must not be used afterwards."""
        self.start_ms = min(self.start_ms, other.start_ms)
        self.end_ms = max(self.end_ms, other.end_ms)
        buckets = self.buckets
        for key, bucket in other.buckets.items():
            mine = buckets.get(key)
            if mine is None:
                buckets[key] = bucket
            else:
                mine.merge(bucket)
            rest()
        self._bound_tags()
        self._measure()

    def freeze(self) -> None:
        """Finish all sums. From now on reading changes nothing, so that several threads may read."""
        for bucket in self.buckets.values():
            bucket.finish_sum()
            if bucket.latencies.bin_bytes:
                self.fold(bucket)
            rest()

    def copy(self) -> Window:
        """Return a window with the same calls, which may be merged. This one must be frozen."""
        copies: dict[Key, Bucket] = {}
        for key, bucket in self.buckets.items():
            copies[key] = copied = Bucket()
            copied.detail = None if bucket.detail is None else type(bucket.detail)()
            copied.merge(bucket)
            rest()
        return self._part(copies)

    def split(self, limit: int) -> list[Window]:
        """Return windows of at most ``limit`` metrics that add up to this one, which must not be used again.

        Raises:
            ValueError: The limit is less than 1.
        """
        if limit < 1:
            raise ValueError(f"a window can't be split into parts of {limit} metrics")
        if self.bucket_count <= limit:
            return [self]
        items = list(self.buckets.items())
        return [self._part(dict(items[start : start + limit])) for start in range(0, len(items), limit)]

    def summary(self) -> WindowSummary:
        """Return the window as it is sent."""
        return WindowSummary(
            project_id=self.tags.project_id,
            environment=self.tags.environment,
            sdk_language="python",
            sdk_version=self.tags.sdk_version,
            window_start=self.start_ms,
            window_end=self.end_ms,
            metrics=tuple(self._entries()),
        )

    def _entries(self) -> Iterator[MetricEntry]:
        for key, bucket in self.buckets.items():
            yield bucket.to_entry(key)
            rest()

    def _bound_tags(self) -> None:
        self._tag_sets = self.tags.tag_sets()
        for bucket in self.buckets.values():
            if bucket.detail is not None:
                bucket.detail.bound_tags(self._tag_sets)
            rest()

    def _part(self, buckets: dict[Key, Bucket]) -> Window:
        part = Window(self.tags, self.start_ms)
        part.end_ms = self.end_ms
        part.buckets = buckets
        part._measure()
        return part

    def _measure(self) -> None:
        self.call_count = self.folded = self.held_bytes = 0
        for key, bucket in self.buckets.items():
            self.call_count += bucket.latencies.count
            self.folded += bucket.latencies.folded
            self.held_bytes += _key_bytes(key) + bucket.latencies.bin_bytes
            if bucket.detail is not None:
                self.held_bytes += bucket.detail.nbytes
            rest()


def _key_bytes(key: Key) -> int:
    return _BUCKET_BYTES + len(key[0]) + len(key[1]) + len(key[2])


def _exact(cost_cents: Cents) -> Optional[Decimal]:
    """Return a cost as the decimal number that it is written as. None where it is not a cost."""
    if cost_cents is None:
        return None
    try:
        amount = cost_cents if isinstance(cost_cents, Decimal) else Decimal(repr(float(cost_cents)))
    except (TypeError, ValueError, OverflowError):
        return None
    return amount if amount.is_finite() and amount > 0 else None
