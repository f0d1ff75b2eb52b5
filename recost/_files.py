"""Files that several processes share, or that no other user may touch: locks, private files, atomic writes.

A private file belongs to this user, has one name and mode 0600, and is opened without following a link. Its
rights are checked and set on the open descriptor, never on the path, which may name another file by then.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Callable, Final, Optional, final

if TYPE_CHECKING:
    from pathlib import Path

try:
    import fcntl as _fcntl
except ImportError:  # Windows
    _fcntl = None  # type: ignore[assignment]
try:
    import msvcrt as _msvcrt
except ImportError:  # everywhere else
    _msvcrt = None  # type: ignore[assignment]

# Any: the type checker knows each module on its own platform only.
fcntl: Any = _fcntl
msvcrt: Any = _msvcrt

__all__ = [
    "FILE_MODE",
    "FOLDER_MODE",
    "FOLLOWING_FLAGS",
    "SAFE_FLAGS",
    "LockedFile",
    "UnusableFileError",
    "acquire",
    "acquire_within",
    "copy_rights",
    "hold",
    "locked",
    "open_private",
    "open_regular",
    "reason_of",
    "release",
    "replaced",
    "replaced_path",
    "write_all",
]

FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700
_UNSUPPORTED: Final = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
_BYTE: Final = 0x7FFF_FFFE
"""msvcrt locks are mandatory: the byte that is locked lies where no data is."""
_FIRST_POLL_S: Final = 0.0005
_LONGEST_POLL_S: Final = 0.01


# O_NONBLOCK: opening a pipe that has taken the place of the file must not wait for its other end.
SAFE_FLAGS: Final[int] = sum(
    getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY")
)
FOLLOWING_FLAGS: Final[int] = SAFE_FLAGS & ~getattr(os, "O_NOFOLLOW", 0)
"""The same, through symbolic links."""


class UnusableFileError(OSError):
    """The error of a file or folder that must not be used. It has a message and no ``errno``."""


def reason_of(error: Exception) -> str:
    """Return the message of an error, of one of the system's without number and path."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def copy_rights(status: os.stat_result, path: Path) -> None:
    """Copy the mode of a replaced file to the new one, and its owner if that is permitted.

    Args:
        status: The status of the replaced file.
        path: The path of the new file.

    Raises:
        OSError: The mode can't be set.
    """
    if not hasattr(os, "geteuid"):
        return
    fd = os.open(path, os.O_WRONLY | SAFE_FLAGS)
    try:
        with suppress(OSError):  # another owner: only root can
            if (os.fstat(fd).st_uid, os.fstat(fd).st_gid) != (status.st_uid, status.st_gid):
                os.fchown(fd, status.st_uid, status.st_gid)
        os.fchmod(fd, stat.S_IMODE(status.st_mode))
    finally:
        os.close(fd)


def open_private(path: Path, flags: int, *, links: Optional[int] = 1) -> int:
    """Open a file that is this user's alone, and return its descriptor.

    Args:
        path: The path. A symbolic link is refused.
        flags: How to open it. With ``O_CREAT``, a missing file is made with mode 0600.
        links: The maximum number of names (hard links), or None for any number.

    Raises:
        OSError: It can't be opened, is not a regular file, belongs to another user or has several names.
    """
    if not hasattr(os, "O_NOFOLLOW") and path.is_symlink():
        raise UnusableFileError("it is a symbolic link, which recost does not write through")
    fd = os.open(path, flags | SAFE_FLAGS, FILE_MODE)
    try:
        _check_private(fd, links)
    except BaseException:
        os.close(fd)
        raise
    return fd


def open_regular(path: Path, flags: int) -> int:
    """Open a file of any owner, and return its descriptor.

    Raises:
        OSError: It can't be opened, or is not a regular file.
    """
    fd = os.open(path, flags | SAFE_FLAGS, FILE_MODE)
    try:
        _check_regular(fd)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _check_regular(fd: int) -> os.stat_result:
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        raise UnusableFileError("it is not a regular file")
    return status


def _check_private(fd: int, links: Optional[int]) -> None:
    status = _check_regular(fd)
    if not hasattr(os, "geteuid"):
        return
    if status.st_uid != os.geteuid():
        raise UnusableFileError("it belongs to another user")
    if links is not None and status.st_nlink > links:
        raise UnusableFileError(f"it has {status.st_nlink} names (hard links), expected one")
    if stat.S_IMODE(status.st_mode) != FILE_MODE:
        with suppress(OSError):  # a file system without modes
            os.fchmod(fd, FILE_MODE)


