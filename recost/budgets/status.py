"""Status of the budgets that a file keeps, for who looks at them from outside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Final, Optional, Union, cast

from recost._money import EXACT
from recost.budgets.calendar import Per, load_zone, period_at
from recost.budgets.store import FILE_SUFFIX, Entry, StateFile
from recost.errors import RecostError

__all__ = ["BudgetStatus", "budget_files", "read_all", "read_status"]

_NOTHING: Final = Decimal(0)
_ReadError = Union[RecostError, ValueError, OSError]


@dataclass(frozen=True)
class BudgetStatus:
    """One budget in the period that is under way."""

    source: str
    """Project, or name of the file that the budget names."""
    name: str
    per: str
    since: Optional[datetime]
    """Start of the period. None for all time."""
    resets_at: Optional[datetime]
    """End of the period, in the budget's time zone. None for all time."""
    spent_usd: Decimal
    limit_usd: Optional[Decimal]
    """None if the file was written by a version of recost that did not keep it."""
    on_exceed: Optional[str]
    """``"raise"`` if calls are refused at the limit, or ``"callback"``. None as ``limit_usd``."""

    @property
    def left_usd(self) -> Optional[Decimal]:
        """US dollars that may still be spent. None if the limit is unknown."""
        if self.limit_usd is None:
            return None
        return max(EXACT.subtract(self.limit_usd, self.spent_usd), _NOTHING)

    @property
    def used(self) -> Optional[Decimal]:
        """Spent part of the limit: 1 is all of it. None if the limit is unknown."""
        return self.spent_usd / self.limit_usd if self.limit_usd else None


def budget_files(folder: Path) -> list[Path]:
    """Return the files in which the projects of a telemetry folder keep their budgets, by name."""
    return sorted(folder.glob(f"*{FILE_SUFFIX}"))


def read_all(paths: Iterable[Path], now: datetime) -> tuple[list[BudgetStatus], list[_ReadError]]:
    """Return the budgets of several files, the fullest first, and why some files can't be read."""
    found: list[BudgetStatus] = []
    errors: list[_ReadError] = []
    for path in paths:
        statuses, error = _read(path, now)
        found += statuses
        errors += [] if error is None else [error]
    return sorted(found, key=lambda each: -(each.used or _NOTHING)), errors


def _read(path: Path, now: datetime) -> tuple[list[BudgetStatus], Optional[_ReadError]]:
    try:
        path.stat()  # to a process that will write it, a missing file is one without budgets
        return read_status(path, now), None
    except (RecostError, ValueError, OSError) as error:
        return [], error


def read_status(path: Path, now: datetime) -> list[BudgetStatus]:
    """Return the budgets of a file, by name.

    Raises:
        RecostError: The file can't be read, or has another format.
    """
    source = path.name.removesuffix(FILE_SUFFIX)
    entries = StateFile(str(path)).read()
    return [_status(source, name, entry, now) for name, entry in sorted(entries.items())]


def _status(source: str, name: str, entry: Entry, now: datetime) -> BudgetStatus:
    zone = _zone(entry)
    period = period_at(cast("Per", entry.per), zone, now)
    return BudgetStatus(
        source=source,
        name=name,
        per=entry.per,
        since=None if period.start is None else period.start.astimezone(zone),
        resets_at=None if period.end is None else period.end.astimezone(zone),
        spent_usd=entry.sums().get(period.label, _NOTHING),
        limit_usd=None if entry.terms is None else entry.terms.limit_usd,
        on_exceed=None if entry.terms is None else entry.terms.on_exceed,
    )


def _zone(entry: Entry) -> tzinfo:
    """Return the budget's time zone, or UTC if this machine does not know it."""
    try:
        return timezone.utc if entry.terms is None else load_zone(entry.terms.timezone)
    except ValueError:
        return timezone.utc
