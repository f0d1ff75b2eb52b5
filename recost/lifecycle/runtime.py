"""The running part of the SDK in one process: a worker, a delivery, and the two threads that serve them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Callable, Final, Optional

from recost.delivery.delivery import Delivery
from recost.interceptors.exchange import Exchange, Sink
from recost.lifecycle.process import wait_for_ended_threads
from recost.lifecycle.worker import Worker, start_thread
from recost.pricing.cost import Cost

if TYPE_CHECKING:
    from recost.budgets.keeper import Keeper
    from recost.interceptors import Metered

__all__ = ["Runtime"]

_FORK_PAUSE_S: Final = 0.1
"""For sending what is pending before a fork, where a collector may take long."""
_FORK_END_S: Final = 0.5
"""For threads that have nothing left to do but to end, and to wait for their turn on a busy machine."""
_FORK_WAIT_S: Final = 0.02
"""For threads that have ended to be gone; in vain where others than Python's run."""
_SAVING_S: Final = 0.25
"""For the last writing of what was spent, where delivery has used up the time."""


class Runtime:
    """Worker and delivery, their threads not started until a call begins."""

    def __init__(
        self,
        worker: Worker,
        delivery: Delivery,
        *,
        cost_of: Callable[[Exchange], Optional[Cost]] = lambda exchange: None,  # noqa: ARG005
        metered: Optional[Metered] = None,
        keeper: Optional[Keeper] = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.worker = worker
        self.delivery = delivery
        self.cost_of = cost_of
        """What a call cost; None for one that is excluded. On any thread."""
        self.metered = metered
        """Tells what is to be captured of an answer; None where none is."""
        self.record: Sink = worker.record if keeper is None else keeper.bind(cost_of, worker.record)
        """The sink of the interceptors."""
        self.gate = None if keeper is None else keeper.gate
        """Refuses calls that are about to begin; None where nothing does."""
        self.started = False
        """A thread was asked for; where the interpreter refuses one, everything happens at the flushes."""
        self._keeper = keeper
        self._monotonic = monotonic
        self._starting = threading.Lock()
        self._kind: type = type(self._starting)
        self._worker_thread: Optional[threading.Thread] = None
        self._delivery_thread: Optional[threading.Thread] = None
        self._keeper_thread: Optional[threading.Thread] = None

    def start(self) -> bool:
        """Start the threads if they don't run; True when that was to be done.

        A call may be made by a finaliser, while this very thread is in here: hence no waiting for the lock.
        """
        if self.started or not self._starting.acquire(blocking=False):
            return False
        try:
            return self._start_threads()
        finally:
            self._starting.release()

    def before_fork(self) -> None:
        """Send what is pending if that is quick, and end the threads as far as they are idle.

        A process that forks while it has threads is warned about that from Python 3.12 on, and its child may
        inherit a lock of the allocator or of the C library that nobody releases.
        """
        if not self.started:
            return
        now = self._monotonic()
        deadline = now + _FORK_END_S
        self.worker.pause()
        if self._keeper is not None:
            self._keeper.settle()
            self._keeper.pause()
        self._join(self._worker_thread, deadline)
        self.worker.flush()
        self._join(self._keeper_thread, deadline)
        self.delivery.settle(now + _FORK_PAUSE_S)
        if self.delivery.pause():
            self._join(self._delivery_thread, deadline)
        wait_for_ended_threads(self._monotonic() + _FORK_WAIT_S)
        self.started = False

    def after_fork_in_parent(self) -> None:
        """Start the threads again where something is still pending; else the next call does.

        Python counts the threads after this: starting them without need would bring the warning about.
        """
        if self.delivery.pending_calls:
            self.start()

    def flush(self, timeout_s: float) -> bool:
        """Close the window and wait until everything has arrived; False when it has not."""
        deadline = self._monotonic() + timeout_s
        self.worker.flush()
        if self._keeper is not None:
            self._keeper.save(timeout_s=timeout_s)
        thread = self._delivery_thread
        if thread is not None and thread.is_alive() and thread is not threading.current_thread():
            return self.delivery.settle(deadline)
        return self.delivery.settle_here(deadline)

    def shut_down(self, timeout_s: float) -> None:
        """End the threads after one last flush, within about ``timeout_s`` seconds."""
        deadline = self._monotonic() + timeout_s
        if self._keeper is not None:
            self._keeper.stop()
        self.worker.stop()
        self._join(self._worker_thread, deadline)
        self.worker.flush()
        self.delivery.stop(deadline)
        self._join(self._delivery_thread, deadline)
        if self._delivery_thread is None or not self._delivery_thread.is_alive():
            self.delivery.settle_here(deadline)
        self.delivery.close()
        if self._keeper is not None:
            self._end_keeper(self._keeper, deadline)

    def _end_keeper(self, keeper: Keeper, deadline: float) -> None:
        thread = self._keeper_thread
        self._join(thread, max(deadline, self._monotonic() + _SAVING_S))
        if thread is None or not thread.is_alive():
            keeper.turn(everything=True)

    def _start_threads(self) -> bool:
        if self.started:
            return False
        self.started = True
        self._renew_locks()
        if self.worker.resume():
            self._worker_thread = start_thread(self.worker.run, "recost-worker")
        if self.delivery.resume():
            self._delivery_thread = start_thread(self.delivery.run, "recost-delivery")
        if self._keeper is not None and self._keeper.resume():
            self._keeper_thread = start_thread(self._keeper.run, "recost-budgets")
        return True

    def _renew_locks(self) -> None:
        """Replace locks from before gevent's or eventlet's patching.

        The threads that start now are greenlets: one that waits for a real lock halts all the others.
        """
        kind: type = type(threading.Lock())
        if kind is not self._kind:
            self._kind = kind
            self.worker.renew_locks()
            self.delivery.renew_locks()

    def _join(self, thread: Optional[threading.Thread], deadline: float) -> None:
        if thread is not None and thread is not threading.current_thread():
            thread.join(max(deadline - self._monotonic(), 0.0))
