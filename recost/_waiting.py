"""Waiting for another thread, in a way that a signal handler or a finaliser may interrupt at any point.

`threading.Condition` and `Event` hold a lock while they wake others. A signal handler that runs on that very
thread, and uses them as well, waits for ever.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from typing import Any, Callable, Final, Optional, final

__all__ = ["Waiters", "wake_up"]

_PIECE_S: Final = 0.25
"""Longest blocking wait, because Python handles a signal that comes just before it only at its end."""


def wake_up(wake: Any) -> None:
    """Release a lock that a thread waits for, unless that has been done."""
    with suppress(RuntimeError):  # by another thread, or earlier
        wake.release()


@final
class Waiters:
    """Threads that wait until something has changed. No lock is held between any two steps."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._waiting: Final[deque[Any]] = deque()

    def wake(self) -> None:
        """Make every waiting thread check again."""
        for lock in self._waiting.copy():
            wake_up(lock)

    def wait(self, ready: Callable[[], bool], deadline: Optional[float] = None) -> bool:
        """Wait until ``ready()`` is true, or until ``deadline`` (monotonic). Return its last result.

        ``ready`` is called before the wait and after each `wake`. On the main thread it is also called a few
        times a second, because signals are handled there. It may take a lock, which is free during the wait.
        """
        on_main = threading.get_ident() == threading.main_thread().ident
        longest = _PIECE_S if on_main else threading.TIMEOUT_MAX
        # A lock of its own for each wait, of the kind that threads of this moment have (gevent).
        lock = threading.Lock()
        lock.acquire()
        self._waiting.append(lock)  # before looking: what changes from here on wakes
        try:
            while not ready():
                remaining = threading.TIMEOUT_MAX if deadline is None else deadline - self._monotonic()
                if remaining <= 0:
                    return False
                lock.acquire(timeout=min(remaining, longest))
            return True
        finally:
            with suppress(ValueError):
                self._waiting.remove(lock)
