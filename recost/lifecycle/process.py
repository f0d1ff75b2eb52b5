"""What the process does to the SDK: forks and ends."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Callable, Final, Protocol

__all__ = ["at_exit", "at_multiprocessing_exit", "wait_for_ended_threads", "watch_forks"]


class _Forkable(Protocol):
    def before_fork(self) -> None: ...

    def after_fork_in_parent(self) -> None: ...

    def after_fork_in_child(self) -> None: ...


_watched: Final[weakref.WeakSet[_Forkable]] = weakref.WeakSet()
_hooks: Final[list[str]] = []


def watch_forks(thing: _Forkable) -> None:
    """Tell ``thing`` of every fork, as long as it lives.

    Where the fork bypasses Python (uWSGI), or there is none, nothing is called: check the pid, too.
    """
    _watched.add(thing)
    if not _hooks and hasattr(os, "register_at_fork"):
        _hooks.append("fork")
        os.register_at_fork(
            before=lambda: _tell("before_fork"),
            after_in_parent=lambda: _tell("after_fork_in_parent"),
            after_in_child=lambda: _tell("after_fork_in_child"),
        )


def wait_for_ended_threads(deadline: float, monotonic: Callable[[], float] = time.monotonic) -> None:
    """Wait until threads that Python has joined are gone for the system, too, at most until ``deadline``.

    Up to 3.12 a join returns a moment earlier, and a fork in that moment warns of the thread.
    """
    tasks = Path("/proc/self/task")
    with suppress(OSError):
        while len(list(tasks.iterdir())) > threading.active_count() and monotonic() < deadline:
            time.sleep(0.0001)


def _tell(event: str) -> None:
    for thing in list(_watched):
        getattr(thing, event)()


def at_exit(callback: Callable[[], None]) -> Callable[[], None]:
    """Call ``callback`` when the interpreter ends; returns what takes that back."""
    atexit.register(callback)
    return lambda: atexit.unregister(callback)


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
