"""Queries on the files from several threads, one at a time."""

from __future__ import annotations

import hashlib
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, Callable, Final, Optional, TypeVar

from recost.analytics.databases.reading import database
from recost.analytics.databases.url import DatabaseError, StoreUrl
from recost.analytics.databases.windows import state
from recost.analytics.ingest.sources import Source, SourceError, find_sources
from recost.analytics.store import Readings, consult

__all__ = ["DatabaseDesk", "Desk", "StoppedError"]

_T = TypeVar("_T")
_LOOK_EVERY_S: Final = 1.0


class StoppedError(Exception):
    """The end of a query because the server stops."""


class Desk(AbstractContextManager["Desk"]):
    """Queries on some files. The columnar copy is locked for one query at a time.

    Args:
        arguments: Paths, as for `find_sources`.
        folder: The telemetry folder.
        keep: Whether the columnar copy is kept. Otherwise it is removed at the end.
    """

    def __init__(self, arguments: Sequence[str], folder: Path, *, keep: bool = True) -> None:
        self.folder = folder
        self._arguments = arguments
        self._own = None if keep else tempfile.TemporaryDirectory(prefix="recost-")
        self._turn = threading.Lock()
        self._connection: Any = None
        self._stopped = False

    def __exit__(self, *_: object) -> None:
        if self._own is not None:
            self._own.cleanup()

    def sources(self) -> Sequence[Source]:
        """Return the present files. The list may be empty if no path was given."""
        try:
            return find_sources(self._arguments, self.folder)
        except SourceError:
            if self._arguments:
                raise
            return []

    def arguments(self) -> Sequence[str]:
        """Return the paths that are read."""
        return self._arguments

    @property
    def place(self) -> str:
        """The folder or the database, for people."""
        return str(self.folder)

    @property
    def budgets_folder(self) -> Optional[Path]:
        """The folder whose budgets are shown. None if other files are."""
        return None if self._arguments else self.folder

    def is_empty(self) -> bool:
        """Return True if nothing is recorded yet."""
        return not self.sources()

    def ask(self, use: Callable[[Readings], _T]) -> _T:
        """Return the result of ``use`` on the files.

        Raises:
            StoppedError: `stop` was called.
            SourceError: Files are missing or cannot be read.
        """
        arguments, folder = self.arguments(), self.folder
        if self._own is not None:
            arguments, folder = arguments or [str(folder)], Path(self._own.name)

        def using(found: Readings) -> _T:
            self.begin(found.connection)
            return use(found)

        with self._turn:
            try:
                return consult(arguments, folder, using, self)
            except RuntimeError:
                if self._stopped:  # DuckDB raises it when interrupted
                    raise StoppedError from None
                raise
            finally:
                self._connection = None

    def state(self) -> str:
        """Return a digest that changes with the files."""
        digest = hashlib.sha256()
        for source in self.sources():
            try:
                status = source.path.stat()
            except FileNotFoundError:  # rotated at this moment
                continue
            seen = (str(source.path), status.st_ino, status.st_size, status.st_mtime_ns)
            digest.update(repr(seen).encode())
        return digest.hexdigest()[:16]

    def stop(self) -> None:
        """Interrupt the running query, and refuse others."""
        self._stopped = True
        connection = self._connection
        if connection is not None:
            connection.interrupt()

    def expect(self, size: int) -> None:
        """Ignore the size of what is read."""

    def begin(self, connection: Any, name: str = "", size: Optional[int] = None) -> None:  # noqa: ARG002
        """Remember the connection, so that `stop` can interrupt it."""
        if self._stopped:
            raise StoppedError
        self._connection = connection


class DatabaseDesk(Desk):
    """Queries on a database.

    Args:
        url: The database.
        folder: The telemetry folder, which is not read.
    """

    def __init__(self, url: StoreUrl, folder: Path) -> None:
        super().__init__((), folder)
        self._url = url
        self._state = ""
        self._looked_at = float("-inf")

    @property
    def place(self) -> str:
        """The database, for people."""
        return str(self._url)

    @property
    def budgets_folder(self) -> Optional[Path]:
        """None: a database has no budgets."""
        return None

    def is_empty(self) -> bool:
        """Return False: a database says itself that nothing is recorded."""
        return False

    def ask(self, use: Callable[[Readings], _T]) -> _T:
        """Return the result of ``use`` on the database.

        Raises:
            StoppedError: `stop` was called.
            DatabaseError: The database cannot be used.
        """
        with self._turn:
            try:
                with database(self._url, self.begin) as found:
                    return use(found)
            except DatabaseError:
                if self._stopped:  # the statement was cancelled
                    raise StoppedError from None
                raise
            finally:
                self._connection = None

    def state(self) -> str:
        """Return a text that changes with the windows, at most once a second."""
        if time.monotonic() - self._looked_at >= _LOOK_EVERY_S:
            self._looked_at = time.monotonic()
            with suppress(DatabaseError), database(self._url) as found:
                self._state = hashlib.sha256(state(found).encode()).hexdigest()[:16]
        return self._state

    def stop(self) -> None:
        """Cancel the running query, and refuse others."""
        self._stopped = True
        connection = self._connection
        if connection is not None:
            connection.cancel()
