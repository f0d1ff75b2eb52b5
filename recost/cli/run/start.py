"""Starts recost in a program that knows nothing of it, and sees to it that its last calls are sent.

Two ends of a process run no exit hooks: SIGTERM where nobody handles it, which is also how uvicorn ends, and
``os._exit``, with which the workers of Celery and RQ, and many a forked child, end.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType
from typing import Callable, Final, NoReturn, Optional

from recost.lifecycle import current_handle, init

__all__ = ["start"]

_FLUSH_S: Final = 3.0


def start() -> None:
    """Begin to record; what is wrong with the settings is said, and the program goes on without."""
    try:
        init()
    except ValueError as error:
        print(f"{error}; nothing is recorded", file=sys.stderr)
        return
    _flush_before_sigterm()
    _flush_before_abrupt_exit()


def _flush() -> None:
    handle = current_handle()
    if handle is not None:
        handle.flush_blocking(_FLUSH_S)


def _flush_aside() -> None:
    """Flush on another thread: what was interrupted may hold a lock that this takes."""
    thread = threading.Thread(target=_flush, daemon=True)
    thread.start()
    thread.join(_FLUSH_S)


def _flush_before_sigterm() -> None:
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminated)


def _terminated(number: int, _frame: Optional[FrameType]) -> None:
    _flush_aside()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _flush_before_abrupt_exit() -> None:
    leave: Callable[[int], NoReturn] = os._exit

    def _exit(status: int) -> NoReturn:
        try:
            _flush_aside()
        finally:
            leave(status)

    os._exit = _exit
