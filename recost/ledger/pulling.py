"""Pulling of a ledger: which days to ask for, and what is kept of the response."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Callable, Final, Optional

from recost.ledger.client import Client
from recost.ledger.credentials import Access
from recost.ledger.model import Days, LedgerDay
from recost.ledger.providers.base import Ledger
from recost.ledger.store import LedgerFile, StoredDay

__all__ = ["DEFAULT_ACCOUNT", "PROVISIONAL_DAYS", "PullResult", "pull", "wanted"]

DEFAULT_ACCOUNT: Final = "default"
"""The account in the name of the file, where the credential alone names it."""
PROVISIONAL_DAYS: Final = 3
"""The days before today that providers still change, and that each pull asks for again."""
_DAY: Final = timedelta(days=1)
Watch = Callable[[Iterable[LedgerDay], int], Iterable[LedgerDay]]


@dataclass(frozen=True)
class PullResult:
    """The result of a pull."""

    asked: int
    """The number of days that were asked for."""
    new: int
    """The number of days that were not known."""
    changed: int
    """The number of known days whose content has changed."""
    incomplete: tuple[date, ...]
    """The days for which the provider returned only a part."""
    too_old: int
    """The number of days that the provider no longer has."""


def pull(
    ledger: Ledger,
    access: Access,
    file: LedgerFile,
    days: Days,
    now: datetime,
    watch: Watch = lambda buckets, _: buckets,
) -> PullResult:
    """Ask a provider for the days that are missing or may have changed, and store its rows.

    Args:
        ledger: The provider's usage API.
        access: The credential.
        file: The file that stores them. Each day is stored as soon as it is complete.
        days: The days to fetch.
        now: The time, in UTC.
        watch: Shows progress: it receives the buckets and their number, and returns the buckets.

    Raises:
        LedgerError: The provider refused. The days before are stored.
        OSError: The file can't be read or written.
    """
    client = Client(access.url, access.headers)
    known = file.days()
    asked = list(wanted(ledger, days, known, now.date()))
    ranges = list(_ranges(asked))
    new = changed = 0
    incomplete = []
    buckets = (bucket for each in ranges for bucket in ledger.pull(client, each, access.account))
    for bucket in watch(buckets, len(asked)):
        settled = bucket.complete and not bucket.estimated
        final = settled and bucket.day < now.date() - PROVISIONAL_DAYS * _DAY
        file.add(bucket, final=final, now=now)
        before, after = known.get(bucket.day), file.newest(bucket.day)
        new += before is None
        changed += before is not None and after is not None and after.digest != before.digest
        if not bucket.complete:
            incomplete.append(bucket.day)
    if asked:
        file.touch()
    oldest = _oldest(ledger, now.date())
    too_old = 0 if oldest is None else sum(day < oldest for day in days if day not in known)
    return PullResult(len(asked), new, changed, tuple(incomplete), too_old)


def wanted(ledger: Ledger, days: Days, known: Mapping[date, StoredDay], today: date) -> Iterator[date]:
    """Yield the days to ask for: those that are not final, and the last three in any case."""
    newest = today if ledger.has_today else today - _DAY
    oldest = _oldest(ledger, today)
    for day in days:
        if day > newest or (oldest is not None and day < oldest):
            continue
        if day not in known or not known[day].final or day >= today - PROVISIONAL_DAYS * _DAY:
            yield day


def _oldest(ledger: Ledger, today: date) -> Optional[date]:
    return None if ledger.kept_days is None else today - ledger.kept_days * _DAY


def _ranges(days: Iterable[date]) -> Iterator[Days]:
    """Yield days in ranges without gaps."""
    first: Optional[date] = None
    last: Optional[date] = None
    for day in days:
        if first is not None and last is not None and day != last + _DAY:
            yield Days(first, last)
            first = day
        first = first or day
        last = day
    if first is not None and last is not None:
        yield Days(first, last)
