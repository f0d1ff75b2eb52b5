"""The one place that calls the application's own functions: ``on_error``, budget callbacks, log handlers.

They may be slow, never return, raise anything, or call recost. So they are called on a thread that does
nothing else, with no lock held, and nobody waits for them longer than a moment. The thread starts with the
first message, and ends after a while without messages.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from contextlib import suppress
from functools import partial
from typing import Callable, Final, Optional

from recost._waiting import Waiters, wake_up
from recost.lifecycle.threads import Tally, start_thread

__all__ = ["Notifier"]

_LIMIT: Final = 2000
"""Messages that wait. More are dropped and counted."""
_LINGER_S: Final = 1.0
_STUCK_S: Final = 0.25
"""Time after which a thread that is busy with one message is not waited for."""
_RETRY_S: Final = 1.0
"""Pause between two attempts to start a thread where that is refused."""

Message = Callable[[], object]


class Notifier:
    """A queue of messages, which are calls of foreign functions, and the thread that makes the calls.

    Args:
        on_dropped: Called, on that thread, with the number of messages that were dropped.
        on_failed: Called, on that thread, with an exception that a message did not contain itself.
        linger_s: How long the thread waits for the next message before it ends.
    """

    def __init__(
        self,
        on_dropped: Callable[[int], None] = lambda count: None,  # noqa: ARG005
        on_failed: Callable[[BaseException], None] = lambda error: None,  # noqa: ARG005
        *,
        limit: int = _LIMIT,
        linger_s: float = _LINGER_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on_dropped = on_dropped
        self._on_failed = on_failed
        self._limit = limit
        self._linger_s = linger_s
        self._monotonic = monotonic
        self.dropped = 0
        """Messages that came while the queue was full."""
        self._thread: Optional[threading.Thread]
        self._busy_since: Optional[float]
        self._serving: threading.Lock
        """Held by the thread that calls what is posted."""
        self._starting: threading.Lock
        """Held while a thread is being started."""
        self._wake: threading.Lock
        """Released when something is posted."""
        self._waiters: Waiters
        self._not_before: float
        self._resting: bool
        self._closed: bool
        self._lent: bool
        self._renew()

    def post(self, message: Message) -> None:
        """Queue a message. No lock is needed: this may be called anywhere, also in a finaliser."""
        self._notice_fork()
        if len(self._queue) >= self._limit:
            self._refused.add()
            return
        self._queue.append(message)
        wake_up(self._wake)
        if not self._serving.locked():
            self._start()

    def drain(self, deadline: float, *, patient: bool = False) -> bool:
        """Wait until the posted messages have been called, at most until ``deadline`` (monotonic).

        Returns at once while a message is stuck, unless ``patient``, and on the thread that calls it. Where
        no thread can be started, the calling one does the work.
        """
        self._notice_fork()
        if self._server == threading.get_ident():
            return not self._queue
        if self._queue and not self._serving.locked() and not self._start() and not self._lent:
            self.run()
        if self._queue:
            wake_up(self._wake)
        while (patient or not self._stuck()) and self._monotonic() < deadline:
            if self._waiters.wait(self._idle, min(self._monotonic() + _STUCK_S, deadline)):
                return True
        return self._idle()

    def lend(self) -> None:
        """Serve on the calling thread until `close`, where no other can be started: at the very end."""
        self._lent = True
        self._suit_greenlets()
        try:
            while not self._closed:
                if self._serving.locked():
                    self._waiters.wait(lambda: self._closed or not self._serving.locked())
                else:
                    self._wake.acquire(timeout=self._linger_s)
                    self.run()
                    if self._queue:  # another thread serves since: this call was meant for it
                        wake_up(self._wake)
        finally:
            self._lent = False

    def close(self, deadline: float) -> None:
        """Call what is left and end the thread, at most until ``deadline``. A later message starts one."""
        self.drain(deadline)
        self._closed = True
        self._waiters.wake()
        self.rest(deadline)

    def rest(self, deadline: float) -> None:
        """End the thread as soon as it is idle, and wait for that, at most until ``deadline`` (monotonic)."""
        self._notice_fork()
        self._resting = True
        wake_up(self._wake)
        thread = self._thread
        if thread is not None and thread is not threading.current_thread() and not self._stuck():
            thread.join(max(deadline - self._monotonic(), 0.0))

    def run(self) -> None:
        """Call what has been posted, on the calling thread, unless another one does."""
        while self._serving.acquire(blocking=False):
            self._serve(lingers=False)
            if not self._queue:  # else it came while this ended
                return

    def _run_thread(self) -> None:
        """Call what is posted until there has been nothing for a while: the body of the thread."""
        mine = self._serving.acquire(blocking=False)
        self._starting.release()  # held since `_start`: one thread starts at a time
        if mine:
            self._serve(lingers=True)
            if self._queue:
                self.run()

    def _serve(self, *, lingers: bool) -> None:
        self._server = threading.get_ident()
        try:
            self._call_posted(lingers=lingers)
        finally:
            self._server = 0
            self._serving.release()
            self._waiters.wake()

    def _call_posted(self, *, lingers: bool) -> None:
        while True:
            while self._queue:
                self._busy_since = self._monotonic()  # before it is taken: else this seems to be idle
                self._one(self._queue.popleft())
            refused = self._refused.take()
            if refused:
                self.dropped += refused
                self._one(partial(self._on_dropped, refused))
            self._waiters.wake()
            woken = lingers and not self._resting and self._wake.acquire(timeout=self._linger_s)
            if not woken and not self._queue:
                self._resting = False
                return

    def _one(self, message: Message) -> None:
        try:
            message()
        except KeyboardInterrupt:
            if threading.current_thread() is threading.main_thread():
                raise  # the user's, meant for the application
        except BaseException as error:  # noqa: BLE001 - no message may end the thread
            with suppress(BaseException):  # it may be the report that fails
                self._on_failed(error)
        finally:
            self._busy_since = None

    def _idle(self) -> bool:
        return not self._queue and self._busy_since is None and not self._refused.waiting

    def _stuck(self) -> bool:
        since = self._busy_since
        return since is not None and self._monotonic() - since > _STUCK_S

    def _start(self) -> bool:
        """Start the thread. Return False where that is refused."""
        if not self._starting.acquire(blocking=False):  # by another thread, or further up on this one
            return True
        if self._monotonic() < self._not_before:
            self._starting.release()
            return False
        self._suit_greenlets()
        self._resting = False
        self._thread = start_thread(self._run_thread, "recost-notifier")
        if self._thread is None:
            self._not_before = self._monotonic() + _RETRY_S
            self._starting.release()
        return self._thread is not None

    def _suit_greenlets(self) -> None:
        """Replace locks from before gevent's or eventlet's patching: waiting for one halts all greenlets."""
        if type(threading.Lock()) is not type(self._wake):
            self._serving, self._wake = threading.Lock(), threading.Lock()

    def _notice_fork(self) -> None:
        if self._pid != os.getpid():  # messages of the parent are for the parent to deliver
            self._renew()

    def _renew(self) -> None:
        """Reset the state to that of a new process."""
        self._pid = os.getpid()
        self._queue: deque[Message] = deque()
        self._refused = Tally()
        self._serving, self._starting, self._wake = (threading.Lock() for _ in range(3))
        self._wake.acquire()  # held: nothing has been posted
        self._waiters = Waiters(self._monotonic)
        self._server = 0
        self._thread = None
        self._busy_since = None
        self._not_before = 0.0
        self._resting = self._closed = self._lent = False
