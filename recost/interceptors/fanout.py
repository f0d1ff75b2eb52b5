"""Combination of several listeners. Each sees what it would see alone."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Callable

from recost.interceptors._containment import contain
from recost.interceptors.exchange import Exchange, Routed, Sink, Unrouted, Wanted
from recost.interceptors.targets import Target

__all__ = ["CallAll", "FanoutSink", "Metered", "SharedCapture", "WantedByAny"]

Metered = Callable[[Target], Routed]
"""Resolves the target of a call. Called on the caller's thread when a call begins."""


class CallAll:
    """Several callables that are called in turn, until one raises."""

    def __init__(self, callables: Sequence[Callable[..., Any]]) -> None:
        self._callables = tuple(callables)

    def __call__(self, *arguments: Any) -> bool:
        """Call each with the arguments. Return True if all of them did."""
        results = [call(*arguments) for call in self._callables]
        return all(results)


class WantedByAny:
    """The union of what several listeners want to read of a call.

    Where they want different things, the call gets no route, and each listener resolves it by itself.
    """

    def __init__(self, metered: Sequence[Metered]) -> None:
        self._metered = tuple(metered)

    def __call__(self, target: Target) -> Routed:
        """Return what to read of a call."""
        routes = [metered(target) for metered in self._metered]
        found = [route.wanted for route in routes if route.wanted is not None]
        if not found:
            return routes[0]
        union = Wanted(_all(wanted.headers for wanted in found), _all(wanted.fields for wanted in found))
        return Unrouted(union)


def _all(names: Iterable[Sequence[str]]) -> Sequence[str]:
    return tuple(dict.fromkeys(chain.from_iterable(names)))


class FanoutSink:
    """A sink that passes each exchange to several sinks.

    Args:
        sinks: The sinks.
        readers: Number of them that read the capture.
    """

    def __init__(self, sinks: Sequence[Sink], readers: int) -> None:
        self.sinks = tuple(sinks)
        self.readers = readers

    def __call__(self, exchange: Exchange) -> None:
        """Pass an exchange to each sink."""
        if exchange.costs is None:
            exchange.costs = {}  # now, because later two threads could each make one
        if self.readers > 1 and exchange.capture is not None:
            exchange.capture = SharedCapture(exchange.capture, self.readers)
        for sink in self.sinks:
            try:
                sink(exchange)
            except BaseException as error:  # noqa: BLE001, PERF203 - the others must still get it
                contain(error)

    def replaced(self, sink: Sink, *successors: Sink) -> FanoutSink:
        """Return a fan with one of the sinks replaced, or removed."""
        sinks = [new for each in self.sinks for new in (successors if each == sink else (each,))]
        return FanoutSink(sinks, self.readers)


class SharedCapture:
    """A capture that several listeners read, each at its own time and on its own thread.

    It is decoded once, and released when the last of them has read it.
    """

    __slots__ = ("_capture", "_captured", "_lock", "nbytes", "readers")

    def __init__(self, capture: Any, readers: int) -> None:
        self._capture: Any = capture
        self._captured: Any = None
        self._lock = threading.RLock()  # a finaliser may price another call, or this one
        self.nbytes: int = capture.nbytes
        """Bytes in memory."""
        self.readers = readers
        """Number of listeners that have not read it yet."""

    def take(self) -> Any:
        """Return the captured response, or None if it is not usable."""
        with self._lock:
            capture, self._capture = self._capture, None
            if capture is not None:
                self._captured = capture.take()
            captured = self._captured
            self.readers -= 1
            if self.readers <= 0:
                self._captured, self.nbytes = None, 0
            return captured
