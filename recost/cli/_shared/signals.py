"""Leaving a command in order at SIGTERM and SIGHUP, so that its temporary copies go."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, Optional

__all__ = ["EndedError", "orderly_end"]

_NAMES: Final = ("SIGTERM", "SIGHUP")  # Windows has no SIGHUP


class EndedError(SystemExit):
    """A signal ends the process. asyncio lets a SystemExit through, and no other class of ours."""


@contextmanager
def orderly_end() -> Iterator[None]:
    """Leave the block when a signal comes that would end the process, and let it end the process then.

    A signal that is ignored or handled already is left alone. The second one ends the process at once.
    """
    received: list[int] = []

    def leave(number: int, _frame: Optional[FrameType]) -> None:
        signal.signal(number, signal.SIG_DFL)
        received.append(number)
        raise EndedError(128 + number)

    set_here = []
    if threading.current_thread() is threading.main_thread():
        numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
        set_here = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in set_here:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in set_here:
            signal.signal(number, signal.SIG_DFL)
        if received:
            signal.raise_signal(received[0])
