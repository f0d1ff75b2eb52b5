"""Room of the budgets: what may be spent before a limit must be looked at.

It lets calls begin without a lock while they are far from all limits. For that, the calls that have ended and
are not charged yet must have a highest cost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Callable, Final, Optional

from recost._waiting import wake_up
from recost.budgets.account import ZERO, Account
from recost.budgets.files import AccountFiles
from recost.interceptors.exchange import Exchange, Sink
from recost.pricing.route import Route, Routes

__all__ = ["TAKEN", "Room", "recorder"]

_LOOK_EVERY_S: Final = 1.0
"""Longest time for which calls begin without a look at the clock and at what other processes spend."""
_HIDDEN: Final = Decimal(1) / 256
"""Part of what is left of a budget that a process may spend before it publishes that as a call begins."""
_ROUNDED: Final = 1e-9
"""Relative error, at most, of amounts that are compared as floats."""
TAKEN: Final = -1.0
"""No room, or it is unknown."""
_UNLIMITED: Final = float("inf")


class Room:
    """US dollars that may be spent before a limit must be looked at.

    Args:
        accounts: The budgets that may refuse calls.
        files: Tells which of them other processes spend, too.
        clock: Returns the current time in UTC.
        monotonic: Returns the time in seconds.
    """

    __slots__ = ("_accounts", "_clock", "_monotonic", "_unpriced", "highest", "until_s", "usd")

    def __init__(
        self,
        accounts: Sequence[Account],
        files: AccountFiles,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._accounts = tuple((account, files.publishes(account)) for account in accounts)
        self._clock = clock
        self._monotonic = monotonic
        amounts = [account.budget.unpriced for account in accounts]
        self._unpriced = max((each for each in amounts if isinstance(each, Decimal)), default=ZERO)
        """Highest amount that a call of unknown cost counts as."""
        self.highest = 0.0
        """Highest cost of a call of all routes met so far whose calls have a highest cost, in US dollars."""
        self.forget()

    def forget(self) -> None:
        """Drop what is known: the limits are looked at when the next call begins."""
        self.usd = TAKEN if self._accounts else _UNLIMITED
        """Set to `TAKEN` while calls are charged, so that others wait for the lock."""
        self.until_s = 0.0 if self._accounts else _UNLIMITED
        """Time (monotonic) until which ``usd`` may be used."""

    def look(self) -> None:
        """Note that the clock and the spending of other processes have been looked at."""
        now, wait_s = self._clock(), _LOOK_EVERY_S
        for account, published in self._accounts:
            end = account.period.end
            if end is not None:
                wait_s = min(wait_s, (end - now).total_seconds())
            if published:
                account.hide(_HIDDEN)
        if self._accounts:
            self.until_s = self._monotonic() + wait_s

    def measure(self) -> None:
        """Find out how much there is, once all calls that were taken from the lists are charged."""
        room = _UNLIMITED
        for account, published in self._accounts:
            left = account.room(published=published)
            if left is None:
                self.usd = TAKEN
                return
            room = min(room, float(left) * (1 - _ROUNDED))
        self.usd = room

    def bound(self, route: Route, usd: Optional[Decimal]) -> None:
        """Note the highest cost of a call of a route. None if it depends on more than the route.

        The caller holds the lock: two threads must not both think that theirs is the highest.
        """
        if usd is None:
            route.highest = _UNLIMITED
            return
        highest = float(max(usd, self._unpriced)) * (1 + _ROUNDED)
        self.highest = max(self.highest, highest)
        route.highest = highest


def recorder(
    pending: deque[Exchange], bounded: deque[Exchange], routes: Routes, wake: Any, record: Sink
) -> Sink:
    """Return a sink that passes a call that has ended to ``record``. It may run in a finaliser.

    Args:
        pending: Receives calls that must be charged before the next one begins.
        bounded: Receives calls that have a highest cost.
        routes: Resolves the targets of calls.
        wake: Lock that is released to wake the thread.
        record: Receives all calls.
    """
    called = wake.locked

    def record_ended(exchange: Exchange) -> None:
        route = exchange.route
        if route is not None and route.routes is routes and 0 <= route.highest < _UNLIMITED:
            bounded.append(exchange)
        else:
            pending.append(exchange)
        record(exchange)
        if called():  # else the thread is awake
            wake_up(wake)

    return record_ended
