"""Helpers for tests of applications: the calls that code makes, and the windows that recost makes of them.

    from recost.testing import capture_calls

    def test_asks_once():
        with capture_calls() as calls:
            answer_question("What does this call cost?")
        assert [(call.provider, call.status_code) for call in calls] == [("openai", 200)]

Nothing is read from the environment, written or sent. The only file that is read is a given
``providers_file``. An SDK that is running in the same process is not affected. Both helpers may be nested,
and used in tests of async code.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Final, Optional

from recost.config import Settings, resolve
from recost.delivery.transports.memory import MemoryTransport
from recost.events import RawEvent, WindowSummary
from recost.interceptors import interception
from recost.interceptors.exchange import Exchange
from recost.lifecycle import priced_by
from recost.lifecycle.compose import Composition
from recost.lifecycle.reporting import Reporter

if TYPE_CHECKING:
    from recost.budgets.enforcer import BudgetEnforcer
    from recost.lifecycle.runtime import Runtime

__all__ = ["CapturedWindows", "capture_calls", "capture_windows"]

_numbers: Final = itertools.count()
_UNHURRIED: Final = {"flush_interval_ms": 2**31 - 1, "max_batch_size": 2**31 - 1}
"""Settings by which windows are closed only by the test."""
_ADD_UP_EVERY: Final = 1000
_FLUSH_WITHIN_S: Final = 10.0
_REPORTING_S: Final = 1.0


@contextmanager
def capture_calls(**options: Any) -> Iterator[list[RawEvent]]:
    """Yield a list of the outbound HTTP calls of the block, in the order in which they ended.

    A call is in the list before the client returns. One with a streamed response is added when its body ends.
    ``provider`` and ``endpoint_category`` are filled in, as in a summary. ``url`` and ``path`` are as called.

    Where neither `recost.init` nor `capture_windows` is active, `recost.track` and `recost.cost_for` price
    by the settings given here. Budgets hold for the block, as in `capture_windows`.

    Args:
        **options: Settings as for `recost.init`: ``custom_providers``, ``exclude_hosts`` and the like.

    Raises:
        ValueError: A setting is not valid.
        RecostBudgetExceededError: Out of a call in the block that a budget refuses.
    """
    calls: list[RawEvent] = []
    settings = resolve(None, {**options, **_UNHURRIED}, {})
    if not settings.enabled:
        yield calls
        return
    name = f"testing-{next(_numbers)}"
    with _recording(settings, [], last=True) as recording:
        interception.add(name, _Labeller(recording.composition, calls, recording.report))
        try:
            yield calls
        finally:
            interception.remove(name)


class CapturedWindows(list[WindowSummary]):
    """The windows that were flushed so far.

    Attributes:
        errors: What ``on_error`` would have received.
    """

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[Exception] = []
        self._flush: Callable[[float], object] = lambda _timeout_s: None

    def flush(self) -> None:
        """Append a window of the calls that ended since the last flush, if there are any."""
        self._flush(_FLUSH_WITHIN_S)


@contextmanager
def capture_windows(**options: Any) -> Iterator[CapturedWindows]:
    """Run the SDK for the length of a block, with a list as its destination. The last flush is at the end.

    No thread that flushes is started: only `CapturedWindows.flush` and the end of the block flush. Where no
    `recost.init` is active, `recost.track` and `recost.cost_for` price by the settings given here. Budgets
    hold for the block, and spending is not kept in a file.

    Args:
        **options: Settings as for `recost.init`, except those for where and when windows are sent.

    Raises:
        ValueError: A setting is not valid.
        RecostBudgetExceededError: Out of a call in the block that a budget refuses.
    """
    windows = CapturedWindows()
    settings = resolve(None, {"on_error": windows.errors.append, **options, **_UNHURRIED}, {})
    if not settings.enabled:
        yield windows
        return
    with _recording(settings, windows) as recording:
        windows._flush = recording.flush  # noqa: SLF001 - a class of this module
        yield windows


@dataclass(frozen=True)
class _Recording:
    """The SDK of a block."""

    composition: Composition
    report: Reporter
    flush: Callable[[float], None]


@contextmanager
def _recording(
    settings: Settings, windows: list[WindowSummary], *, last: bool = False
) -> Iterator[_Recording]:
    """Run the SDK for the length of a block, as `recost.init` wires it, and flush at its end.

    Args:
        settings: The result of `recost.config.resolve`.
        windows: The destination.
        last: `recost.cost_for` prices by these settings only where nothing else prices.
    """
    transport = MemoryTransport()
    transport.windows = windows
    report = Reporter(settings.on_error)
    composition = Composition(settings, report, transport=transport, files=False)
    runtime = composition.runtime()
    flush = partial(_flush, runtime, composition.enforcer)
    name = f"testing-{next(_numbers)}"
    runtime.listen(name, _AddUpRegularly(runtime.worker.turn))
    try:
        with priced_by(runtime.cost_of, last=last):
            yield _Recording(composition, report, flush)
    finally:
        interception.remove(name)
        flush(_FLUSH_WITHIN_S)
        report.notifier.close(time.monotonic() + _REPORTING_S)


def _flush(runtime: Runtime, enforcer: Optional[BudgetEnforcer], timeout_s: float) -> None:
    if enforcer is not None:
        enforcer.turn(everything=True)  # no thread of its own has counted and reported
    runtime.flush(timeout_s)


class _AddUpRegularly:
    """A hook that adds up recorded calls before the inbox, which no thread empties, is full."""

    def __init__(self, add_up: Callable[[], None]) -> None:
        self._add_up = add_up
        self._calls = itertools.count(1)

    def __call__(self) -> bool:
        if next(self._calls) % _ADD_UP_EVERY == 0:
            self._add_up()
        return False  # at each call


class _Labeller:
    """A sink that appends each call to a list, with its provider and endpoint.

    A call may end inside the garbage collector, on a thread that is in here already: hence the queue.
    """

    def __init__(self, composition: Composition, calls: list[RawEvent], report: Reporter) -> None:
        self._report = report
        self._lock = threading.RLock()
        self._busy = False
        self._queue: deque[Exchange] = deque()
        self._calls = calls
        self._labelled: list[RawEvent] = []
        self._pipeline = composition.pipeline(self._labelled.append, lambda _window: None)

    def __call__(self, exchange: Exchange) -> None:
        self._queue.append(exchange)
        with self._lock:
            if self._busy:
                return
            self._busy = True
            try:
                while self._queue:
                    self._append(self._queue.popleft())
                self._pipeline.take()
            except Exception as error:  # noqa: BLE001 - a sink must not fail the call
                self._report(error)
            finally:
                self._busy = False

    def _append(self, exchange: Exchange) -> None:
        self._pipeline.process(exchange)
        if self._labelled:  # else it is excluded
            label = self._labelled.pop()
            event = exchange.to_event()  # with the path as it was called: a test may want to know
            self._calls.append(
                replace(event, provider=label.provider, endpoint_category=label.endpoint_category)
            )
