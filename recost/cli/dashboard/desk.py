"""Questions to the files from several threads: one at a time, each on files as they are then."""

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
    """The server ends, and so did a question."""


class Desk(AbstractContextManager["Desk"]):
    """Answers questions about some files; holds the columnar copy's lock for the length of one only.

    Args:
        arguments: See `find_sources`.
        folder: The telemetry folder.
        keep: False: the columnar copy is of this process, and goes with it.
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
        """Return the files that there are now; none is no error as long as none was named."""
        try:
            return find_sources(self._arguments, self.folder)
        except SourceError:
            if self._arguments:
                raise
            return []

    def ask(self, use: Callable[[Readings], _T]) -> _T:
        """Return what ``use`` makes of the files.

        Raises:
            StoppedError: `stop` was called.
            SourceError: Nothing is there, or a file cannot be read.
        """
        arguments, folder = self._arguments, self.folder
        if self._own is not None:
            arguments, folder = arguments or [str(folder)], Path(self._own.name)

        def using(found: Readings) -> _T:
            self.begin(found.connection)
            return use(found)

        with self._turn:
            try:
                return consult(arguments, folder, using, self)
            except RuntimeError:
                if self._stopped:  # DuckDB's word for what was interrupted
                    raise StoppedError from None
                raise
            finally:
                self._connection = None

    def state(self) -> str:
        """Return a text that is another one as soon as a file has changed."""
        digest = hashlib.sha256()
        for source in self.sources():
            try:
                status = source.path.stat()
            except FileNotFoundError:  # rotated this moment
                continue
            seen = (str(source.path), status.st_ino, status.st_size, status.st_mtime_ns)
            digest.update(repr(seen).encode())
        return digest.hexdigest()[:16]

    def stop(self) -> None:
        """End the question that is being answered, and refuse any other."""
        self._stopped = True
        connection = self._connection
        if connection is not None:
            connection.interrupt()

    def expect(self, size: int) -> None:
        """Take note of how much is read; nobody is told."""

    def begin(self, connection: Any, name: str = "", size: Optional[int] = None) -> None:  # noqa: ARG002
        """Remember what is to be interrupted."""
        if self._stopped:
            raise StoppedError
        self._connection = connection
