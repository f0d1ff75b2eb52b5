"""The limit on POSTs of one key: exact over every hour, in bounded memory."""

from __future__ import annotations

import time
from array import array
from typing import Callable, Final

__all__ = ["POSTS_PER_HOUR", "HourlyLimit"]

POSTS_PER_HOUR: Final = 20_000
"""The limit of a key that has no other."""
_HOUR_S: Final = 3600.0


class HourlyLimit:
    """The times of the latest admitted POSTs. Not thread-safe.

    Args:
        most: Admitted POSTs in any hour.
        monotonic: Seconds, for tests.
    """

    def __init__(self, most: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.most: Final = most
        self._times = array("d")
        """A ring of the latest times, once it has ``most`` of them."""
        self._oldest = 0
        self._monotonic = monotonic

    def admit(self) -> float:
        """Admit a POST and return 0, or return the seconds until the next one can be admitted."""
        now = self._monotonic()
        if len(self._times) < self.most:
            self._times.append(now)
            return 0.0
        wait_s = self._times[self._oldest] + _HOUR_S - now
        if wait_s > 0:
            return wait_s
        self._times[self._oldest] = now
        self._oldest = (self._oldest + 1) % self.most
        return 0.0
