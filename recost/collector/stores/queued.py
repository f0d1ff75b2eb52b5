"""The queue before a store: one thread stores what has come meanwhile as one batch."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final, Optional

from recost._text import printable
from recost.collector.stores.base import StoreError
from recost.collector.stores.ids import key_of
from recost.collector.windows import ReceivedWindow

__all__ = ["RETRY_AFTER_S", "Pending", "QueuedStore", "once"]

RETRY_AFTER_S: Final = 5
"""Seconds after which a failed window is sent again: a disk is not emptied sooner."""
_BUSY_AFTER_S: Final = 1
_MAX_QUEUED_BYTES: Final = 64 << 20
_MAX_BATCH: Final = 2000
_CONTENT: Final = 8


@dataclass(eq=False)
class Pending:
    """A window that waits for the writer."""

    project: str
    window: ReceivedWindow
    key: Optional[bytes]
    """Its id in the index."""
    future: Future[bool] = field(default_factory=Future)
    repeats: list[Future[bool]] = field(default_factory=list)
    """Those of the same window, sent again before it was stored."""

    @property
    def line(self) -> bytes:
        """Its line, with a line feed."""
        return self.window.line + b"\n"

    @property
    def size(self) -> int:
        """Bytes of memory, about: content takes several times as much as its line."""
        return len(self.window.line) * (1 if self.window.content is None else _CONTENT)

    def __post_init__(self) -> None:
        self.future.set_running_or_notify_cancel()  # a client that leaves does not cancel it

    def fail(self, error: StoreError) -> None:
        """Report that it was not stored."""
        for future in (self.future, *self.repeats):
            future.set_exception(error)

    def succeed(self) -> None:
        """Report that it was stored."""
        self.future.set_result(True)
        for future in self.repeats:
            future.set_result(False)

    def repeat(self) -> None:
        """Report that it was known."""
        for future in (self.future, *self.repeats):
            future.set_result(False)


def once(batch: Iterable[Pending]) -> list[Pending]:
    """Return each window of a batch once, with the repeats of its id."""
    first: dict[bytes, Pending] = {}
    found = []
    for pending in batch:
        before = None if pending.key is None else first.setdefault(pending.key, pending)
        if before is None or before is pending:
            found.append(pending)
        else:
            before.repeats.append(pending.future)
    return found


class QueuedStore(ABC):
    """A store with a queue, whose thread starts with it.

    Args:
        slow: The message of a window that finds too much in the queue.
        idle_s: Seconds without a window after which `_rest` is called. None to wait without end.
    """

    def __init__(self, slow: str, idle_s: Optional[float] = None) -> None:
        self._idle_s = idle_s
        self._slow = slow
        self._problem: Optional[str] = None
        self._queue: list[Pending] = []
        self._queued_bytes = 0
        self._ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="recost-collector-store", daemon=True)
        self._thread.start()

    @abstractmethod
    def _store(self, batch: Sequence[Pending]) -> None:
        """Store windows, and set the result of each."""

    def _rest(self) -> None:  # noqa: B027 - few have anything to do
        """Run the regular tasks, after each batch and after some seconds without any."""

    @abstractmethod
    def _released(self) -> None:
        """Release everything, at the end."""

    def add(self, project: str, window: ReceivedWindow) -> Future[bool]:
        """Store a window. Its future is done when it is durable.

        Raises:
            StoreError: Too much waits, or the store is closed.
        """
        key = None if window.id is None else key_of(project, window.id)
        pending = Pending(project, window, key)
        with self._changed:
            if self._ended:
                raise StoreError("the collector is ending", _BUSY_AFTER_S)
            if self._queued_bytes > _MAX_QUEUED_BYTES:
                raise StoreError(self._slow, _BUSY_AFTER_S)
            self._queue.append(pending)
            self._queued_bytes += pending.size
            self._changed.notify()
        return pending.future

    def problem(self) -> Optional[str]:
        """Return why windows are refused at present, or None if they are stored."""
        return self._problem if self._thread.is_alive() else "the store has ended"

    def close(self) -> None:
        """Store what was added, and release everything. Idempotent."""
        with self._changed:
            if self._ended:
                return
            self._ended = True
            self._changed.notify()
        self._thread.join()
        self._released()

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            if batch:
                self._store_or_fail(batch)
            self._rest()

    def _store_or_fail(self, batch: Sequence[Pending]) -> None:
        try:
            self._store(batch)
        except Exception:  # noqa: BLE001 - the thread must go on, and each window must get its result
            traceback.print_exc()
            failed = StoreError("internal error", RETRY_AFTER_S)
            for pending in batch:
                if not pending.future.done():
                    pending.fail(failed)

    def _next(self) -> Optional[list[Pending]]:
        """Wait for windows and return them, or an empty list after some seconds. Return None at the end."""
        with self._changed:
            if not self._queue and not self._ended:
                self._changed.wait(self._idle_s)
            if not self._queue and self._ended:
                return None
            batch, self._queue = self._queue[:_MAX_BATCH], self._queue[_MAX_BATCH:]
            self._queued_bytes -= sum(pending.size for pending in batch)
            return batch

    def _report(self, problem: Optional[str]) -> None:
        """Print a problem when it begins, and its end."""
        if problem is not None and self._problem != problem:
            _print(f"{problem}. Windows are refused until that has changed.")
        elif problem is None and self._problem is not None:
            _print("windows are stored again.")
        self._problem = problem


def _print(text: str) -> None:
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    print(printable(f"recost collector: {moment} {text}"), file=sys.stderr, flush=True)  # noqa: T201 - its log
