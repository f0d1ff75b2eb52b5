"""Forks and ends of the process, and the flushes that they must not cut off."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
import weakref
from contextlib import suppress
from typing import Callable, Final, Protocol

from recost._late import keep_interrupted

__all__ = [
    "UninterruptedFlush",
    "at_exit",
    "at_multiprocessing_exit",
    "busy",
    "deferred",
    "here",
    "wait_for_ended_threads",
    "watch_forks",
]


class _Forkable(Protocol):
    def before_fork(self) -> None: ...

    def after_fork_in_parent(self) -> None: ...

    def after_fork_in_child(self) -> None: ...


_watched: Final[weakref.WeakSet[_Forkable]] = weakref.WeakSet()
_hooks: Final[list[str]] = []

busy: Final[list[tuple[int, int]]] = []
"""Processes and threads inside `UninterruptedFlush`. Appending and removing are atomic and need no lock."""
deferred: Final[list[Callable[[], None]]] = []
"""Action of a SIGTERM that waits until the main thread has left `UninterruptedFlush`."""


class UninterruptedFlush:
    """A block with a flush that SIGTERM does not cut off if recost's handler is installed."""

    def __enter__(self) -> None:
        self._me = here()
        busy.append(self._me)

    def __exit__(self, *_: object) -> None:
        busy.remove(self._me)
        if deferred and self._me not in busy and self._me[1] == threading.main_thread().ident:
            deferred.pop()()


def here() -> tuple[int, int]:
    """Return the ids of this process and this thread."""
    return os.getpid(), threading.get_ident()


def watch_forks(thing: _Forkable) -> None:
    """Call the methods of ``thing`` at every fork, as long as it lives.

    Nothing is called where the fork bypasses Python (uWSGI): check the process id, too.
    """
    _watched.add(thing)
    if not _hooks and hasattr(os, "register_at_fork"):
        _hooks.append("fork")
        os.register_at_fork(
            before=lambda: _notify("before_fork"),
            after_in_parent=lambda: _notify("after_fork_in_parent"),
            after_in_child=lambda: _notify("after_fork_in_child"),
        )


def wait_for_ended_threads(deadline: float, monotonic: Callable[[], float] = time.monotonic) -> None:
    """Wait until joined threads have ended for the system, too, at most until ``deadline``.

    Up to Python 3.12 a join returns a moment earlier, and a fork in that moment warns of the thread.
    """
    with suppress(OSError):
        while _tasks() > threading.active_count() and monotonic() < deadline:
            time.sleep(0.0001)


def _tasks() -> int:
    return len(os.listdir("/proc/self/task"))  # noqa: PTH208 - pathlib is slow to import


def _notify(event: str) -> None:
    for thing in list(_watched):
        getattr(thing, event)()


def at_exit(hook: Callable[[], None]) -> Callable[[], None]:
    """Call ``hook`` when the interpreter ends. Return a function that cancels this."""

    def ending() -> None:
        try:
            hook()
        finally:
            keep_interrupted()

    atexit.register(ending)
    return lambda: atexit.unregister(ending)


def at_multiprocessing_exit(callback: Callable[[], None]) -> None:
    """Call ``callback`` when this process ends, if it is a child of ``multiprocessing``.

    Such a child leaves by ``os._exit`` and runs no atexit hooks when it was forked, but it runs finalisers
    that were registered in it.
    """
    process = sys.modules.get("multiprocessing.process")
    if process is None or process.parent_process() is None:
        return
    from multiprocessing.util import Finalize  # noqa: PLC0415 - only where multiprocessing is in use anyway

    Finalize(None, callback, exitpriority=100)
