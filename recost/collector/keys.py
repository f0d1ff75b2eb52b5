"""Keys of projects: made, listed and revoked in a file, and looked up by a running collector.

A key has 256 random bits. The file has its SHA-256 only, so nobody who reads it can use it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Final, Optional

from recost import _files, _folders
from recost.collector.limits import POSTS_PER_HOUR
from recost.errors import RecostError

__all__ = ["Key", "KeyFile", "KeyFileError", "Keys", "check_project"]

_LOCK_WITHIN_S: Final = 10.0
_CHECKED_S: Final = 0.1
_MAX_BYTES: Final = 16 << 20
_ID_DIGITS: Final = 8
_LONGEST_KEY: Final = 256
_LONGEST_PROJECT: Final = 100


class KeyFileError(RecostError):
    """A file of keys that cannot be read or written."""


@dataclass(frozen=True)
class Key:
    """A key of a project, without the key itself."""

    id: str
    """The first digits of the SHA-256, by which it is listed and revoked."""
    sha256: str
    project: str
    created: str
    """UTC, ISO 8601."""
    posts_per_hour: int = POSTS_PER_HOUR
    revoked: Optional[str] = None
    """UTC, ISO 8601, or None for a key that is valid."""
    metrics: bool = False
    """True for a key that reads the metrics of all projects, and nothing else."""


def check_project(name: str) -> str:
    """Return a project id that can be the name of a file.

    Raises:
        ValueError: It cannot.
    """
    unsafe = not name or name.startswith(".") or not name.isprintable() or any(mark in name for mark in "/\\")
    rule = "printable characters without / and \\, not beginning with a dot" if unsafe else None
    rule = rule or _folders.check_name(name)
    if rule is None and len(name.encode("utf-8", "replace")) > _LONGEST_PROJECT:
        rule = f"at most {_LONGEST_PROJECT} bytes"
    if rule is not None:
        raise ValueError(f"recost: invalid project {name[:_LONGEST_PROJECT]!r}: expected {rule}")
    return name


class KeyFile:
    """The file of keys.

    Args:
        folder: The collector's private folder, which exists.
    """

    def __init__(self, folder: Path) -> None:
        self.path: Final = folder / "keys.json"
        self._lock = folder / "keys.lock"

    def add(
        self, project: str, posts_per_hour: int = POSTS_PER_HOUR, *, metrics: bool = False
    ) -> tuple[str, Key]:
        """Make a key, and return it with its entry. It is not kept, so it can't be shown again.

        Args:
            project: Its project.
            posts_per_hour: Its limit.
            metrics: True for a key of no project, which reads the metrics of all.

        Raises:
            ValueError: The project is not valid.
            KeyFileError: The file cannot be written.
        """
        project = "" if metrics else check_project(project)
        with self._changing() as keys:
            _refuse_other_case(project, keys)
            text = f"rc-{secrets.token_hex(32)}"
            while any(_digest(text)[:_ID_DIGITS] == each.id for each in keys):
                text = f"rc-{secrets.token_hex(32)}"
            digest = _digest(text)
            key = Key(digest[:_ID_DIGITS], digest, project, _now(), posts_per_hour, metrics=metrics)
            keys.append(key)
        return text, key

    def revoke(self, key_id: str, project: Optional[str] = None) -> Optional[Key]:
        """Revoke a key, and return its entry. Return None if no valid key has this id.

        Raises:
            KeyFileError: The file cannot be written.
        """
        with self._changing() as keys:
            for index, key in enumerate(keys):
                if key.id == key_id.lower() and project in (None, key.project) and key.revoked is None:
                    keys[index] = replace(key, revoked=_now())
                    return keys[index]
        return None

    def load(self) -> list[Key]:
        """Return all keys, revoked ones included, oldest first.

        Raises:
            KeyFileError: The file cannot be read.
        """
        try:
            return self._read()
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise self._failed("read", error) from None

    @contextmanager
    def _changing(self) -> Iterator[list[Key]]:
        """Yield the keys, and write them back if they were changed."""
        try:
            with _files.locked(self._lock, _LOCK_WITHIN_S) as held:
                if not held:
                    raise KeyFileError(f"recost: cannot write {self.path}: another process holds its lock")
                keys = self._read()
                before = list(keys)
                yield keys
                if keys != before:
                    self._write(keys)
        except (OSError, TypeError, KeyError, json.JSONDecodeError) as error:
            raise self._failed("write", error) from None

    def _read(self) -> list[Key]:
        try:
            fd = _files.open_private(self.path, os.O_RDONLY)
        except FileNotFoundError:
            return []
        with os.fdopen(fd, "rb") as file:
            content = json.loads(file.read(_MAX_BYTES))
        return [Key(**entry) for entry in content["keys"]]

    def _write(self, keys: list[Key]) -> None:
        content = json.dumps({"keys": [_entry(key) for key in keys]}, indent=1)
        with _files.replaced(self.path) as fd, os.fdopen(os.dup(fd), "w", encoding="utf-8") as file:
            file.write(content + "\n")
            file.flush()
            os.fsync(fd)

    def _failed(self, what: str, error: Exception) -> KeyFileError:
        reason = _files.reason_of(error) if isinstance(error, OSError) else "it is damaged"
        return KeyFileError(f"recost: cannot {what} {self.path}: {reason}")


class Keys:
    """The valid keys of a file, for a running collector. Not thread-safe.

    A change of the file is seen within 0.1 s.
    """

    def __init__(self, file: KeyFile, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._monotonic = monotonic
        self._checked = -math.inf
        self._seen: Any = ()
        self._by_start: dict[str, list[Key]] = {}

    def find(self, text: str) -> Optional[Key]:
        """Return the entry of a valid key, or None for any other text.

        Raises:
            KeyFileError: The file cannot be read.
        """
        return self.current(_digest(text)) if len(text) <= _LONGEST_KEY else None

    def current(self, digest: str) -> Optional[Key]:
        """Return the entry of a valid key by its SHA-256, or None for any other.

        Raises:
            KeyFileError: The file cannot be read.
        """
        self._refresh()
        found = None
        for key in self._by_start.get(digest[:_ID_DIGITS], ()):
            if hmac.compare_digest(key.sha256, digest):
                found = key
        return found

    def _refresh(self) -> None:
        """Read the file if it has changed. A status of every request would cost more than the rest."""
        now = self._monotonic()
        if now < self._checked + _CHECKED_S:
            return
        try:
            status = self._file.path.stat()
        except FileNotFoundError:
            seen = None
        except OSError as error:
            raise KeyFileError(f"recost: cannot read {self._file.path}: {_files.reason_of(error)}") from None
        else:
            seen = (status.st_ino, status.st_size, status.st_mtime_ns)
        if seen != self._seen:
            self._load(seen)
        self._checked = now

    def _load(self, seen: Any) -> None:
        by_start: dict[str, list[Key]] = {}
        for key in self._file.load() if seen is not None else ():
            if key.revoked is None:
                by_start.setdefault(key.sha256[:_ID_DIGITS], []).append(key)
        self._by_start, self._seen = by_start, seen


def _refuse_other_case(project: str, keys: list[Key]) -> None:
    for key in keys:
        if key.project != project and key.project.casefold() == project.casefold():
            raise ValueError(
                f"recost: invalid project {project!r}: it differs from {key.project!r} in case only, "
                "and some file systems don't distinguish the two"
            )


def _entry(key: Key) -> dict[str, Any]:
    """Return the JSON of a key, which older versions read unless it is of a kind that they lack."""
    entry = asdict(key)
    if not key.metrics:
        del entry["metrics"]
    return entry


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _now() -> str:
    return f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
