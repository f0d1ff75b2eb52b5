"""The policy between the aggregation and a transport: order, retries, deferral, suspension, status.

`Delivery.put` and everything that the application's threads may call take a lock for memory operations only.
Sending happens in one place, `Delivery.pump`, by one thread at a time and with no lock held.
"""

from __future__ import annotations

import random
import threading
import time
from typing import Callable, Final, Optional

from recost.delivery.outbox import Loss, Outbox, PendingWindow
from recost.delivery.transports.base import Disposition, SendError, Transport
from recost.errors import RecostError
from recost.events import FlushStatus, WindowSummary

__all__ = ["Delivery"]

_SEND_TIMEOUT_S: Final = 10.0
_MAX_WINDOWS: Final = 60
_MAX_BYTES: Final = 12 * 1024 * 1024


class Delivery:
    """Keeps closed windows until the transport has taken them."""

    def __init__(
        self,
        transport: Transport,
        *,
        report: Callable[[BaseException], None],
        on_sent: Optional[Callable[[WindowSummary], None]] = None,
        outbox: Optional[Outbox] = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._report = report
        self._on_sent = on_sent
        if outbox is None:  # an empty one is false
            outbox = Outbox(max_windows=_MAX_WINDOWS, max_bytes=_MAX_BYTES)
        self._outbox = outbox
        self._clock = clock
        self._monotonic = monotonic
        self.renew_locks()
        self._pumping = False
        self._kicked = False
        self._stopping = False
        self._pausing = False
        self._running = False
        self._deadline: Optional[float] = None
        self._not_before = 0.0
        self._rounds_begun = 0
        self._rounds_done = 0
        self._overflow_reported = False
        self._random = random.Random()  # noqa: S311 - jitter, not a secret
        self.suspended = False
        self.lost = Loss()
        """Everything that was dropped so far."""
        self.last_status: Optional[FlushStatus] = None

    def renew_locks(self) -> None:
        """Make the lock anew, of the kind that `threading` makes now, while no thread runs."""
        self._changed = threading.Condition(threading.Lock())

    @property
    def spacing_s(self) -> float:
        """Least time between two early flushes under sustained load."""
        return self._transport.spacing_s

    @property
    def pending_calls(self) -> int:
        """Number of calls in windows that have not arrived."""
        with self._changed:
            return self._outbox.call_count

    def put(self, window: PendingWindow) -> None:
        """Queue a closed window and have it sent."""
        with self._changed:
            self._outbox.put(window)
            self._kicked = True
            self._changed.notify_all()

    def retry(self) -> None:
        """Have what is still queued sent again."""
        with self._changed:
            if len(self._outbox):
                self._kicked = True
                self._changed.notify_all()

    def run(self) -> None:
        """Send what comes, until `stop` or `pause`: the body of the delivery thread."""
        while self._wait_for_work():
            self.pump()
        if self._stopping:
            self.pump()

    def settle(self, deadline: float) -> bool:
        """Have what is queued now sent by the running thread; wait for it until ``deadline`` (monotonic).

        Returns:
            True when all of it was delivered or refused for good; False when some of it is still queued.
        """
        with self._changed:
            target = self._outbox.last_seq
            begun = self._rounds_begun
            self._kicked = True
            self._changed.notify_all()
            while self._outbox.holds_up_to(target) and self._rounds_done <= begun and not self.suspended:
                remaining = deadline - self._monotonic()
                if remaining <= 0:
                    return False
                self._changed.wait(remaining)
            return not self._outbox.holds_up_to(target)

    def settle_here(self, deadline: float) -> bool:
        """Send what is queued on the calling thread, because no other one runs; same result as `settle`."""
        with self._changed:
            target = self._outbox.last_seq
            while self._pumping:
                remaining = deadline - self._monotonic()
                if remaining <= 0 or not self._changed.wait(remaining):
                    return False
        self.pump(deadline)
        with self._changed:
            return not self._outbox.holds_up_to(target)

    def stop(self, deadline: float) -> None:
        """Make `run` return after one last round that ends about ``deadline`` (monotonic)."""
        with self._changed:
            self._stopping = True
            self._deadline = deadline
            self._changed.notify_all()

    def pause(self) -> bool:
        """Make `run` return until `resume`; False when it is busy, so that this may take long."""
        with self._changed:
            self._pausing = True
            self._changed.notify_all()
            return not self._pumping

    def resume(self) -> bool:
        """End a pause, or begin; True when the caller is to have `run` called, because nobody does."""
        with self._changed:
            self._pausing = False
            idle, self._running = not self._running, True
            return idle

    def close(self) -> None:
        """Report what will never arrive, and release the transport."""
        with self._changed:
            left = self._outbox.clear()
        if left.windows:
            self._lose(left)
            self._report(
                RecostError(f"recost: {left.calls} calls in {left.windows} windows could not be delivered")
            )
        self._transport.close()

    def pump(self, deadline: Optional[float] = None) -> None:
        """Send windows in order until none is left or one has to wait."""
        with self._changed:
            if self._pumping:
                return
            self._pumping = True
            self._kicked = False
            self._rounds_begun += 1
            overflow = self._outbox.loss.take()
        try:
            self._report_overflow(overflow)
            while self._send_head(deadline):
                pass
        finally:
            with self._changed:
                self._pumping = False
                self._rounds_done = self._rounds_begun
                self._changed.notify_all()

    def _wait_for_work(self) -> bool:
        with self._changed:
            while not (self._stopping or self._pausing):
                deferred = self._not_before - self._monotonic()
                if deferred <= 0 and (self._kicked or (self._not_before and len(self._outbox))):
                    return True
                self._changed.wait(deferred if deferred > 0 else None)
            self._running = False
            return False

    def _send_head(self, deadline: Optional[float]) -> bool:
        """Deal with the oldest window; True when the next one may follow."""
        with self._changed:
            window = None if self._held_back(deadline) else self._outbox.head(self._transport.max_metrics)
        if window is None:
            return False
        summary = window.summary()
        failure = self._send_with_retries(summary, deadline)
        status: FlushStatus = FlushStatus(
            "error" if failure else "ok", len(summary.metrics), self._clock() * 1000
        )
        if failure is None or failure.disposition is Disposition.REJECT:
            with self._changed:
                self._outbox.pop(window)
                self.last_status = status
                self._not_before = 0.0
            self._dealt_with(window, summary, failure)
            return True
        with self._changed:
            self._outbox.put_back()
            self.last_status = status
        self._hold_back(failure)
        return False

    def _held_back(self, deadline: Optional[float]) -> bool:
        if self.suspended:
            return True
        last_chance = self._stopping or deadline is not None
        return not last_chance and self._monotonic() < self._not_before

    def _dealt_with(
        self, window: PendingWindow, summary: WindowSummary, failure: Optional[SendError]
    ) -> None:
        if failure is None:
            self._overflow_reported = False
            if self._on_sent is not None:
                self._on_sent(summary)
            return
        lost = Loss()
        lost.add(window)
        self._lose(lost)
        self._report_failure(failure)

    def _hold_back(self, failure: SendError) -> None:
        deferred = failure.disposition is Disposition.DEFER
        with self._changed:
            self._not_before = self._monotonic() + (failure.retry_after_s or 0.0) if deferred else 0.0
        self.suspended = failure.disposition is Disposition.SUSPEND
        self._report_failure(failure)

    def _send_with_retries(self, summary: WindowSummary, deadline: Optional[float]) -> Optional[SendError]:
        """Return None when the window was taken, else the failure that decides what becomes of it."""
        policy = self._transport.retry
        failure = self._send_once(summary, deadline)
        for attempt in range(policy.retries):
            if failure is None or failure.disposition is not Disposition.RETRY:
                return failure
            wait_s = min(policy.first_s * 2.0**attempt, policy.longest_s) * self._random.uniform(0.5, 1.0)
            if not self._pause(wait_s, deadline):
                return SendError(failure.error, Disposition.WAIT)
            failure = self._send_once(summary, deadline)
        if failure is not None and failure.disposition is Disposition.RETRY:
            gave_up = policy.exhausted is Disposition.SUSPEND
            return SendError(self._transport.gave_up() if gave_up else failure.error, policy.exhausted)
        return failure

    def _send_once(self, summary: WindowSummary, deadline: Optional[float]) -> Optional[SendError]:
        if deadline is None:
            deadline = self._deadline
        timeout_s = _SEND_TIMEOUT_S
        if deadline is not None:
            timeout_s = min(timeout_s, max(deadline - self._monotonic(), 0.05))
        try:
            self._transport.send(summary, timeout_s)
        except SendError as failure:
            return failure
        except Exception as error:  # noqa: BLE001 - a transport's own bug must not stop the delivery
            return SendError(error, Disposition.WAIT)
        return None

    def _pause(self, wait_s: float, deadline: Optional[float]) -> bool:
        """Wait before a retry; False when there is no time left for one."""
        until = self._monotonic() + wait_s
        with self._changed:
            while True:
                limit = deadline if deadline is not None else self._deadline
                if limit is not None and until >= limit:
                    return False
                remaining = until - self._monotonic()
                if remaining <= 0:
                    return True
                self._changed.wait(remaining)

    def _report_failure(self, failure: SendError) -> None:
        if failure.error is not None:
            self._report(failure.error)

    def _report_overflow(self, overflow: Optional[Loss]) -> None:
        if overflow is None:
            return
        self._lose(overflow)
        if not self._overflow_reported:
            self._overflow_reported = True
            self._report(
                RecostError(
                    f"recost: the queue of undelivered windows is full: the oldest are dropped "
                    f"({overflow.windows} windows, {overflow.calls} calls so far)"
                )
            )

    def _lose(self, loss: Loss) -> None:
        self.lost.windows += loss.windows
        self.lost.calls += loss.calls
