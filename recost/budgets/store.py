"""A small JSON file that keeps spending across restarts and between processes.

It is read, changed and replaced as a whole, under a lock on a file beside it. A file in another format is
not changed.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Callable, Final, NamedTuple, Optional

from recost import _files, _folders
from recost._documents import parse_json
from recost._patterns import LazyPattern
from recost.budgets.calendar import PERIODS
from recost.errors import RecostError

__all__ = ["FILE_SUFFIX", "Entry", "StateFile", "Terms", "parse_amount"]

FILE_SUFFIX: Final = ".budgets.json"
"""End of the name of a project's file, after the project."""

_FORMAT: Final = "recost budgets 1"
_MAX_BYTES: Final = 4 * 1024 * 1024
_MAX_TEXT: Final = 8192
_AMOUNT: Final = LazyPattern(r"[0-9]{1,15}(\.[0-9]{1,250})?")


class Terms(NamedTuple):
    """The limit of a budget, for who reads the file. A process goes by its own budget."""

    limit_usd: Decimal
    on_exceed: str
    timezone: str


class Entry(NamedTuple):
    """Spending of one budget."""

    per: str
    period: str
    """Start of the latest period, or empty for all time. Later ones compare as greater."""
    spent: Decimal
    targets: tuple[str, ...] = ()
    """Targets that have responded as the budget's model: provider and endpoint, never a host."""
    earlier: tuple[tuple[str, Decimal], ...] = ()
    """Earlier periods and the spending in each, in case the clock is put back."""
    terms: Optional[Terms] = None
    """Terms of the process that wrote last. None in a file of an earlier version."""

    def sums(self) -> dict[str, Decimal]:
        """Return the spending in each period that is kept."""
        return {**dict(self.earlier), self.period: self.spent}


Entries = dict[str, Entry]
Merge = Callable[[Entries], Entries]


class StateFile:
    """A file of spending that several processes may use at once.

    Args:
        path: Path of the file. Missing folders are made with mode 0700, the file with 0600.
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
        """Return the entries of the file, or an empty dict if it is missing or empty.

        Raises:
            RecostError: The file can't be read, or has another format.
        """
        try:
            return self._parsed(self._read())
        except OSError as error:
            raise self._trouble("read", _files.reason_of(error)) from None

    def update(self, merge: Merge, timeout_s: float) -> tuple[Entries, Entries]:
        """Replace the entries with the result of ``merge``, and return those before and after.

        Raises:
            RecostError: The file can't be written, and is unchanged.
        """
        try:
            _folders.make_folder(self.path.parent)
            clock = {"monotonic": self._monotonic, "sleep": self._sleep}
            with _files.locked(self._lock_path, timeout_s, **clock) as held:
                if not held:
                    raise self._trouble("write", "another process holds its lock")
                text = self._read()
                before = self._parsed(text)
                after = merge(dict(before))
                new = _encoded(after)
                if after != before or (
                    text and text != new
                ):  # the same, as an earlier version has written it
                    self._replace(new)
                return before, after
        except OSError as error:
            raise self._trouble("write", _files.reason_of(error)) from None

    def _read(self) -> bytes:
        _folders.refuse_foreign_folder(self.path.parent)
        try:
            fd = _files.open_private(self.path, os.O_RDONLY)
        except FileNotFoundError:
            return b""
        with os.fdopen(fd, "rb") as file:
            return file.read(_MAX_BYTES + 1)

    def _parsed(self, text: bytes) -> Entries:
        if len(text) > _MAX_BYTES:
            raise self._trouble("use", f"it has more than {_MAX_BYTES >> 20} MB, and is left as it is")
        try:
            return _parse(parse_json(text.decode())) if text.strip() else {}
        except (ValueError, TypeError, KeyError, AttributeError):
            raise self._trouble("use", "it has another format, and is left as it is") from None

    def _replace(self, text: bytes) -> None:
        with _files.replaced(self.path) as fd, os.fdopen(fd, "wb", closefd=False) as file:
            file.write(text)

    def _trouble(self, what: str, reason: str) -> RecostError:
        return RecostError(f"recost: cannot {what} {self.path}, where budgets are kept: {reason}")


def _parse(value: Any) -> Entries:
    """Return the entries of a file.

    Raises:
        ValueError: An entry is malformed. TypeError, KeyError and AttributeError mean the same.
    """
    if value["format"] != _FORMAT:
        raise ValueError
    return {_text(name): _entry(entry) for name, entry in value["budgets"].items()}


def _entry(value: Any) -> Entry:
    per, period = _text(value["per"]), _text(value["period"])
    if per not in PERIODS or (per == "total") != (not period):
        raise ValueError
    targets = value.get("endpoints", _without_hosts(value))
    earlier = value.get("earlier", {})
    if not isinstance(targets, list) or not isinstance(earlier, dict):
        raise TypeError
    for beginning in filter(None, (period, *earlier)):
        if datetime.fromisoformat(_text(beginning)).utcoffset() != timedelta():
            raise ValueError
    kept = tuple((label, parse_amount(_text(amount))) for label, amount in earlier.items())
    spent = parse_amount(_text(value["spent_usd"]))
    return Entry(per, period, spent, tuple(map(_text, targets)), kept, _terms(value))


def _terms(value: Mapping[str, Any]) -> Optional[Terms]:
    if "limit_usd" not in value:
        return None
    texts = [_text(value[name]) for name in Terms._fields]
    return Terms(parse_amount(texts[0]), *texts[1:])


def parse_amount(text: str) -> Decimal:
    """Return an amount that was written to the file.

    Raises:
        ValueError: The text is not such an amount.
    """
    if _AMOUNT.fullmatch(text) is None:  # a power of ten could take all memory, a sum below zero lift a limit
        raise ValueError
    return Decimal(text)


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise ValueError
    return value


def _without_hosts(entry: Mapping[str, Any]) -> list[str]:
    """Return the endpoints that an earlier version wrote, without those named by host and path."""
    targets = entry.get("targets", [])
    if not isinstance(targets, list):
        raise TypeError
    return [target for target in map(_text, targets) if "/" not in target]


def _encoded(entries: Mapping[str, Entry]) -> bytes:
    return json.dumps(_written(entries), indent=1).encode() + b"\n"


def _written(entries: Mapping[str, Entry]) -> dict[str, Any]:
    budgets: dict[str, Any] = {}
    for name, entry in sorted(entries.items()):
        budgets[name] = {"per": entry.per, "period": entry.period, "spent_usd": f"{entry.spent:f}"}
        if entry.targets:
            budgets[name]["endpoints"] = list(entry.targets)
        if entry.earlier:
            budgets[name]["earlier"] = {label: f"{spent:f}" for label, spent in entry.earlier}
        if entry.terms is not None:
            limit, on_exceed, timezone = entry.terms
            budgets[name].update(limit_usd=f"{limit:f}", on_exceed=on_exceed, timezone=timezone)
    return {"format": _FORMAT, "budgets": budgets}
