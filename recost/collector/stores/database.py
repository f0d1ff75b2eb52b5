"""The parts that stores in databases share: one connection, and the results of a batch."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Callable, Final, Generic, Optional, TypeVar

from recost.analytics.databases.url import DatabaseError, StoreUrl, message_of
from recost.collector.stores.base import StoreError
from recost.collector.stores.queued import RETRY_AFTER_S, Pending, QueuedStore

__all__ = ["DatabaseStore"]

_AGAIN_S: Final = 1.0
"""The time after a failure in which no connection is tried."""
_Connection = TypeVar("_Connection", bound=Any)


class DatabaseStore(QueuedStore, Generic[_Connection]):
    """A database of windows.

    Args:
        url: The database. Its tables are made if they are missing.

    Raises:
        DatabaseError: It cannot be used.
    """

    def __init__(self, url: StoreUrl) -> None:
        self._url = url
        self._failed_at: Optional[float] = None
        self._connection: Optional[_Connection] = self._connected()
        super().__init__("the database is too slow")

    @abstractmethod
    def _connected(self) -> _Connection:
        """Return a new connection to a database that has the tables.

        Raises:
            DatabaseError: It cannot be used.
        """

    def _released(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _rests(self) -> bool:
        """Return True if the last failure is too recent for another connection."""
        return self._failed_at is not None and time.monotonic() - self._failed_at < _AGAIN_S

    def _refuse_while_resting(self) -> None:
        """Raise an error after a recent failure.

        Raises:
            DatabaseError: No connection is tried yet.
        """
        if self._rests():
            raise DatabaseError(self._problem or "no connection")

    def _succeed(self, windows: Sequence[Pending], is_new: Callable[[Pending], bool]) -> None:
        """Report windows that are stored."""
        self._failed_at = None
        self._report(None)
        for pending in windows:
            if is_new(pending):
                pending.succeed()
            else:
                pending.repeat()

    def _fail(self, windows: Sequence[Pending], error: Exception) -> None:
        """Report windows that were not stored."""
        if not self._rests():  # otherwise nothing was tried
            self._failed_at = time.monotonic()
        self._report(message_of(error, self._url).removeprefix("recost: "))
        failed = StoreError("the store cannot be written", RETRY_AFTER_S)
        for pending in windows:
            pending.fail(failed)
