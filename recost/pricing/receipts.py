"""What was billed under which id: an answer that is read again costs nothing the second time."""

from __future__ import annotations

from collections import OrderedDict
from decimal import Decimal
from threading import RLock
from typing import Final, Optional

__all__ = ["Receipts"]

_MOST: Final = 20_000
"""Ids that are remembered, about 4 MB; the ones that were seen longest ago are forgotten first."""


class Receipts:
    """Remembers amounts by numbers that stand for ids. Thread-safe; of bounded size."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._paid: OrderedDict[int, Decimal] = OrderedDict()
        self._lock = RLock()  # a signal handler or finaliser may price a call, too

    def paid(self, receipts: tuple[int, ...]) -> Optional[Decimal]:
        """Return the most that was billed under one of the ids; None where none is known."""
        with self._lock:
            known = [self._paid[each] for each in receipts if each in self._paid]
        return max(known, default=None)

    def keep(self, receipts: tuple[int, ...], usd: Decimal) -> None:
        """Remember what was billed under these ids."""
        with self._lock:
            for each in receipts:
                self._paid[each] = max(usd, self._paid.pop(each, usd))
            while len(self._paid) > self._most:
                self._paid.popitem(last=False)

    def __len__(self) -> int:
        return len(self._paid)
