"""The allowance of POSTs of one project and destination, and its changes with time and responses.

A bucket of tokens: a POST takes one, and one comes back each interval. The interval is doubled by a 429, and
shrinks by a fixed step with each POST that is accepted. Times are those of the state's own clock, which only
goes forward, so steps of the system's clocks change nothing.
"""

from __future__ import annotations

import math
from typing import Final

__all__ = ["DEFAULT_LIMIT", "MAX_MEMBERS", "PaceState"]

DEFAULT_LIMIT: Final = 1000.0
"""POSTs an hour that the deployed service accepts of a project."""
MAX_MEMBERS: Final = 4096
MAX_FACTOR: Final = 8192.0
MAX_REST_S: Final = 3600.0
_LEAST_LIMIT: Final = 4.0
_MOST_LIMIT: Final = 1e6
_HOUR_S: Final = 3600.0
_BURST: Final = 0.15
"""Part of the limit that may be used at once."""
_STEADY: Final = 0.84
"""Part of the limit that comes back in an hour. With the burst, less than the limit in any hour."""
_GROWTH: Final = 2.0
_STEP: Final = 0.5
"""Part of the shortest interval by which an accepted POST shortens the interval."""
_MOST_GROWTH: Final = 64.0
_SCARCE: Final = 0.5
"""Part of the burst below which processes take turns."""


class PaceState:
    """Tokens, interval and members. Made with a full bucket."""

    __slots__ = ("factor", "limit", "members", "now", "raised_at", "rest_until", "tokens")

    def __init__(self, limit: float = DEFAULT_LIMIT) -> None:
        self.now = 0.0
        """Seconds of the state's own clock."""
        self.limit = limit
        """POSTs that the destination accepts in any hour."""
        self.factor = 1.0
        """The interval, as a multiple of the shortest one. At least 1."""
        self.tokens = self.burst
        """POSTs that may be made at once. Negative after some that were not counted when they were made."""
        self.rest_until = 0.0
        """Nothing is sent before this time: the destination asks for it."""
        self.raised_at = -1.0
        """Time of the last growth of the interval."""
        self.members: dict[bytes, float] = {}
        """Processes that have windows to send, and the time until which each counts as one."""

    @property
    def burst(self) -> float:
        """Most tokens."""
        return max(self.limit * _BURST, 1.0)

    @property
    def interval_s(self) -> float:
        """Seconds in which one token comes back."""
        return self.factor * _HOUR_S / (self.limit * _STEADY)

    @property
    def rest_s(self) -> float:
        """Seconds until anything may be sent."""
        return max(self.rest_until - self.now, 0.0)

    @property
    def turn_s(self) -> float:
        """Seconds between two turns of a process that has its share, when tokens are neither many nor few."""
        return self.interval_s * max(len(self.members), 1)

    @property
    def spacing_s(self) -> float:
        """Seconds between two turns of a process now: 0 while there are many tokens, longer as they run out.

        A quarter of the bucket remains in the balance, for processes that begin or end.
        """
        fullness = max(self.tokens, 0.0) / self.burst
        return self.turn_s * max(2 * (1 - fullness / _SCARCE), 0.0)

    def is_valid(self) -> bool:
        """Return whether all values are possible ones."""
        values = (self.now, self.limit, self.factor, self.tokens, self.rest_until, self.raised_at)
        return (
            all(map(math.isfinite, (*values, *self.members.values())))
            and _LEAST_LIMIT <= self.limit <= _MOST_LIMIT
            and 1.0 <= self.factor <= MAX_FACTOR
            and abs(self.tokens) <= _MOST_LIMIT
            and 0.0 <= self.now <= 1e12
            and self.raised_at <= self.now
            and self.rest_s <= MAX_REST_S
            and len(self.members) <= MAX_MEMBERS
        )

    def advance(self, elapsed_s: float) -> None:
        """Let time pass: tokens come back, but not while the destination wants a rest."""
        since = max(self.now, self.rest_until)
        self.now += max(elapsed_s, 0.0)
        if self.now > since:
            self.tokens += (self.now - since) / self.interval_s
        self.tokens = min(self.tokens, self.burst)

    def learn(self, limit: float) -> None:
        """Use the limit that the destination has given."""
        limit = min(max(limit, _LEAST_LIMIT), _MOST_LIMIT)
        if limit != self.limit:
            before, self.limit = self.burst, limit
            self.tokens = min(self.tokens + max(self.burst - before, 0.0), self.burst)

    def meet(self, member: bytes, for_s: float) -> None:
        """Count a process as a member for some seconds. Forget those that have not come back."""
        self.members = {each: until for each, until in self.members.items() if until > self.now}
        if member in self.members or len(self.members) < MAX_MEMBERS:
            self.members[member] = self.now + for_s

    def accept(self) -> None:
        """Shorten the interval: a POST was accepted."""
        self.factor = max(self.factor - _STEP, 1.0)

    def refuse(self, sent_at: float, rest_s: float) -> None:
        """Lengthen the interval, once for all POSTs that were sent before it was: one got a 429.

        Args:
            sent_at: When the POST was allowed, on this state's clock.
            rest_s: Seconds in which the destination wants nothing.
        """
        if sent_at > self.raised_at:
            self.factor = max(self.factor, min(self.factor * _GROWTH, _MOST_GROWTH))
            self.raised_at = self.now
        self.tokens = min(self.tokens, 0.0)
        self.rest_until = max(self.rest_until, self.now + min(rest_s, MAX_REST_S))

    def copy(self) -> PaceState:
        """Return a state that changes by itself."""
        made = PaceState(self.limit)
        for name in self.__slots__:
            setattr(made, name, getattr(self, name))
        made.members = dict(self.members)
        return made

    def share(self) -> PaceState:
        """Return what one process has of this, when it goes on by itself."""
        made, number = self.copy(), max(len(self.members), 1)
        made.members.clear()
        made.factor = min(self.factor * number, MAX_FACTOR)
        made.tokens = self.tokens / number
        return made
