"""Imports that are put off until something needs them, mostly on recost's own thread.

A module that one thread is importing while another one forks can never be imported in the child: the thread
that has the module's lock is not there. So no process forks in the midst of such an import.
"""

from __future__ import annotations

import os
import threading
from typing import Any, Final

__all__ = ["importing"]

_locks: Final[list[Any]] = [threading.RLock()]
"""One, which a forked child replaces."""
_forking: Final[list[Any]] = []
"""Locks that the forking thread holds."""


def importing() -> threading.RLock:
    """Return the lock of late imports: one thread at a time has it, and no process forks meanwhile.

    What is imported here may not run a text of code, as a dataclass and a named tuple do when they are made:
    after Ctrl-C, the interpreter would forget that this is what ended it, and end with 1 in place of SIGINT.
    """
    lock: threading.RLock = _locks[0]
    return lock


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
    # Hooks before a fork are called the latest first. What is registered later rests recost's threads, which
    # may import something for that.
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
