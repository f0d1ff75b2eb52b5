"""The numbers of running processes, from their files in the local folder."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from recost._text import printable
from recost.cli._shared.formats import counted, format_ms
from recost.cli._shared.tables import Column, Table
from recost.cli.doctor.findings import CheckLines
from recost.delivery.stats_file import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recost.cli._shared.terminal import Style

__all__ = ["check_processes"]

_MOST: Final = 20
"""Processes that are shown."""
_COLUMNS: Final = (
    Column("process", least=7),
    Column("to", least=5),
    Column("status", least=6),
    Column("captured", right=True),
    Column("excluded", right=True),
    Column("pending", right=True),
    Column("spooled", right=True),
    Column("sent", right=True),
    Column("dropped", right=True),
)


def check_processes(folder: Path, style: Style) -> CheckLines:
    """Show the calls of each running process, and what became of them at each destination."""
    found = CheckLines()
    processes, unreadable = running(folder)
    if unreadable:
        files = counted(unreadable, "file")
        found.notes.append(f"{files} of processes in {printable(str(folder))} can't be read, and are skipped")
    table = Table(_COLUMNS)
    for process in processes[-_MOST:]:
        table.rows.extend(_rows(process))
        found.notes.extend(_notes(process))
    if processes:
        found.lines = table.render(style, 90).splitlines()
        now_ms = time.time() * 1000
        oldest = max(max(now_ms - process["written"], 0) for process in processes[-_MOST:])
        found.lines.append(f"in calls, as of each process's latest flush, up to {format_ms(oldest)} ago")
    if len(processes) > _MOST:
        found.lines.append(f"and {len(processes) - _MOST:,} more, which were started earlier")
    return found


def _rows(process: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for kind, each in process["destinations"].items():
        dropped = sum(each["dropped"].values())
        counts = (
            process["captured"],
            process["excluded"],
            each["pending"],
            each["spooled"],
            each["sent"],
            dropped,
        )
        yield (_name(process), kind, each["status"] or "-", *(f"{count:,}" for count in counts))


def _notes(process: dict[str, Any]) -> Iterator[str]:
    for kind, each in process["destinations"].items():
        reasons = [f"{count:,} {reason}" for reason, count in each["dropped"].items() if count]
        if reasons:
            yield f"{_name(process)}, {kind}: dropped: {', '.join(reasons)}"
        if each["error"] and each["status"] != "ok":
            yield f"{_name(process)}, {kind}: latest error: {each['error']}"
        if each["recovered"]:
            yield f"{_name(process)}, {kind}: {counted(each['recovered'], 'call')} of ended processes sent"


def _name(process: dict[str, Any]) -> str:
    return f"{printable(process['project'])} {process['pid']}"
