"""Imports that are deferred until they are needed, mostly on recost's own thread.

If one thread forks while another one imports a module, the child can never import it: the thread that has the
module's lock is missing there. So a fork waits until such an import has ended.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from typing import Any, Final

__all__ = ["compiled_text", "importing", "keep_interrupted"]

_locks: Final[list[Any]] = [threading.RLock()]
"""One, which a forked child replaces."""
_forking: Final[list[Any]] = []
"""Locks that the forking thread holds."""
_compiled: Final[list[bool]] = []
"""Not empty once code has been compiled from text."""


def importing() -> threading.RLock:
    """Return the lock of late imports: one thread at a time has it, and no process forks meanwhile.

    Call `compiled_text` after an import of modules that compile code from text, as dataclasses and named
    tuples do.
    """
    lock: threading.RLock = _locks[0]
    return lock


def compiled_text() -> None:
    """Note that code has been compiled from text."""
    _compiled[:] = [True]


def keep_interrupted() -> None:
    """End the process by SIGINT after Ctrl-C, if recost has compiled text.

    The interpreter notes that Ctrl-C ends it, and forgets it when code is compiled from text anywhere. Then
    it would end with exit code 1.
    """
    if not _compiled or not _ends_by_interrupt():
        return
    with suppress(KeyboardInterrupt):
        exec("raise KeyboardInterrupt", {})  # noqa: S102 - this has the interpreter note it again


def _ends_by_interrupt() -> bool:
    """Return True if nothing in the main program has caught the latest Ctrl-C."""
    traceback = getattr(sys, "last_traceback", None)
    if getattr(sys, "last_type", None) is not KeyboardInterrupt or traceback is None or hasattr(sys, "ps1"):
        return False
    return traceback.tb_frame.f_globals.get("__name__") in {"__main__", "runpy"}


def _before_fork() -> None:
    lock = _locks[0]
    lock.acquire()
    _forking.append(lock)


def _after_fork_in_parent() -> None:
    if _forking:  # else Ctrl-C came while it waited
        _forking.pop().release()


def _after_fork_in_child() -> None:
    _forking.clear()
    _locks[0] = threading.RLock()


if hasattr(os, "register_at_fork"):
    # Hooks before a fork run in reverse order of registration. A later one pauses recost's threads, which
    # may import something for that.
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
