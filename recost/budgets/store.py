"""A small JSON file that keeps what was spent: across restarts, and between processes that share it.

It is read, changed and put in place as a whole, under a lock on a file beside it. What is no such file is
left as it is.
"""

from __future__ import annotations

import json
import os
import re
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Callable, Final, NamedTuple

from recost._documents import parse_json
from recost.budgets.periods import PERIODS
from recost.delivery.transports import _locking
from recost.errors import RecostError

__all__ = ["Entry", "StateFile"]

_FORMAT: Final = "recost budgets 1"
_FILE_MODE: Final = 0o600
_DIRECTORY_MODE: Final = 0o700
_MAX_BYTES: Final = 4 * 1024 * 1024
_MAX_TEXT: Final = 8192
_AMOUNT: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,250})?")
_POLL_S: Final = 0.002
_SAFE: Final = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)


class Entry(NamedTuple):
    """What one budget has spent."""

    per: str
    period: str
    """When the period began; empty for all time. Later ones compare as greater."""
    spent: Decimal
    targets: tuple[str, ...] = ()
    """That have answered as the budget's model."""


Entries = dict[str, Entry]
Merge = Callable[[Entries], Entries]


class StateFile:
    """Reads and writes the file; may be used by several processes at once.

    Args:
        path: Of the file; missing folders are made at mode 0700, the file has 0600.
    """

    def __init__(
        self,
        path: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.path: Final = Path(path)
        self._lock_path = Path(f"{path}.lock")
        self._monotonic = monotonic
        self._sleep = sleep

    def read(self) -> Entries:
        """Return what the file says; nothing where it is missing or empty.

        Raises:
            RecostError: It can't be read, or is something else.
        """
        try:
            return self._read()
        except OSError as error:
            raise self._trouble("read", error.strerror or type(error).__name__) from None

    def update(self, merge: Merge, timeout_s: float) -> tuple[Entries, Entries]:
        """Put what ``merge`` makes of the entries in their place; returns those before and after.

        Raises:
            RecostError: It could not be done, and the file is as it was.
        """
        try:
            _make(self.path.parent)
            fd = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | _SAFE, _FILE_MODE)
            try:
                self._lock(fd, self._monotonic() + timeout_s)
                before = self._read()
                after = merge(dict(before))
                if after != before:
                    self._replace(after)
                return before, after
            finally:
                _locking.release(fd)
                os.close(fd)
        except OSError as error:
            raise self._trouble("write", error.strerror or type(error).__name__) from None

    def _lock(self, fd: int, deadline: float) -> None:
        while _locking.acquire(fd) is False:  # None: there are no locks here
            if self._monotonic() >= deadline:
                raise self._trouble("write", "another process holds its lock")
            self._sleep(_POLL_S)

    def _read(self) -> Entries:
        try:
            fd = os.open(self.path, os.O_RDONLY | _SAFE)
        except FileNotFoundError:
            return {}
        with os.fdopen(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise self._trouble("read", "it is not a regular file")
            text = file.read(_MAX_BYTES + 1)
        if len(text) > _MAX_BYTES:
            raise self._trouble("use", f"it has more than {_MAX_BYTES >> 20} MB, and is left as it is")
        try:
            return _parse(parse_json(text.decode())) if text.strip() else {}
        except (ValueError, TypeError, KeyError, AttributeError):
            raise self._trouble("use", "it holds something else, and is left as it is") from None

    def _replace(self, entries: Entries) -> None:
        new = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        with suppress(FileNotFoundError):
            new.unlink()  # left by a crash
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFE, _FILE_MODE)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(json.dumps(_written(entries), indent=1).encode() + b"\n")
            new.replace(self.path)
        except BaseException:
            with suppress(OSError):
                new.unlink()
            raise

    def _trouble(self, what: str, reason: str) -> RecostError:
        return RecostError(f"recost: cannot {what} {self.path}, where budgets are kept: {reason}")


def _make(folder: Path) -> None:
    missing = []
    while not folder.is_dir() and folder != folder.parent:
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(_DIRECTORY_MODE, exist_ok=True)


def _parse(value: Any) -> Entries:
    """Return the entries of a file.

    Raises:
        ValueError: One is not what `_written` makes; TypeError, KeyError and AttributeError say the same.
    """
    if value["format"] != _FORMAT:
        raise ValueError
    return {_text(name): _entry(entry) for name, entry in value["budgets"].items()}


def _entry(value: Any) -> Entry:
    per, period = _text(value["per"]), _text(value["period"])
    if per not in PERIODS or (per == "total") != (not period):
        raise ValueError
    if period and datetime.fromisoformat(period).utcoffset() != timedelta():
        raise ValueError
    targets = value.get("targets", [])
    if not isinstance(targets, list):
        raise TypeError
    return Entry(per, period, _spent(_text(value["spent_usd"])), tuple(map(_text, targets)))


def _spent(text: str) -> Decimal:
    if _AMOUNT.fullmatch(text) is None:  # a power of ten could take all memory, a sum below zero lift a limit
        raise ValueError
    return Decimal(text)


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise ValueError
    return value


def _written(entries: Mapping[str, Entry]) -> dict[str, Any]:
    budgets: dict[str, Any] = {}
    for name, entry in sorted(entries.items()):
        budgets[name] = {"per": entry.per, "period": entry.period, "spent_usd": f"{entry.spent:f}"}
        if entry.targets:
            budgets[name]["targets"] = list(entry.targets)
    return {"format": _FORMAT, "budgets": budgets}
