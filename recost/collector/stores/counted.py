"""A store whose windows are counted by this collector, from its start on."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Optional

from recost.collector.spend import Spend
from recost.collector.stores.base import Store
from recost.collector.stores.counting import content_of
from recost.collector.windows import ReceivedWindow

__all__ = ["CountedStore"]


class CountedStore:
    """A store that several collectors may share, so that each counts what it has stored itself.

    Args:
        store: The store.
        spend: The counters.
    """

    def __init__(self, store: Store, spend: Spend) -> None:
        self._store = store
        self._spend = spend

    def add(self, project: str, window: ReceivedWindow) -> Future[bool]:
        """Store a window, and count it if it is new. See `Store.add`."""

        def count(done: Future[bool]) -> None:
            if done.exception() is None and done.result():
                content = content_of(window.line) if window.content is None else window.content
                if content is not None:
                    self._spend.add(project, content)

        future = self._store.add(project, window)
        future.add_done_callback(count)
        return future

    def problem(self) -> Optional[str]:
        """Return why windows are refused at present, or None if they are stored."""
        return self._store.problem()

    def close(self) -> None:
        """Store what was added, and release everything. Idempotent."""
        self._store.close()
