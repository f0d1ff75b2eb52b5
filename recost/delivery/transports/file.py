"""One line of JSON per window, appended to a file that several processes share.

A line is written under an exclusive lock on the file itself, so that lines never mix, whatever their size.
The file is locked and open for one append only: another tool may move it away at any time. A line that could
be written only in part is removed before the lock is released. Nothing is flushed to the disk itself, so a
power failure may lose the latest lines.
"""

from __future__ import annotations

import errno
import os
import time
from typing import TYPE_CHECKING, Callable, Final, Optional, Union

from recost import _files, _folders
from recost._late import importing
from recost.delivery.transports.base import Disposition, RetryPolicy, SendError, encode
from recost.errors import RecostError

if TYPE_CHECKING:
    from pathlib import Path

    from recost.events import WindowSummary

__all__ = ["FileTransport"]

_POSIX: Final = os.name == "posix"


class FileTransport:
    """A transport that appends to ``{directory}/{name}.jsonl``, and rotates the file.

    Args:
        directory: Made when it is missing, with its missing parents, at mode 0700.
        name: File name without ``.jsonl``.
        max_bytes: A file of this size or more is rotated before the next line: ``{name}.1.jsonl`` is the
            newest of the old ones. 0: never. A rotation that fails is passed over until the file has twice
            this size.
        backups: How many old files are kept. 0: the file is dropped when it is full.
        own_directory: The folder is recost's own: where it exists it must be this user's, and is set to 0700.
            A folder that the user has named keeps its mode, for it may hold, and serve, other things.
    """

    def __init__(
        self,
        directory: Union[str, os.PathLike[str]],
        name: str = "default",
        *,
        max_bytes: int = 64 * 1024 * 1024,
        backups: int = 3,
        own_directory: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        unsafe = not name or name.startswith(".") or any(mark in name for mark in ("/", "\\", "\0"))
        problem = _folders.check_name(name)
        if unsafe or problem:
            raise ValueError(f"recost: {name!r} is not safe as a file name{f': {problem}' * bool(problem)}")
        self.retry = RetryPolicy(retries=0, first_s=0.0, longest_s=0.0)
        self.spacing_s = 1.0
        self.max_metrics: Optional[int] = None
        given = os.fspath(directory)
        if not os.path.isabs(given):  # noqa: PTH117 - pathlib is slow to import
            given = os.path.join(os.getcwd(), given)  # noqa: PTH109, PTH118 - of this moment
        self._given = given
        self._name = name
        self._max_bytes = max_bytes
        self._backups = backups
        self._own_directory = own_directory
        self._monotonic = monotonic
        self._sleep = sleep
        self._reported: set[str] = set()

    @property
    def path(self) -> Path:
        """Path of the file."""
        return self._backup(0)

    @property
    def _directory(self) -> Path:
        with importing():
            from pathlib import Path  # noqa: PLC0415 - slow to import

        return Path(self._given)

    def __repr__(self) -> str:
        return f"FileTransport({str(self.path)!r})"

    def send(self, summary: WindowSummary, timeout_s: float) -> None:
        """Append one window.

        Raises:
            SendError: It was not written, and nothing of it is left in the file. The window is kept. The
                error is None when the same trouble was reported and no window was written since.
        """
        line = encode(summary) + b"\n"
        try:
            self._append(line, self._monotonic() + timeout_s)
        except (OSError, ValueError) as error:
            reason = self._explain(error)
        else:
            self._reported.clear()
            return
        known = reason in self._reported
        self._reported.add(reason)
        raise SendError(None if known else RecostError(reason), Disposition.WAIT)

    def gave_up(self) -> Optional[Exception]:
        """Return None: a file is never given up."""
        return None

    def close(self) -> None:
        """Do nothing: nothing is held between two windows."""

    def _append(self, line: bytes, deadline: float) -> None:
        _folders.make_folder(self._directory, own=self._own_directory)
        rotating = self._max_bytes > 0
        while True:
            with self._hold(deadline) as file:
                if file.acquired is False:
                    raise _files.UnusableFileError("another process holds its lock")
                if not file.is_current():  # it was rotated away while we waited
                    continue
                size = os.fstat(file.fd).st_size
                if not rotating or size < self._max_bytes:
                    _write(file.fd, line, alone=file.acquired is not None)
                    return
                if not _POSIX:  # a file that is open can't be renamed there, so this goes without the lock
                    file.close()
                rotating = self._rotate(size)

    def _hold(self, deadline: float) -> _files.LockedFile:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
        return _files.hold(self.path, flags, deadline, monotonic=self._monotonic, sleep=self._sleep)

    def _rotate(self, size: int) -> bool:
        """Rename the file. Return False when that failed and the file may still grow."""
        try:
            self._shift()
        except OSError:
            if size >= 2 * self._max_bytes:
                raise
            return False
        return True

    def _shift(self) -> None:
        if self._backups <= 0:
            self.path.unlink()
            return
        # If a number is missing after a crash or a deletion, the shift ends there, and nothing is dropped.
        last = next((i for i in range(1, self._backups) if not self._exists(i)), self._backups)
        if self._exists(last):
            self._backup(last).unlink()
        for index in range(last, 0, -1):
            self._backup(index - 1).rename(self._backup(index))

    def _exists(self, index: int) -> bool:
        return os.path.lexists(self._backup(index))

    def _backup(self, index: int) -> Path:
        """Return the path of a rotated file. 1 is the newest, 0 is the file itself."""
        return self._directory / (f"{self._name}.{index}.jsonl" if index else f"{self._name}.jsonl")

    def _explain(self, error: Exception) -> str:
        path, reason = self.path, str(error)
        if isinstance(error, OSError):
            path = type(path)(os.fsdecode(error.filename2 or error.filename or path))
            reason = _files.reason_of(error)
            if error.errno in {errno.ELOOP, errno.EMLINK} and path.is_symlink():
                reason = "it is a symbolic link, which recost does not write through"
            elif error.errno == errno.EISDIR or (not _POSIX and path.is_dir()):
                reason = "it is a folder"
            elif error.errno == errno.EEXIST and path in self.path.parents:
                reason = "it is not a folder"
        return f"recost: cannot write {path}: {reason}; RECOST_LOCAL_DIR chooses another folder"


def _write(fd: int, line: bytes, *, alone: bool) -> None:
    """Append the whole line, or nothing.

    Without a lock, an incomplete line at the end may be another process's, and stays as it is.
    """
    start = os.lseek(fd, 0, os.SEEK_END)
    if start and alone:
        os.lseek(fd, start - 1, os.SEEK_SET)
        if os.read(fd, 1) != b"\n":  # torn by a crash, or by another tool: our line must be whole
            line = b"\n" + line
    view, written = memoryview(line), 0
    try:
        while written < len(view):
            written += os.write(fd, view[written:])
    except BaseException:  # a full disk, or an interrupt when this is the main thread
        if written and alone and os.fstat(fd).st_size == start + written:
            os.ftruncate(fd, start)
        raise
