"""The identity of windows: an id for each, and the process that recorded it.

A window keeps its id and its content however often it is sent, so that a collector can drop repeats. The name
of the host is often a person's, so it is not sent. Windows have a pseudonym of it, which differs by project.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Callable, Final, Optional

from recost._late import importing

if TYPE_CHECKING:
    from recost.events import Instance, WindowSummary

__all__ = ["Identity", "id_for", "new_window_id"]

_HOST_DIGITS: Final = 16


def new_window_id() -> str:
    """Return a random UUID (version 4). The module ``uuid`` would be slow to import."""
    raw = bytearray(os.urandom(16))
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    digits = raw.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def id_for(window: object) -> str:
    """Return the id that a window is first sent with: the one that it came with, else a new one."""
    given: str = getattr(window, "window_id", "")
    return given or new_window_id()


class Identity:
    """The identity of one process as windows show it.

    Args:
        project: Makes the pseudonym of the host another one in each project.
        clock: Seconds since the epoch.
    """

    def __init__(self, project: str = "", *, clock: Callable[[], float] = time.time) -> None:
        self._project = project
        self._start_ms = clock() * 1000
        self._instance: Optional[Instance] = None

    def identify(self, summary: WindowSummary, window_id: str) -> WindowSummary:
        """Return the window with its id and with this process."""
        with importing():
            from dataclasses import replace  # noqa: PLC0415 - slow to import

        return replace(summary, window_id=window_id, instance=self._described())

    def has_recorded(self, summary: WindowSummary) -> bool:
        """Return whether this process has recorded a window that was read back."""
        mine, theirs = self._described(), summary.instance
        if theirs is None or (mine.host, mine.pid) != (theirs.host, theirs.pid):
            return False
        return abs(mine.start - theirs.start) <= 1  # as it is written in whole milliseconds

    def _described(self) -> Instance:
        if self._instance is None:
            with importing():
                from recost.events import Instance  # noqa: PLC0415 - slow to import

            self._instance = Instance(_pseudonym(self._project), os.getpid(), self._start_ms)
        return self._instance


def _pseudonym(project: str) -> str:
    """Return digits that stand for this host in a project."""
    with importing():
        import hashlib  # noqa: PLC0415 - needed for the first window only
        import socket  # noqa: PLC0415 - the same

    name = f"recost\0{project}\0{socket.gethostname()}"
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:_HOST_DIGITS]
