"""Queries on the files from several threads, one at a time."""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Callable, Optional, TypeVar

from recost.analytics.ingest.sources import Source, SourceError, find_sources
from recost.analytics.store import Readings, consult

__all__ = ["Desk", "StoppedError"]

_T = TypeVar("_T")


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
