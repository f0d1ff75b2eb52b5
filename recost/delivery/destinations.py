"""All destinations of a process: a window goes once into each, and one that fails holds up no other."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Callable, Optional

from recost._late import importing
from recost.delivery.delivery import Delivery
from recost.delivery.identity import new_window_id

if TYPE_CHECKING:
    from recost.delivery.shared import ClosedWindow
    from recost.events import FlushStatus

__all__ = ["Destinations"]


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
        self.put: Callable[[Any], None] = self._put_into_each
        """Queues a closed window for each destination. It must not be used afterwards."""
        if len(self._deliveries) == 1:
            self.put = self._deliveries[0].put

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

    def _put_into_each(self, window: Any) -> None:
        window.freeze()
        _put_into_all(self._deliveries, window, new_window_id())

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
