"""Attempts to send one window: their time limits, the waits between them, and their result."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Callable, Final, Optional

from recost._late import importing
from recost._pacing import free
from recost._waiting import Waiters
from recost.delivery.outbox import PendingWindow
from recost.delivery.transports.base import Disposition, SendError, Transport

if TYPE_CHECKING:
    from random import Random

    from recost.events import FlushStatus, WindowSummary

__all__ = ["REFUSED", "Allowance", "Sender"]

REFUSED: Final = frozenset({Disposition.REJECT, Disposition.SPLIT})
"""Dispositions of a window that must not be sent again as it is."""
_SEND_TIMEOUT_S: Final = 10.0


class Sender:
    """A sender of windows that retries by the transport's `RetryPolicy`. One thread at a time.

    Args:
        transport: The destination.
        changed: Ends a wait before a retry when the delivery is stopped.
        clock: Seconds since the epoch.
        monotonic: Seconds of a clock that is never set back.
    """

    def __init__(
        self,
        transport: Transport,
        changed: Waiters,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._changed = changed
        self._clock = clock
        self._monotonic = monotonic
        self._random: Optional[Random] = None
        """The generator of this process, made when it is first needed."""
        self.deadline: Optional[float] = None
        """The time (monotonic) by which all sending must end, once the delivery is stopped."""
        self.sending_since: Optional[float] = None
        """The start (monotonic) of the attempt under way."""
        self.arrived: Optional[PendingWindow] = None
        """A window that has arrived and is still in the outbox."""
        self.last_status: Optional[FlushStatus] = None

    def send_with_retries(
        self, window: PendingWindow, summary: WindowSummary, deadline: Optional[float]
    ) -> Optional[SendError]:
        """Send a window as ``summary``. Return the failure that decides its fate, or None if accepted."""
        failure = self._try_repeatedly(window, summary, deadline)
        with importing():
            from recost.events import FlushStatus  # noqa: PLC0415 - slow to import

        metrics = list(summary.metrics)
        status = FlushStatus("error" if failure else "ok", len(metrics), self._clock() * 1000)
        self.last_status = status
        del summary
        free(metrics)
        return failure

    def send_once(
        self, window: Optional[PendingWindow], summary: WindowSummary, deadline: Optional[float]
    ) -> Optional[SendError]:
        """Make one attempt. Return its failure, or None if the window was accepted.

        Args:
            window: The window of the outbox that ``summary`` is, if it is one.
            summary: What is sent.
            deadline: The time (monotonic) by which it must end.
        """
        if deadline is None:
            deadline = self.deadline
        timeout_s = _SEND_TIMEOUT_S
        if deadline is not None:
            timeout_s = min(timeout_s, max(deadline - self._monotonic(), 0.05))
        self.sending_since = self._monotonic()
        try:
            self._transport.send(summary, timeout_s)
            self.arrived = window
        except SendError as failure:
            return failure
        except Exception as error:  # noqa: BLE001 - a transport's own bug must not stop the delivery
            return SendError(error, Disposition.WAIT)
        finally:
            self.sending_since = None
        return None

    def _try_repeatedly(
        self, window: PendingWindow, summary: WindowSummary, deadline: Optional[float]
    ) -> Optional[SendError]:
        policy = self._transport.retry
        failure = self.send_once(window, summary, deadline)
        uncertain = False
        for attempt in range(policy.retries):
            if failure is None:
                return None
            uncertain = failure.uncertain = uncertain or failure.uncertain
            if failure.disposition is not Disposition.RETRY:
                return failure
            wait_s = min(policy.first_s * 2.0**attempt, policy.longest_s) * self._jitter()
            if not self._wait(wait_s, deadline):
                return SendError(failure.error, Disposition.WAIT, uncertain=uncertain)
            failure = self.send_once(window, summary, deadline)
        if failure is None:
            return None
        uncertain = failure.uncertain = uncertain or failure.uncertain
        if failure.disposition is Disposition.RETRY:
            gave_up = policy.exhausted is Disposition.SUSPEND
            error = self._transport.gave_up() if gave_up else failure.error
            return SendError(error, policy.exhausted, responded=failure.responded, uncertain=uncertain)
        return failure

    def _wait(self, wait_s: float, deadline: Optional[float]) -> bool:
        """Wait before a retry. Return False if the remaining time is too short for one."""
        until = self._monotonic() + wait_s

        def too_late() -> bool:
            limit = deadline if deadline is not None else self.deadline
            return limit is not None and until >= limit

        return not self._changed.wait(too_late, until)

    def _jitter(self) -> float:
        if self._random is None:
            with importing():
                from random import Random  # noqa: PLC0415 - slow to import, and needed for retries only

            self._random = Random()  # noqa: S311 - jitter, not a secret
        return self._random.uniform(0.5, 1.0)


class Allowance:
    """Number of windows that may be halved. Each half costs one POST, and POSTs are limited by the hour."""

    _MOST = 64
    _EVERY_S = 60.0

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._left = float(self._MOST)
        self._since = monotonic()

    def take(self) -> bool:
        """Use one up. Return False when nothing is left."""
        now = self._monotonic()
        self._left = min(self._left + (now - self._since) / self._EVERY_S, self._MOST)
        self._since = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
