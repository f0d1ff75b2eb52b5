"""The policy between the aggregation and a transport: order, retries, deferral, suspension, status.

`Delivery.put` and everything that the application's threads may call take a lock for memory operations only.
Sending happens in one place, `Delivery.pump`, by one thread at a time and with no lock held. A signal handler
or finaliser may interrupt any of it and call the same again on the same thread: nothing waits for itself.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Callable, Final, Literal, Optional, TypeVar

from recost._late import importing
from recost._waiting import Waiters
from recost.delivery.outbox import Loss, Outbox, PendingWindow
from recost.delivery.transports.base import Disposition, SendError, Transport
from recost.errors import RecostError
from recost.events import FlushStatus, WindowSummary

if TYPE_CHECKING:
    from random import Random

__all__ = ["Delivery"]

_SEND_TIMEOUT_S: Final = 10.0
_MAX_WINDOWS: Final = 60
_MAX_BYTES: Final = 12 * 1024 * 1024
_FAILURES_TO_PASS: Final = 2
"""Rounds in which the destination fails on a window, before the next one is tried in its stead."""
_ASIDE_A_ROUND: Final = 2
"""Windows that are set aside and tried again in one round: POSTs are limited by the hour."""
_LEAST_FAILURES: Final = 5
"""Of a single metric that is set aside, while others go through, before it is given up."""
_SETTLED: Final = frozenset({Disposition.REJECT, Disposition.SPLIT})
"""What becomes of a window that is not to be sent again as it is."""
_Result = TypeVar("_Result")


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
        self._random: Optional[Random] = None
        """Of this process's own, made when it is first needed."""
        self._changed = Waiters(monotonic)
        self.renew_locks()
        self._incoming: deque[PendingWindow] = deque()
        """Closed windows, until the outbox takes them."""
        self._changing = False
        """The outbox is at work, on the thread that holds the lock."""
        self._pumping = 0
        """The thread that sends."""
        self._sending_since: Optional[float] = None
        self._sent: Optional[PendingWindow] = None
        """A window that has arrived and is still in the outbox."""
        self._kicked = False
        self._stopping = False
        self._pausing = False
        self._running = False
        self._deadline: Optional[float] = None
        self._not_before = 0.0
        self._rounds_begun = 0
        self._rounds_done = 0
        self._overflow_reported = False
        self._untold = Loss()
        """Dropped since the overflow was reported."""
        self._halvings = _Allowance(monotonic)
        self.suspended = False
        self.lost = Loss()
        """Everything that was dropped so far."""
        self.last_status: Optional[FlushStatus] = None

    def renew_locks(self) -> None:
        """Make the lock anew, of the kind that `threading` makes now, while no thread runs."""
        self._lock = threading.RLock()

    @property
    def spacing_s(self) -> float:
        """Least time between two early flushes under sustained load."""
        return self._transport.spacing_s

    @property
    def pending_calls(self) -> int:
        """Number of calls in windows that have not arrived."""
        with self._lock:
            return self._outbox.call_count

    def put(self, window: PendingWindow) -> None:
        """Queue a closed window and have it sent."""
        self._incoming.append(window)
        with self._lock:
            self._take_in()
        self._kick()

    def retry(self) -> None:
        """Have what is still queued sent again."""
        if len(self._outbox) or self._outbox.has_aside:
            self._kick()

    @property
    def _newest(self) -> int:
        """Sequence number that the newest of all windows has, or will have."""
        return self._outbox.last_seq + len(self._incoming)

    def _kick(self) -> None:
        self._kicked = True
        self._changed.wake()

    def _take_in(self) -> None:
        """Move what has come into the outbox; where this interrupts the outbox at work, that does it."""
        if self._changing:
            return
        self._changing = True
        try:
            while self._incoming:
                self._outbox.put(self._incoming.popleft())
        finally:
            self._changing = False

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
        target, begun, me = self._newest, self._rounds_begun, threading.get_ident()
        self._kick()

        def settled() -> bool:
            over = not self._outbox.holds_up_to(target) or self._rounds_done > begun
            return over or self._held_back(None) or self._pumping == me

        self._changed.wait(settled, deadline)
        return not self._outbox.holds_up_to(target)

    def settle_quickly(self, send_s: float, all_s: float) -> bool:
        """As `settle`, but give up as soon as one window takes longer than ``send_s`` seconds."""
        deadline = self._monotonic() + all_s
        while True:
            now, since, status = self._monotonic(), self._sending_since, self.last_status
            idle_after_failure = since is None and status is not None and status.status != "ok"
            if idle_after_failure or now >= deadline or (since is not None and now - since >= send_s):
                return False
            if self.settle(min(now + send_s, deadline)):
                return True
            if not (self._pumping or self._kicked) or self._held_back(None):
                return False

    def settle_here(self, deadline: float) -> bool:
        """Send what is queued on the calling thread, because no other one runs; same result as `settle`."""
        target, me = self._newest, threading.get_ident()
        if not self._changed.wait(lambda: self._pumping in (0, me), deadline):
            return False
        self.pump(deadline)
        return not self._outbox.holds_up_to(target)

    def stop(self, deadline: float) -> None:
        """Make `run` return after one last round that ends about ``deadline`` (monotonic)."""
        self._deadline = deadline
        self._stopping = True
        self._changed.wake()

    def pause(self) -> bool:
        """Make `run` return until `resume`; False when it is busy, so that this may take long."""
        self._pausing = True
        self._changed.wake()
        return not self._pumping

    def resume(self) -> bool:
        """End a pause, or begin; True when the caller is to have `run` called, because nobody does."""
        with self._lock:
            self._pausing = False
            idle, self._running = not self._running, True
            return idle

    def close(self) -> None:
        """Report what will never arrive, and release the transport."""
        with self._lock:
            self._take_in()
            if self._sent is not None:
                self._outbox.pop(self._sent)
            left = self._outbox.clear()
        left.windows += self._untold.windows
        left.calls += self._untold.calls
        if left.windows:
            self.lost.windows += left.windows - self._untold.windows
            self.lost.calls += left.calls - self._untold.calls
            self._untold = Loss()
            self._report(
                RecostError(f"recost: {left.calls} calls in {left.windows} windows could not be delivered")
            )
        self._transport.close()

    def pump(self, deadline: Optional[float] = None) -> None:
        """Send windows in order until none is left or one has to wait."""
        with self._lock:
            if self._pumping or self._changing:
                return
            self._pumping = threading.get_ident()
        try:
            self._kicked = False
            self._rounds_begun += 1
            if self._sent is not None:  # what came after that went wrong: it must not be sent again
                self._settle_one(self._sent, None)
            self._report_overflow(self._change(self._outbox.loss.take))
            went_through = False
            while (sent := self._send_head(deadline)) is not None:
                went_through = went_through or sent
            if not len(self._outbox):
                self._send_aside(deadline, went_through=went_through)
        finally:
            self._rounds_done = self._rounds_begun
            self._pumping = 0
            self._changed.wake()

    def _wait_for_work(self) -> bool:
        while True:
            deferred = self._not_before - self._monotonic()
            until = self._monotonic() + deferred if deferred > 0 else None
            self._changed.wait(self._has_work, until)
            with self._lock:
                if self._stopping or self._pausing:
                    self._running = False
                    return False
            if self._is_due():
                return True

    def _has_work(self) -> bool:
        return self._stopping or self._pausing or self._is_due()

    def _is_due(self) -> bool:
        if self._not_before > self._monotonic():
            return False
        return self._kicked or bool(self._not_before and len(self._outbox))

    def _send_head(self, deadline: Optional[float]) -> Optional[bool]:
        """Deal with the oldest window; return whether it arrived, None when the next one may not follow."""
        window = None if self._held_back(deadline) else self._head()
        if window is None:
            return None
        failure = self._send_with_retries(window, deadline)
        if failure is None or failure.disposition in _SETTLED:
            self._not_before = 0.0
            self._settle_one(window, failure)
            return failure is None
        failures = self._put_back(failure)
        if failure.answered and failures >= _FAILURES_TO_PASS and self._send_next(window, deadline):
            self._report_failure(failure)
            return True
        self._hold_back(failure)
        return None

    def _send_next(self, stuck: PendingWindow, deadline: Optional[float]) -> bool:
        """Try the window behind one that fails; when it arrives, the fault is the other's: set that aside."""
        window = self._change(lambda: self._outbox.head(self._transport.max_metrics, behind=1))
        if window is None:
            return False
        failure = self._send_with_retries(window, deadline)
        if failure is not None:
            self._put_back(failure)
            return False
        self._settle_one(window, None)
        self._change(lambda: self._outbox.set_aside(stuck))
        return True

    def _send_aside(self, deadline: Optional[float], *, went_through: bool) -> None:
        """Try windows that were set aside; while others go through, in smaller and smaller parts."""
        for _ in range(_ASIDE_A_ROUND):
            window = None if self._held_back(deadline) else self._outbox.next_aside()
            if window is None:
                return
            failure = self._send_once(window, window.summary(), deadline)
            if failure is None or failure.disposition in _SETTLED:
                self._settle_one(window, failure)
            elif not (failure.answered and went_through):
                return
            elif window.bucket_count > 1 and self._halvings.take():
                self._change(lambda window=window: self._outbox.halve(window))  # type: ignore[misc]
            elif self._change(lambda window=window: self._outbox.leave_aside(window)) >= _LEAST_FAILURES:  # type: ignore[misc]
                self._settle_one(window, failure)

    def _settle_one(self, window: PendingWindow, failure: Optional[SendError]) -> None:
        """Take out a window that arrived or was refused; put in its halves where they may fare better."""
        if failure is None:
            self._change(lambda: self._outbox.pop(window))
            self._sent = None
            self._arrived(window)
            return
        divisible = failure.disposition is Disposition.SPLIT and window.bucket_count > 1
        if divisible and self._halvings.take():
            if self._change(lambda: self._outbox.halve(window)):
                self._report_failure(failure)
            return
        self._change(lambda: self._outbox.pop(window))
        lost = Loss()
        lost.add(window)
        self._lose(lost)
        self._report_failure(failure)

    def _put_back(self, failure: SendError) -> int:
        return self._change(lambda: self._outbox.put_back(answered=failure.answered))

    def _head(self) -> Optional[PendingWindow]:
        return self._change(lambda: self._outbox.head(self._transport.max_metrics))

    def _change(self, operation: Callable[[], _Result]) -> _Result:
        """Do something to the outbox, undisturbed by what interrupts it on this very thread."""
        with self._lock:
            self._changing = True
            try:
                return operation()
            finally:
                self._changing = False
                self._take_in()

    def _held_back(self, deadline: Optional[float]) -> bool:
        if self.suspended:
            return True
        last_chance = self._stopping or deadline is not None
        return not last_chance and self._monotonic() < self._not_before

    def _arrived(self, window: PendingWindow) -> None:
        self._overflow_reported = False
        self._tell_untold()
        if self._on_sent is not None:
            self._on_sent(window.summary())

    def _hold_back(self, failure: SendError) -> None:
        deferred = failure.disposition is Disposition.DEFER
        self._not_before = self._monotonic() + (failure.retry_after_s or 0.0) if deferred else 0.0
        self.suspended = failure.disposition is Disposition.SUSPEND
        self._report_failure(failure)

    def _send_with_retries(self, window: PendingWindow, deadline: Optional[float]) -> Optional[SendError]:
        """Return None when the window was taken, else the failure that decides what becomes of it."""
        summary = window.summary()
        failure = self._try_often(window, summary, deadline)
        outcome: Literal["ok", "error"] = "error" if failure else "ok"
        self.last_status = FlushStatus(outcome, len(summary.metrics), self._clock() * 1000)
        return failure

    def _try_often(
        self, window: PendingWindow, summary: WindowSummary, deadline: Optional[float]
    ) -> Optional[SendError]:
        policy = self._transport.retry
        failure = self._send_once(window, summary, deadline)
        for attempt in range(policy.retries):
            if failure is None or failure.disposition is not Disposition.RETRY:
                return failure
            wait_s = min(policy.first_s * 2.0**attempt, policy.longest_s) * self._jitter()
            if not self._pause(wait_s, deadline):
                return SendError(failure.error, Disposition.WAIT)
            failure = self._send_once(window, summary, deadline)
        if failure is not None and failure.disposition is Disposition.RETRY:
            gave_up = policy.exhausted is Disposition.SUSPEND
            error = self._transport.gave_up() if gave_up else failure.error
            return SendError(error, policy.exhausted, answered=failure.answered)
        return failure

    def _send_once(
        self, window: PendingWindow, summary: WindowSummary, deadline: Optional[float]
    ) -> Optional[SendError]:
        if deadline is None:
            deadline = self._deadline
        timeout_s = _SEND_TIMEOUT_S
        if deadline is not None:
            timeout_s = min(timeout_s, max(deadline - self._monotonic(), 0.05))
        self._sending_since = self._monotonic()
        try:
            self._transport.send(summary, timeout_s)
            self._sent = window
        except SendError as failure:
            return failure
        except Exception as error:  # noqa: BLE001 - a transport's own bug must not stop the delivery
            return SendError(error, Disposition.WAIT)
        finally:
            self._sending_since = None
        return None

    def _pause(self, wait_s: float, deadline: Optional[float]) -> bool:
        """Wait before a retry; False when there is no time left for one."""
        until = self._monotonic() + wait_s

        def too_late() -> bool:
            limit = deadline if deadline is not None else self._deadline
            return limit is not None and until >= limit

        return not self._changed.wait(too_late, until)

    def _report_failure(self, failure: SendError) -> None:
        if failure.error is not None:
            self._report(failure.error)

    def _report_overflow(self, overflow: Optional[Loss]) -> None:
        """Report the beginning of an overflow at once, and at its end what was dropped meanwhile."""
        if overflow is None:
            return
        self._lose(overflow)
        if self._overflow_reported:
            self._untold.windows += overflow.windows
            self._untold.calls += overflow.calls
            return
        self._overflow_reported = True
        self._report(
            RecostError(
                f"recost: the queue of undelivered windows is full: the oldest are dropped "
                f"({overflow.windows} windows, {overflow.calls} calls so far)"
            )
        )

    def _tell_untold(self) -> None:
        untold, self._untold = self._untold, Loss()
        if untold.windows:
            self._report(
                RecostError(
                    f"recost: {untold.calls} calls in {untold.windows} windows could not be delivered: "
                    "the queue was full"
                )
            )

    def _jitter(self) -> float:
        if self._random is None:
            with importing():
                from random import Random  # noqa: PLC0415 - not light, and only for what is tried again

            self._random = Random()  # noqa: S311 - jitter, not a secret
        return self._random.uniform(0.5, 1.0)

    def _lose(self, loss: Loss) -> None:
        self.lost.windows += loss.windows
        self.lost.calls += loss.calls


class _Allowance:
    """How many windows may be halved: each time costs two POSTs, of which there are so many an hour."""

    _MOST = 64
    _EVERY_S = 60.0

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._left = float(self._MOST)
        self._since = monotonic()

    def take(self) -> bool:
        """Use one up; False when there is none."""
        now = self._monotonic()
        self._left = min(self._left + (now - self._since) / self._EVERY_S, self._MOST)
        self._since = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
