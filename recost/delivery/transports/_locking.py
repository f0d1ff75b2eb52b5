"""An exclusive lock on an open file that other processes respect, on whatever this platform has."""

from __future__ import annotations

import errno
import os
from typing import Any, Final, Optional

try:
    import fcntl as _fcntl
except ImportError:  # Windows
    _fcntl = None  # type: ignore[assignment]
try:
    import msvcrt as _msvcrt
except ImportError:  # everywhere else
    _msvcrt = None  # type: ignore[assignment]

# Any: what one platform's module has, the type checker knows only there.
fcntl: Any = _fcntl
msvcrt: Any = _msvcrt

__all__ = ["acquire", "release"]

_UNSUPPORTED: Final = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
_BYTE: Final = 0x7FFF_FFFE
"""msvcrt locks are mandatory: the byte that is locked lies where no data is."""


def acquire(fd: int) -> Optional[bool]:
    """Lock the file without waiting; False while another process holds it.

    None where the platform or the file system has no locks: what is left then is O_APPEND.
    """
    try:
        if fcntl is not None:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        elif msvcrt is not None:
            _windows(fd, "LK_NBLCK")
        else:
            return None
    except OSError as error:
        return None if error.errno in _UNSUPPORTED else False
    return True


def release(fd: int) -> None:
    """Unlock the file.

    Closing it is not enough: a child that was forked meanwhile holds the same lock through its copy of the
    descriptor, and would keep it.
    """
    try:
        if fcntl is not None:
            fcntl.flock(fd, fcntl.LOCK_UN)
        elif msvcrt is not None:
            _windows(fd, "LK_UNLCK")
    except OSError:  # a file system without locks
        return


def _windows(fd: int, mode: str) -> None:
    os.lseek(fd, _BYTE, os.SEEK_SET)
    msvcrt.locking(fd, getattr(msvcrt, mode), 1)
