"""The matrix as a table: for a terminal, and for the README."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone

from tests.integration.matrix.run import Outcome

HEADER = ("SDK", "version", "transport", "served", "recorded", "provider", "streaming")


def together(outcomes: Sequence[Outcome]) -> Outcome:
    """Return one row for several runs of an SDK."""
    streaming = [outcome.streaming_right for outcome in outcomes if outcome.streaming_right is not None]
    return replace(
        outcomes[0],
        served=sum(outcome.served for outcome in outcomes),
        recorded=sum(outcome.recorded for outcome in outcomes),
        http2=sum(outcome.http2 for outcome in outcomes),
        streamed=sum(outcome.streamed for outcome in outcomes),
        provider_right=all(outcome.provider_right for outcome in outcomes),
        streaming_right=all(streaming) if streaming else None,
        differences=list(dict.fromkeys(text for outcome in outcomes for text in outcome.differences)),
    )


def as_text(rows: Sequence[Outcome]) -> str:
    """Return the table with its columns aligned."""
    lines = [HEADER, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines
    )


def as_markdown(rows: Sequence[Outcome]) -> str:
    """Return the table for the page, with its date."""
    rule = ["---"] * 3 + ["---:"] * 2 + ["---"] * 2
    lines = [HEADER, rule, *map(_cells, rows)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    date = datetime.now(timezone.utc).date().isoformat()
    pythons = sorted({row.python for row in rows if row.python != "?"}) or [platform.python_version()]
    return f"{table}\n\n{date}, Python {', '.join(pythons)}"


def _cells(row: Outcome) -> tuple[str, ...]:
    transport = f"{row.transport}, HTTP/2" if row.http2 and "HTTP/2" not in row.transport else row.transport
    streaming = "n/a" if row.streaming_right is None else _word(right=row.streaming_right)
    counts = str(row.served), str(row.recorded)
    return (row.name, row.version, transport, *counts, _word(right=row.provider_right), streaming)


def _word(*, right: bool) -> str:
    return "right" if right else "WRONG"
