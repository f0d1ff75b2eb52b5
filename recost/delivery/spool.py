"""Windows on disk that have not arrived: one file a process, taken over when its process has ended.

The files of a project and destination lie in the local folder. `SpoolFile` says how one is read, and who owns
it. All work happens on recost's thread, and at the end of the process.
"""

from __future__ import annotations

import os
import re
import threading
import time
from contextlib import suppress
from heapq import nsmallest
from typing import TYPE_CHECKING, Any, Callable, Final, Optional, TypeVar

from recost import _files, _folders
from recost._late import compiled_text, importing
from recost.delivery.losses import Loss
from recost.delivery.transports.base import SendError, encode
from recost.errors import RecostError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from recost.delivery.spool_file import SpoolFile
    from recost.events import WindowSummary

__all__ = ["Spool", "SpooledWindow"]

_MAX_FILE_BYTES: Final = 16 << 20
_MAX_BYTES: Final = 64 << 20
"""Limit on all files of a project and destination."""
_MAX_AGE_S: Final = 7 * 86_400.0
"""Limit on the age of a window. A collector remembers ids for as long."""
_SCAN_S: Final = 60.0
"""Seconds between two searches for files whose processes have ended."""
_TIME_DIGITS: Final = 12
_TAIL: Final = len("0123456789ab01234567.spool")
"""Length of a name behind project and destination: milliseconds since the epoch, random digits, suffix."""
_TRIES: Final = 3
_PART_BYTES: Final = 20
"""Bytes of the line of a part beside its JSON."""
_MAX_FILES: Final = 10_000
"""Number of files, the oldest ones, that one search looks at."""
_Result = TypeVar("_Result")


class SpooledWindow:
    """A window of the spool, and its place there."""

    __slots__ = ("file", "place", "summary", "uncertain")

    def __init__(self, summary: WindowSummary, file: SpoolFile, place: int) -> None:
        self.summary = summary
        self.file = file
        self.place = place
        self.uncertain = file.is_uncertain(place)
        """True if it may have been accepted before: its parts would count twice."""


