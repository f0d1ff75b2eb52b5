"""Start and supervision of recost's own threads, and a counter for any thread."""

from __future__ import annotations

import _thread
import itertools
import threading
import time
from contextlib import suppress
from types import BuiltinFunctionType
from typing import Callable, Final, Optional

__all__ = ["Tally", "real_threads", "start_thread", "start_unawaited", "supervise"]

_FIRST_PAUSE_S: Final = 0.01
_LONGEST_PAUSE_S: Final = 5.0


def start_thread(target: Callable[[], None], name: str) -> Optional[threading.Thread]:
    """Start a daemon thread. None where that is refused: by a limit, in a subinterpreter, at the very end."""
    try:
        thread = threading.Thread(target=target, name=name, daemon=True)
        thread.start()
    except (RuntimeError, MemoryError):
        return None
    return thread


def start_unawaited(target: Callable[[], None], name: str) -> bool:
    """Start a thread without waiting for it. Return False where that is refused.

    This is for finalisers. `threading` waits until a thread runs, with locks that interrupted code may hold.
    """

    def start() -> None:
        if start_thread(target, name) is None:
            target()

    try:
        _thread.start_new_thread(start, ())
    except RuntimeError:
        return False
    return True


def real_threads() -> bool:
    """Return False where gevent or eventlet has replaced the functions that wait: threads are greenlets."""
    return isinstance(time.sleep, BuiltinFunctionType)


def supervise(loop: Callable[[], None], report: Callable[[BaseException], None]) -> None:
    """Run ``loop`` until it returns. After an exception, SystemExit included, report it and run again."""
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            loop()
        except BaseException as error:  # noqa: BLE001 - no thread of recost's may die of anything
            with suppress(BaseException):
                report(error)
        else:
            return
        time.sleep(pause_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


class Tally:
    """A counter for any thread, without a lock."""

    def __init__(self) -> None:
        self._count = itertools.count()
        self._seen = 0
        self.waiting = False
        """True when something may have been counted since `take`."""

    def add(self) -> None:
        """Count one."""
        next(self._count)
        self.waiting = True

    def take(self) -> int:
        """Return the count since the last time."""
        self.waiting = False
        # The count is read by advancing it: itertools.count has no other view, and is atomic.
        new = next(self._count) - self._seen
        self._seen += new + 1
        return new
