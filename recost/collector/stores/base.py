"""The Protocol of a store, and its error."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Optional, Protocol

from recost.collector.windows import ReceivedWindow

__all__ = ["Store", "StoreError"]


class StoreError(Exception):
    """The error of a window that was not stored. Nothing of it is left in the store.

    Attributes:
        retry_after_s: Whole seconds after which another attempt may succeed.
    """

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Store(Protocol):
    """A place for windows that keeps each ``windowId`` once."""

    def add(self, project: str, window: ReceivedWindow) -> Future[bool]:
        """Store a window.

        Returns:
            A future that is done when the window is durable: True if it is new, False if its id is known. Its
            exception is a `StoreError`.

        Raises:
            StoreError: The store is busy or closed.
        """
        ...

    def problem(self) -> Optional[str]:
        """Return why windows are refused at present, or None if they are stored."""
        ...

    def close(self) -> None:
        """Store what was added, and release everything. Idempotent."""
        ...
