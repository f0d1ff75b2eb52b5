"""Nearest-rank percentiles of latencies in bounded memory.

Up to `EXACT` values are kept as they are. Beyond, values are counted in bins: each power of two is divided
into 64 equal parts. The middle of a bin is less than 0.8 % off every value in it. HDR histograms and DDSketch
use the same linear mapping. A value's bin is the upper part of its IEEE 754 representation in 32 bits, read
as an integer. The bins depend on the values alone, not on their order or on how they were merged.
"""

from __future__ import annotations

import math
import sys
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from struct import pack, unpack
from typing import Final, Optional

__all__ = ["EXACT", "Latencies"]

EXACT: Final = 256
"""Number of values that are kept exactly."""

_PENDING: Final = 128
"""Number of values that wait to be counted together, once values are counted in bins."""

_UPPER: Final = slice(1 if sys.byteorder == "little" else 0, None, 2)
"""The upper 16 of 32 bits: sign, exponent and 7 bits of the fraction. A bin leaves out the last of these."""
_STEP: Final = 32
_SMALL_COUNT: Final = 2**16 - 1
_TYPES: Final = (("H", _SMALL_COUNT), ("I", 2**32 - 1), ("Q", 2**64 - 1))
"""Type codes of arrays and the greatest count that each can hold."""


def _halves(values: Sequence[float]) -> list[int]:
    """Return twice the bin of each value, or one more."""
    return memoryview(pack(f"{len(values)}f", *values)).cast("h")[_UPPER].tolist()


def _bin(value: float) -> int:
    """Return the bin of a value."""
    return _halves((value,))[0] >> 1


def _bound(index: int) -> float:
    """Return the lowest value of a bin."""
    return float(unpack("f", pack("i", index << 17))[0])


_FIRST: Final = _bin(2.0**-10)
"""The bin of 1 microsecond. Smaller values count as the least value seen."""
_LAST: Final = _bin(2.0**27)
"""The bin of 1.5 days. Greater values count as the greatest value seen."""
_NONE: Final = array("d")


class Latencies:
    """Latencies in milliseconds. The caller ensures that they are from 0 to 1e12."""

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
        values = self.samples.tolist()
        if not values:
            return
        halves = _halves(values)
        counted = Counter(halves)
        low, high = min(counted) >> 1, max(counted) >> 1
        if low <= self._low:  # only then can one of these be less than the least so far
            self._low, self._least = low, min(self._least, *values)
        if high >= self._high:
            self._high, self._greatest = high, max(self._greatest, *values)
        if low < _FIRST or high > _LAST:
            counted = Counter([min(half, _LAST << 1) for half in halves if half >> 1 >= _FIRST])
            found = counted or (self._first << 1,)
            low, high = min(found) >> 1, max(found) >> 1
        bins = self._room_for(low, high, len(values))[:]
        first = self._first
        for half, number in counted.items():
            bins[(half >> 1) - first] += number
        tiny = self._tiny + len(values) - sum(counted.values())
        total, folded = self._sum + sum(values), self.folded + len(values)
        # An interruption before this line leaves all as it was.
        self._bins, self._tiny, self._sum, self.folded, self.samples[:] = bins, tiny, total, folded, _NONE

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
        return self.percentiles(percent)[0]

    def percentiles(self, *percents: int) -> list[float]:
        """Return nearest-rank percentiles. They are 0 without values."""
        if self._bins is None:
            ordered = sorted(self.samples) or [0.0]
            return [ordered[_rank(percent, len(ordered)) - 1] for percent in percents]
        self.fold()
        up_to = list(accumulate(self._bins))
        return [self._of_rank(_rank(percent, self.folded) - self._tiny, up_to) for percent in percents]

    def _of_rank(self, rank: int, up_to: list[int]) -> float:
        """Return the value of a rank among those that are in the bins."""
        return self._least if rank <= 0 else self._middle(bisect_left(up_to, rank) + self._first)

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
