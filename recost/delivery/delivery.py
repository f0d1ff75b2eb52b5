"""The policy between the aggregation and a transport: order, deferral, suspension, parts of refused windows.

`Delivery.put` and everything that the application's threads may call take a lock for memory operations only.
Sending happens in one place, `Delivery.pump`, by one thread at a time and with no lock held. A signal handler
or finaliser may interrupt any of it and call the same again on the same thread: nothing waits for itself.
"""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Callable, Final, Optional

from recost._waiting import Waiters
from recost.delivery.identity import Identity
from recost.delivery.losses import Loss, Losses
from recost.delivery.outbox import Outbox, PendingWindow
from recost.delivery.sending import REFUSED, Allowance, Hold, PacedError, Queue, Sender
from recost.delivery.transports.base import Disposition, SendError, Transport

if TYPE_CHECKING:
    from recost.delivery.pace import Pace
    from recost.delivery.spool import Spool
    from recost.delivery.spooling import Spooling
    from recost.events import FlushStatus, WindowSummary

__all__ = ["Delivery"]

_FAILURES_TO_PASS: Final = 2
"""Rounds in which the destination fails on a window, before the next window is tried instead."""
_ASIDE_A_ROUND: Final = 2
"""Windows that are set aside and tried again in one round: POSTs are limited by the hour."""
_LEAST_FAILURES: Final = 5
"""Failures of a single metric that was set aside, while others go through, before it is dropped."""


