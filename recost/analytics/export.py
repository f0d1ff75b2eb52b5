"""Every metric of every window as one flat row."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from recost.analytics.cache import Readings
from recost.analytics.engine import literal
from recost.analytics.query import Question
from recost.analytics.scope import scope_of
from recost.analytics.sql import Statement

__all__ = ["FORMATS", "Format", "export"]

Format = Literal["csv", "jsonl", "parquet"]
FORMATS: Final = ("csv", "jsonl", "parquet")
_OPTIONS: Final = {"csv": "FORMAT csv, HEADER", "jsonl": "FORMAT json", "parquet": "FORMAT parquet"}
_PLAIN: Final = ("environment", "provider", "endpoint", "method", "calls", "errors")
_MEASURED: Final = ("latency_ms", "p50_ms", "p95_ms", "bytes_up", "bytes_down", "unpriced")
_CENTS: Final = ("cost", "reported", "computed", "estimated")


def export(readings: Readings, question: Question, kind: Format, path: Path) -> int:
    """Write the rows of the question's period and filters to a file; return how many.

    Amounts are US dollars. In JSON they are text, as its readers would round them. ``models`` and ``tags``
    are JSON: lists of what each amounts to, in US cents.
    """
    scope = scope_of(readings)
    where, parameters = ("", []) if scope is None else Statement(question, scope).conditions()
    as_text = kind == "jsonl"
    columns = ["project", "strftime(started, '%Y-%m-%dT%H:%M:%S.%gZ') AS window_start", *_PLAIN, *_MEASURED]
    columns += [f"{_usd(name, as_text=as_text)} AS {name}_usd" for name in _CENTS]
    columns += [f"to_json({name}) AS {name}" for name in ("models", "tags")]
    rows = (
        f"SELECT {', '.join(columns)} FROM metrics JOIN selected USING (source) {where} "
        "ORDER BY project, started"
    )
    count = readings.connection.execute(
        f"COPY ({rows}) TO {literal(str(path))} ({_OPTIONS[kind]})", parameters
    ).fetchone()
    return int(count[0])


def _usd(name: str, *, as_text: bool) -> str:
    dollars = f"{name}::DECIMAL(36,24) * 0.01::DECIMAL(2,2)"
    return f"rtrim(rtrim(({dollars})::VARCHAR, '0'), '.')" if as_text else dollars
