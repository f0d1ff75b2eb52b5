"""The thread that takes finished exchanges from the inbox and adds them up.

`Worker.record` is the last step on the caller's thread. It may run inside the garbage collector while that
thread holds any lock. So it appends to a deque and at most releases a raw lock to wake the worker's thread.
Both are single C calls that wait for nothing.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Callable, Final, Optional, Protocol

from recost._pacing import SLEEPS, hurry, keep_up, rest, sleep
from recost._waiting import Waiters, wake_up
from recost.delivery.outbox import PendingWindow
from recost.errors import RecostError
from recost.interceptors.exchange import Exchange, Sink
from recost.lifecycle.threads import Tally

__all__ = ["INBOX_LIMIT", "Aggregation", "Schedule", "Worker"]

INBOX_LIMIT: Final = 10_000
_CAPTURED_SOON: Final = 1_000_000
_CAPTURED_LIMIT: Final = 16_000_000
"""Bytes of responses that may wait to be read. They are larger than the calls themselves."""
_AT_ONCE: Final = 200
"""Number of calls that are added up before other threads may have the interpreter."""
_GIVE_WAY_S: Final = 0.0005
_GIVE_WAY_EVERY_S: Final = 0.005
"""Interval between pauses: callers lose at most a tenth of their time when calls come too fast."""

_FIRST_TURN_S: Final = 0.5
"""Longest time to the first turn, which imports what adding up needs before the process is about to end."""
_LAST_TRY_S: Final = 1.0
"""Limit on how long the end of the process waits for the worker's thread, after its time is over."""
_RETRY_S: Final = 1.0
"""Shortest time from a turn that failed to the next one."""


class Aggregation(Protocol):
    """The interface of a `recost.pipeline.Pipeline` that the worker needs."""

    @property
    def size(self) -> int:
        """Number of calls in the open window."""
        ...

    @property
    def excluded(self) -> int:
        """Number of calls that were excluded."""
        ...

    def drain(self, inbox: deque[Exchange], limit: int) -> None:
        """Add up the calls that are in the inbox now, at most ``limit``, and remove them from it."""
        ...

    def take(self) -> Optional[PendingWindow]:
        """Close the open window and return it. None when it is empty."""
        ...


class Schedule:
    """The schedule of windows: one each interval, and earlier when enough calls have come."""

    def __init__(self, interval_s: float, batch_size: int, spacing_s: float, now: float) -> None:
        self._interval_s = interval_s
        self._batch_size = batch_size
        self._spacing_s = spacing_s
        self._next = now + interval_s
        self._early_from = now

    def due(self, now: float, size: int) -> bool:
        """Return True if a window of ``size`` calls is due now, and plan the next one if so."""
        if now >= self._next:
            self._next = now + self._interval_s
            return True
        if size >= self._batch_size and now >= self._early_from:
            self._early_from = now + self._spacing_s
            return True
        return False

    def wait_s(self, now: float, size: int) -> float:
        """Return the seconds until something may be due, whatever is recorded meanwhile."""
        until = self._next
        if size >= self._batch_size or now < self._early_from:
            until = min(until, self._early_from)
        return max(until - now, 0.0)

    def missing(self, now: float, size: int) -> Optional[int]:
        """Return the number of further calls that make an early window due, or None if it is too soon."""
        return None if now < self._early_from else max(self._batch_size - size, 1)


