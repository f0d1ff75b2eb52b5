"""``recost ledger pull``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final, Optional

from recost._files import reason_of
from recost._text import printable
from recost._validate import suggest
from recost.analytics.periods import PeriodError, parse_moment, period_of
from recost.cli._shared.arguments import naming, right_now, telemetry_folder
from recost.cli._shared.formats import counted
from recost.cli._shared.progress import watched
from recost.cli._shared.refusal import refused
from recost.ledger.credentials import Access, access_of, variable
from recost.ledger.model import Days, LedgerDay, LedgerError
from recost.ledger.providers import LEDGERS, ledger_of
from recost.ledger.pulling import DEFAULT_ACCOUNT, PullResult
from recost.ledger.pulling import pull as pull_ledger
from recost.ledger.store import LedgerFile

__all__ = ["add_pull", "pull"]

_SINCE: Final = "35d"
_MOST_DAYS: Final = 400
_INSTANT: Final = timedelta(microseconds=1)


def add_pull(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    text = f"one of {', '.join(LEDGERS)} (default: all that have a credential)"
    parser.add_argument("providers", nargs="*", metavar="PROVIDER", help=text)
    parser.add_argument(
        "--since",
        metavar="WHEN",
        default=_SINCE,
        help=f"7d, 2026-11-01, last-month … in UTC (default: {_SINCE})",
    )
    parser.add_argument(
        "--until", metavar="WHEN", help="the end, exclusive, in the same forms (default: now)"
    )


def pull(arguments: argparse.Namespace) -> int:
    """Pull. Return 1 if a provider failed, 2 on wrong usage or a missing credential."""
    now = right_now()
    try:
        days = _days(arguments, now)
        for provider in arguments.providers:
            if provider not in LEDGERS:
                return refused(f"invalid provider {provider!r}: {suggest(provider, LEDGERS)}")
        folder = telemetry_folder()
    except (PeriodError, ValueError) as error:
        return refused(error)
    outcomes = [
        _pull(provider, bool(arguments.providers), folder, days, now)
        for provider in arguments.providers or LEDGERS
    ]
    found = [outcome for outcome in outcomes if outcome is not None]
    if not found:
        return refused(_without_key(arguments.providers))
    return max(found)


def _days(arguments: argparse.Namespace, now: datetime) -> Days:
    """Return the UTC days of the period.

    Raises:
        PeriodError: The period is not valid, or too long.
    """
    for option, text in (("--since", arguments.since), ("--until", arguments.until)):
        if text is not None:
            naming(option, parse_moment, text, timezone.utc, now)
    period = naming("--until", period_of, arguments.since, arguments.until, timezone.utc, now)
    since, until = period.since or now, min(period.until or now, now)
    days = Days(since.astimezone(timezone.utc).date(), (until - _INSTANT).astimezone(timezone.utc).date())
    if not len(days):
        raise PeriodError("invalid --since: expected a time before now")
    if len(days) > _MOST_DAYS:
        raise PeriodError(f"invalid --since: expected at most {_MOST_DAYS} days")
    return days


def _pull(provider: str, named: bool, folder: Path, days: Days, now: datetime) -> Optional[int]:
    """Pull from one provider and print the result. Return 1 if it failed, None if it has no credential."""
    ledger = ledger_of(provider)
    try:
        access = access_of(provider, ledger, os.environ)
        if access is None:
            return None if not named else _failed(provider, f"no credential: {_sources(provider)}", 2)
        file = LedgerFile(folder, provider, access.account or DEFAULT_ACCOUNT)
        done = pull_ledger(
            ledger, access, file, days, now, lambda each, total: _watched(each, total, provider)
        )
    except (LedgerError, ValueError) as error:
        return _failed(provider, str(error))
    except OSError as error:
        return _failed(provider, f"cannot write {error.filename or folder}: {reason_of(error)}")
    _show(provider, access, done)
    return 0


def _watched(buckets: Iterable[LedgerDay], total: int, provider: str) -> Iterable[LedgerDay]:
    return watched(buckets, f"pulling {provider}", total)


def _show(provider: str, access: Access, done: PullResult) -> None:
    account = "" if access.account is None else f" ({access.account})"
    told = [f"{counted(done.asked, 'day')} asked for", f"{done.new} new", f"{done.changed} changed"]
    print(printable(f"{provider}{account}: {', '.join(told)}"))
    if done.incomplete:
        days = ", ".join(day.isoformat() for day in done.incomplete[:3])
        more = f" and {len(done.incomplete) - 3} more" * (len(done.incomplete) > 3)
        print(f"  incomplete, because the provider returned a part: {days}{more}")
    if done.too_old:
        print(f"  {counted(done.too_old, 'day')} too old: the provider has them no longer")


def _failed(provider: str, reason: str, code: int = 1) -> int:
    print(printable(f"recost: {provider}: {reason}"), file=sys.stderr)
    return code


def _sources(provider: str) -> str:
    names = [variable(provider, name) for name in ("KEY", "KEY_FILE", "KEY_COMMAND")]
    return f"set {', '.join(names)} or {' or '.join(ledger_of(provider).variables)}"


def _without_key(providers: list[str]) -> str:
    names = ", ".join(providers or LEDGERS)
    return f"no credential for {names}: set RECOST_LEDGER_<PROVIDER>_KEY, or see: recost docs ledger"
