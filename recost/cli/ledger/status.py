"""``recost ledger status``."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timezone
from typing import Any, Optional

from recost._files import reason_of
from recost.cli._shared.arguments import right_now, telemetry_folder
from recost.cli._shared.formats import approximate_duration
from recost.cli._shared.output import exact_json
from recost.cli._shared.refusal import refused
from recost.cli._shared.tables import Column, Table
from recost.cli._shared.terminal import Style, terminal_width
from recost.ledger.store import LedgerFile, files_of

__all__ = ["add_status", "status"]


def add_status(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def status(arguments: argparse.Namespace) -> int:
    """Print what is known. Return 1 if a file cannot be read, 2 if the folder cannot be used."""
    try:
        files = files_of(telemetry_folder())
    except (ValueError, OSError) as error:
        return refused(error)
    found = [summary for file in files if (summary := _summary(file)) is not None]
    print(exact_json(found) if arguments.json else _text(found))
    return int(len(found) < len(files))


def _summary(file: LedgerFile) -> Optional[dict[str, Any]]:
    """Return the content of a file, or print the reason why it cannot be read."""
    try:
        days = file.days()
    except OSError as error:
        refused(f"cannot read {file.path}: {reason_of(error)}")
        return None
    known = sorted(days)
    return {
        "provider": file.provider,
        "account": file.account,
        "days": len(days),
        "first": known[0].isoformat() if known else None,
        "last": known[-1].isoformat() if known else None,
        "final": sum(each.final for each in days.values()),
        "incomplete": sum(not each.complete for each in days.values()),
        "restated": sum(each.restated for each in days.values()),
        "restated_days": [day.isoformat() for day in known if days[day].restated],
        "bad_lines": file.bad_lines,
        "pulled_at": f"{datetime.fromtimestamp(file.path.stat().st_mtime, timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
    }


def _text(found: list[dict[str, Any]]) -> str:
    if not found:
        return "No ledger was pulled yet: recost ledger pull"
    now = right_now()
    table = Table(
        [
            Column("provider"), Column("account", least=7), Column("first day", right=True),
            Column("last day", right=True), Column("days", right=True, rank=3),
            Column("final", right=True, rank=3), Column("incomplete", right=True, rank=2),
            Column("restated", right=True, rank=2), Column("pulled", right=True, rank=3),
        ]
    )  # fmt: skip
    for each in found:
        table.rows.append(
            [
                each["provider"], each["account"], each["first"] or "-", each["last"] or "-",
                *(str(each[name]) for name in ("days", "final", "incomplete", "restated")),
                _ago(each["pulled_at"], now),
            ]
        )  # fmt: skip
    bad = sum(each["bad_lines"] for each in found)
    text = table.render(Style.of(sys.stdout), terminal_width())
    return f"{text}\n\n{bad} malformed lines were skipped." if bad else text


def _ago(moment: str, now: datetime) -> str:
    passed = now - datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    return f"{approximate_duration(passed)} ago"