class Worker:
    """Inbox, lock and thread of one running SDK in one process."""

    def __init__(
        self,
        pipeline: Aggregation,
        *,
        schedule: Schedule,
        most_waiting: int,
        report: Callable[[BaseException], None],
        put: Callable[[PendingWindow], None],
        on_interval: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
        inbox_limit: int = INBOX_LIMIT,
    ) -> None:
        self._pipeline = pipeline
        self._schedule = schedule
        self._most_waiting = most_waiting
        """Number of calls in the inbox at which the thread is always woken."""
        self._limit = inbox_limit
        self._wake_from(most_waiting)
        self._report = report
        self._put = put
        self._on_interval = on_interval
        self._monotonic = monotonic
        self._successor: Optional[Sink] = None
        """Receives what is recorded after `hand_over`."""
        self._inbox: deque[Exchange] = deque()
        self._refused = Tally()
        self._captured = 0
        """Approximate bytes in the inbox, as several threads add to it without a lock."""
        self._unread = Tally()
        self.renew_locks()
        self._stopping = False
        self._pausing = False
        self._running = False
        self._adding_up = False
        self._failed = False
        """True if the calls of the inbox could not be added up at the last attempt."""
        self._server = 0
        """The thread that is in `run`, or 0."""
        self._asked: deque[list[bool]] = deque()
        """Flushes that other threads wait for. Each becomes true when it is done."""
        self._flushed = Waiters(monotonic)
        self._give_way_from = 0.0
        self.dropped = 0
        """Calls that came while the inbox was full."""
        self.unrecorded = 0
        """Calls that could not be added up, or ended when this had been disposed."""

    @property
    def pending_calls(self) -> int:
        """Number of calls that are in no closed window yet."""
        return len(self._inbox) + self._pipeline.size

    @property
    def excluded(self) -> int:
        """Number of calls that were excluded."""
        return self._pipeline.excluded

    def record(self, exchange: Exchange) -> None:
        """Put a finished exchange into the inbox: the sink of the interceptors."""
        inbox = self._inbox
        if exchange.capture is None and len(inbox) < self._plain_below:
            inbox.append(exchange)
        else:
            self._record_carefully(exchange)

    def _record_carefully(self, exchange: Exchange) -> None:
        """Record a call when there is more to do than to append it: much waits, or the thread is due."""
        inbox, capture = self._inbox, exchange.capture
        size = len(inbox)
        if capture is not None:
            self._captured += capture.nbytes
        if size >= self._limit and not self._finds_room():
            self._refuse(exchange)
            return
        if capture is not None and self._captured > _CAPTURED_SOON:
            self._hold_less(exchange)
        inbox.append(exchange)
        if size + 1 >= self._wake_at:
            wake_up(self._wake)
            if size + 1 >= self._limit // 2:
                self._give_way()

    def _wake_from(self, size: int) -> None:
        """Wake the thread from this number of calls in the inbox on.

        Waking costs the caller time, as it gives up the interpreter. So the thread is not woken while a
        window can't be closed yet.
        """
        self._wake_at = size
        self._plain_below = min(size - 1, self._limit)
        """Number of calls in the inbox below which recording one is no more than appending it."""
        if self._limit < 0:  # handed over meanwhile, on another thread
            self._plain_below = -1

    def _hold_less(self, exchange: Exchange) -> None:
        """Wake the thread, because much content waits to be read. If it is too much, drop this response's."""
        self._wake_from(0)
        if self._captured > _CAPTURED_LIMIT:
            exchange.capture = exchange.request = None
            self._unread.add()

    def hand_over(self, sink: Sink) -> int:
        """Pass on to ``sink`` what was recorded since the last flush, and what comes from now on.

        Returns:
            The number of calls that were passed on now.
        """
        self._successor = sink
        self._limit = self._plain_below = -1
        count = 0
        while True:
            try:
                exchange = self._inbox.popleft()
            except IndexError:  # not checked before: the thread may still run, and take the last one
                return count
            sink(exchange)
            count += 1

    def _finds_room(self) -> bool:
        if self._successor is not None:
            return False
        self._give_way()
        return len(self._inbox) < self._limit

    def _give_way(self) -> None:
        """Give the interpreter to the thread for a moment.

        On a busy machine it may not run for minutes: a caller that gives the interpreter back at every
        system call has it again before the thread has woken up. This waits for nothing but the clock.
        """
        now = self._monotonic()
        if now < self._give_way_from or self._server in (0, threading.get_ident()) or not SLEEPS:
            return
        self._give_way_from = now + _GIVE_WAY_EVERY_S
        sleep(_GIVE_WAY_S)

    def _refuse(self, exchange: Exchange) -> None:
        if self._successor is None:
            self._refused.add()
        else:
            self._successor(exchange)

    def run(self) -> None:
        """Work until `stop` or `pause`: the body of the thread.

        After `stop`, the thread that ends recost flushes. What comes then stays for `hand_over`.
        """
        self._server = threading.get_ident()
        longest_s = _FIRST_TURN_S
        try:
            while self._goes_on():
                self._wake.acquire(timeout=min(self._plan_s(), longest_s))
                longest_s = threading.TIMEOUT_MAX
                self.turn()
        finally:
            self._server = 0
            self._flushed.wake()

    def turn(self) -> None:
        """Do what is due now."""
        asked = [self._asked.popleft() for _ in range(len(self._asked))]
        try:
            if self._add_up(
                lambda: self._schedule.due(self._monotonic(), self._pipeline.size) or bool(asked)
            ):
                self._on_interval()
        finally:
            for request in asked:
                request.append(not self._failed)
            if asked:
                self._flushed.wake()

    def flush(self, deadline: Optional[float] = None) -> bool:
        """Add up everything that has been recorded and close the window, on any thread.

        The worker's thread does it where one runs, so that a signal handler on the calling thread may request
        it once more. Return False when it is not done by ``deadline`` (monotonic), or fails.
        """
        if self._server not in (0, threading.get_ident()):
            request: list[bool] = []
            self._asked.append(request)
            wake_up(self._wake)
            if not self._flushed.wait(lambda: bool(request) or not self._server, deadline):
                return False
            if request:
                return request[0]
        return self._add_up(lambda: True) and not self._failed

    def flush_here(self) -> bool:
        """Add up and deliver on the calling thread at the end, if the worker's thread was too late.

        Return False if that thread is doing so now.
        """
        if not self._lock.acquire(timeout=_LAST_TRY_S):
            return False
        try:
            return self._add_up(lambda: True) and not self._failed
        finally:
            self._lock.release()

    @property
    def open_calls(self) -> int:
        """Number of calls in the open window."""
        return self._pipeline.size

    def _add_up(self, due: Callable[[], bool]) -> bool:
        """Empty the inbox, and close the window if that is due then."""
        closing, refused, unread = False, 0, 0
        try:
            with self._lock:
                if self._adding_up:  # further up on this very thread, which a handler or finaliser interrupts
                    return False
                self._adding_up = True
                try:
                    self._drain()
                    closing = due()
                    if closing:
                        self._close_window()
                    refused, unread = self._refused.take(), self._unread.take()
                    self.dropped += refused
                finally:
                    self._adding_up = False
        except Exception as error:  # noqa: BLE001 - the thread must live on, whatever one call had in it
            self._report(error)
        if refused > 0:
            self._report(RecostError(f"recost: {refused} calls were dropped because the queue was full"))
        if unread > 0:
            self._report(
                RecostError(
                    f"recost: {unread} responses were not read, because the queue was full. "
                    "Their cost is estimated"
                )
            )
        return closing

    @property
    def stopping(self) -> bool:
        """True once `stop` was called."""
        return self._stopping

    def stop(self) -> None:
        """Make `run` return soon."""
        self._stopping = True
        wake_up(self._wake)

    def pause(self) -> None:
        """Make `run` return soon, until `resume`."""
        self._pausing = True
        wake_up(self._wake)

    def resume(self) -> bool:
        """Begin, or end a pause. Return True when no thread calls `run`: the caller must start one."""
        with self._state:
            self._pausing = False
            idle, self._running = not self._running, True
            return idle

    def renew_locks(self) -> None:
        """Replace the locks by those of the kind that `threading` makes now, while no thread runs."""
        self._lock = threading.RLock()
        self._state = threading.RLock()  # apart, as callers of the application take it: never held for long
        self._wake = threading.Lock()
        self._wake.acquire()  # held: nobody has called

    def _goes_on(self) -> bool:
        with self._state:
            self._running = not (self._stopping or self._pausing)
            return self._running

    def _drain(self) -> None:
        self._captured = 0
        self._failed = True
        try:
            before = len(self._inbox)
            for _ in range(before // _AT_ONCE + 1):
                self._pipeline.drain(self._inbox, _AT_ONCE)
                rest()
                before = keep_up(before, len(self._inbox), few=_AT_ONCE)
            self._failed = False
        except Exception as error:  # noqa: BLE001 - the window must be closed in time all the same
            self._report(error)
        finally:
            hurry(False)

    def _plan_s(self) -> float:
        """Plan when to be woken, and return the seconds to wait for that."""
        now, size = self._monotonic(), self._pipeline.size
        if self._failed:  # tried again at the next interval, or when somebody asks
            self._wake_from(self._limit)
            return min(max(self._schedule.wait_s(now, size), _RETRY_S), threading.TIMEOUT_MAX)
        missing = self._schedule.missing(now, size)
        self._wake_from(min(missing or self._most_waiting, self._most_waiting))
        if len(self._inbox) >= self._wake_at:
            return 0.0
        return min(self._schedule.wait_s(now, size), threading.TIMEOUT_MAX)

    def _close_window(self) -> None:
        window = self._pipeline.take()
        if window is not None:
            self._put(window)
