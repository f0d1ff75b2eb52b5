"""Shared parts of the framework integrations: the start of the SDK in the process that serves.

The applications of a process, however many, share one running SDK. Making an application never starts it:
that may happen in a parent that only forks workers or watches files. It starts when the process begins to
serve. An SDK that the user has started with `recost.init` is left alone.
"""

from __future__ import annotations

import threading
import weakref
from typing import Final, Optional

from recost.config import Settings
from recost.lifecycle import RecostHandle, current_handle, init
from recost.lifecycle.reporting import Reporter

__all__ = ["Serving", "serving"]


class Serving:
    """The SDK that the applications of this process share.

    A user that knows when the application begins and ends (ASGI's lifespan) calls `open` and `close`. The SDK
    ends with the last `close`. A user that only sees requests calls `join`. An SDK that a request has started
    runs until the process ends.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._users: weakref.WeakSet[object] = weakref.WeakSet()
        self._handle: Optional[RecostHandle] = None
        self._settings: Optional[Settings] = None
        self._lasting = False
        self._report = Reporter(None)
        self.epoch = 0
        """A number that grows when the shared SDK ends. Users that joined before must join again."""

    def open(self, user: object, settings: Settings) -> int:
        """Start the SDK unless one runs, for a user that will `close`. Return the epoch."""
        with self._lock:
            self._users.add(user)
            if self._handle is None or self._handle.disposed:
                self._start(settings, lasting=False)
            self._compare(settings)
            return self.epoch

    def join(self, settings: Settings) -> int:
        """Start the SDK unless one runs, for a user that only sees requests. Return the epoch.

        If it was started in this epoch and has ended, the application ended it, and it stays ended.
        """
        with self._lock:
            if self._handle is None:
                self._start(settings, lasting=True)
            self._compare(settings)
            return self.epoch

    def close(self, user: object) -> None:
        """End the SDK if it was started for users that have all closed. Blocks as its ``dispose()`` does.

        One that the application has started goes on, and is flushed: the process may end without exit hooks.
        """
        with self._lock:
            self._users.discard(user)
            last = not self._users
            ended = self._take() if last and not self._lasting else None
        if ended is not None:
            ended.dispose()
        running = current_handle() if last else None
        if running is not None:
            running.flush_blocking(running.shutdown_timeout_s)

    def end(self) -> None:
        """End the SDK if it was started here, whoever uses it. The next request starts it again."""
        with self._lock:
            ended = self._take()
        if ended is not None:
            ended.dispose()

    def _take(self) -> Optional[RecostHandle]:
        """Begin a new epoch, and return the handle of the old one."""
        handle, self._handle, self._settings, self._lasting = self._handle, None, None, False
        self.epoch += handle is not None
        return handle

    def _start(self, settings: Settings, *, lasting: bool) -> None:
        if not settings.enabled or current_handle() is not None:
            return
        try:
            self._handle = init(settings)
        except Exception as error:  # noqa: BLE001 - a request is being served: it must not fail
            Reporter(settings.on_error)(error)
        else:
            self._settings, self._lasting = settings, lasting

    def _compare(self, settings: Settings) -> None:
        if self._settings is not None and settings != self._settings and settings.enabled:
            self._report.warn(
                "recost: another application of this process has started recost with other settings, "
                "which stay active"
            )


serving: Final = Serving()
"""The one instance of this process, because recording is per process."""
