"""What an hour or a day usually costs, by the days before it, and how much that varies.

Usual is the median of the same hour of other days: of all of them, of those of the same kind (working days,
weekends), or of the same weekday with the hours beside it. Of the three, that is used which would have told
each of the known days best from the others. How far a cost is off is counted in deviations, between square
roots, as costs vary the more the larger they are. One deviation is 1.4826 times the median of how far the
known days are off, or half of what one in 40 exceeds in that direction, if that is more: outliers weigh
little in either.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final, Optional

__all__ = ["LEAST_DAYS", "MOST_DAYS", "Usual"]

LEAST_DAYS: Final = 14
MOST_DAYS: Final = 28
_WEEK: Final = 7
_WORKDAYS: Final = 5
_KINDS: Final = ("all", "kind of day", "weekday")
_MAD: Final = 1.4826
_WITHIN: Final = 0.975
_WITHIN_DEVIATIONS: Final = 1.96
_LEAST_SPREAD: Final = 0.01
"""Of a square root: calls that always cost the same may cost two per cent more."""


class Usual:
    """What each bucket of a day usually costs: each hour, or the day as its only one.

    Args:
        days: The costs of the buckets of each day before, the last one last.
        weekday: Of the day that is asked for; Monday is 0.
    """

    def __init__(self, days: Sequence[Sequence[float]], weekday: int) -> None:
        self._days = days
        self._weekday = weekday
        self._weekdays = [(weekday - len(days) + index) % _WEEK for index in range(len(days))]
        found = [(self._all_offs(kind), kind) for kind in _KINDS]
        self._offs, self._kind = min(found, key=lambda each: sum(map(abs, _flat(each[0]))))
        self._spreads = {sign: _spread(_flat(self._offs), sign) for sign in (-1.0, 1.0)}

    def cost(self, bucket: int) -> float:
        """Return what a bucket of the day usually costs."""
        return self._median(self._kind, self._weekday, bucket, None)

    def deviations(self, bucket: int, cost: float) -> float:
        """Return by how many deviations a cost is off; below zero where it is less than usual."""
        usual = math.sqrt(self.cost(bucket))
        off = math.sqrt(cost) - usual
        sign = math.copysign(1.0, off)
        near = [offs[each] for offs in self._offs for each in self._beside(bucket)]
        spread = max(_spread(near, sign), self._spreads[sign], _LEAST_SPREAD * usual)
        if not spread:
            return math.copysign(math.inf, off) if off else 0.0
        return off / spread

    def _all_offs(self, kind: str) -> list[list[float]]:
        """Return, of each known day, how far each bucket is off what the others tell."""
        return [
            [
                math.sqrt(cost) - math.sqrt(self._median(kind, self._weekdays[index], bucket, index))
                for bucket, cost in enumerate(day)
            ]
            for index, day in enumerate(self._days)
        ]

    def _median(self, kind: str, weekday: int, bucket: int, without: Optional[int]) -> float:
        buckets = self._beside(bucket) if kind == "weekday" else (bucket,)
        return median(
            self._days[index][each] for index in self._alike(kind, weekday, without) for each in buckets
        )

    def _alike(self, kind: str, weekday: int, without: Optional[int]) -> Iterator[int]:
        """Yield the days that tell of one of a weekday."""
        for index, other in enumerate(self._weekdays):
            same = {
                "all": True,
                "kind of day": (other < _WORKDAYS) == (weekday < _WORKDAYS),
                "weekday": other == weekday,
            }
            if same[kind] and index != without:
                yield index

    def _beside(self, bucket: int) -> Sequence[int]:
        last = len(self._days[0]) - 1
        return sorted({max(bucket - 1, 0), bucket, min(bucket + 1, last)})


def _flat(days: Sequence[Sequence[float]]) -> list[float]:
    return [off for day in days for off in day]


def _spread(offs: Sequence[float], sign: float = 1.0) -> float:
    """Return how large a deviation is, upwards or downwards."""
    sizes = sorted(off * sign for off in offs)
    within = sizes[math.ceil(_WITHIN * len(sizes)) - 1]
    return max(_MAD * median(map(abs, offs)), within / _WITHIN_DEVIATIONS)
