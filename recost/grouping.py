"""Groups of calls of the same kind, which are added to the open window at once.

Calls are of one kind if they count in the same bucket and have the same facts. A call that is grouped costs a
look-up by its target and an append. A target that has not been met before is resolved, and its calls join the
group of their kind. What is added up of a group is read in a few passes over all of its calls. Calls stay in
their group until the window has them, so that each is counted once, whatever interrupts that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sized
from itertools import repeat, starmap
from typing import Any, Callable, Final, Optional, Union

from recost._pacing import rest
from recost.aggregation.aggregator import MAX_LATENCY_MS, UnlockedAggregator
from recost.aggregation.breakdown import Tags
from recost.aggregation.window import TargetCounts
from recost.interceptors.exchange import CallTarget, Exchange
from recost.interceptors.targets import clean_path

__all__ = ["GroupKey", "Groups", "Kind"]

GroupKey = Union[CallTarget, tuple[CallTarget, Tags]]
"""A target without a query, and the tags of calls that are tagged."""
Kind = tuple[Any, str]
"""The terms that a rule has for calls, and their endpoint."""

_TAGGED: Final = 2
"""Length of a key with tags."""
_MOST: Final = 1024
"""Calls that are grouped before they are added. Until then they are in memory, while further ones come."""
_OF_VALUES: Final = (ArithmeticError, AttributeError, TypeError, ValueError)
"""Errors of comparing and adding what is not a number."""


class _ByTarget(dict[Any, list[Exchange]]):
    """The groups by their key. A target with a query has the group of the one without it."""

    def __missing__(self, key: Any) -> Optional[list[Exchange]]:
        target, tags = key if len(key) == _TAGGED else (key, None)
        scheme, host, port, path, method = target
        if "?" in path or "#" in path:
            cleaned = scheme, host, port, clean_path(path), method
            return self.get(cleaned if tags is None else (cleaned, tags))
        return None


_NONE: Final = _ByTarget()


class Groups:
    """The groups of the open window. Not locked: one thread at a time.

    Args:
        aggregator: Has the open window.
        kind_of: Returns the kind of a call to a target without a group. None if it must be added by itself.
        add_alone: Adds a call that belongs to no group.
        report: Receives errors. Nothing is raised.
    """

    def __init__(
        self,
        aggregator: UnlockedAggregator,
        *,
        kind_of: Callable[[Exchange], Optional[Kind]],
        add_alone: Callable[[Exchange], Any],
        report: Callable[[BaseException], Any],
    ) -> None:
        self._aggregator = aggregator
        self._kind_of = kind_of
        self._add_alone = add_alone
        self._report = report
        self._groups = _ByTarget()
        self._kinds: dict[Optional[Kind], TargetCounts] = {}

    def __len__(self) -> int:
        return len(self._groups)

    def __contains__(self, key: GroupKey) -> bool:
        return key in self._groups

    def open(self, key: GroupKey, counts: TargetCounts) -> None:
        """Group the calls with this key from now on.

        Args:
            key: A target without a query, and tags.
            counts: What they are added to.
        """
        self._groups[key] = counts.waiting

    def share(self, kind: Kind, counts: TargetCounts) -> None:
        """Group the calls of this kind from now on."""
        self._kinds[kind] = counts

    def shared(self, kind: Kind) -> Optional[TargetCounts]:
        """Return what the calls of a kind are added to. None if they aren't grouped."""
        return self._kinds.get(kind)

    @property
    def kind_count(self) -> int:
        """Number of kinds with a group."""
        return len(self._kinds)

    def close(self) -> None:
        """Add all calls, and forget targets and kinds."""
        self.add()
        self._groups.clear()
        self._kinds.clear()

    def drain(self, inbox: deque[Exchange], limit: int) -> None:
        """Add up the calls that are in the inbox now, at most ``limit``.

        Each is counted once, whatever interrupts this.
        """
        left = min(len(inbox), limit)
        while left > 0:
            self._sort(inbox, inbox.popleft, min(left, _MOST), self._groups, self._kinds)
            self.add()
            left -= _MOST

    def add(self) -> None:
        """Add the calls of all groups to the window."""
        for counts in [counts for counts in self._aggregator.window.target_counts if counts.waiting]:
            calls = counts.waiting
            if not self._add_together(counts):
                self._sort(calls, calls.pop, len(calls), _NONE, {})

    def _sort(
        self,
        calls: Sized,
        take: Callable[[], Exchange],
        number: int,
        groups: _ByTarget,
        kinds: dict[Optional[Kind], TargetCounts],
    ) -> None:
        """Take calls, and move them to their groups. Add those without one by themselves."""
        exchange: Optional[Exchange] = None
        group: Any = None
        window, before = self._aggregator.window, self._aggregator.window.call_count
        try:
            for exchange in starmap(take, repeat((), number)):
                try:
                    scope = exchange.scope
                    group = groups[exchange.target if scope is None else (exchange.target, scope.tags)]
                    if group is None and kinds and scope is None:
                        found = kinds.get(self._kind_of(exchange))
                        group = None if found is None else found.waiting
                        rest()
                    usual = group is not None and not exchange.costs and not (scope and scope.collectors)
                except Exception as error:  # noqa: BLE001 - whatever fails here, the call has been made
                    usual = self._is_usual(error)
                if usual:
                    group.append(exchange)
                else:
                    self._add_alone(exchange)
                    exchange = None  # noqa: PLW2901 - it is counted
                    rest()
                    window, before = self._aggregator.window, self._aggregator.window.call_count
        except BaseException as error:
            if exchange is None or (group and group[-1] is exchange):
                if isinstance(error, IndexError) and not calls:
                    return  # handed over meanwhile: a finaliser on this very thread may call `init`
            elif self._aggregator.window is window and window.call_count == before:
                self._add_alone(exchange)
            raise

    def _add_together(self, counts: TargetCounts) -> bool:
        """Add the calls of a group. Return False, and add nothing, if a value of one is not plausible."""
        calls = counts.waiting
        try:
            latencies_ms = [(call.ended_ns - call.started_ns) / 1e6 for call in calls]
            sent = [call.request_bytes for call in calls]
            received = [call.response_bytes for call in calls]
            sums = _failures([call.status for call in calls]), sum(sent), sum(received)
            if not (
                type(sum(sums)) is int  # not a float, which may be NaN
                and sums[0] >= 0
                and min(sent) >= 0 <= min(received)
                and 0.0 <= min(latencies_ms) <= sum(latencies_ms) <= MAX_LATENCY_MS
            ):
                return False
        except Exception as error:  # noqa: BLE001 - as above
            return self._is_usual(error)
        counts.add(self._aggregator.window, latencies_ms, *sums)
        return True

    def _is_usual(self, error: Exception) -> bool:
        """Return False. Report an error, unless it is of a mock's values and comes again with `add_alone`."""
        if not isinstance(error, _OF_VALUES):
            self._report(error)
        return False


def _failures(statuses: list[int]) -> int:
    """Return the number of failed calls, or -1 if a status is not plausible."""
    number = len(statuses)
    if statuses.count(200) == number:
        return 0
    if type(sum(statuses)) is not int or min(statuses) < 0:
        return -1
    return number - sum([0 < status < 400 for status in statuses])
