"""Histograms that can be merged: with fixed bounds, or with exponential buckets of base 2.

A failed export of differences is added to the next one, which the aggregations of the SDK can't do.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, Union

__all__ = ["ExplicitHistogram", "ExponentialHistogram", "Histogram"]

_MAX_SCALE: Final = 20
_MIN_SCALE: Final = -10
_MAX_BUCKETS: Final = 160
"""The default of the specification: at most 1.1 % off for values within a factor of 1,000."""


class ExplicitHistogram:
    """Numbers in buckets, each up to and including its bound.

    Args:
        bounds: Bounds in ascending order. Values above the last one have a bucket of their own.
    """

    __slots__ = ("bounds", "counts", "highest", "lowest", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        self.lowest = math.inf
        self.highest = -math.inf

    @property
    def count(self) -> int:
        """Number of values."""
        return sum(self.counts)

    def record(self, value: float) -> None:
        """Add a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value
        self.lowest = min(self.lowest, value)
        self.highest = max(self.highest, value)

    def merge(self, other: ExplicitHistogram) -> None:
        """Add the values of another histogram with the same bounds."""
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts)]
        self.total += other.total
        self.lowest = min(self.lowest, other.lowest)
        self.highest = max(self.highest, other.highest)


class ExponentialHistogram:
    """Numbers in buckets whose bounds are powers of ``2 ** 2 ** -scale``. The scale fits the values."""

    __slots__ = ("buckets", "highest", "lowest", "scale", "total", "zeros")

    def __init__(self) -> None:
        self.scale = _MAX_SCALE
        self.buckets: dict[int, int] = {}
        """Counts by index: the bucket ``i`` has values above ``base ** i``, up to ``base ** (i + 1)``."""
        self.zeros = 0
        self.total = 0.0
        self.lowest = math.inf
        self.highest = -math.inf

    @property
    def count(self) -> int:
        """Number of values."""
        return self.zeros + sum(self.buckets.values())

    def record(self, value: float) -> None:
        """Add a value. One below the smallest normal number counts as zero."""
        self.total += value
        self.lowest = min(self.lowest, value)
        self.highest = max(self.highest, value)
        if value < 2.3e-308:
            self.zeros += 1
            return
        index = _index(value, self.scale)
        if index not in self.buckets:
            index >>= self._fit(min(index, *self.buckets), max(index, *self.buckets)) if self.buckets else 0
        self.buckets[index] = self.buckets.get(index, 0) + 1

    def merge(self, other: ExponentialHistogram) -> None:
        """Add the values of another histogram."""
        self.zeros += other.zeros
        self.total += other.total
        self.lowest = min(self.lowest, other.lowest)
        self.highest = max(self.highest, other.highest)
        self._scale_down(max(self.scale - other.scale, 0))
        shift = other.scale - self.scale
        theirs = {index >> shift for index in other.buckets}
        both = theirs | self.buckets.keys()
        if both:
            shift += self._fit(min(both), max(both))
        for index, count in other.buckets.items():
            self.buckets[index >> shift] = self.buckets.get(index >> shift, 0) + count

    def dense(self) -> tuple[int, list[int]]:
        """Return the index of the first bucket, and the counts from there on."""
        if not self.buckets:
            return 0, []
        first, last = min(self.buckets), max(self.buckets)
        return first, [self.buckets.get(index, 0) for index in range(first, last + 1)]

    def _fit(self, first: int, last: int) -> int:
        """Scale down until buckets from ``first`` to ``last`` are few enough. Return by how much."""
        shift = 0
        while (last >> shift) - (first >> shift) >= _MAX_BUCKETS and self.scale - shift > _MIN_SCALE:
            shift += 1
        self._scale_down(shift)
        return shift

    def _scale_down(self, by: int) -> None:
        if by:
            buckets: dict[int, int] = {}
            for index, count in self.buckets.items():
                buckets[index >> by] = buckets.get(index >> by, 0) + count
            self.buckets = buckets
            self.scale -= by


Histogram = Union[ExplicitHistogram, ExponentialHistogram]


def _index(value: float, scale: int) -> int:
    """Return the index of a value's bucket. A power of two is the upper bound of its bucket, exactly."""
    fraction, exponent = math.frexp(value)
    if fraction == 0.5:
        return ((exponent - 1) << scale) - 1 if scale >= 0 else ((exponent - 2) >> -scale)
    if scale <= 0:
        return (exponent - 1) >> -scale
    return math.ceil(math.log2(value) * 2.0**scale) - 1
