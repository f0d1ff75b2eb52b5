"""The store that every command reads: ``{project}.jsonl`` in one folder, as local mode writes it.

One thread appends what has come meanwhile, syncs it, and adds the ids, so that many windows share one sync. A
window counts as stored when its line is on the disk. Its id is in the line, and the index of ids is completed
from the files at the next start. So a crash at any moment neither loses a stored window nor stores one twice.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Optional

from recost import _files
from recost._text import printable
from recost.analytics.ingest.sources import Source, SourceError, find_sources
from recost.collector.state import FolderError, make_state_folder
from recost.collector.stores.appending import Position, append
from recost.collector.stores.base import StoreError
from recost.collector.stores.ids import WindowIds, key_of
from recost.collector.stores.recovery import recover
from recost.collector.windows import Window

__all__ = ["FileStore"]

_OWNED_WITHIN_S: Final = 5.0
"""The wait of a new collector for one that ends."""
_LOCK_WITHIN_S: Final = 0.1
_RETRY_AFTER_S: Final = 5
"""Seconds after which a failed window is sent again: a disk is not emptied sooner."""
_BUSY_AFTER_S: Final = 1
_MAX_QUEUED_BYTES: Final = 64 << 20
_MAX_BATCH: Final = 2000
_MAX_UNSAVED: Final = 100_000
_WRITERS: Final = 4


@dataclass(eq=False)
class _Pending:
    """A window that waits for the writer."""

    project: str
    line: bytes
    key: Optional[bytes]
    """Its id in the index."""
    future: Future[bool] = field(default_factory=Future)
    repeats: list[Future[bool]] = field(default_factory=list)
    """Those of the same window, sent again before it was stored."""

    def __post_init__(self) -> None:
        self.future.set_running_or_notify_cancel()  # a client that leaves does not cancel it

    def fail(self, error: StoreError) -> None:
        for future in (self.future, *self.repeats):
            future.set_exception(error)

    def succeed(self) -> None:
        self.future.set_result(True)
        for future in self.repeats:
            future.set_result(False)


class FileStore:
    """The files of one folder. One collector uses it at a time.

    Args:
        folder: The folder. It is made at mode 0700.

    Raises:
        FolderError: It cannot be used, or another collector uses it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        state = make_state_folder(self._folder)
        self._unsaved: dict[bytes, None] = {}
        """Ids of stored windows that the index could not take."""
        self._problem: Optional[str] = None
        self._queue: list[_Pending] = []
        self._queued_bytes = 0
        self._ended = False
        self._changed = threading.Condition()
        self._owner = _own(state)
        try:
            self._ids = self._opened(state)
        except BaseException:
            self._owner.close()
            raise
        self._pool = ThreadPoolExecutor(_WRITERS, "recost-collector-file")
        self._thread = threading.Thread(target=self._run, name="recost-collector-store", daemon=True)
        self._thread.start()

    def _opened(self, state: Path) -> WindowIds:
        """Return the index of ids, completed from the files."""
        try:
            ids = WindowIds(state / "ids.sqlite")
            try:
                recover(_sources(self._folder), ids)
            except BaseException:
                ids.close()
                raise
        except OSError as error:
            path = self._folder if error.filename is None else os.fsdecode(error.filename)
            raise FolderError(f"recost: cannot use {path}: {_files.reason_of(error)}") from None
        except sqlite3.Error as error:
            raise FolderError(f"recost: cannot use {state / 'ids.sqlite'}: {error}") from None
        return ids

    def add(self, project: str, window: Window) -> Future[bool]:
        """Store a window. Its future is done when the line is on the disk.

        Raises:
            StoreError: Too much waits for the disk, or the store is closed.
        """
        key = None if window.id is None else key_of(project, window.id)
        pending = _Pending(project, window.line + b"\n", key)
        with self._changed:
            if self._ended:
                raise StoreError("the collector is ending", _BUSY_AFTER_S)
            if self._queued_bytes > _MAX_QUEUED_BYTES:
                raise StoreError("the disk is too slow", _BUSY_AFTER_S)
            self._queue.append(pending)
            self._queued_bytes += len(pending.line)
            self._changed.notify()
        return pending.future

    def problem(self) -> Optional[str]:
        """Return why windows are refused at present, or None if they are stored."""
        return self._problem if self._thread.is_alive() else "the store has ended"

    def close(self) -> None:
        """Store what was added, and release the folder."""
        with self._changed:
            if self._ended:
                return
            self._ended = True
            self._changed.notify()
        self._thread.join()
        self._pool.shutdown()
        self._ids.close()
        self._owner.close()

    def _run(self) -> None:
        while batch := self._next():
            self._store_or_fail(batch)

    def _store_or_fail(self, batch: Sequence[_Pending]) -> None:
        try:
            self._store(batch)
        except Exception:  # noqa: BLE001 - the thread must go on, and each window must get its result
            traceback.print_exc()
            failed = StoreError("internal error", _RETRY_AFTER_S)
            for pending in batch:
                if not pending.future.done():
                    pending.fail(failed)

    def _next(self) -> list[_Pending]:
        """Wait for windows and return them, or an empty list at the end."""
        with self._changed:
            while not self._queue and not self._ended:
                self._changed.wait()
            batch, self._queue = self._queue[:_MAX_BATCH], self._queue[_MAX_BATCH:]
            self._queued_bytes -= sum(len(pending.line) for pending in batch)
            return batch

    def _store(self, batch: Sequence[_Pending]) -> None:
        try:
            if len(self._unsaved) > _MAX_UNSAVED:
                self._save([], [])
            fresh = self._fresh(batch)
        except sqlite3.Error as error:
            self._report(f"cannot use the index of ids: {error}")
            for pending in batch:
                pending.fail(StoreError("the store has failed", _RETRY_AFTER_S))
            return
        by_project: dict[str, list[_Pending]] = {}
        for pending in fresh:
            by_project.setdefault(pending.project, []).append(pending)
        groups = list(by_project.items())
        results = list(self._pool.map(self._append, groups) if len(groups) > 1 else map(self._append, groups))
        stored = [each for (_, group), position in zip(groups, results) if position for each in group]
        self._save([each.key for each in stored if each.key], [each for each in results if each])
        for pending in stored:
            pending.succeed()
        if groups and len(stored) == len(fresh) and not self._unsaved:
            self._report(None)

    def _fresh(self, batch: Sequence[_Pending]) -> list[_Pending]:
        """Return the windows that are not stored yet, each once."""
        known = self._ids.known([each.key for each in batch if each.key is not None])
        first: dict[bytes, _Pending] = {}
        fresh = []
        for pending in batch:
            if pending.key is None:
                fresh.append(pending)
            elif pending.key in known or pending.key in self._unsaved:
                pending.future.set_result(False)
            elif pending.key in first:
                first[pending.key].repeats.append(pending.future)
            else:
                first[pending.key] = pending
                fresh.append(pending)
        return fresh

    def _append(self, group: tuple[str, list[_Pending]]) -> Optional[Position]:
        """Append the windows of a project. Return None if that failed, which they are informed of."""
        project, windows = group
        path = self._folder / f"{project}.jsonl"
        try:
            return append(path, b"".join(each.line for each in windows), _LOCK_WITHIN_S)
        except OSError as error:
            self._report(f"cannot write {path}: {_files.reason_of(error)}")
            failed = StoreError("the store cannot be written", _RETRY_AFTER_S)
            for pending in windows:
                pending.fail(failed)
        return None

    def _save(self, keys: Sequence[bytes], positions: Sequence[Position]) -> None:
        """Add ids to the index, or remember them if that fails: their windows are stored all the same.

        Raises:
            sqlite3.Error: It fails, and nothing was stored.
        """
        keys = [*self._unsaved, *keys]
        if not positions and not keys:
            return
        try:
            self._ids.add(keys, positions)
        except sqlite3.Error as error:
            if not positions:
                raise
            self._unsaved.update(dict.fromkeys(keys))
            self._report(f"cannot write the index of ids: {error}")
        else:
            self._unsaved.clear()

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


def _own(state: Path) -> _files.LockedFile:
    path = state / "lock"
    try:
        file = _files.hold(path, os.O_RDWR | os.O_CREAT, time.monotonic() + _OWNED_WITHIN_S)
    except OSError as error:
        raise FolderError(f"recost: cannot use {path}: {_files.reason_of(error)}") from None
    if file.acquired is False:
        file.close()
        raise FolderError(f"recost: another collector uses {state.parent}: expected one for each folder")
    return file


def _sources(folder: Path) -> Sequence[Source]:
    try:
        return find_sources([str(folder)], folder)
    except SourceError:
        return []
