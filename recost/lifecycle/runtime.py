"""The running part of the SDK in one process: a worker, the deliveries, and their threads."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Callable, Final, Optional, Protocol

from recost._late import importing
from recost.delivery.delivery import Delivery
from recost.delivery.destinations import Destinations, Stats
from recost.errors import RecostError
from recost.interceptors import interception
from recost.interceptors.exchange import Exchange, Sink
from recost.lifecycle.process import wait_for_ended_threads
from recost.lifecycle.reporting import Reporter
from recost.lifecycle.threads import start_thread, supervise
from recost.lifecycle.worker import Worker

if TYPE_CHECKING:
    from recost.budgets.enforcer import BudgetEnforcer
    from recost.delivery.stats_file import StatsFile
    from recost.interceptors.fanout import Metered
    from recost.interceptors.keys import KeyLabels
    from recost.pricing.cost import Cost

__all__ = ["Runtime"]

_FORK_SEND_S: Final = 0.003
"""Limit for one window that is pending before a fork. A collector may take long."""
_FORK_WRITE_S: Final = 0.05
"""The same limit where windows stay on this machine. Only a busy one takes as long."""
_LOCAL_SPACING_S: Final = 1.0
_FORK_PAUSE_S: Final = 0.1
"""Limit for all windows, and for the thread to get its turn on a busy machine."""
_FORK_END_S: Final = 0.1
"""Limit for threads that have nothing left to do."""
_LATE_IMPORTS: Final = 4
"""Number of imports in one turn of the worker that a fork waits for."""
_FORK_STEP_S: Final = 0.01
"""Limit for the worker's thread to begin its next import, or to end."""
_FORK_WAIT_S: Final = 0.02
"""Limit for ended threads to disappear. They never seem to where other threads than Python's run."""
_REPORTING_S: Final = 0.25
"""Limit for the application's callbacks after a flush."""
_LAST_SAVING_S: Final = 1.0
"""Limit for writing to the spool what waits, where the time of the ending is over."""
_LAST_REPORTS_S: Final = 1.0
"""Limit for the last ones, of what is lost. A busy machine may take as long to run a thread."""
_RETRY_S: Final = 1.0
"""Pause between two attempts to start a thread where that is refused."""


class _Part(Protocol):
    def resume(self) -> bool: ...


