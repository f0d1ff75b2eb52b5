"""All destinations of a process: a window goes once into each, and one that fails holds up no other."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Callable, Final, Optional, Protocol

from recost._late import importing
from recost._text import printable
from recost.delivery.delivery import Delivery
from recost.delivery.identity import new_window_id

if TYPE_CHECKING:
    from typing import Literal

    from recost.delivery.shared import ClosedWindow
    from recost.events import FlushStatus

__all__ = ["DestinationStats", "Destinations", "Stats"]

_LONGEST_ERROR: Final = 500


class _Snapshot:
    """A value that doesn't change. Its fields are its slots, in the order of its constructor.

    Making a dataclass would take longer than all that `recost.init` does here.
    """

    __slots__: tuple[str, ...] = ()

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"cannot delete field {name!r}")

    def _values(self) -> tuple[Any, ...]:
        found = (getattr(self, name) for name in self.__slots__)
        return tuple(dict(value) if isinstance(value, Mapping) else value for value in found)

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__ or not isinstance(other, _Snapshot):
            return NotImplemented
        return self._values() == other._values()

    __hash__ = None  # type: ignore[assignment]  # it has mappings

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._values()

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in zip(self.__slots__, self._values()))
        return f"{type(self).__name__}({shown})"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary that can be written as JSON."""
        found = dict(zip(self.__slots__, self._values()))
        return {name: _plain(value) for name, value in found.items()}


class DestinationStats(_Snapshot):
    """The calls that this process has captured, by what became of them at one destination.

    They add up: ``stats.captured == stats.excluded + pending + spooled + sent + sum(dropped.values())`` when
    nothing happens at the moment.
    """

    __slots__ = ("kind", "status", "pending", "spooled", "sent", "recovered", "dropped", "failure")  # noqa: RUF023

    kind: str
    """Name of the destination in the setting ``transports``. Empty for one of tests."""
    status: Optional[Literal["ok", "error", "suspended"]]
    """Result of its latest delivery. ``"suspended"``: nothing more is sent. None before the first one."""
    pending: int
    """Number of calls that wait in memory, those of the open window included."""
    spooled: int
    """Number of calls that are in the spool, or were left there to the next process."""
    sent: int
    """Number of calls that have arrived."""
    recovered: int
    """Number of calls of ended processes that this one has sent from their spools. Not in ``captured``."""
    dropped: Mapping[str, int]
    """Number of calls that are not sent again, by reason. All but those under ``unknown`` will never arrive.

    ``inbox_full`` and ``queue_full``: too many waited. ``rejected``: refused for good. ``failed``: the
    destination failed on them, while it accepted others. ``expired``: removed from the spool. ``end``:
    neither sent nor spooled at the end. ``unknown``: the same, but they were sent without a response, and may
    have arrived. ``unrecorded``: they ended when recost had been disposed.
    """
    failure: Optional[tuple[str, str]]
    """Type and text of the latest error. The text can be printed."""

    def __init__(
        self,
        kind: str,
        status: Optional[str] = None,
        pending: int = 0,
        spooled: int = 0,
        sent: int = 0,
        recovered: int = 0,
        dropped: Mapping[str, int] = MappingProxyType({}),
        failure: Optional[tuple[str, str]] = None,
    ) -> None:
        if failure is not None:
            failure = failure[0], printable(failure[1][:_LONGEST_ERROR])
        given = kind, status, pending, spooled, sent, recovered, MappingProxyType(dict(dropped)), failure
        for name, value in zip(self.__slots__, given):
            object.__setattr__(self, name, value)

    @property
    def rejected(self) -> int:
        """Number of calls that the destination has refused for good."""
        return self.dropped.get("rejected", 0)

    @property
    def last_error(self) -> Optional[str]:
        """Text of the latest error, which can be printed. None before the first one."""
        return None if self.failure is None else self.failure[1]


class Stats(_Snapshot):
    """Numbers of one process at one moment."""

    __slots__ = ("captured", "excluded", "destinations")  # noqa: RUF023

    captured: int
    """Number of calls that have ended since `recost.init`, in this process."""
    excluded: int
    """Number of them that ``exclude_patterns`` and ``exclude_hosts`` exclude."""
    destinations: Mapping[str, DestinationStats]
    """The numbers of each destination, by its name in the setting ``transports``."""

    def __init__(self, captured: int, excluded: int, destinations: Mapping[str, DestinationStats]) -> None:
        given = captured, excluded, MappingProxyType(dict(destinations))
        for name, value in zip(self.__slots__, given):
            object.__setattr__(self, name, value)


class _Worker(Protocol):
    dropped: int
    unrecorded: int

    @property
    def pending_calls(self) -> int: ...

    @property
    def excluded(self) -> int: ...


