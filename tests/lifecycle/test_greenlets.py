"""Locks of another kind, as gevent and eventlet put in place; with these libraries: `test_runtimes`."""

from __future__ import annotations

import _thread
import threading
import urllib.request
from pathlib import Path
from typing import Any, Final

import pytest

import recost
from tests.loopback import Loopback


class GreenLock:
    """A lock of a kind that `threading` does not make by itself."""

    waiters: Final[list[str]] = []
    """The threads that have waited with a time-out."""

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()
        self.release = self._lock.release
        self.locked = self._lock.locked

    def acquire(self, *arguments: Any, **options: Any) -> bool:
        if "timeout" in options:
            self.waiters.append(threading.current_thread().name)
        return self._lock.acquire(*arguments, **options)

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


def test_threads_that_start_after_the_patching_wait_for_locks_of_the_new_kind(
    server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with recost.init(local_dir=tmp_path) as handle:
        monkeypatch.setattr(threading, "Lock", GreenLock)
        urllib.request.urlopen(server.url + "/plain").read()
        assert handle.flush_blocking()
        assert "recost-worker" in GreenLock.waiters
        monkeypatch.undo()