class Runtime:
    """Worker and deliveries, their threads not started until a call begins."""

    def __init__(
        self,
        worker: Worker,
        destinations: Destinations,
        *,
        report: Reporter,
        cost_of: Callable[[Exchange], Optional[Cost]] = lambda exchange: None,  # noqa: ARG005
        metered: Optional[Metered] = None,
        charged: Optional[Callable[[Sink], Sink]] = None,
        enforcer: Optional[BudgetEnforcer] = None,
        timed: bool = True,
        labels: Optional[KeyLabels] = None,
        stats_file: Optional[Callable[[], StatsFile]] = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.worker = worker
        self.destinations = destinations
        self.cost_of = cost_of
        """Returns the cost of a call, None for one that is excluded. Thread-safe."""
        self.metered = metered
        """Returns what must be read of a call. None where responses are never read."""
        self.record: Sink = worker.record
        if charged is not None:
            self.record = charged(worker.record)
        """The sink of the interceptors."""
        self.gate = None if enforcer is None else enforcer.gate
        """Refuses calls that are about to begin. None without budgets."""
        self.allows = None if enforcer is None else enforcer.allows
        """Returns True for calls that ``gate`` doesn't refuse, and False if that must decide."""
        self.started = False
        """True while the threads run. Where one is refused, flushes do the work until it can start."""
        self._timed = timed
        self._labels = labels
        self._report = report
        self._not_before = 0.0
        self._refusal_reported = False
        self._enforcer = enforcer
        self._monotonic = monotonic
        self._pid = os.getpid()
        self._make_stats_file = stats_file
        """Makes the file that ``recost doctor`` reads. None where it is not written, or can't be."""
        self._stats_file: Optional[StatsFile] = None
        self._writing_stats = threading.Lock()
        if stats_file is not None:
            for delivery in destinations:
                delivery.after_round = self._write_stats
        self._starting = threading.Lock()
        self._kind: type = type(self._starting)
        self._worker_thread: Optional[threading.Thread] = None
        self._delivery_threads: dict[Delivery, Optional[threading.Thread]] = dict.fromkeys(destinations)
        self._enforcer_thread: Optional[threading.Thread] = None

    def stats(self) -> Stats:
        """Return the numbers of this process."""
        return self.destinations.stats(self.worker if os.getpid() == self._pid else None)

    def listen(self, name: str, before_call: Callable[[], bool]) -> None:
        """Make the interceptors send calls here, under a name of the caller's."""
        interception.add(
            name,
            self.record,
            before_call=before_call,
            on_error=self._report,
            metered=self.metered,
            gate=self.gate,
            allows=self.allows,
            remembering=True,
            timed=self._timed,
            labels=self._labels,
        )

    def start(self) -> bool:
        """Start the threads if they don't run. Return True if they did not.

        A call may be made by a finaliser, while this very thread is in here: hence no waiting for the lock.
        Where a thread is refused, a call that begins a while later tries again.
        """
        if self.started or self._monotonic() < self._not_before or not self._starting.acquire(blocking=False):
            return False
        try:
            return self._start_threads()
        finally:
            self._starting.release()

    def is_served_by(self, thread_id: int) -> bool:
        """Return True if this is one of recost's own threads, which must not wait."""
        return any(thread is not None and thread.ident == thread_id for thread in self._threads)

    def before_fork(self) -> None:
        """Send what is pending if that is quick, and end the threads that are idle.

        From Python 3.12 on, a fork in a process with threads causes a warning. The child may inherit a lock
        of the allocator or of the C library that nobody releases.
        """
        if not any(thread is not None for thread in self._threads):
            self._report.notifier.rest(self._monotonic() + _FORK_SEND_S)
            return
        self.worker.pause()
        deadline = self._end_of_late_imports() + _FORK_END_S
        if self._enforcer is not None:
            self._enforcer.charge(timeout_s=_FORK_SEND_S)
            self._enforcer.pause()
        self._join(self._worker_thread, deadline)
        if not _is_alive(self._worker_thread):
            self.worker.flush()
        self._join(self._enforcer_thread, deadline)
        self.destinations.flush_quickly(_longest_send_s, _FORK_PAUSE_S)
        for delivery in [each for each in self.destinations if each.pause()]:
            self._join(self._delivery_threads[delivery], deadline)
        self._report.notifier.rest(self._monotonic() + _FORK_SEND_S)
        wait_for_ended_threads(self._monotonic() + _FORK_WAIT_S)
        self.started = False
        interception.unready()  # the next call starts them

    def _end_of_late_imports(self) -> float:
        """Wait for the imports of the worker's thread, as the fork would, and return the time (monotonic)."""
        for _ in range(_LATE_IMPORTS):
            with importing():
                now = self._monotonic()
            self._join(self._worker_thread, now + _FORK_STEP_S)
            if not _is_alive(self._worker_thread):
                break
        return now

    def after_fork_in_parent(self) -> None:
        """Start the threads again where something is still pending. Else the next call does.

        Python counts the threads after this: starting them without need would cause the warning.
        """
        if self.destinations.pending_calls:
            self.start()

    def flush(self, timeout_s: float) -> bool:
        """Close the window and wait until everything has arrived. Return False when it has not."""
        deadline = self._monotonic() + timeout_s
        added_up = self.worker.flush(deadline)
        if self._enforcer is not None:
            self._enforcer.save(timeout_s=max(deadline - self._monotonic(), 0.0))
        arrived = self.destinations.flush(deadline, self._is_running)
        self._report.notifier.drain(min(deadline, self._monotonic() + _REPORTING_S))
        return arrived and added_up

    def shut_down(self, timeout_s: float) -> None:
        """End the threads after one last flush, within about ``timeout_s`` seconds.

        May be called again, by a signal handler or finaliser that interrupts it.
        """
        end = self._monotonic() + timeout_s
        # The rest is for reporting, and for saving what is left.
        deadline = end - min(_REPORTING_S, timeout_s / 4) - min(self.destinations.saving_s(), timeout_s / 3)
        if self._enforcer is not None:
            self._enforcer.stop()
        self.worker.stop()
        if not self.worker.flush(deadline):
            self.worker.flush_here()
        for delivery in self.destinations:
            delivery.stop(deadline)
        for thread in self._delivery_threads.values():
            self._join(thread, deadline)
        idle = [each for each in self.destinations if not self._is_running(each)]
        self.destinations.flush_here(deadline, idle)
        saving_s = min(3 * self.destinations.saving_s(), _LAST_SAVING_S)
        self.destinations.close(max(end, self._monotonic() + saving_s))
        self._remove_stats(end)
        if self._enforcer is not None:
            self._end_enforcer(self._enforcer, end)
        self._report.notifier.close(end)
        self._join(self._worker_thread, end)

    def report_last(self) -> None:
        """Deliver what is still to be reported, though the time of the ending may be over."""
        self._report.notifier.drain(self._monotonic() + _LAST_REPORTS_S, patient=True)

    def abandon(self) -> None:
        """Close what a forked child has of the parent's files."""
        self.destinations.abandon()
        if self._stats_file is not None:
            self._stats_file.abandon()

    def _write_stats(self) -> None:
        """Write the numbers for ``recost doctor``, on a thread that delivers. No other one waits for that."""
        make = self._make_stats_file
        if make is None or self.worker.stopping or not self._writing_stats.acquire(blocking=False):
            return
        try:
            with importing():
                self._stats_file = self._stats_file or make()
            self._stats_file.write(self.stats().to_dict(), time.time() * 1000)
        except (OSError, ImportError):  # it is not there then, which matters to nobody but the doctor
            self._make_stats_file = None
        finally:
            self._writing_stats.release()

    def _remove_stats(self, deadline: float) -> None:
        timeout_s = max(deadline - self._monotonic(), 0.0)
        if self._stats_file is not None and self._writing_stats.acquire(timeout=timeout_s):
            with suppress(OSError):
                self._stats_file.remove()

    def _end_enforcer(self, enforcer: BudgetEnforcer, deadline: float) -> None:
        thread = self._enforcer_thread
        self._join(thread, deadline)
        if not _is_alive(thread):
            enforcer.turn(everything=True, timeout_s=max(deadline - self._monotonic(), 0.0))

    def _start_threads(self) -> bool:
        if self.started:
            return False
        self._renew_locks()
        worker, enforcer = self.worker, self._enforcer
        self._worker_thread = self._started(worker, self._worker_thread, self._work, "recost-worker")
        threads, several = self._delivery_threads, len(self._delivery_threads) > 1
        for delivery, thread in threads.items():
            name = f"recost-delivery-{delivery.kind}" if several else "recost-delivery"
            threads[delivery] = self._started(delivery, thread, delivery.run, name)
        if enforcer is not None:
            self._enforcer_thread = self._started(
                enforcer, self._enforcer_thread, enforcer.run, "recost-budgets"
            )
        needed = self._threads if enforcer is not None else self._threads[:-1]
        self.started = all(thread is not None for thread in needed)
        if not self.started:
            self._refused()
        return True

    def _refused(self) -> None:
        self._not_before = self._monotonic() + _RETRY_S
        if not self._refusal_reported:
            self._refusal_reported = True
            message = "no thread can be started now: calls are kept until one can be, or until a flush"
            self._report(RecostError(f"recost: {message}"))

    def _started(
        self, part: _Part, thread: Optional[threading.Thread], loop: Callable[[], None], name: str
    ) -> Optional[threading.Thread]:
        """Return the thread of a part, started if it doesn't run. None where that is refused."""
        if part.resume() or thread is None:
            return start_thread(partial(supervise, loop, self._report), name)
        return thread

    def _work(self) -> None:
        self.worker.run()
        if self.worker.stopping:
            self._report.notifier.lend()

    @property
    def _threads(self) -> tuple[Optional[threading.Thread], ...]:
        return self._worker_thread, *self._delivery_threads.values(), self._enforcer_thread

    def _is_running(self, delivery: Delivery) -> bool:
        """Return True if another thread sends. A finaliser may ask on that very thread."""
        thread = self._delivery_threads[delivery]
        return _is_alive(thread) and thread is not threading.current_thread()

    def _renew_locks(self) -> None:
        """Replace locks from before gevent's or eventlet's patching.

        The threads that start now are greenlets: one that waits for a real lock halts all the others.
        """
        kind: type = type(threading.Lock())
        if kind is not self._kind:
            self._kind = kind
            self.worker.renew_locks()
            self.destinations.renew_locks()

    def _join(self, thread: Optional[threading.Thread], deadline: float) -> None:
        if thread is not None and thread is not threading.current_thread():
            thread.join(max(deadline - self._monotonic(), 0.0))


def _is_alive(thread: Optional[threading.Thread]) -> bool:
    return thread is not None and thread.is_alive()


def _longest_send_s(delivery: Delivery) -> float:
    """Return how long a fork waits for one window of a destination, in seconds."""
    return _FORK_WRITE_S if delivery.spacing_s <= _LOCAL_SPACING_S else _FORK_SEND_S