class Destinations:
    """The deliveries of a process, each with its own queue, state and, where they run, thread.

    Args:
        deliveries: At least one. Local ones come first, as they take no time.
        monotonic: Seconds of a clock that is never set back.
    """

    def __init__(
        self, deliveries: Sequence[Delivery], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._deliveries = tuple(deliveries)
        self._monotonic = monotonic
        self._closed_calls = 0
        """Number of calls in all closed windows."""

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self._deliveries)

    @property
    def spacing_s(self) -> float:
        """Least time between two early flushes under sustained load: that of the slowest destination."""
        return max(delivery.spacing_s for delivery in self._deliveries)

    @property
    def last_status(self) -> Optional[FlushStatus]:
        """Result of the latest delivery of a window. While a destination fails, that of its latest one."""
        found = [status for delivery in self._deliveries if (status := delivery.last_status) is not None]
        return max(found, key=lambda status: (status.status != "ok", status.timestamp), default=None)

    @property
    def pending_calls(self) -> int:
        """Number of calls in windows that have not arrived, at the destination where it is highest."""
        return max(delivery.pending_calls for delivery in self._deliveries)

    def put(self, window: Any) -> None:
        """Queue a closed window, which must not be used afterwards. One thread at a time."""
        self._closed_calls += window.call_count
        if len(self._deliveries) == 1:
            self._deliveries[0].put(window)
            return
        window.freeze()
        _put_into_all(self._deliveries, window, new_window_id())

    def stats(self, worker: Optional[_Worker]) -> Stats:
        """Return the numbers of this process.

        Args:
            worker: Has the calls that are in no closed window yet. None in a forked child that has made no
                call yet: all numbers are 0.
        """
        if worker is None:
            return Stats(0, 0, {delivery.kind: DestinationStats(delivery.kind) for delivery in self})
        open_calls, excluded = worker.pending_calls, worker.excluded
        before = {"inbox_full": worker.dropped, "unrecorded": worker.unrecorded}
        captured = excluded + open_calls + self._closed_calls + sum(before.values())
        found = {each.kind: _stats_of(each, open_calls, before) for each in self._deliveries}
        return Stats(captured, excluded, found)

    def retry(self) -> None:
        """Send again what is still queued."""
        for delivery in self._deliveries:
            delivery.retry()

    def flush(self, deadline: float, running: Callable[[Delivery], bool]) -> bool:
        """Wait until all that is queued now has been sent, at most until ``deadline`` (monotonic).

        Args:
            deadline: The time of the end.
            running: Returns whether a delivery's thread runs. The calling thread does the work of others.

        Returns:
            True when all of it was delivered, or refused for good, by every destination.
        """
        waits = [delivery.begin_flush() for delivery in self._deliveries if running(delivery)]
        here = self.flush_here(deadline, [each for each in self._deliveries if not running(each)])
        arrived = [wait(deadline) for wait in waits]
        return all(arrived) and here

    def flush_here(self, deadline: float, idle: Sequence[Delivery]) -> bool:
        """Send what is queued on the calling thread. Each of ``idle`` gets its share of the time.

        Returns:
            True when all of it was delivered or refused for good.
        """
        arrived = [delivery.flush_here(until) for delivery, until in self._shares(idle, deadline)]
        return all(arrived)

    def flush_quickly(self, send_s: Callable[[Delivery], float], all_s: float) -> None:
        """Flush, but give up a destination where one window takes longer than ``send_s(it)`` seconds."""
        deadline = self._monotonic() + all_s
        for delivery in self._deliveries:
            delivery.flush_quickly(send_s(delivery), max(deadline - self._monotonic(), 0.0))

    def close(self, deadline: float) -> None:
        """Leave what has not arrived to the spools, until ``deadline`` (monotonic). Report what is lost."""
        for delivery, until in self._shares(self._deliveries, deadline):
            delivery.close(until)

    def saving_s(self) -> float:
        """Return how many seconds, at most, writing the queues to the spools takes."""
        return sum(delivery.saving_s() for delivery in self._deliveries)

    def renew_locks(self) -> None:
        """Replace the locks by those of the kind that `threading` makes now, while no thread runs."""
        for delivery in self._deliveries:
            delivery.renew_locks()

    def abandon(self) -> None:
        """Close what a forked child has of the parent's files."""
        for delivery in self._deliveries:
            delivery.abandon()

    def _shares(self, deliveries: Sequence[Delivery], deadline: float) -> Iterator[tuple[Delivery, float]]:
        """Return each with the time (monotonic) until which it may work, before the next one does."""
        for number, delivery in enumerate(deliveries):
            now = self._monotonic()
            yield delivery, now + max(deadline - now, 0.0) / (len(deliveries) - number)


def _put_into_all(deliveries: Sequence[Delivery], window: ClosedWindow, window_id: str) -> None:
    if deliveries:
        with importing():
            from recost.delivery.shared import SharedWindow  # noqa: PLC0415 - for several destinations only

        try:
            deliveries[0].put(SharedWindow(window, window_id))
        finally:  # whatever was raised, the others get it
            _put_into_all(deliveries[1:], window, window_id)


def _stats_of(delivery: Delivery, open_calls: int, before: dict[str, int]) -> DestinationStats:
    """Return the numbers of a destination.

    Args:
        delivery: The delivery to it.
        open_calls: Number of calls that are in no closed window yet.
        before: Calls that were dropped before, by reason.
    """
    accounts, status = delivery.accounts, delivery.last_status
    return DestinationStats(
        delivery.kind,
        status="suspended" if delivery.suspended else None if status is None else status.status,
        pending=open_calls + delivery.pending_calls,
        spooled=accounts.spooled,
        sent=accounts.sent,
        recovered=accounts.recovered,
        dropped={**before, **accounts.dropped()},
        failure=accounts.last_error,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, _Snapshot):
        return value.to_dict()
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value
