"""Pauses in long work on recost's threads, and short turns while they import.

While one thread executes Python, another one waits for the interpreter up to `sys.getswitchinterval` (5 ms).
It waits longer while the first is in a function written in C. So what takes long is done in small steps, with
`rest` after each.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import BuiltinFunctionType
from typing import Any, Callable, Final

__all__ = ["SLEEPS", "STRETCH_S", "free", "hurry", "keep_up", "rest", "short_turns", "sleep"]

STRETCH_S: Final = 0.0002
"""CPU time after which a thread gives the interpreter to others."""
_HURRIED_STRETCH_S: Final = 0.004
"""The same for a thread that falls behind. Each pause may take 5 ms, as long as others execute Python."""
_PAUSE_S: Final = 0.0001 if os.name == "posix" else 0.0
"""Long enough for a thread that waits for the interpreter to wake up. Windows can't sleep as briefly."""
_clock: Final[Callable[[], float]] = time.thread_time if os.name == "posix" else time.monotonic
"""A clock that stands still while the thread waits. On Windows that one is too coarse."""
sleep: Final = time.sleep
SLEEPS: Final = isinstance(sleep, BuiltinFunctionType)
"""False for the sleep of gevent or eventlet, which would run other greenlets in the middle of anything."""


class _Turn(threading.local):
    ends = 0.0
    """CPU time of the thread at which it rests."""
    lasts_until = 0.0
    """Time before which the thread can't have worked for so long."""
    stretch_s = STRETCH_S


_turn: Final = _Turn()


def rest() -> None:
    """Give the interpreter to other threads for a moment, if this thread has worked for long enough."""
    now = monotonic()
    if now < _turn.lasts_until:  # reading a thread's CPU time is a system call, which takes ten times as long
        return
    left = _turn.ends - _clock()
    if left <= 0.0 and SLEEPS:
        sleep(_PAUSE_S)
        left = _turn.stretch_s
        _turn.ends = _clock() + left
        now = monotonic()
    _turn.lasts_until = now + left


def hurry(on: bool) -> None:
    """Let this thread rest after 4 ms of work, or again after `STRETCH_S`."""
    _turn.stretch_s = _HURRIED_STRETCH_S if on else STRETCH_S


def keep_up(before: int, now: int, *, few: int) -> int:
    """Hurry once more comes than is done, until few wait. Return how many wait now.

    While the application executes Python all the time, each pause lets it have the interpreter for 5 ms.

    Args:
        before: Number of items that waited when this was called last.
        now: Number of items that wait now.
        few: Number below which there is time to rest.
    """
    if now < few:
        hurry(False)
    elif now > before:
        hurry(True)
    return now


def free(items: list[Any]) -> None:
    """Free objects one by one: freeing thousands at once takes milliseconds, without a pause."""
    while items:
        items.pop()
        rest()


@contextmanager
def short_turns() -> Iterator[None]:
    """Let other threads have the interpreter after `STRETCH_S`, while this one imports modules.

    Nothing can be called between the statements of a module. So the interval of the whole interpreter is
    changed, and set back unless the application has set another one meanwhile. One thread at a time.
    """
    before = sys.getswitchinterval()
    if before <= STRETCH_S:
        yield
        return
    sys.setswitchinterval(STRETCH_S)
    shortened = sys.getswitchinterval()
    try:
        yield
    finally:
        if sys.getswitchinterval() == shortened:
            sys.setswitchinterval(before)
