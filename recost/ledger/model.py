"""Rows of billed usage, in buckets of one UTC day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Final, Literal, Optional

__all__ = ["MAX_COUNT", "MAX_NAME", "Basis", "Days", "LedgerDay", "LedgerError", "Row"]

Basis = Literal["billed", "usage", "byok", "credit", "detail"]
"""The meaning of the amount of a row.

``billed`` is charged by this provider. ``usage`` has counts and no amount. ``byok`` is charged by another
provider, whose key was brought along. ``credit`` was deducted. ``detail`` repeats amounts of other rows.
Only ``billed`` amounts are added up.
"""
_DAY: Final = timedelta(days=1)
MAX_COUNT: Final = 10**18
"""The largest number of tokens or requests."""
MAX_NAME: Final = 300
"""The most characters of a name."""


class LedgerError(Exception):
    """The reason why a ledger could not be read. It names no key."""

    def __init__(self, reason: str, *, status: Optional[int] = None) -> None:
        super().__init__(reason)
        self.status = status
        """The status of the response, if there was one."""


@dataclass(frozen=True)
class Row:
    """One line of a bill. What the provider does not say is None."""

    basis: Basis
    model: Optional[str] = None
    """The model as the provider names it."""
    item: Optional[str] = None
    """The line item."""
    key_id: Optional[str] = None
    key_name: Optional[str] = None
    project: Optional[str] = None
    user: Optional[str] = None
    tier: Optional[str] = None
    """The service tier or mode, such as ``batch`` or ``priority``."""
    requests: Optional[int] = None
    tokens: Mapping[str, int] = field(default_factory=dict)
    """Tokens by kind: ``input`` (all of them), ``cache_read``, ``cache_write``, ``output``, ``reasoning``."""
    quantity: Optional[Decimal] = None
    unit: Optional[str] = None
    amount: Optional[Decimal] = None
    """The amount after discounts, in units of the currency, such as dollars."""
    currency: Optional[str] = None
    """The code of the currency in capitals, such as ``USD``."""
    list_amount: Optional[Decimal] = None
    """The amount before discounts."""


@dataclass(frozen=True)
class LedgerDay:
    """The rows of one UTC day."""

    day: date
    rows: tuple[Row, ...]
    complete: bool = True
    """False if the provider says that it returned only a part."""
    estimated: bool = False
    """True if the provider says that amounts may still change."""


@dataclass(frozen=True)
class Days:
    """A range of UTC days."""

    first: date
    last: date

    def __iter__(self) -> Iterator[date]:
        day = self.first
        while day <= self.last:
            yield day
            day += _DAY

    def __len__(self) -> int:
        return max(0, (self.last - self.first).days + 1)

    @property
    def start(self) -> datetime:
        """The first instant."""
        return datetime(self.first.year, self.first.month, self.first.day, tzinfo=timezone.utc)

    @property
    def end(self) -> datetime:
        """The first instant after them."""
        after = self.last + _DAY
        return datetime(after.year, after.month, after.day, tzinfo=timezone.utc)

    def chunks(self, most: int) -> Iterator[Days]:
        """Yield the days in ranges of at most ``most`` days, the oldest first."""
        first = self.first
        while first <= self.last:
            last = min(self.last, first + (most - 1) * _DAY)
            yield Days(first, last)
            first = last + _DAY
