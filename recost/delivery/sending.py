"""Changes of a queue, what holds it up, and attempts to send one window."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Callable, Final, Optional, TypeVar

from recost._late import importing
from recost._pacing import free
from recost._waiting import Waiters
from recost.delivery.outbox import PendingWindow
from recost.delivery.transports.base import Disposition, SendError, Transport
from recost.errors import RecostRateLimitError

if TYPE_CHECKING:
    from random import Random

    from recost.delivery.outbox import Outbox
    from recost.delivery.pace import Pace
    from recost.events import FlushStatus, WindowSummary

__all__ = ["REFUSED", "Allowance", "Hold", "PacedError", "Queue", "Sender"]

REFUSED: Final = frozenset({Disposition.REJECT, Disposition.SPLIT})
"""Dispositions of a window that must not be sent again as it is."""
_SEND_TIMEOUT_S: Final = 10.0
_Result = TypeVar("_Result")


class Queue:
    """Changes of an outbox, one at a time. A signal handler or finaliser may interrupt any of it."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox: Final = outbox
        self._incoming: deque[PendingWindow] = deque()
        """Closed windows, until the outbox takes them."""
        self.changing = False
        """The outbox is being changed, on the thread that holds the lock."""
        self.renew_lock()

    def renew_lock(self) -> None:
        """Replace the lock by one of the kind that `threading` makes now, while no thread runs."""
        self.lock: Any = threading.RLock()

    @property
    def newest(self) -> int:
        """Sequence number that the newest of all windows has, or will have."""
        return self._outbox.last_seq + len(self._incoming)

    @property
    def call_count(self) -> int:
        """Number of calls in the outbox."""
        with self.lock:
            return self._outbox.call_count

    @property
    def is_empty(self) -> bool:
        """True when no window waits, except for those that were set aside."""
        return not (len(self._outbox) or self._incoming)

    def put(self, window: PendingWindow) -> None:
        """Append a window."""
        self._incoming.append(window)
        self.take_in()

    def take_in(self) -> None:
        """Move new windows into the outbox. If this interrupts a change of it, that change moves them."""
        with self.lock:
            if self.changing:
                return
            self.changing = True
            try:
                while self._incoming:
                    self._outbox.put(self._incoming.popleft())
            finally:
                self.changing = False

    def change(self, operation: Callable[[], _Result]) -> _Result:
        """Change the outbox. Code that interrupts this on the same thread doesn't change it meanwhile."""
        with self.lock:
            self.changing = True
            try:
                return operation()
            finally:
                self.changing = False
                self.take_in()


class PacedError(SendError):
    """The error of a window that was not sent, because the allowance is used up."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(None, Disposition.DEFER, retry_after_s=wait_s)


class Sender:
    """A sender of windows that retries by the transport's `RetryPolicy`. One thread at a time.

    Args:
        transport: The destination.
        changed: Ends a wait before a retry when the delivery is stopped.
        pace: Limits how often something is sent. None: no limit.
        clock: Seconds since the epoch.
        monotonic: Seconds of a clock that is never set back.
    """

    def __init__(
        self,
        transport: Transport,
        changed: Waiters,
        *,
        pace: Optional[Pace] = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._changed = changed
        self.pace = pace
        self._allowed = pace is None
        """The next attempt is allowed."""
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

    def wait_s(self, *, urgent: bool) -> float:
        """Return the seconds until an attempt may be made. 0: now, and one is set aside for that.

        Args:
            urgent: Don't wait for this process's turn.
        """
        wait_s = 0.0 if self.pace is None or self._allowed else self.pace.take(urgent=urgent)
        self._allowed = wait_s <= 0
        return wait_s

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
        if (wait_s := self.wait_s(urgent=deadline is not None)) > 0:
            return PacedError(wait_s)
        timeout_s = _SEND_TIMEOUT_S
        if deadline is not None:
            timeout_s = min(timeout_s, max(deadline - self._monotonic(), 0.05))
        failure = self._attempt(window, summary, timeout_s)
        if self.pace is not None:
            self._allowed = False
            self.pace.learn(getattr(self._transport, "posts_per_hour", None))
            if failure is None:
                self.pace.accepted()
            elif isinstance(failure.error, RecostRateLimitError):
                self.pace.refused(failure.retry_after_s or 0.0)
        return failure

    def _attempt(
        self, window: Optional[PendingWindow], summary: WindowSummary, timeout_s: float
    ) -> Optional[SendError]:
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
            if failure is not None:
                uncertain = failure.uncertain = uncertain or failure.uncertain
            if failure is None or failure.disposition is not Disposition.RETRY:
                return failure
            wait_s = min(policy.first_s * 2.0**attempt, policy.longest_s) * self._jitter()
            if not self._wait(wait_s, deadline):
                return SendError(failure.error, Disposition.WAIT, uncertain=uncertain)
            again = self.send_once(window, summary, deadline)
            if isinstance(again, PacedError):
                return SendError(failure.error, Disposition.WAIT, uncertain=uncertain)
            failure = again
        if failure is not None:
            uncertain = failure.uncertain = uncertain or failure.uncertain
        if failure is None or failure.disposition is not Disposition.RETRY:
            return failure
        gave_up = policy.exhausted is Disposition.SUSPEND
        error = self._transport.gave_up() if gave_up else failure.error
        return SendError(error, policy.exhausted, responded=failure.responded, uncertain=uncertain)

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


class Hold:
    """The times before which nothing is sent. On any thread."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._deferred_until = 0.0
        """The destination wants nothing before this time (monotonic)."""
        self._paced_until = 0.0
        """The allowance is used up until this time, except for a flush that somebody waits for."""
        self.suspended = False
        self.asked = False
        """True when somebody waits for the next round."""
        self._urgent = False
        """True when somebody waits for the round under way."""

    @property
    def until(self) -> float:
        """Time (monotonic) until which nothing is sent. 0 when nothing has to wait."""
        if self.asked or self._urgent:
            return self._deferred_until
        return max(self._deferred_until, self._paced_until)

    def holds(self, *, last_chance: bool) -> bool:
        """Return whether nothing may be sent now. At the last chance only a suspension counts."""
        return self.suspended or (not last_chance and self._monotonic() < self.until)

    def allows(self, sender: Sender, *, last_chance: bool) -> bool:
        """Return whether a window may be sent now. The sender sets one attempt aside for it then."""
        if self.holds(last_chance=last_chance):
            return False
        wait_s = sender.wait_s(urgent=last_chance or self._urgent)
        if wait_s > 0:
            self._pace(wait_s)
        return wait_s <= 0

    def begin_round(self) -> None:
        """Note that a round begins, for whoever has asked."""
        self._urgent, self.asked = self.asked, False

    def end_round(self) -> None:
        """Note that the round is over."""
        self._urgent = False

    def fail(self, failure: SendError) -> None:
        """Hold back what a failure holds up."""
        if isinstance(failure, PacedError):
            self._pace(failure.retry_after_s or 0.0)
            return
        deferred = failure.disposition is Disposition.DEFER
        self._deferred_until = self._monotonic() + (failure.retry_after_s or 0.0) if deferred else 0.0
        self.suspended = failure.disposition is Disposition.SUSPEND

    def clear(self) -> None:
        """Note that the destination has taken a window."""
        self._deferred_until = self._paced_until = 0.0

    def _pace(self, wait_s: float) -> None:
        self._paced_until = self._monotonic() + wait_s
