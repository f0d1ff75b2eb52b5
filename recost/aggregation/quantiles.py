"""Nearest-rank percentiles of latencies in bounded memory.

Up to `EXACT` values are kept as they are. Beyond, values are counted in bins: each power of two is divided
into 64 equal parts. The middle of a bin is less than 0.8 % off every value in it. HDR histograms and DDSketch
use the same linear mapping. A value's bin is the upper part of its IEEE 754 representation, read as an
integer. The bins depend on the values alone, not on their order or on how they were merged.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from itertools import accumulate
from typing import Final, Optional

__all__ = ["EXACT", "Latencies"]

EXACT: Final = 256
"""Number of values that are kept exactly."""

_PENDING: Final = 128
"""Number of values that wait to be counted together, once values are counted in bins."""

_PARTS_BITS: Final = 6
_DROPPED_BITS: Final = 52 - _PARTS_BITS  # of the 52 bits of a double's fraction
_STEP: Final = 32
_SMALL_COUNT: Final = 2**16 - 1
_TYPES: Final = (("H", _SMALL_COUNT), ("I", 2**32 - 1), ("Q", 2**64 - 1))
"""Type codes of arrays and the greatest count that each can hold."""


def _bin(value: float) -> int:
    """Return the bin of a value."""
    return int(memoryview(array("d", (value,))).cast("B").cast("Q")[0]) >> _DROPPED_BITS


def _bound(index: int) -> float:
    """Return the lowest value of a bin."""
    return float(memoryview(array("Q", (index << _DROPPED_BITS,))).cast("B").cast("d")[0])


_FIRST: Final = _bin(2.0**-10)
"""The bin of 1 microsecond. Smaller values count as the least value seen."""
_LAST: Final = _bin(2.0**27)
"""The bin of 1.5 days. Greater values count as the greatest value seen."""


class Latencies:
    """Latencies in milliseconds. The caller ensures that they are finite and not negative."""

    __slots__ = (
        "_bins",
        "_first",
        "_greatest",
        "_high",
        "_least",
        "_low",
        "_sum",
        "_tiny",
        "folded",
        "limit",
        "samples",
    )

    def __init__(self) -> None:
        self.samples = array("d")
        """Append to it, and call `fold` when there are more than ``limit``."""
        self.limit = EXACT
        self.folded = 0
        """Number of values that are in the bins."""
        self._bins: Optional[array[int]] = None
        self._first = 0
        self._tiny = 0
        self._sum = 0.0
        self._least, self._low = math.inf, 1 << 62
        self._greatest, self._high = 0.0, -1

    @property
    def count(self) -> int:
        """Number of values."""
        return self.folded + len(self.samples)

    @property
    def total(self) -> float:
        """Sum of the values."""
        return self._sum + sum(self.samples)

    @property
    def bin_bytes(self) -> int:
        """Memory that the bins take."""
        return 0 if self._bins is None else self._bins.itemsize * len(self._bins)

    def add(self, value: float) -> None:
        """Add one value."""
        self.samples.append(value)
        if len(self.samples) > self.limit:
            self.fold()

    def fold(self) -> None:
        """Move the samples into the bins."""
        samples = self.samples
        if not samples:
            return
        with memoryview(samples) as view, view.cast("B") as raw, raw.cast("q") as bits:
            indices = [number >> _DROPPED_BITS for number in bits]
        low, high = min(indices), max(indices)
        if low <= self._low:  # only then can one of these be less than the least so far
            self._low, self._least = low, min(self._least, *samples)
        if high >= self._high:
            self._high, self._greatest = high, max(self._greatest, *samples)
        if low < _FIRST or high > _LAST:
            indices = [min(index, _LAST) for index in indices if index >= _FIRST]
            low, high = (min(indices), max(indices)) if indices else (self._first, self._first)
        bins = self._room_for(low, high, len(samples))
        first = self._first
        for index in indices:
            bins[index - first] += 1
        self._tiny += len(samples) - len(indices)
        self._sum += sum(samples)
        self.folded += len(samples)
        del samples[:]

    def merge(self, other: Latencies) -> None:
        """Add all values of another instance, which must not be used afterwards."""
        if self._bins is None and other._bins is None:
            self.samples.extend(other.samples)
            if len(self.samples) > EXACT:
                self.fold()
            return
        self.fold()
        other.fold()
        theirs = other._bins
        if theirs is None:
            return
        bins = self._room_for(other._first, other._first + len(theirs) - 1, other.folded)
        shift = other._first - self._first
        for index, number in enumerate(theirs):
            if number:
                bins[index + shift] += number
        self._tiny += other._tiny
        self._low, self._least = min(self._low, other._low), min(self._least, other._least)
        self._high, self._greatest = max(self._high, other._high), max(self._greatest, other._greatest)
        self._sum += other._sum
        self.folded += other.folded

    def percentile(self, percent: int) -> float:
        """Return the nearest-rank percentile, or 0 without values."""
        if self._bins is None:
            if not self.samples:
                return 0.0
            return sorted(self.samples)[_rank(percent, len(self.samples)) - 1]
        self.fold()
        left = _rank(percent, self.folded) - self._tiny
        if left <= 0:
            return self._least
        index = bisect_left(list(accumulate(self._bins)), left)
        return self._middle(index + self._first)

    def _middle(self, index: int) -> float:
        if index >= _LAST:
            return self._greatest
        middle = (_bound(index) + _bound(index + 1)) / 2
        return min(max(middle, self._least), self._greatest)

    def _room_for(self, low: int, high: int, number: int) -> array[int]:
        """Return the bins, enlarged to hold ``low`` to ``high`` and to count ``number`` more values."""
        bins, needed = self._bins, self.folded + number
        if bins is None:
            bins = array("H")
            self._first = low - low % _STEP
            self.limit = _PENDING
        elif low >= self._first and high < self._first + len(bins) and needed <= _SMALL_COUNT:
            return bins
        code = next(code for code, most in _TYPES if needed <= most)
        if array(code).itemsize > bins.itemsize:
            bins = array(code, bins)
        zero = array(bins.typecode, [0])
        if low < self._first:
            first = low - low % _STEP
            bins = zero * (self._first - first) + bins
            self._first = first
        missing = high + 1 - self._first - len(bins)
        if missing > 0:
            bins += zero * (missing + -missing % _STEP)
        self._bins = bins
        return bins


def _rank(percent: int, number: int) -> int:
    """Return the 1-based rank, computed with integers because the float 0.95 * 20 may exceed 19."""
    return max(-(-percent * number // 100), 1)
