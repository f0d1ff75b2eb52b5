"""Every metric of every window as one flat row.

Control characters and formulas in names are replaced in SQL as `recost._text` does it, because a terminal
or a spreadsheet may read the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from recost.analytics.engine import literal
from recost.analytics.query import Question
from recost.analytics.sql import Statement
from recost.analytics.store import Readings, select_files

__all__ = ["FORMATS", "Format", "export", "inert", "to_parquet"]

Format = Literal["csv", "jsonl", "parquet"]
FORMATS: Final = ("csv", "jsonl", "parquet")
_OPTIONS: Final = {"csv": "FORMAT csv, HEADER", "jsonl": "FORMAT json", "parquet": "FORMAT parquet"}
_NAMES: Final = ("environment", "provider", "endpoint", "method")
_COUNTS: Final = ("calls", "errors")
_MEASURED: Final = ("latency_ms", "p50_ms", "p95_ms", "bytes_up", "bytes_down", "unpriced")
_ACTED_ON: Final = (
    r"[\p{Cc}\p{Co}\p{Zl}\p{Zp}\x{ad}\x{600}-\x{605}\x{61c}\x{6dd}\x{70f}\x{890}-\x{891}\x{8e2}\x{180e}\x{200b}"
    r"\x{200e}\x{200f}\x{202a}-\x{202e}\x{2060}-\x{206f}\x{feff}\x{fff9}-\x{fffb}\x{110bd}\x{110cd}"
    r"\x{13430}-\x{1343f}\x{1bca0}-\x{1bca3}\x{1d173}-\x{1d17a}\x{e0001}\x{e0020}-\x{e007f}]"
)
"""The characters that `printable` replaces, as an RE2 character class. RE2 cannot exclude the joiners from
its class of format characters."""
_SPACES: Final = r"[\t\p{Zs}]"
_FORMULA: Final = r"""^[\s'"]*[=+\-@\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}]"""
_CENTS: Final = ("cost", "reported", "computed", "estimated")


def export(readings: Readings, question: Question, kind: Format, path: Path) -> int:
    """Write the rows of the question's period and filters to a file, and return their number.

    Amounts are US dollars. In JSON they are strings, because JSON readers would round them. ``models`` and
    ``tags`` are JSON: lists with the amounts of each, in US cents.
    """
    selection = select_files(readings)
    where, parameters = ("", []) if selection is None else Statement(question, selection).conditions()
    as_text = kind != "parquet"  # without zeros at the end
    columns = [
        f"{inert('project', kind)} AS project",
        "strftime(started, '%Y-%m-%dT%H:%M:%S.%gZ') AS window_start",
        *(f"{inert(name, kind)} AS {name}" for name in _NAMES),
        *_COUNTS,
        *_MEASURED,
    ]
    columns += [f"{_usd(name, as_text=as_text)} AS {name}_usd" for name in _CENTS]
    columns += [f"{inert(f'to_json({name})::VARCHAR', kind)} AS {name}" for name in ("models", "tags")]
    rows = (
        f"SELECT {', '.join(columns)} FROM metrics JOIN selected USING (source) {where} "
        "ORDER BY project, started"
    )
    count = readings.connection.execute(
        f"COPY ({rows}) TO {literal(str(path))} ({_OPTIONS[kind]})", parameters
    ).fetchone()
    return int(count[0])


def to_parquet(connection: Any, rows: Path, path: Path, types: Mapping[str, str]) -> None:
    """Write a file of comma-separated values as Parquet.

    Args:
        connection: A connection to DuckDB.
        rows: The values, under the names of the columns.
        path: The file to write.
        types: The DuckDB type of each column.
    """
    columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in types.items())
    options = f"header=true, auto_detect=false, delim=',', quote='\"', escape='\"', columns={{{columns}}}"
    table = f"read_csv({literal(str(rows))}, {options})"
    connection.execute(f"COPY (SELECT * FROM {table}) TO {literal(str(path))} ({_OPTIONS['parquet']})")


def inert(text: str, kind: Format) -> str:
    """Return SQL that replaces characters of a text as `printable` does, or as `csv_cell` does for CSV."""
    spaced = f"regexp_replace({text}, {literal(_SPACES)}, ' ', 'g')"
    clean = f"regexp_replace({spaced}, {literal(_ACTED_ON)}, '?', 'g')"
    if kind != "csv":
        return clean
    return f"CASE WHEN regexp_matches({clean}, {literal(_FORMULA)}) THEN '''' || {clean} ELSE {clean} END"


def _usd(name: str, *, as_text: bool) -> str:
    dollars = f"{name}::DECIMAL(36,24) * 0.01::DECIMAL(2,2)"
    return f"rtrim(rtrim(({dollars})::VARCHAR, '0'), '.')" if as_text else dollars
