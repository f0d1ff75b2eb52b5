"""A comparison as a table, JSON, CSV and Markdown."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any, Final, Optional

from recost._money import format_usd
from recost._text import csv_cell, markdown, printable
from recost.cli._shared.footnotes import Note, flat_note, rendered
from recost.cli._shared.formats import counted
from recost.cli._shared.output import exact_json
from recost.cli._shared.tables import Cell, Column, Table, Usd, texts_of
from recost.cli._shared.terminal import Style
from recost.ledger.reconcile import Comparison, Sums

__all__ = ["as_csv", "as_json", "as_markdown", "as_table"]

_TITLES: Final = ("billed", "seen", "unseen", "over", "coverage", "requests", "verdict")
_NAMELESS: Final = "(not named)"
_NO_FIGURE: Final = "-"


def as_table(found: Comparison, style: Style, width: int) -> str:
    """Return a table with its notes."""
    table = Table(
        [
            *(Column(name, least=10, rank=4) for name in found.by),
            Column("billed", right=True, rank=4), Column("seen", right=True, rank=4),
            Column("unseen", right=True, rank=2), Column("over", right=True, rank=2),
            Column("coverage", right=True, rank=3), Column("requests", right=True, rank=1),
            Column("verdict", least=17, rank=3),
        ],
        alike=True,
    )  # fmt: skip
    for names, sums in _sorted(found):
        table.rows.append([*(printable(name or _NAMELESS) for name in names), *_cells(sums)])
    if len(found.groups) > 1:
        table.total = ["total", *([""] * (len(found.by) - 1)), *_cells(found.total)]
    return "\n\n".join(filter(None, [table.render(style, width), rendered(_notes(found), style, width)]))


def as_markdown(found: Comparison) -> str:
    """Return a Markdown table."""
    rows = [
        [*(markdown(name or _NAMELESS) for name in names), *_cells(sums)] for names, sums in _sorted(found)
    ]
    lines = [[*found.by, *_TITLES], ["---"] * len(found.by) + ["---:"] * (len(_TITLES) - 1) + ["---"]]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [*lines, *texts_of(rows, alike=True)])


def as_csv(found: Comparison) -> str:
    """Return a line a group."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*found.by, *_flat(found.total)])
    for names, sums in _sorted(found):
        writer.writerow([*(csv_cell(name or "") for name in names), *map(_csv_value, _flat(sums).values())])
    return text.getvalue().rstrip("\n")


def as_json(found: Comparison) -> str:
    """Return one JSON object. Amounts are numbers with all their digits."""
    return exact_json(
        {
            "by": list(found.by),
            "groups": [{**dict(zip(found.by, names)), **_flat(sums)} for names, sums in _sorted(found)],
            "total": _flat(found.total),
            "other_currencies": dict(found.other_currencies),
            "apart_usd": dict(found.apart),
            "days_not_judged": found.not_judged,
            "without_ledger_usd": found.without_ledger_usd,
            "flat_usd": found.flat_usd,
        }
    )


def _flat(sums: Sums) -> dict[str, Any]:
    return {
        "billed_usd": sums.billed_usd,
        "seen_usd": sums.seen_usd,
        "both_usd": sums.both_usd,
        "unseen_usd": sums.unseen_usd,
        "over_usd": sums.over_usd,
        "coverage": None if sums.coverage is None else round(sums.coverage, 6),
        "billed_requests": sums.billed_requests,
        "seen_requests": sums.seen_requests,
        "requests_coverage": None if sums.requests_coverage is None else round(sums.requests_coverage, 6),
        "unpriced": sums.unpriced,
        "verdict": sums.verdict,
    }


def _csv_value(value: Any) -> Any:
    return f"{value:f}" if isinstance(value, Decimal) else "" if value is None else value


def _sorted(found: Comparison) -> list[tuple[tuple[Optional[str], ...], Sums]]:
    """Return the groups: by day if there is one, else the largest bill first."""
    if "day" in found.by:
        return sorted(found.groups.items(), key=lambda each: [name or "" for name in each[0]])
    return sorted(
        found.groups.items(), key=lambda each: (-each[1].billed_usd, [name or "" for name in each[0]])
    )


def _cells(sums: Sums) -> list[Cell]:
    billed: Cell = _NO_FIGURE if sums.state == "no ledger" else Usd(sums.billed_usd)
    compared = sums.state != "no ledger"
    return [
        billed,
        Usd(sums.seen_usd),
        Usd(sums.unseen_usd) if compared else _NO_FIGURE,
        Usd(sums.over_usd) if compared else _NO_FIGURE,
        _percent(sums.coverage),
        _percent(sums.requests_coverage),
        sums.verdict,
    ]


def _percent(share: Optional[Decimal]) -> str:
    return _NO_FIGURE if share is None else f"{share * 100:.1f}%"


def _notes(found: Comparison) -> list[Note]:
    """Return what the table leaves out."""
    notes = []
    if found.not_judged:
        verb = "is" if found.not_judged == 1 else "are"
        days = f"{counted(found.not_judged, 'day')} of providers"
        notes.append(Note("not judged", f"{days} {verb} not final or incomplete, and not in the total"))
    if found.without_ledger_usd:
        recorded = format_usd(found.without_ledger_usd)
        notes.append(Note("no ledger", f"{recorded} was recorded on days without a ledger"))
    if found.total.unpriced:
        notes.append(
            Note("unpriced", f"{counted(found.total.unpriced, 'recorded call')} had an unknown cost")
        )
    notes += flat_note(found.flat_usd)
    for currency, amount in sorted(found.other_currencies.items()):
        text = f"{amount:,f} {printable(currency)} was billed, which is not compared"
        notes.append(Note("currency", text, warns=False))
    for basis, amount in sorted(found.apart.items()):
        text = {"byok": "billed by other providers, for keys of your own", "credit": "deducted as credits"}[
            basis
        ]
        notes.append(Note("apart", f"{format_usd(amount)} was {text}, and is in no sum", warns=False))
    return notes
