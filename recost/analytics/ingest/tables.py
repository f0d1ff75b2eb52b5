"""The tables of the columnar copy: a row for each metric of a window, and sums by quarters of an hour."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any, Final, NamedTuple

from recost.analytics.engine import identifier
from recost.wire import parsing

__all__ = [
    "CENTS",
    "COLUMNS",
    "COST_SOURCES",
    "MAX_COUNT",
    "MEASURES",
    "MODELS",
    "PARTS",
    "QUARTER",
    "SCHEMA_VERSION",
    "TAGS",
    "Parts",
    "create_tables",
    "drop_rows",
    "is_within",
    "of_sources",
    "sum_up",
    "within",
]

SCHEMA_VERSION: Final = 10
"""The version of the columnar copy. A copy of another version is rebuilt."""
CENTS: Final = "DECIMAL(38,24)"
"""The SQL type of an amount in US cents."""
COST_SOURCES: Final = ("reported", "computed", "estimated")
MAX_COUNT: Final = 10**parsing.MAX_COUNT_DIGITS - 1
# The SQL types of the breakdowns. The field types differ between files and the copy.
MODELS: Final = (
    'STRUCT(model {text}, "requestCount" {count}, "estimatedCostCents" {cents}, "unpricedCount" {count})[]'
)
TAGS: Final = (
    'STRUCT(tags MAP(VARCHAR, VARCHAR), other BOOLEAN, "requestCount" {count}, "errorCount" {count}, '
    '"estimatedCostCents" {cents}, "unpricedCount" {count})[]'
)
_STORED: Final = {"text": "VARCHAR", "count": "BIGINT", "cents": CENTS}
COLUMNS: Final = {
    "source": "INTEGER NOT NULL",
    "started": "TIMESTAMP",
    "environment": "VARCHAR",
    "provider": "VARCHAR",
    "endpoint": "VARCHAR",
    "method": "VARCHAR",
    "calls": "BIGINT",
    "errors": "BIGINT",
    "latency_ms": "DOUBLE",
    "p50_ms": "DOUBLE",
    "p95_ms": "DOUBLE",
    "bytes_up": "BIGINT",
    "bytes_down": "BIGINT",
    "cost": CENTS,
    "reported": CENTS,
    "computed": CENTS,
    "estimated": CENTS,
    "unpriced": "BIGINT",
    "uncounted": "BIGINT",
    "attempts": "BIGINT",
    "models": MODELS.format(**_STORED),
    "tags": TAGS.format(**_STORED),
    "problem": "UTINYINT",
}
"""The columns of the table ``metrics``: one row per metric of a window. Times are UTC, costs US cents."""
MEASURES: Final = {
    **{
        name: name
        for name in (
            "calls", "errors", "cost", "reported", "computed", "estimated", "unpriced", "uncounted",
            "bytes_up", "bytes_down", "latency_ms",
        )
    },
    # Estimates for calls whose responses were not metered. Only metered calls report attempts.
    "flat": "CASE WHEN attempts IS NULL THEN estimated ELSE 0 END",
    "p50": "p50_ms * calls",
    "p95": "p95_ms * calls",
    "timed": "calls",
}  # fmt: skip
"""The sums over metrics by name, as SQL. The last three are for means weighted by calls."""
QUARTER: Final = timedelta(minutes=15)
"""Hours and days begin with a quarter of an hour in all current time zones."""
_QUARTER_US: Final = QUARTER // timedelta(microseconds=1)
_OF_QUARTER: Final = (
    f"SELECT source, make_timestamp(epoch_us(started) // {_QUARTER_US} * {_QUARTER_US}) AS started, "
    "environment, provider"
)


def is_within(value: str, most: int) -> str:
    """Return SQL: whether a number is set and within bounds."""
    return f"{value} BETWEEN 0 AND {most}"


def within(value: str, most: int) -> str:
    """Return SQL for a number, with 0 for one that is out of bounds."""
    return f"CASE WHEN {is_within(value, most)} THEN {value} ELSE 0 END"


class Parts(NamedTuple):
    """A breakdown within metrics: by model or by tags."""

    rows: str
    """SQL of the metrics with each of their parts as ``part``. ``{where}`` selects the metrics."""
    table: str
    """The table with the sums of the parts by quarters of an hour."""
    names: dict[str, str]
    """The columns that name a part, as SQL."""
    measures: dict[str, str]
    """The `MEASURES` that parts have, as SQL."""


def _parts(column: str, names: dict[str, str], **amounts: str) -> Parts:
    return Parts(
        f"(SELECT *, unnest({column}) AS part FROM metrics {{where}}) WHERE part IS NOT NULL",
        f"quarter_{column}",
        names,
        {
            name: within(f"part.{field}", parsing.MAX_CENTS if name == "cost" else MAX_COUNT)
            for name, field in amounts.items()
        },
    )


PARTS: Final = {
    "model": _parts(
        "models",
        {"model": "part.model"},
        calls="requestCount",
        cost="estimatedCostCents",
        unpriced="unpricedCount",
    ),
    "tag": _parts(
        "tags",
        {"tagged": "part.tags", "other": "part.other"},
        calls="requestCount",
        errors="errorCount",
        cost="estimatedCostCents",
        unpriced="unpricedCount",
    ),
}
"""The breakdowns by kind."""


def _by_quarters(names: dict[str, str], measures: dict[str, str], rows: str) -> str:
    columns = [f"{what} AS {name}" for name, what in names.items()]
    columns += [f"sum({what}) AS {name}" for name, what in measures.items()]
    return f"{_OF_QUARTER}, {', '.join(columns)} FROM {rows} GROUP BY ALL"


_OF_SOURCES: Final = "WHERE source IN ({sources})"
_QUARTERS: Final = {
    "quarters": _by_quarters({}, MEASURES, f"metrics {_OF_SOURCES}"),
    **{
        parts.table: _by_quarters(parts.names, parts.measures, parts.rows.format(where=_OF_SOURCES))
        for parts in PARTS.values()
    },
}
"""The tables with sums by quarters of an hour, which serve most queries: of metrics and of breakdowns."""


def create_tables(connection: Any) -> None:
    """Create the empty tables."""
    columns = ", ".join(f"{identifier(name)} {kind}" for name, kind in COLUMNS.items())
    connection.execute("CREATE TABLE meta AS SELECT ?::INTEGER AS version", [SCHEMA_VERSION])
    connection.execute(f"CREATE TABLE metrics ({columns})")
    for table, sums in _QUARTERS.items():
        connection.execute(f"CREATE TABLE {table} AS {sums.format(sources=0)}")
    connection.execute(
        "CREATE TABLE sources (source INTEGER, path VARCHAR, size BIGINT, modified BIGINT, head_size BIGINT, "
        "head VARCHAR, tail VARCHAR, bad_lines BIGINT, bad_metrics BIGINT)"
    )


def sum_up(connection: Any, sources: Collection[int]) -> None:
    """Update the sums by quarters of an hour for some sources."""
    for table, sums in _QUARTERS.items():
        connection.execute(f"DELETE FROM {table} {of_sources(sources)}")
        connection.execute(f"INSERT INTO {table} {sums.format(sources=_listed(sources))}")


def drop_rows(connection: Any, source: int) -> None:
    """Delete all rows of a source."""
    for table in ("metrics", *_QUARTERS):
        connection.execute(f"DELETE FROM {table} WHERE source = ?", [source])


def of_sources(sources: Collection[int]) -> str:
    """Return the SQL condition that rows are of some files."""
    return _OF_SOURCES.format(sources=_listed(sources))


def _listed(sources: Collection[int]) -> str:
    return ", ".join(map(str, sources))
