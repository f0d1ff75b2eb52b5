"""The store that every command reads: ``{project}.jsonl`` in one folder, as local mode writes it.

One thread appends what has come meanwhile, syncs it, and adds the ids, so that many windows share one sync. A
window counts as stored when its line is on the disk. Its id is in the line, and the index of ids is completed
from the files at the next start. So a crash at any moment neither loses a stored window nor stores one twice.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final, Optional

from recost import _files
from recost.analytics.ingest.sources import Source, SourceError, find_sources
from recost.collector.spend import Spend
from recost.collector.state import FolderError, make_state_folder
from recost.collector.stores.appending import Position, append
from recost.collector.stores.base import StoreError
from recost.collector.stores.counters import SavedCounters
from recost.collector.stores.ids import WindowIds
from recost.collector.stores.queued import RETRY_AFTER_S, Pending, QueuedStore, once
from recost.collector.stores.recovery import recover

__all__ = ["FileStore"]

_OWNED_WITHIN_S: Final = 5.0
"""The wait of a new collector for one that ends."""
_LOCK_WITHIN_S: Final = 0.1
_MAX_UNSAVED: Final = 100_000
_WRITERS: Final = 4


class FileStore(QueuedStore):
    """The files of one folder. One collector uses it at a time.

    Args:
        folder: The folder. It is made at mode 0700.
        spend: Counts what is stored. Its counters are kept in the folder.

    Raises:
        FolderError: It cannot be used, or another collector uses it.
    """

    def __init__(self, folder: Path, spend: Optional[Spend] = None) -> None:
        self._folder = folder.absolute()
        state = make_state_folder(self._folder)
        self._unsaved: dict[bytes, None] = {}
        """Ids of stored windows that the index could not take."""
        self._owner = _own(state)
        try:
            self._ids, self._counters = self._opened(state, spend)
        except BaseException:
            self._owner.close()
            raise
        self._pool = ThreadPoolExecutor(_WRITERS, "recost-collector-file")
        super().__init__("the disk is too slow", None if self._counters is None else self._counters.every_s)

    def _opened(self, state: Path, spend: Optional[Spend]) -> tuple[WindowIds, Optional[SavedCounters]]:
        """Return the index of ids and the counters, completed from the files."""
        with ExitStack() as failing:
            try:
                sources = _sources(self._folder)
                ids = WindowIds(state / "ids.sqlite")
                failing.callback(ids.close)
                recover(sources, ids)
                counters = None
                if spend is not None:
                    counters = SavedCounters(state / "counters.sqlite", spend)
                    failing.callback(counters.close)
                    counters.recover(sources)
            except OSError as error:
                path = self._folder if error.filename is None else os.fsdecode(error.filename)
                raise FolderError(f"recost: cannot use {path}: {_files.reason_of(error)}") from None
            except sqlite3.Error as error:
                raise FolderError(f"recost: cannot use the files in {state}: {error}") from None
            failing.pop_all()
            return ids, counters

    def _released(self) -> None:
        self._pool.shutdown()
        if self._counters is not None:
            self._counters.close()
        self._ids.close()
        self._owner.close()

    def _rest(self) -> None:
        if self._counters is not None:
            with suppress(sqlite3.Error):  # tried again, and at the next start they come from the files
                self._counters.save_if_due()

    def _store(self, batch: Sequence[Pending]) -> None:
        try:
            if len(self._unsaved) > _MAX_UNSAVED:
                self._save([], [])
            fresh = self._fresh(batch)
        except sqlite3.Error as error:
            self._report(f"cannot use the index of ids: {error}")
            for pending in batch:
                pending.fail(StoreError("the store has failed", RETRY_AFTER_S))
            return
        by_project: dict[str, list[Pending]] = {}
        for pending in fresh:
            by_project.setdefault(pending.project, []).append(pending)
        groups = list(by_project.items())
        results = list(self._pool.map(self._append, groups) if len(groups) > 1 else map(self._append, groups))
        stored = [each for (_, group), position in zip(groups, results) if position for each in group]
        for (project, group), position in zip(groups, results):
            if position is not None and self._counters is not None:
                self._counters.stored(project, self._path(project), [each.window for each in group], position)
        self._save([each.key for each in stored if each.key], [each for each in results if each])
        if groups and len(stored) == len(fresh) and not self._unsaved:
            self._report(None)
        for pending in stored:
            pending.succeed()

    def _fresh(self, batch: Sequence[Pending]) -> list[Pending]:
        """Return the windows that are not stored yet, each once."""
        known = self._ids.known([each.key for each in batch if each.key is not None])
        fresh = []
        for pending in once(batch):
            if pending.key is not None and (pending.key in known or pending.key in self._unsaved):
                pending.repeat()
            else:
                fresh.append(pending)
        return fresh

    def _append(self, group: tuple[str, list[Pending]]) -> Optional[Position]:
        """Append the windows of a project. Return None if that failed, which they are informed of."""
        project, windows = group
        path = self._path(project)
        try:
            return append(path, b"".join(each.line for each in windows), _LOCK_WITHIN_S)
        except OSError as error:
            self._report(f"cannot write {path}: {_files.reason_of(error)}")
            failed = StoreError("the store cannot be written", RETRY_AFTER_S)
            for pending in windows:
                pending.fail(failed)
        return None

    def _path(self, project: str) -> Path:
        return self._folder / f"{project}.jsonl"

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
