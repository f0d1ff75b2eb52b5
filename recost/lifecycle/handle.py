"""The handle that `recost.init` returns."""

from __future__ import annotations

import os
import threading
import time
from functools import partial
from typing import Callable, Final, Optional, final

import recost
from recost._waiting import Waiters
from recost.config import Settings
from recost.delivery.destinations import Stats
from recost.errors import RecostError
from recost.interceptors import interception
from recost.interceptors.exchange import Exchange, Sink, nowhere
from recost.lifecycle.process import UninterruptedFlush, at_exit, at_multiprocessing_exit, watch_forks
from recost.lifecycle.reporting import Reporter
from recost.lifecycle.runtime import Runtime
from recost.lifecycle.threads import start_unawaited

__all__ = ["RecostHandle"]

_SINK: Final = "init"
_ELSEWHERE: Final = 0
"""Placeholder for a thread that does not run yet."""


@final
class RecostHandle:
    """The running SDK: flush it, read its status, end it.

    Made by `recost.init`. With ``enabled=False`` every method does nothing.
    """

    def __init__(
        self,
        build: Optional[Callable[[], Runtime]],
        *,
        report: Reporter,
        settings: Optional[Settings] = None,
        shutdown_timeout_s: float = 3.0,
        flush_at_exit: bool = True,
        on_started: Callable[[], None] = lambda: None,
        on_disposed: Callable[[], None] = lambda: None,
    ) -> None:
        self._build = build
        self._report = report
        self.settings = settings
        """Settings that it was started with. None where it is not enabled."""
        self.shutdown_timeout_s = shutdown_timeout_s
        """Bound on the last flush, in seconds."""
        self._flush_at_exit = flush_at_exit
        self._on_started = on_started
        self._on_disposed = on_disposed
        self._pid = os.getpid()
        self._exit_pid = 0
        self._disposed = build is None
        self._claims: dict[str, int] = {}
        """The thread that ends it. `dict.setdefault` is atomic: a lock might be held already."""
        self._done = build is None
        self._ended = Waiters()
        self._runtime: Optional[Runtime] = None
        self._runtime_left: Optional[Runtime] = None
        """A runtime that was shut down and still receives calls: between `make_way` and `hand_over`."""
        self._forget_exit: Callable[[], None] = lambda: None
        if build is not None:
            self._connect(build)
            watch_forks(self)
            if flush_at_exit:
                self._forget_exit = at_exit(self.dispose)

    @property
    def last_flush_status(self) -> Optional[recost.FlushStatus]:
        """Result of the latest delivery of a window. None before the first one.

        With several destinations: of the latest one that is not ``"ok"``, if there is one.
        """
        return None if self._runtime is None else self._runtime.destinations.last_status

    def stats(self) -> recost.Stats:
        """Return what has been captured in this process, and what became of it at each destination.

        May be called at any time, on any thread and in signal handlers, also after `dispose`. A forked child
        begins at zero. Numbers that change meanwhile may be from different moments.
        """
        runtime = self._runtime
        return Stats(0, 0, {}) if runtime is None else runtime.stats()

    @property
    def record(self) -> Optional[Sink]:
        """The sink of the interceptors. None where nothing is recorded."""
        return None if self._runtime is None else self._runtime.record

    @property
    def disposed(self) -> bool:
        """True once `dispose` has been called, and for a handle that was never enabled."""
        return self._disposed

    def flush_blocking(self, timeout_s: float = 3.0) -> bool:
        """Send what has been recorded, and wait for that at most ``timeout_s`` seconds.

        Returns:
            True when all of it was delivered, or refused for good, which `last_flush_status` and ``on_error``
            report. False when some of it is still queued. It will be sent again at the next flush.
        """
        self.reinit_after_fork()
        if self._disposed or self._runtime is None:
            return True
        with UninterruptedFlush():
            return self._runtime.flush(timeout_s)

    def cost_of(self, exchange: Exchange) -> Optional[recost.Cost]:
        """Return the cost of a call. None for one that is excluded, or once disposed."""
        return None if self._runtime is None else self._runtime.cost_of(exchange)

    def dispose(self) -> None:
        """End the SDK: restore the clients, and send what is left within ``shutdown_flush_timeout_ms``.

        A call that is under way counts as one without a response. Idempotent. While another thread ends it,
        this waits for that. A signal handler or finaliser that interrupts the ending finishes it. On a thread
        of recost's own, another thread does the work, and this does not wait.
        """
        with UninterruptedFlush():
            self._dispose(replaced=False)

    def make_way(self) -> None:
        """Dispose, but go on to receive calls: another handle is about to get them, by `hand_over`."""
        with UninterruptedFlush():
            self._dispose(replaced=True)

    def hand_over(self, successor: Optional[RecostHandle]) -> None:
        """Give a handle the calls that were under way at `make_way`, and those that came since."""
        runtime, self._runtime_left = self._runtime_left, None
        if runtime is None:
            return
        record = None if successor is None else successor.record
        if record is not None:
            interception.redirect(runtime.record, record)
            runtime.worker.hand_over(record)
            return
        interception.remove(_SINK, runtime.record)
        interception.end_unfinished(runtime.record)
        lost = runtime.worker.hand_over(nowhere)
        runtime.worker.unrecorded += lost
        if lost:
            self._report(
                RecostError(f"recost: {lost} calls ended after recost had been disposed: not recorded")
            )

    def _dispose(self, *, replaced: bool) -> None:
        self.reinit_after_fork()
        me = threading.get_ident()
        self._disposed = True
        if self._claims.setdefault("ender", me) != me:
            if self._runtime is None or not self._runtime.is_served_by(me):
                end = time.monotonic() + self.shutdown_timeout_s
                self._ended.wait(lambda: self._done, end)
            return
        if self._done:
            return
        runtime = self._runtime
        if runtime is not None and replaced:
            self._runtime_left = runtime
        # The ending waits for recost's own threads and their locks, so it does not run on one of them.
        if runtime is not None and runtime.is_served_by(me):
            self._claims["ender"] = _ELSEWHERE
            if start_unawaited(partial(self._finish, replaced=replaced), "recost-ending"):
                return
        self._finish(replaced=replaced)

    def _finish(self, *, replaced: bool) -> None:
        self._claims["ender"] = threading.get_ident()
        try:
            self._end(self._runtime, replaced=replaced)
        finally:
            self._done = True
            self._ended.wake()
            self._forget_exit()  # not earlier: the end of the process waits for an ending on another thread
        self._on_disposed()

    def _end(self, runtime: Optional[Runtime], *, replaced: bool) -> None:
        try:
            if runtime is not None:
                if not replaced:
                    interception.remove(_SINK, runtime.record)
                    interception.end_unfinished(runtime.record)
                runtime.shut_down(self.shutdown_timeout_s)
                lost = runtime.worker.open_calls + (0 if replaced else runtime.worker.hand_over(nowhere))
                runtime.worker.unrecorded += lost
                if lost:
                    self._report(RecostError(f"recost: {lost} calls could not be added up: not recorded"))
                runtime.report_last()
        except Exception as error:  # noqa: BLE001 - ending recost must not fail the end of the application
            self._report(error)

    def report(self, error: BaseException) -> None:
        """Report one of recost's own errors, as its settings require."""
        self._report(error)

    def reinit_after_fork(self) -> None:
        """Start afresh in a forked child. The parent reports its own calls.

        Happens by itself where the fork goes through Python, and at the next call where it does not (uWSGI).
        Idempotent within a process.
        """
        if self._pid == os.getpid():
            return
        self.after_fork_in_child()

    def before_fork(self) -> None:
        """Pause the threads while the process forks."""
        if self._runtime is not None and self._pid == os.getpid():
            self._runtime.before_fork()

    def after_fork_in_parent(self) -> None:
        """Resume the threads if they have work."""
        if self._runtime is not None and not self._disposed:
            self._runtime.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        """Replace everything that the parent's threads may have left half done. Starts no thread."""
        if self._pid == os.getpid():
            return
        self._pid = os.getpid()
        self._done = self._disposed
        self._ended = Waiters()
        interception.after_fork_in_child()
        if self._runtime is not None:
            self._runtime.abandon()
        if self._build is not None and not self._disposed:
            self._connect(self._build)

    def __enter__(self) -> RecostHandle:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.dispose()

    def __repr__(self) -> str:
        state = "disposed" if self._disposed else "running"
        return f"<RecostHandle {state} pid={self._pid}>"

    def _connect(self, build: Callable[[], Runtime]) -> None:
        self._runtime = build()
        self.reconnect()

    def reconnect(self) -> None:
        """Make the interceptors send calls here instead of to another handle."""
        runtime = self._runtime
        if runtime is None:
            return
        runtime.listen(_SINK, self._before_call)

    def _before_call(self) -> bool:
        """Notice a fork that bypassed Python, and start the threads. Return True once they run."""
        if os.getpid() != self._pid:
            self.after_fork_in_child()
        runtime = self._runtime
        if runtime is not None and not runtime.started and not self._disposed and runtime.start():
            self._flush_at_multiprocessing_exit()
            self._on_started()
        return runtime is None or runtime.started

    def _flush_at_multiprocessing_exit(self) -> None:
        if self._flush_at_exit and self._exit_pid != self._pid:
            self._exit_pid = self._pid
            at_multiprocessing_exit(self.dispose)
