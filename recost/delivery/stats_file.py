"""Numbers of running processes, in the local folder for ``recost doctor``: one small private file a process.

A process locks its file as long as it lives, so a file that can be locked is left by one that was killed. The
lock holds also for containers that share the folder. A file has no host names, keys or texts of errors.
"""

from __future__ import annotations

import errno
import json
import math
import os
import re
from collections.abc import Mapping
from heapq import nsmallest
from pathlib import Path
from typing import Any, Final, Optional

from recost import _files, _folders

__all__ = ["StatsFile", "running"]

_MAX_BYTES: Final = 16 * 1024
_MAX_FILES: Final = 1000
_MAX_DESTINATIONS: Final = 20
_MAX_COUNT: Final = 2**63
_TRIES: Final = 3
_NAME: Final = re.compile(r"(.{1,230})\.[0-9a-f]{20}\.stats", re.DOTALL)
_WORD: Final = re.compile(r"[A-Za-z0-9_]{0,50}")
_COUNTS: Final = ("pending", "spooled", "sent", "recovered")


class StatsFile:
    """The file of this process. One thread at a time.

    Args:
        folder: The local folder.
        project: Project id, safe as a file name.
        started_ms: Start of recost in this process, in milliseconds since the epoch.
        own_folder: The folder is recost's own: it must be this user's, and gets mode 0700.
    """

    def __init__(self, folder: str, project: str, started_ms: float, *, own_folder: bool) -> None:
        self._folder = Path(folder)
        self._own_folder = own_folder
        name = f"{project}.{round(started_ms):012x}{os.urandom(4).hex()}.stats"
        self._path = self._folder / name
        self._started_ms = started_ms
        self._fd = -1
        """The latest file, which is locked."""

    def write(self, stats: Mapping[str, Any], now_ms: float) -> None:
        """Replace the file.

        Args:
            stats: Result of `recost.Stats.to_dict`.
            now_ms: Milliseconds since the epoch.

        Raises:
            OSError: It can't be written, or files can't be locked there.
        """
        if self._fd < 0:
            _folders.make_folder(self._folder, own=self._own_folder)
            running(self._folder)  # removes what killed processes have left
        times = {"pid": os.getpid(), "started": self._started_ms, "written": now_ms}
        data = json.dumps({**times, **_bare(stats)}).encode("ascii")
        with _files.replaced(self._path) as fd:
            if not _files.acquire(fd):
                raise _files.UnusableFileError("files can't be locked there")
            if os.write(fd, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            kept = os.dup(fd)  # has the same lock
        self._close()
        self._fd = kept

    def remove(self) -> None:
        """Remove the file.

        Raises:
            OSError: It can't be removed.
        """
        if self._fd >= 0:
            try:
                self._path.unlink()
            finally:
                self._close()

    def abandon(self) -> None:
        """Close the copy that a forked child has. The parent keeps its lock."""
        self._close()

    def _close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def running(folder: Path) -> tuple[list[dict[str, Any]], int]:
    """Read the files of running processes, and remove those of ended ones.

    Returns:
        Project, pid, times and numbers of each running process, the oldest first. And the number of files
        that are damaged, or must not be read.
    """
    processes, unreadable = [], 0
    for name in _names(folder):
        try:
            content = _read(folder / name)
        except FileNotFoundError:  # just removed
            continue
        except (OSError, ValueError, RecursionError):
            unreadable += 1
            continue
        if content is not None:
            processes.append({"project": name.rpartition(".")[0].rpartition(".")[0], **content})
    return sorted(processes, key=lambda each: each["started"]), unreadable


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return nsmallest(_MAX_FILES, (entry.name for entry in entries if _NAME.fullmatch(entry.name)))
    except OSError:
        return []


def _read(path: Path) -> Optional[dict[str, Any]]:
    """Return what is in a file. None if its process has ended: it is removed.

    Raises:
        OSError: It must not be read, or is not this user's alone.
        ValueError: It is damaged.
        RecursionError: The same.
    """
    for _ in range(_TRIES):
        with _files.hold(path, os.O_RDWR, deadline=0.0) as held:
            if held.acquired is None:
                raise _files.UnusableFileError("files can't be locked there")
            if not held.acquired:
                return _checked(os.read(held.fd, _MAX_BYTES + 1))
            if held.is_current():
                path.unlink()
                return None
        # Its process has replaced it this very moment.
    raise FileNotFoundError(path)


def _bare(stats: Mapping[str, Any]) -> dict[str, Any]:
    """Return the numbers, without texts of errors."""
    destinations = {}
    for kind, found in stats["destinations"].items():
        shown = {name: found[name] for name in ("status", "dropped", *_COUNTS)}
        destinations[kind] = {**shown, "error": found["failure"][0] if found["failure"] else None}
    return {"captured": stats["captured"], "excluded": stats["excluded"], "destinations": destinations}


def _checked(data: bytes) -> dict[str, Any]:
    """Return the fields that are known. Each must be what it is meant to be."""
    if len(data) > _MAX_BYTES:
        raise ValueError("too long")
    given = json.loads(data)
    destinations = given.get("destinations") if isinstance(given, dict) else None
    if not isinstance(destinations, dict) or len(destinations) > _MAX_DESTINATIONS:
        raise ValueError("no destinations")
    return {
        **{name: _count(given.get(name)) for name in ("pid", "captured", "excluded")},
        **{name: _time(given.get(name)) for name in ("started", "written")},
        "destinations": {_word(kind): _destination(found) for kind, found in destinations.items()},
    }


def _destination(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict) or not isinstance(given.get("dropped"), dict):
        raise ValueError("no destination")  # noqa: TRY004 - one error for all that is damaged
    status, error = given.get("status"), given.get("error")
    return {
        **{name: _count(given.get(name)) for name in _COUNTS},
        "dropped": {_word(reason): _count(count) for reason, count in given["dropped"].items()},
        "status": None if status is None else _word(status),
        "error": None if error is None else _word(error),
    }


def _word(given: Any) -> str:
    if not isinstance(given, str) or not _WORD.fullmatch(given):
        raise ValueError("no word")
    return given


def _count(given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given < _MAX_COUNT:
        raise ValueError("no count")
    return given


def _time(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not math.isfinite(given):
        raise ValueError("no time")
    if not 0 <= given < _MAX_COUNT:
        raise ValueError("no time")
    return float(given)