class Spool:
    """The spool of one process. `save` may be called on any thread, all else by one at a time.

    Args:
        folder: Where the files are. Made when something is saved.
        project: Project id, safe as a file name.
        destination: What the windows are meant for. Files of other destinations are left alone.
        report: Receives errors, and what was removed.
        own_folder: The folder is recost's own: it must be this user's, and gets mode 0700.
        clock: Seconds since the epoch.
        monotonic: Seconds of a clock that is never set back.
    """

    def __init__(
        self,
        folder: str,
        project: str,
        destination: str,
        *,
        report: Callable[[BaseException], None],
        own_folder: bool = False,
        max_file_bytes: int = _MAX_FILE_BYTES,
        max_bytes: int = _MAX_BYTES,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._project = project
        self._destination = destination
        self._report = report
        self._own_folder = own_folder
        self._max_file_bytes = max_file_bytes
        self._max_bytes = max_bytes
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.RLock()
        self._inside = False
        self._own: Optional[SpoolFile] = None
        self._reading: Optional[SpoolFile] = None
        self._names: list[str] = []
        """Files that are read next, the oldest last."""
        self._next_scan = 0.0
        self._begin = ""
        """Prefix of the names of the files of this project and destination."""
        self._path_of: Any = None
        self._reported: set[str] = set()
        self._aged = Loss()
        self._damaged = 0
        self._closed = False
        self.on_removed: Callable[[WindowSummary, bool], None] = lambda *_: None
        """Receives each window that is removed for its age, or to make room, and if it may have arrived."""
        self.removed = Loss()
        """Everything that was removed for its age, or to make room."""

    @property
    def is_due(self) -> bool:
        """True when there may be something to send."""
        return bool(self._reading or self._names) or self._monotonic() >= self._next_scan

    def save(self, summary: WindowSummary, *, uncertain: bool = False) -> bool:
        """Write a window. Return False if that is impossible, which is reported once.

        Args:
            summary: The window.
            uncertain: The destination may have accepted it.
        """
        return bool(self._alone("write", lambda: self._save(summary, uncertain=uncertain)))

    def next(self) -> Optional[SpooledWindow]:
        """Return the oldest window that has not arrived, of this process or of one that has ended."""
        return self._alone("read", self._next)

    def replace(self, window: SpooledWindow, parts: Iterable[WindowSummary]) -> bool:
        """Replace a window by its parts. Return False if that is impossible: it is still there then."""
        return bool(self._alone("write", lambda: self._replace(window, parts)))

    def remove(self, window: SpooledWindow) -> bool:
        """Note that a window has arrived, or is given up. Return False when closed: it stays then."""
        with self._lock:
            if not self._closed:
                window.file.finish(window.place)
            return not self._closed

    def mark_uncertain(self, window: SpooledWindow, *, uncertain: bool) -> bool:
        """Note whether a window may have been accepted. Return False if it can't be: don't send it then."""
        with self._lock:
            return not self._closed and window.file.mark_uncertain(window.place, uncertain=uncertain)

    def put_back(self, window: SpooledWindow) -> None:
        """Make this window the next one again."""
        with self._lock:
            window.file.back_to(window.place)

    def pass_over(self, window: SpooledWindow) -> None:
        """Leave a window where it is, and go on with the next one."""
        window.file.left += 1

    def close(self) -> None:
        """Leave the files to the next process."""
        with self._lock:
            self._closed = True
            if not self._inside:  # else further up on this very thread, which does it then
                self._close_files()

    def abandon(self) -> None:
        """Close the copies of the parent's files in a forked child."""
        self._closed = True
        for file in {self._reading, self._own}:
            if file is not None:
                file.abandon()

    def _alone(self, what: str, work: Callable[[], Optional[_Result]]) -> Optional[_Result]:
        """Do work with files, and report why it fails. Return None then, and when closed."""
        with self._lock:
            if self._inside or self._closed:  # a signal handler has interrupted this very thread
                return None
            self._inside = True
            try:
                self._load()
                return work()
            except OSError as error:
                self._cannot(what, error)
                return None
            finally:
                self._leave_lock()

    def _load(self) -> None:
        """Import what reading and writing need, while no process forks."""
        if self._path_of is None:
            with importing():
                import hashlib  # noqa: PLC0415 - only if needed
                from pathlib import Path  # noqa: PLC0415 - the same

                from recost.delivery import frozen, spool_file  # noqa: F401, PLC0415 - the same

            compiled_text()
            digest = hashlib.sha256(self._destination.encode("utf-8", "surrogateescape")).hexdigest()
            self._begin = f"{self._project}.{digest[:8]}."
            self._path_of = Path

    def _leave_lock(self) -> None:
        self._inside = False
        if self._closed:
            self._close_files()

    def _close_files(self) -> None:
        self._report_removed()
        for file in {self._reading, self._own}:
            if file is not None:
                self._close_file(file)

    def _close_file(self, file: SpoolFile) -> None:
        """Leave a file to the next process, or remove it if every window in it is done."""
        try:
            file.rewind()
            if file.next() is None:
                file.remove()
        except OSError as error:
            self._cannot("read", error)
        finally:
            file.close()

    def _save(self, summary: WindowSummary, *, uncertain: bool) -> bool:
        from recost.delivery.spool_file import MAX_LINE_BYTES  # noqa: PLC0415 - by `_load`

        try:
            line = encode(summary)
        except SendError:
            return False
        if len(line) > MAX_LINE_BYTES or not self._has_room(self._own, len(line) + 2):
            return False
        if self._own is None:
            self._own = self._created()
        self._own.append(line, uncertain=uncertain)
        return True

    def _replace(self, window: SpooledWindow, parts: Iterable[WindowSummary]) -> bool:
        lines = [encode(part) for part in parts]
        if not self._has_room(window.file, sum(len(line) + _PART_BYTES for line in lines)):
            return False
        window.file.replace(window.place, lines)
        return True

    def _created(self) -> SpoolFile:
        from recost.delivery.spool_file import SpoolFile  # noqa: PLC0415 - by `_load`

        _folders.make_folder(self._path(""), own=self._own_folder)
        for _ in range(_TRIES):
            name = f"{self._begin}{round(self._clock() * 1000):012x}{os.urandom(4).hex()}.spool"
            if (made := SpoolFile.create(self._path(name))) is not None:
                return made
            with suppress(OSError):  # another process was faster, and takes it for one that has no owner
                self._path(name).unlink()
        raise _files.UnusableFileError("files can't be locked there")

    def _has_room(self, file: Optional[SpoolFile], size: int) -> bool:
        """Return whether lines may be added. Remove the oldest files of ended processes for that."""
        if file is not None and file.size + size > self._max_file_bytes:
            return False
        files = self._files()
        total = sum(nbytes for _, nbytes, _ in files)
        for name, nbytes, modified in files:
            too_much = total + size > self._max_bytes
            if (too_much or self._is_old(modified)) and self._discard(name, too_much=too_much):
                total -= nbytes
        return total + size <= self._max_bytes

    def _discard(self, name: str, *, too_much: bool) -> bool:
        """Remove a file, and report what was in it. Return False if it has an owner."""
        file = self._taken(name)
        if file is None:
            return False
        lost = Loss()
        while (found := self._next_of(file)) is not None:
            self._count_removed(found, lost)
        file.remove()
        self._report_loss(lost, "to make room" if too_much else "too old")
        self._report_removed()
        return True

    def _next(self) -> Optional[SpooledWindow]:
        while (file := self._to_read()) is not None:
            found = self._next_of(file)
            if found is None:
                self._leave(file)
            elif self._is_old(max(found.summary.window_end / 1000, _created_s(file.name))):
                self._count_removed(found, self._aged)
                file.finish(found.place)
            else:
                return found
        return None

    def _next_of(self, file: SpoolFile) -> Optional[SpooledWindow]:
        """Return the next window of a file. Skip damaged ones."""
        from recost.delivery.frozen import thaw  # noqa: PLC0415 - by `_load`

        while (found := file.next()) is not None:
            place, line = found
            if (summary := thaw(line)) is not None:
                return SpooledWindow(summary, file, place)
            self._damaged += 1
            file.finish(place)
        return None

    def _count_removed(self, window: SpooledWindow, lost: Loss) -> None:
        from recost.delivery.frozen import call_count  # noqa: PLC0415 - by `_load`

        lost.add(call_count(window.summary), uncertain=window.uncertain)
        self.on_removed(window.summary, window.uncertain)

    def _to_read(self) -> Optional[SpoolFile]:
        if self._reading is None and not self._names and self._monotonic() >= self._next_scan:
            self._next_scan = self._monotonic() + _SCAN_S
            self._names = [name for name, _, _ in reversed(self._files())]
        while self._reading is None and self._names:
            name = self._names.pop()
            if self._own is not None and name == self._own.name:
                self._own.rewind()
                self._reading = self._own
            else:
                self._reading = self._taken(name)
        return self._reading

    def _leave(self, file: SpoolFile) -> None:
        """End reading a file. It is removed if nothing is left in it."""
        self._reading = None
        self._report_removed()
        if not file.left:
            self._own = None if file is self._own else self._own
            file.remove()
        elif file is not self._own:
            file.close()

    def _taken(self, name: str) -> Optional[SpoolFile]:
        """Return a file whose process has ended. None if it has an owner, or must not be used."""
        from recost.delivery.spool_file import SpoolFile  # noqa: PLC0415 - by `_load`

        held = (self._own, self._reading)
        if any(each is not None and each.name == name for each in held):
            return None
        try:
            return SpoolFile.take(self._path(name))
        except OSError as error:
            self._cannot("read", error, name)
            return None

    def _files(self) -> list[tuple[str, int, float]]:
        """Return name, size and time of change of the files of this project and destination, oldest first."""
        found = []
        pattern = re.compile(re.escape(self._begin) + r"[0-9a-f]{20}\.spool")
        try:
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    if pattern.fullmatch(entry.name):
                        with suppress(FileNotFoundError):  # it has just been removed
                            status = entry.stat(follow_symlinks=False)
                            found.append((entry.name, status.st_size, status.st_mtime))
        except FileNotFoundError:
            return []
        return [each for each in nsmallest(_MAX_FILES, found) if self._has_valid_size(*each[:2])]

    def _has_valid_size(self, name: str, size: int) -> bool:
        if size > self._max_bytes:
            self._cannot("read", _files.UnusableFileError("a file is larger than recost makes them"), name)
        return size <= self._max_bytes

    def _path(self, name: str) -> Path:
        path: Path = self._path_of(self._folder, name)
        return path

    def _is_old(self, moment: float) -> bool:
        return self._clock() - moment > _MAX_AGE_S

    def _report_removed(self) -> None:
        aged, self._aged = self._aged, Loss()
        self._report_loss(aged, "too old")
        damaged, self._damaged = self._damaged, 0
        if damaged:
            self._report(RecostError(f"recost: {damaged} damaged lines of a spool were skipped"))

    def _report_loss(self, lost: Loss, reason: str) -> None:
        if lost.windows:
            self.removed.merge(lost)
            message = f"{lost.calls} calls in {lost.windows} windows were removed from the spool: {reason}"
            self._report(RecostError(f"recost: {message}{lost.doubt()}"))

    def _cannot(self, what: str, error: OSError, name: str = "") -> None:
        place, reason = os.fspath(self._path(name)), _files.reason_of(error)
        if f"{what}: {reason}" not in self._reported:
            self._reported.add(f"{what}: {reason}")
            self._report(RecostError(f"recost: cannot {what} the spool {place}: {reason}"))


def _created_s(name: str) -> float:
    """Return when a file was made, in seconds since the epoch."""
    digits = name[-_TAIL : -_TAIL + _TIME_DIGITS]
    return int(digits, 16) / 1000
