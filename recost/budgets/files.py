"""Files in which the accounts of a process are kept, and when they are written."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable, Final, Optional

from recost._files import reason_of
from recost.budgets.account import Account, Notice
from recost.budgets.live_sums import LiveSums
from recost.budgets.store import Entries, StateFile
from recost.errors import RecostError

__all__ = ["AccountFiles"]

_EVERY_S: Final = 1.0
"""Shortest time between two writes of a file. Spending of other processes is read as often."""
_RETRY_S: Final = 30.0
_RETRY_SHARED_S: Final = 5.0
_UNKNOWN_AFTER_S: Final = 5.0
"""A budget refuses calls if the spending of others could not be read for longer."""
_REPORT_EACH_S: Final = 60.0
"""Time for which a failure is reported each second. Later, it is reported once in `_RETRY_S`."""
_IDLE_S: Final = threading.TIMEOUT_MAX


class _AccountFile:
    """A file, and the accounts that it keeps."""

    def __init__(self, state: StateFile, accounts: Sequence[Account], live_folder: Optional[str]) -> None:
        self.state = state
        self.accounts = tuple(accounts)
        self.named = any(account.budget.file is not None for account in accounts)
        """True if the user named the file. Otherwise it lies beside the telemetry."""
        refusing = [account for account in accounts if account.budget.on_exceed == "raise"]
        self.live = LiveSums(state.path, refusing, Path(live_folder)) if refusing and live_folder else None
        """Spending of other processes since they wrote the file."""
        self.next_s = 0.0
        """Time from which the file may be written again."""
        self.failures = 0
        """Number of consecutive failures."""
        self.failing_since_s = 0.0
        self.report_s = 0.0
        """Time from which a failure is reported again."""
        self.reported: Optional[str] = None

    @property
    def changed(self) -> bool:
        return any(account.pending() for account in self.accounts)


class AccountFiles:
    """The files of a process's accounts.

    Args:
        accounts: All accounts.
        local_file: Keeps accounts whose budget has no file. If None, they are not kept.
        live_folder: Folder in which processes publish their spending. If None, only those files are used.
        report: Receives errors: each time for a file that a budget names, otherwise once per episode.
    """

    def __init__(
        self,
        accounts: Sequence[Account],
        local_file: Optional[str],
        live_folder: Optional[str],
        *,
        report: Callable[[BaseException], Any],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._report = report
        self._monotonic = monotonic
        self._live_reported = False
        by_path: dict[str, list[Account]] = {}
        for account in accounts:
            path = local_file if account.budget.file is None else str(account.budget.file)
            if path is not None:
                by_path.setdefault(path, []).append(account)
        self._files = tuple(
            _AccountFile(StateFile(path), found, live_folder) for path, found in by_path.items()
        )
        self._published = frozenset(
            account
            for file in self._files
            if file.live is not None
            for account in file.accounts
            if account.budget.on_exceed == "raise"
        )
        self.bind(threading.RLock())

    def bind(self, lock: threading.RLock) -> None:  # type: ignore[valid-type, unused-ignore]
        """Guard the accounts with this lock from now on."""
        self._lock: Any = lock
        self._saving = threading.RLock()
        self._busy = False

    def open(self) -> None:
        """Read the earlier spending."""
        for file in self._files:
            began = self._monotonic()
            try:
                entries = file.state.read()
            except RecostError as error:
                self._failed(file, error, began)
                continue
            for account in file.accounts:
                if account.name in entries:
                    account.restore(entries[account.name])

    def stale(self) -> bool:
        """Return True if the spending of other processes is due to be read."""
        now = self._monotonic()
        return any(now >= file.next_s for file in self._files)

    def publishes(self, account: Account) -> bool:
        """Return True if other processes of this machine see the spending of a budget as calls begin."""
        return account in self._published

    def exchange(self, *, looking: bool) -> None:
        """Publish the spending to other processes. The caller holds the accounts' lock.

        Args:
            looking: Also read theirs, even if there is nothing to publish.
        """
        for file in self._files:
            live = file.live
            if live is None or file.failures or not (looking or live.unpublished):
                continue
            try:
                live.exchange()
            except OSError as error:
                self._report_live(live, error)

    def unknown(self, account: Account) -> bool:
        """Return True if the spending of others on a budget could not be read for too long."""
        since = account.unknown_since
        return since is not None and self._monotonic() - since > _UNKNOWN_AFTER_S

    def wait_s(self) -> float:
        """Return the time until something must be saved, in seconds."""
        changed = [file.next_s for file in self._files if file.changed]
        return max(min(changed) - self._monotonic(), 0.0) if changed else _IDLE_S

    def save(self, *, everything: bool, timeout_s: float) -> list[Notice]:
        """Write the files that are due or have changed, and return the notices that follow."""
        notices: list[Notice] = []
        if not self._saving.acquire(timeout=timeout_s):
            return notices
        if self._busy:  # further up on this very thread, which a handler or finaliser interrupts
            self._saving.release()
            return notices
        self._busy = True
        try:
            for file in self._files:
                if self._monotonic() >= file.next_s or (everything and file.changed):
                    notices += self._save(file, timeout_s)
        finally:
            self._busy = False
            self._saving.release()
        return notices

    def _save(self, file: _AccountFile, timeout_s: float) -> list[Notice]:
        unsaved: dict[str, Any] = {}

        def merge(entries: Entries) -> Entries:
            with self._lock:
                for account in file.accounts:
                    unsaved[account.name] = account.pending()
                    entries[account.name] = account.entry(entries.get(account.name))
            return entries

        began = self._monotonic()
        try:
            before, after = file.state.update(merge, timeout_s)
        except RecostError as error:
            self._failed(file, error, began)
            with self._lock:
                return [notice for account in file.accounts for notice in account.not_saved()]
        self._succeeded(file)
        file.next_s = self._monotonic() + _EVERY_S
        notices: list[Notice] = []
        with self._lock:
            for account in file.accounts:
                name = account.name
                notices += account.saved(before.get(name), after[name], unsaved[name])
        return notices

    def _report_live(self, live: LiveSums, error: OSError) -> None:
        if not self._live_reported:
            self._live_reported = True
            self._report(
                RecostError(
                    f"recost: cannot use {live.path}, where processes show what they spend: "
                    f"{reason_of(error)}; meanwhile they see it about a second later (reported once)"
                )
            )

    def _succeeded(self, file: _AccountFile) -> None:
        file.failures, file.reported = 0, None
        for account in file.accounts:
            account.unknown_since = None

    def _failed(self, file: _AccountFile, error: RecostError, began: float) -> None:
        now = self._monotonic()
        if not file.failures:
            file.failing_since_s = began
        file.failures += 1
        if not file.named:  # not named by the user, so the process continues alone
            error = RecostError(f"{error}; meanwhile each process counts what it spends itself")
            file.next_s = now + _RETRY_S
            reported = file.reported is not None
        else:
            for account in file.accounts:
                account.unknown_since = file.failing_since_s
            file.next_s = now + min(_EVERY_S * 2 ** min(file.failures - 1, 8), _RETRY_SHARED_S)
            reported = file.reported == str(error) and now < file.report_s
        if not reported:
            file.reported = str(error)
            fresh = now < file.failing_since_s + _REPORT_EACH_S
            file.report_s = now + (_EVERY_S if fresh else _RETRY_S)
            self._report(error)
