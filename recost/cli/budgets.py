"""``recost budgets``: limit, spending and rest of the budgets that programs have set."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final, Optional

from recost.budgets.status import BudgetStatus, budget_files, read_all
from recost.cli._shared.arguments import right_now, telemetry_folder
from recost.cli._shared.budget_texts import UNKNOWN_LIMIT, at_limit_text, resets_text, used_text
from recost.cli._shared.output import exact_json
from recost.cli._shared.parser import add_examples
from recost.cli._shared.refusal import refused
from recost.cli._shared.tables import Cell, Column, Table, Usd
from recost.cli._shared.terminal import Style, terminal_width

__all__ = ["configure", "run"]

_PROJECT: Final = 1
"""Place of the column that is left out where all budgets are of one project."""
_REFUSED: Final = 2
_EXAMPLES: Final = """examples:
  recost budgets
  recost budgets --json | jq '.[] | select(.left_usd == 0)'
  recost budgets /var/lib/shop/budgets.json   a file that a budget names

Shown are the budgets of the telemetry folder's projects, as of about a second ago. With an api_key,
only budgets with a file of their own are kept."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_examples(parser, _EXAMPLES)
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="files of budgets (default: all of the telemetry folder)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the budgets. Return 2 if a file can't be read."""
    now = right_now()
    try:
        files = [Path(path) for path in arguments.paths] or budget_files(telemetry_folder())
    except (ValueError, OSError) as error:
        return refused(error)
    found, errors = read_all(files, now)
    for problem in errors:
        refused(problem)
    if not files or len(errors) < len(files):
        print(exact_json([_row(each) for each in found]) if arguments.json else _text(found, now))
    return _REFUSED if errors else 0


def _row(status: BudgetStatus) -> dict[str, Any]:
    return {
        "source": status.source,
        "budget": status.name,
        "per": status.per,
        "since": _utc(status.since),
        "resets_at": _utc(status.resets_at),
        "limit_usd": status.limit_usd,
        "spent_usd": status.spent_usd,
        "left_usd": status.left_usd,
        "on_exceed": status.on_exceed,
    }


def _utc(moment: Optional[datetime]) -> Optional[str]:
    return None if moment is None else f"{moment.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"


def _text(found: list[BudgetStatus], now: datetime) -> str:
    if not found:
        return "No budget was found: recost.init(budgets=[recost.Budget(20, per='month', ...)])"
    columns = [
        Column("budget", least=12), Column("project", least=7, rank=2),
        Column("spent", right=True, rank=5), Column("limit", right=True, rank=5),
        Column("left", right=True, rank=4), Column("used", right=True, rank=3),
        Column("resets in", right=True, rank=3), Column("at the limit", rank=2),
    ]  # fmt: skip
    rows = [_cells(each, now) for each in found]
    if len({each.source for each in found}) == 1:
        del columns[_PROJECT]
        for cells in rows:
            del cells[_PROJECT]
    table = Table(columns, list(rows))
    unknown = sum(each.limit_usd is None for each in found)
    text = table.render(Style.of(sys.stdout), terminal_width())
    return f"{text}\n\n{UNKNOWN_LIMIT}" if unknown else text


def _cells(status: BudgetStatus, now: datetime) -> list[Cell]:
    left, limit = status.left_usd, status.limit_usd
    return [
        status.name,
        status.source,
        Usd(status.spent_usd),
        "-" if limit is None else Usd(limit),
        "-" if left is None else Usd(left),
        used_text(status),
        resets_text(status, now),
        at_limit_text(status),
    ]
