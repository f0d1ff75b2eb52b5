"""Imports that are deferred until they are needed, mostly on recost's own thread.

If one thread forks while another one imports a module, the child can never import it: the thread that has the
module's lock is missing there. So a fork waits until such an import has ended.
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

    Modules that are imported under it must not compile code from text, as dataclasses and named tuples do.
    Otherwise the interpreter would end with exit code 1 after Ctrl-C, instead of by SIGINT.
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
    # Hooks before a fork run in reverse order of registration. A later one pauses recost's threads, which
    # may import something for that.
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
