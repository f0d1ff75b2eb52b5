"""Several listeners at once: each sees what it would see alone.

What is captured of a response is what any of them wants, and each of them that reads it has it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Callable, Optional

from recost.interceptors._containment import contain
from recost.interceptors.exchange import Exchange, Sink, Target, Wanted

__all__ = ["Each", "Fan", "Metered", "SharedCapture", "WantedByAny"]

Metered = Callable[[Target], Optional[Wanted]]
"""Tells what is read of a call; None: its response is not captured."""


class Each:
    """Several callables called in turn; what one raises ends it."""

    def __init__(self, callables: Sequence[Callable[..., None]]) -> None:
        self._callables = tuple(callables)

    def __call__(self, *arguments: Any) -> None:
        for call in self._callables:
            call(*arguments)


class WantedByAny:
    """What is read of a call, where several listeners read calls."""

    def __init__(self, metered: Sequence[Metered]) -> None:
        self._metered = tuple(metered)

    def __call__(self, target: Target) -> Optional[Wanted]:
        answers = [metered(target) for metered in self._metered]
        found = [wanted for wanted in answers if wanted is not None]
        if not found:
            return None
        return Wanted(_all(wanted.headers for wanted in found), _all(wanted.fields for wanted in found))


def _all(names: Iterable[Sequence[str]]) -> Sequence[str]:
    return tuple(dict.fromkeys(chain.from_iterable(names)))


class Fan:
    """One sink made of several.

    Args:
        sinks: Each receives every exchange.
        readers: How many of them read what is captured.
    """

    def __init__(self, sinks: Sequence[Sink], readers: int) -> None:
        self.sinks = tuple(sinks)
        self.readers = readers

    def __call__(self, exchange: Exchange) -> None:
        if exchange.costs is None:
            exchange.costs = {}  # now: later, two threads could each make one
        if self.readers > 1 and exchange.capture is not None:
            exchange.capture = SharedCapture(exchange.capture, self.readers)
        for sink in self.sinks:
            try:
                sink(exchange)
            except BaseException as error:  # noqa: BLE001, PERF203 - the others must have it all the same
                contain(error)

    def without(self, sink: Sink) -> Fan:
        """Return the same without one of the sinks."""
        return Fan([each for each in self.sinks if each != sink], self.readers)

    def replaced(self, sink: Sink, successor: Sink) -> Fan:
        """Return the same with another sink in the place of one."""
        return Fan([successor if each == sink else each for each in self.sinks], self.readers)


class SharedCapture:
    """A capture that several listeners read, each at its own time and on its own thread.

    It is decoded once, and let go of when the last of them has had it.
    """

    __slots__ = ("_capture", "_captured", "_lock", "nbytes", "readers")

    def __init__(self, capture: Any, readers: int) -> None:
        self._capture: Any = capture
        self._captured: Any = None
        self._lock = threading.RLock()  # a finaliser may price another call, but also this one
        self.nbytes: int = capture.nbytes
        """Bytes that are held now."""
        self.readers = readers
        """How many are still to read it."""

    def take(self) -> Any:
        """Return what was captured; None where nothing of use was."""
        with self._lock:
            capture, self._capture = self._capture, None
            if capture is not None:
                self._captured = capture.take()
            captured = self._captured
            self.readers -= 1
            if self.readers <= 0:
                self._captured, self.nbytes = None, 0
            return captured