def acquire(fd: int) -> Optional[bool]:
    """Lock an open file without waiting.

    Returns:
        True if locked, False while another process holds the lock, None where locks are not supported.
    """
    try:
        if fcntl is not None:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        elif msvcrt is not None:
            _lock_byte(fd, "LK_NBLCK")
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
            _lock_byte(fd, "LK_UNLCK")
    except OSError:  # a file system without locks
        return


def _lock_byte(fd: int, mode: str) -> None:
    os.lseek(fd, _BYTE, os.SEEK_SET)
    msvcrt.locking(fd, getattr(msvcrt, mode), 1)


def acquire_within(
    fd: int,
    deadline: float,
    *,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Optional[bool]:
    """Lock an open file, waiting until the deadline. Return the same as `acquire`."""
    wait_s = _FIRST_POLL_S
    while True:
        acquired = acquire(fd)
        if acquired is not False or monotonic() >= deadline:
            return acquired
        sleep(wait_s)
        wait_s = min(wait_s * 2, _LONGEST_POLL_S)


@final
class LockedFile:
    """An open file, locked where that was possible. A context manager that closes it."""

    __slots__ = ("acquired", "fd", "path")

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self.fd = fd
        self.acquired: Optional[bool] = False
        """The result of `acquire`."""

    def is_current(self) -> bool:
        """Return True if the path still names this file: it may have been rotated meanwhile."""
        try:
            named = self.path.lstat()
        except FileNotFoundError:
            return False
        return os.path.samestat(named, os.fstat(self.fd))

    def __enter__(self) -> LockedFile:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the lock and close the file. A second call does nothing."""
        fd, self.fd = self.fd, -1
        if fd < 0:
            return
        try:
            if self.acquired:
                release(fd)
        finally:
            os.close(fd)


def hold(
    path: Path,
    flags: int,
    deadline: float,
    *,
    private: bool = True,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> LockedFile:
    """Open a file, and lock it unless another process holds its lock until the deadline.

    Args:
        path: The path of the file.
        flags: How to open it. With ``O_CREAT``, a missing file is made with mode 0600.
        deadline: On the monotonic clock.
        private: The file must be this user's alone.
        monotonic: For tests.
        sleep: For tests.

    Raises:
        OSError: The file can't be opened, or is not what it must be.
    """
    file = LockedFile(path, open_private(path, flags) if private else open_regular(path, flags))
    try:
        file.acquired = acquire_within(file.fd, deadline, monotonic=monotonic, sleep=sleep)
    except BaseException:
        file.close()
        raise
    return file


def write_all(fd: int, data: bytes) -> None:
    """Write all bytes at the position of the file, which may take several writes.

    Raises:
        OSError: The disk is full. Some of them may be written.
    """
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


@contextmanager
def locked(path: Path, timeout_s: float, **clock: Any) -> Iterator[bool]:
    """Lock a private file while the block runs. Yield False if another process kept the lock.

    A missing file is made. Where locks are not supported, the file counts as locked.

    Raises:
        OSError: The file can't be made or opened, or is not private.
    """
    deadline = clock.get("monotonic", time.monotonic)() + timeout_s
    with hold(path, os.O_RDWR | os.O_CREAT, deadline, **clock) as file:
        yield file.acquired is not False


@contextmanager
def replaced(path: Path) -> Iterator[int]:
    """Yield the descriptor of a new private file, which replaces ``path`` when the block succeeds.

    Only one thread of a process may do this at a time. The new file is named after the process, so that a
    file left by a crash is found and removed.

    Raises:
        OSError: It can't be written. ``path`` is as it was.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with suppress(FileNotFoundError):
        fresh.unlink()
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | SAFE_FLAGS, FILE_MODE)
    try:
        try:
            yield fd
        finally:
            os.close(fd)
        fresh.replace(path)
    except BaseException:
        with suppress(OSError):
            fresh.unlink()
        raise


@contextmanager
def replaced_path(path: Path, like: Optional[os.stat_result]) -> Iterator[Path]:
    """Yield a path for a new file, which replaces ``path`` when the block succeeds.

    It is in its own private folder, so that another user can't put a link in its place.

    Args:
        path: The file to replace. It is kept if the block removes the new file.
        like: The status of the file whose mode and owner are copied, or None for mode 0600.

    Raises:
        OSError: It can't be written. ``path`` is as it was.
    """
    import tempfile  # noqa: PLC0415 - slow to import, and commands only need it
    from pathlib import Path  # noqa: PLC0415 - the same

    with tempfile.TemporaryDirectory(prefix=f".{path.name[:40]}.", dir=path.parent) as folder:
        fresh = Path(folder, "content")
        yield fresh
        if not fresh.exists():
            return
        if like is None:
            fresh.chmod(FILE_MODE)
        else:
            copy_rights(like, fresh)
        fresh.replace(path)
