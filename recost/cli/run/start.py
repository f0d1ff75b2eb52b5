"""Starts recost in a program that knows nothing of it, and sees to it that its last calls are sent.

Two ends of a process run no exit hooks: SIGTERM where nobody handles it, which is also how uvicorn ends, and
``os._exit``, with which the workers of Celery and RQ, and many a forked child, end.
"""

from __future__ import annotations

import os
import sys
from typing import Callable, NoReturn

from recost.lifecycle import flush_all, init
from recost.lifecycle.sigterm import SigtermFlush

__all__ = ["start"]


def start() -> None:
    """Begin to record; what is wrong with the settings is said, and the program goes on without."""
    try:
        handle = init()
    except ValueError as error:
        print(f"{error}; nothing is recorded", file=sys.stderr)
        return
    SigtermFlush(flush_all, handle.shutdown_timeout_s).install(over_handlers=False)
    _flush_before_abrupt_exit()


def _flush_before_abrupt_exit() -> None:
    leave: Callable[[int], NoReturn] = os._exit

    def _exit(status: int) -> NoReturn:
        try:
            flush_all()
        finally:
            leave(status)

    os._exit = _exit
