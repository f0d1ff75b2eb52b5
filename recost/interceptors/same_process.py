"""A test for a fork that makes no system call.

Linux gives a forked child a page of zeros instead of one that is marked so, also where the fork bypasses
Python (uWSGI).
"""

from __future__ import annotations

import os
from typing import Final, Protocol

__all__ = ["same_process"]

_WIPE_ON_FORK: Final = 18
"""Advice of Linux's ``madvise``. Older versions of `mmap` have no name for it."""


class _Flag(Protocol):
    def __getitem__(self, index: int, /) -> int: ...

    def __setitem__(self, index: int, value: int, /) -> None: ...


class _ByProcessId:
    """A flag for platforms without such a page."""

    def __init__(self) -> None:
        self._pid = 0

    def __getitem__(self, index: int, /) -> int:
        return self._pid == os.getpid()

    def __setitem__(self, index: int, value: int, /) -> None:
        self._pid = os.getpid() if value else 0


def _flag() -> _Flag:
    try:
        import mmap  # noqa: PLC0415 - not everywhere

        page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        page.madvise(_WIPE_ON_FORK)
    except (ImportError, AttributeError, OSError, ValueError):
        return _ByProcessId()
    return page


same_process: Final = _flag()
"""``same_process[0]`` is true in the process that set it last."""