class Delivery:
    """A queue of closed windows, which are kept until the transport has accepted them."""

    def __init__(
        self,
        transport: Transport,
        *,
        report: Callable[[BaseException], None],
        on_sent: Optional[Callable[[WindowSummary], None]] = None,
        outbox: Optional[Outbox] = None,
        identity: Optional[Identity] = None,
        spool: Optional[Spool] = None,
        kind: str = "",
        pace: Optional[Pace] = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.kind = kind
        self._transport = transport
        self._on_sent = on_sent
        self._outbox = Outbox.usual() if outbox is None else outbox  # an empty one is false
        self._queue = Queue(self._outbox)
        self._change = self._queue.change
        self._identity = identity or Identity(clock=clock)
        self._monotonic = monotonic
        self._changed = Waiters(monotonic)
        self._sender = Sender(transport, self._changed, pace=pace, clock=clock, monotonic=monotonic)
        self._hold = Hold(monotonic)
        self._pumping = 0
        """The thread that sends."""
        self._kicked = self._stopping = self._pausing = self._running = False
        self._state = threading.RLock()
        self._rounds_begun = 0
        self._rounds_done = 0
        self._losses = self.accounts = Losses(report, self._outbox.loss)
        self.after_round: Callable[[], None] = lambda: None
        self._closed = False
        self._spooling: Optional[Spooling] = None
        if spool is not None:
            from recost.delivery.spooling import Spooling  # noqa: PLC0415 - not for local files

            self._outbox.keeps_overflow = True
            self._spooling = Spooling(spool, self._sender, self._identity, self._losses, transport, monotonic)
        self._halvings = Allowance(monotonic)
        self._spool_next = False
        """The next allowance is for a window of the spool, which has waited for one."""

    def renew_locks(self) -> None:
        """Replace the locks by those of the kind that `threading` makes now, while no thread runs."""
        self._queue.renew_lock()
        self._state = threading.RLock()  # apart, as callers of the application take it: never held for long

    @property
    def spacing_s(self) -> float:
        """Least time between two early flushes under sustained load."""
        return self._transport.spacing_s

    @property
    def suspended(self) -> bool:
        """True when nothing more is sent."""
        return self._hold.suspended

    @property
    def last_status(self) -> Optional[FlushStatus]:
        """Result of the latest delivery of a window. None before the first one."""
        return self._sender.last_status

    @property
    def lost(self) -> Loss:
        """Everything that was dropped so far."""
        return self._losses.total

    @property
    def pending_calls(self) -> int:
        """Number of calls in windows that have not arrived."""
        return self._queue.call_count

    def put(self, window: PendingWindow) -> None:
        """Queue a closed window, and wake the thread that sends it."""
        self._queue.put(window)
        self._kick()

    def retry(self) -> None:
        """Send again what is still queued."""
        if len(self._outbox) or self._outbox.has_aside or (self._spooling and self._spooling.is_due):
            self._kick()

    def _kick(self) -> None:
        self._kicked = True
        self._changed.wake()

    def run(self) -> None:
        """Send windows until `stop` or `pause`: the body of the delivery thread."""
        while self._wait_for_work():
            self.pump()
            self.after_round()
        if self._stopping:
            self.pump()

    def flush(self, deadline: float, *, urgent: bool = True) -> bool:
        """Wait until the running thread has sent what is queued now, at most until ``deadline`` (monotonic).

        Args:
            deadline: The latest time.
            urgent: Don't wait for this process's turn to send.

        Returns:
            True when all of it was delivered or refused for good. False when some of it is still queued.
        """
        return self.begin_flush(urgent=urgent)(deadline)

    def begin_flush(self, *, urgent: bool = True) -> Callable[[float], bool]:
        """Wake the running thread. Return the function that waits, with the other argument of `flush`."""
        target, begun, me = self._queue.newest, self._rounds_begun, threading.get_ident()
        self._hold.asked = self._hold.asked or urgent
        self._kick()

        def is_over() -> bool:
            over = not self._outbox.holds_up_to(target) or self._rounds_done > begun
            return over or self._held_back(None) or self._pumping == me

        def wait(deadline: float) -> bool:
            self._changed.wait(is_over, deadline)
            return not self._outbox.holds_up_to(target)

        return wait

    def flush_quickly(self, send_s: float, all_s: float) -> bool:
        """Flush, but give up as soon as one window takes longer than ``send_s`` seconds."""
        deadline = self._monotonic() + all_s
        while True:
            now, since, status = self._monotonic(), self._sender.sending_since, self.last_status
            idle_after_failure = since is None and status is not None and status.status != "ok"
            if idle_after_failure or now >= deadline or (since is not None and now - since >= send_s):
                return False
            if self.flush(min(now + send_s, deadline), urgent=False):
                return True
            if not (self._pumping or self._kicked) or self._held_back(None):
                return False

    def flush_here(self, deadline: float) -> bool:
        """Send what is queued on the calling thread, because no other one runs. Same result as `flush`."""
        target, me = self._queue.newest, threading.get_ident()
        if not self._changed.wait(lambda: self._pumping in (0, me), deadline):
            return False
        self.pump(deadline)
        return not self._outbox.holds_up_to(target)

    def stop(self, deadline: float) -> None:
        """Make `run` return after one last round that ends about ``deadline`` (monotonic)."""
        self._sender.deadline = deadline
        self._stopping = True
        self._changed.wake()

    def pause(self) -> bool:
        """Make `run` return until `resume`. Return False when it is busy, so that this may take long."""
        self._pausing = True
        self._changed.wake()
        return not self._pumping

    def resume(self) -> bool:
        """Begin, or end a pause. Return True when no thread calls `run`: the caller must start one."""
        with self._state:
            self._pausing = False
            idle, self._running = not self._running, True
            return idle

    def close(self, deadline: Optional[float] = None) -> None:
        """Leave what has not arrived to the spool, until ``deadline`` (monotonic). Report what is lost."""
        self._closed = True
        self._queue.take_in()
        if (arrived := self._sender.arrived) is not None:
            self._arrive(arrived)
        left, spooled = Loss(), Loss()
        if self._spooling is not None:
            self._change(self._outbox.condense)
            left, spooled = self._spooling.save(iter(lambda: self._change(self._outbox.take), None), deadline)
            self._spooling.close()
        left.merge(self._change(self._outbox.clear))
        self._losses.close(left, spooled)
        self._transport.close()

    def saving_s(self) -> float:
        """Return how many seconds, at most, writing the queue to the spool takes."""
        return 0.0 if self._spooling is None else self._outbox.saving_s

    def abandon(self) -> None:
        """Close what a forked child has of the parent's files."""
        if self._spooling is not None:
            self._spooling.abandon()

    def pump(self, deadline: Optional[float] = None) -> None:
        """Send windows in order until all are sent or one has to wait."""
        with self._queue.lock:
            if self._pumping or self._queue.changing:
                return
            self._pumping = threading.get_ident()
        try:
            self._kicked = False
            self._rounds_begun += 1
            self._hold.begin_round()
            if self._sender.arrived is not None:  # the step after that failed: it must not be sent again
                self._resolve(self._sender.arrived, None)
            self._losses.overflow(self._change(self._outbox.loss.take))
            self._save_overflow()
            if deadline is None and self._spool_next and self._may_send(deadline):
                self._send_spooled(ahead=1)
            went_through = False
            while (sent := self._send_head(deadline)) is not None:
                went_through = went_through or sent
            if not len(self._outbox):
                self._send_aside(deadline, went_through=went_through)
            if deadline is None:  # else this is one of the application's threads
                self._send_spooled()
        finally:
            try:
                self._hold.end_round()
            finally:
                self._rounds_done, self._pumping = self._rounds_begun, 0
                self._changed.wake()

    def _wait_for_work(self) -> bool:
        while True:
            until = self._hold.until if self._hold.until > self._monotonic() else None
            self._changed.wait(lambda: self._stopping or self._pausing or self._is_due(), until)
            with self._state:
                if self._stopping or self._pausing:
                    self._running = False
                    return False
            if self._is_due():
                return True

    def _is_due(self) -> bool:
        if self._hold.until > self._monotonic():
            return self._outbox.has_overflow
        return self._kicked or bool(self._hold.until and len(self._outbox))

    def _save_overflow(self) -> None:
        if self._spooling is not None and self._outbox.has_overflow and not self._closed:
            overflow = iter(lambda: self._change(self._outbox.take_overflow), None)
            self._losses.overflow(self._spooling.save(overflow)[0].take())

    def _send_spooled(self, ahead: int = 0) -> None:
        """Send a few windows of the spool, if the destination accepts windows and no new one waits.

        Args:
            ahead: Number of them that new ones wait for.
        """
        first, self._spool_next = iter(range(ahead)), False
        if self._spooling is None or getattr(self.last_status, "status", "") != "ok":
            return

        def may_go_on() -> bool:
            waits = not self._queue.is_empty and next(first, None) is None
            return not (waits or self._pausing or self._closed or self._held_back(None))

        failure = self._spooling.send(may_go_on, self._on_sent)
        if failure is not None:
            self._spool_next = isinstance(failure, PacedError)
            self._hold_back(failure)

    def _send_head(self, deadline: Optional[float]) -> Optional[bool]:
        """Send the oldest window. Return whether it arrived, or None if the next one must wait."""
        if not (len(self._outbox) and self._may_send(deadline)):
            return None
        self._gather()
        if (found := self._frozen(self._head(0))) is None:
            return None
        window, summary = found
        failure = self._sender.send_with_retries(window, summary, deadline)
        if failure is None or failure.disposition in REFUSED:
            self._hold.clear()
            self._resolve(window, failure)
            return failure is None
        failures = self._change(partial(self._outbox.put_back, failure))
        if failure.responded and failures >= _FAILURES_TO_PASS and self._send_next(window, deadline):
            self._losses.fail(failure)
            return True
        self._hold_back(failure)
        return None

    def _send_next(self, stuck: PendingWindow, deadline: Optional[float]) -> bool:
        """Try the window behind one that fails. If it arrives, set the failing one aside."""
        if len(self._outbox) < 2 or not self._may_send(deadline):
            return False
        if (found := self._frozen(self._head(1))) is None:
            return False
        window, summary = found
        failure = self._sender.send_with_retries(window, summary, deadline)
        if failure is not None:
            self._change(partial(self._outbox.put_back, failure))
            return False
        self._resolve(window, None)
        self._change(lambda: self._outbox.set_aside(stuck))
        return True

    def _send_aside(self, deadline: Optional[float], *, went_through: bool) -> None:
        """Try windows that were set aside, in smaller and smaller parts while others go through."""
        for _ in range(_ASIDE_A_ROUND):
            may_send = self._outbox.has_aside and self._may_send(deadline)
            aside = self._change(self._outbox.next_aside) if may_send else None
            if (found := self._frozen(aside)) is None:
                return
            window, summary = found
            failure = self._sender.send_once(window, summary, deadline)
            if failure is None or failure.disposition in REFUSED:
                self._resolve(window, failure)
            elif not (failure.responded and went_through):
                self._change(partial(self._outbox.put_back, failure))
                return
            elif not failure.uncertain and self._outbox.may_halve(window) and self._halvings.take():
                self._change(partial(self._outbox.halve, window))
            elif self._change(partial(self._outbox.leave_aside, window, failure)) >= _LEAST_FAILURES:
                self._resolve(window, failure)

    def _resolve(self, window: PendingWindow, failure: Optional[SendError]) -> None:
        """Remove a window that arrived or was refused. Queue its halves if they may be accepted."""
        if failure is None:
            self._arrive(window)
            self._sender.arrived = None
            if self._on_sent is not None:
                self._on_sent(window.summary())
            return
        splits = failure.disposition is Disposition.SPLIT
        whole = splits and self._change(partial(self._outbox.keep_whole, window, failure, self._monotonic()))
        if whole or (splits and window.bucket_count > 1 and self._halvings.take()):
            if whole or self._change(lambda: self._outbox.halve(window)):
                self._losses.fail(failure)
        elif self._change(lambda: self._outbox.pop(window)):
            self._losses.drop(window, failure)

    def _arrive(self, window: PendingWindow) -> None:
        """Remove a window that has arrived, and count it, unless `close` has counted it meanwhile."""
        if self._change(lambda: self._outbox.pop(window)):
            self._losses.arrive(window)

    def _frozen(self, window: Optional[PendingWindow]) -> Optional[tuple[PendingWindow, WindowSummary]]:
        """Return a window and what is sent of it, each time the same. None if it is gone: `close` has it."""
        window_id = "" if window is None else self._change(lambda: self._outbox.id_of(window))
        if window is None or not window_id:
            return None
        return window, self._identity.identify(window.summary(), window_id)

    def _head(self, behind: int) -> Optional[PendingWindow]:
        return self._change(lambda: self._outbox.head(self._transport.max_metrics, behind))

    def _may_send(self, deadline: Optional[float]) -> bool:
        return self._hold.allows(self._sender, last_chance=self._stopping or deadline is not None)

    def _gather(self) -> None:
        """Merge windows that were never sent, if there are more than may soon be sent one by one."""
        pace = self._sender.pace
        if pace is not None and len(self._outbox) > pace.apart:
            self._change(lambda: self._outbox.gather(pace.apart, pace.span_s))

    def _held_back(self, deadline: Optional[float]) -> bool:
        return self._hold.holds(last_chance=self._stopping or deadline is not None)

    def _hold_back(self, failure: SendError) -> None:
        self._hold.fail(failure)
        self._losses.fail(failure)
