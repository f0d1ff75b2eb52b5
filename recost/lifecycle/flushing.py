"""What is flushing right now: SIGTERM, where it has a handler of recost's, waits for it."""

from __future__ import annotations

import os
import threading
from typing import Callable, Final

__all__ = ["busy", "deferred", "here", "undisturbed"]

busy: Final[list[tuple[int, int]]] = []
"""Processes and threads inside `undisturbed`; appending and removing are atomic and need no lock."""
deferred: Final[list[Callable[[], None]]] = []
"""What SIGTERM does as soon as the main thread is out of there."""


class undisturbed:  # noqa: N801 - reads as what it does
    """A flush that SIGTERM doesn't cut off."""

    def __enter__(self) -> None:
        self._me = here()
        busy.append(self._me)

    def __exit__(self, *_: object) -> None:
        busy.remove(self._me)
        if deferred and self._me not in busy and self._me[1] == threading.main_thread().ident:
            deferred.pop()()


def here() -> tuple[int, int]:
    """Return this process and this thread."""
    return os.getpid(), threading.get_ident()
