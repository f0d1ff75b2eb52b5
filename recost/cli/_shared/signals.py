"""The orderly end of a command at SIGTERM and SIGHUP, so that its temporary files are removed."""

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
    """The end of the process by a signal. It is a SystemExit because asyncio lets no other class through."""


@contextmanager
def orderly_end() -> Iterator[None]:
    """Leave the block at a signal that would end the process, and end the process afterwards.

    A signal that is ignored or already handled is left alone. A second signal ends the process at once.
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
