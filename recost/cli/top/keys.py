"""Single keys from a terminal, which is restored afterwards."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import select
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable, Final

__all__ = ["Keys", "keys"]

Keys = Callable[[float], str]
"""A function that waits up to some seconds and returns the characters that were typed, if any."""
_SEQUENCES: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]?|O.?|.)?", re.DOTALL)
"""The sequences of arrows, function keys and reports of a terminal."""
_STEP_S: Final = 0.05


@contextmanager
def keys() -> Iterator[Keys]:
    """Yield a function that reads keys. Without a terminal it only waits."""
    if not sys.stdin.isatty():
        yield _no_keys
    elif sys.platform == "win32":
        yield _windows_keys
    else:
        with _unbuffered(sys.stdin.fileno()):
            yield _posix_keys


@contextmanager
def _unbuffered(terminal: int) -> Iterator[None]:
    """Turn off line buffering and echo in the block. Ctrl-C and Ctrl-Z remain signals."""
    termios: Any = importlib.import_module("termios")
    tty: Any = importlib.import_module("tty")
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal, termios.TCSANOW)
        yield
    finally:
        with contextlib.suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(terminal, termios.TCSAFLUSH, before)


def _posix_keys(within_s: float) -> str:
    terminal = sys.stdin.fileno()
    if not select.select([terminal], [], [], within_s)[0]:
        return ""
    typed = os.read(terminal, 1024)
    if not typed:
        raise EOFError("the terminal is gone")
    return _SEQUENCES.sub("", typed.decode("utf-8", "replace"))


def _windows_keys(within_s: float) -> str:
    msvcrt: Any = importlib.import_module("msvcrt")
    until = time.monotonic() + within_s
    while not msvcrt.kbhit():
        if time.monotonic() >= until:
            return ""
        time.sleep(_STEP_S)
    typed: str = msvcrt.getwch()
    if typed in {"\0", "\xe0"}:  # a second code follows: an arrow, a function key
        msvcrt.getwch()
        return ""
    if typed == "\x03":
        raise KeyboardInterrupt
    return typed


def _no_keys(within_s: float) -> str:
    time.sleep(within_s)
    return ""
