"""Progress bars on stderr, where it is a terminal."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from typing import Any, Final, Optional, TypeVar

from recost._text import printable
from recost.analytics import engine

__all__ = ["ReadingBar", "watched"]

_T = TypeVar("_T")
_SHOWN_AFTER_S: Final = 0.7
_EVERY_S: Final = 0.1


def watched(rows: Iterable[_T], what: str, total: Optional[int] = None) -> Iterator[_T]:
    """Yield the rows behind a bar that is removed at the end.

    Args:
        rows: A sequence, or anything else with ``total``.
        what: The work, for people.
        total: The number of rows.
    """
    if not sys.stderr.isatty():
        yield from rows
        return
    try:
        from rich.console import Console  # noqa: PLC0415 - only where it draws
        from rich.progress import track  # noqa: PLC0415
    except ImportError:
        yield from rows
        return
    yield from track(rows, what, total, console=Console(stderr=True), transient=True)


class ReadingBar:
    """A bar for reading files, shown when it takes a while."""

    def __init__(self) -> None:
        self._total = self._done = self._size = 0
        self._name = ""
        self._connection: Any = None
        self._stop = threading.Event()
        self._thread: Optional[threading.Thread] = None

    def __enter__(self) -> ReadingBar:  # noqa: PYI034 - the class has no subclasses
        if sys.stderr.isatty():
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def expect(self, size: int) -> None:
        self._total = size

    def begin(self, connection: Any, name: str, size: int) -> None:
        self._done += self._size
        self._connection, self._name, self._size = connection, name, size

    def end(self) -> None:
        """Remove the bar."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        if self._stop.wait(_SHOWN_AFTER_S) or not self._total:
            return
        try:
            from rich.console import Console  # noqa: PLC0415 - most commands end before
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415
        except ImportError:
            return

        columns = (TextColumn("reading {task.description}", markup=False), BarColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(printable(self._name), total=self._total)
            while not self._stop.wait(_EVERY_S):
                bar.update(task, description=printable(self._name), completed=self._completed())

    def _completed(self) -> float:
        try:
            share = 0.0 if self._connection is None else max(0.0, self._connection.query_progress())
        except engine.errors():  # closed after an error that is reported elsewhere
            share = 0.0
        return self._done + self._size * min(share, 100.0) / 100
