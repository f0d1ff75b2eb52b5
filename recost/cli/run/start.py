"""The start of recost in an unchanged program, and the delivery of its last calls.

Two ends of a process run no exit hooks: an unhandled SIGTERM, with which uvicorn also ends, and ``os._exit``,
with which workers of Celery and RQ and many forked children end.
"""

from __future__ import annotations

import os
import sys
from typing import Callable, NoReturn

from recost.lifecycle import end_all, flush_all, init
from recost.lifecycle.sigterm import SigtermFlush

__all__ = ["start"]


def start() -> None:
    """Start to record. Print invalid settings, and let the program run without recording."""
    try:
        handle = init()
    except ValueError as error:
        print(f"{error}; nothing is recorded", file=sys.stderr)
        return
    SigtermFlush(flush_all, end_all, handle.shutdown_timeout_s).install(over_handlers=False)
    _flush_before_abrupt_exit()


def _flush_before_abrupt_exit() -> None:
    leave: Callable[[int], NoReturn] = os._exit

    def _exit(status: int) -> NoReturn:
        try:
            flush_all()
        finally:
            leave(status)

    os._exit = _exit
