"""Parts of a budget's status as people read them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from recost.budgets.status import BudgetStatus
from recost.cli._shared.formats import approximate_duration

__all__ = ["UNKNOWN_LIMIT", "at_limit_text", "resets_text", "used_text"]

UNKNOWN_LIMIT: Final = "-: the program's version of recost did not keep its limits."
_AT_LIMIT: Final = {"raise": "calls refused", "callback": "callback"}
_MOST: Final = Decimal(99_999)


def used_text(status: BudgetStatus) -> str:
    """Return the spent part of the limit in percent, rounded down: 100% is all of it."""
    return "-" if status.used is None else f"{int(min(status.used * 100, _MOST))}%"


def resets_text(status: BudgetStatus, now: datetime) -> str:
    """Return the time until the period ends, or ``never``."""
    return "never" if status.resets_at is None else approximate_duration(status.resets_at - now)


def at_limit_text(status: BudgetStatus) -> str:
    """Return what happens at the limit."""
    return _AT_LIMIT.get(status.on_exceed or "", "-")
