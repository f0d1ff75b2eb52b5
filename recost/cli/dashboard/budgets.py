"""The budgets of the telemetry folder, for the page."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from recost.budgets.status import BudgetStatus, budget_files, read_all
from recost.cli._shared.budget_texts import at_limit_text, resets_text, used_text
from recost.cli.dashboard.wire import money

__all__ = ["budgets_of"]

_MOST: Final = 200
"""Budgets that are shown."""


def budgets_of(folder: Path, now: datetime) -> dict[str, Any]:
    """Return the budgets by how much of them is used, and why some could not be read."""
    found, errors = read_all(budget_files(folder), now)
    problems = [str(error).removeprefix("recost: ") for error in errors]
    return {"rows": [_row(each, now) for each in found[:_MOST]], "problems": problems}


def _row(status: BudgetStatus, now: datetime) -> dict[str, Any]:
    left, limit = status.left_usd, status.limit_usd
    return {
        "name": status.name,
        "source": status.source,
        "spent": money(status.spent_usd),
        "limit": None if limit is None else money(limit),
        "left": None if left is None else money(left),
        "used": None if status.used is None else float(min(status.used, Decimal(1))),
        "used_text": used_text(status),
        "resets": resets_text(status, now),
        "at_limit": at_limit_text(status),
    }
