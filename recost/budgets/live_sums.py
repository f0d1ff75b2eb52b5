"""Spending of all processes of this machine up to this moment, for budgets that refuse calls.

A budget's own file is written and read once a second on recost's thread, and its disk may be slow. Several
processes could each overspend by a second's worth. So recent spending is published in a small file in the
local folder when a call begins. Processes wait for it only briefly. It holds only hashes and sums, which
expire after a few seconds, when the budget's file has them.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, Callable, Final, NamedTuple

from recost import _files, _folders
from recost._documents import parse_json
from recost._money import EXACT
from recost.budgets.account import ZERO, Account
from recost.budgets.store import parse_amount

__all__ = ["LiveSums"]

_WITHIN_S: Final = 0.1
"""Longest wait for another process that has the file locked."""
_PATIENCE: Final = 3
"""Consecutive times that the file may be locked by another process, or slow."""
_AGAIN_AFTER_S: Final = 1.0
"""Pause after the file can't be used. It doubles each time."""
_AT_LEAST_EVERY_S: Final = 30.0
_FRESH_S: Final = 10.0
_MAX_BYTES: Final = 64 * 1024


class _Sum(NamedTuple):
    noted_s: float
    """By the monotonic clock, which is the machine's."""
    spent: Decimal


class LiveSums:
    """The sums of all processes of a machine. Not locked: one thread of a process at a time.

    Args:
        kept_in: The budgets' own file. Processes with the same file share their sums.
        accounts: Accounts of the budgets in it.
        folder: Folder of the file, on a disk of this machine.
    """

    def __init__(
        self,
        kept_in: Path,
        accounts: Sequence[Account],
        folder: Path,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        digest = sha256(os.fsencode(os.path.realpath(kept_in))).hexdigest()[:32]
        self.path: Final = folder / f"budgets-{digest}.live"
        self._accounts = tuple(accounts)
        self._clock: dict[str, Any] = {"monotonic": monotonic, "sleep": sleep}
        self._monotonic = monotonic
        self._not_before_s = 0.0
        self._failures = 0
        self._folder_made = False
        self._keys: dict[tuple[str, str], str] = {}

    @property
    def unpublished(self) -> bool:
        """True if this process has spending that the others can't see yet."""
        return any(account.unpublished for account in self._accounts)

    def exchange(self) -> None:
        """Publish what this process has spent, and read what the others have spent.

        Raises:
            OSError: The file can't be used. It is tried again after a second, and later each time.
        """
        began = self._monotonic()
        if began < self._not_before_s:
            return
        failed = True
        try:
            self._exchange_within(began + _WITHIN_S)
            failed = False
        finally:
            self._rest(failed=failed, took_s=self._monotonic() - began)

    def _rest(self, *, failed: bool, took_s: float) -> None:
        """Stop using the file for a while if it can't be used or delays calls."""
        failures = self._failures + 1
        if failed:
            failures = max(failures, _PATIENCE)
        elif took_s < _WITHIN_S:
            failures = 0
        self._failures, self._not_before_s = failures, 0.0
        if failures >= _PATIENCE:
            times = 2 ** min(failures - _PATIENCE, 8)
            self._not_before_s = self._monotonic() + min(_AGAIN_AFTER_S * times, _AT_LEAST_EVERY_S)

    def _exchange_within(self, deadline: float) -> None:
        """Exchange sums, unless another process has the file locked until the deadline."""
        if not self._folder_made:
            _folders.make_folder(self.path.parent)
            self._folder_made = True
        try:
            with _files.hold(self.path, os.O_RDWR | os.O_CREAT, deadline, **self._clock) as file:
                if file.acquired:
                    self._exchange(file.fd, self._monotonic())  # later than what others have noted
        except FileNotFoundError:  # somebody has deleted the folder
            self._folder_made = False
            raise

    def _exchange(self, fd: int, now: float) -> None:
        known = _parsed(os.read(fd, _MAX_BYTES))
        sums = {key: each for key, each in known.items() if 0 <= now - each.noted_s <= _FRESH_S}
        changed = False
        for account in self._accounts:
            key = self._key(account)
            before = sums.get(key)
            spent = ZERO if before is None else EXACT.add(before.spent, account.unpublished)
            spent = max(spent, account.spent)
            if before is None or spent != before.spent or now - before.noted_s > _FRESH_S / 4:
                sums[key], changed = _Sum(now, spent), True
            account.seen(spent)
        if changed:
            _write(fd, sums)
        for account in self._accounts:
            account.published()

    def _key(self, account: Account) -> str:
        """Return a hash that names an account and its period."""
        label = account.period.label
        key = self._keys.get((account.name, label))
        if key is None:
            if len(self._keys) > 4 * len(self._accounts):
                self._keys.clear()
            text = f"{account.name}\0{account.budget.per}\0{label}"
            key = self._keys[account.name, label] = sha256(text.encode()).hexdigest()[:32]
        return key


def _parsed(text: bytes) -> dict[str, _Sum]:
    """Return the sums in a file, or an empty dict if a process ended while writing it."""
    try:
        found = parse_json(text.decode()) if text else {}
        return {key: _Sum(float(noted_s), parse_amount(spent)) for key, (noted_s, spent) in found.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def _write(fd: int, sums: dict[str, _Sum]) -> None:
    text = json.dumps({key: (each.noted_s, f"{each.spent:f}") for key, each in sums.items()}).encode()
    if len(text) > _MAX_BYTES:
        raise _files.UnusableFileError("there are too many budgets in it")
    os.lseek(fd, 0, os.SEEK_SET)
    if os.write(fd, text) < len(text):
        raise _files.UnusableFileError("the disk is full")
    os.ftruncate(fd, len(text))
