"""What a line of a file becomes in the columnar copy, and which lines are none of ours.

A line is a window when it is a JSON object with a protocol version 1.x, a start from 1970 on and a list of
metrics; any other counts as a bad line. A metric needs its names, its counts and its cost; one that lacks
them, or has them below zero, counts as a bad metric, and the others of its line are kept. Fields that are not
known are passed over. Costs are kept as the decimal numbers that they are written as, to 24 places of a cent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from recost.analytics.engine import identifier, literal
from recost.analytics.sources import SourceError
from recost.analytics.zones import QUARTER

__all__ = [
    "BAD_LINE",
    "BAD_METRIC",
    "COLUMNS",
    "MEASURES",
    "PARTS",
    "SCHEMA_VERSION",
    "Parts",
    "add_lines",
    "bad_flags",
    "create_tables",
    "drop_rows",
    "sum_up",
]

SCHEMA_VERSION: Final = 6
"""Of the columnar copy; one of another version is dropped and built again."""
BAD_LINE: Final = 1
BAD_METRIC: Final = 2
_CENTS: Final = "DECIMAL(38,24)"
_MOST_CENTS: Final = 10**12
"""More than one metric of a window can have cost."""
_LONGEST_LINES: Final = (4 << 20, 32 << 20, 256 << 20)
"""In bytes; each is tried when a line is longer than the one before, as it decides what is read at once."""

_MODELS: Final = (
    'STRUCT(model VARCHAR, "requestCount" BIGINT, "estimatedCostCents" {cents}, "unpricedCount" BIGINT)[]'
)
_TAGS: Final = (
    'STRUCT(tags MAP(VARCHAR, VARCHAR), other BOOLEAN, "requestCount" BIGINT, "errorCount" BIGINT, '
    '"estimatedCostCents" {cents}, "unpricedCount" BIGINT)[]'
)
# Costs are read as the text that they are: as floats, their sums would depend on the order.
_METRIC: Final = (
    (
        "STRUCT(provider VARCHAR, endpoint VARCHAR, method VARCHAR, requestCount BIGINT, errorCount BIGINT, "
        "totalLatencyMs DOUBLE, p50LatencyMs DOUBLE, p95LatencyMs DOUBLE, totalRequestBytes BIGINT, "
        "totalResponseBytes BIGINT, estimatedCostCents VARCHAR, "
        "costSource STRUCT(reported VARCHAR, computed VARCHAR, estimated VARCHAR), unpricedCount BIGINT, "
        f"attempts BIGINT, models {_MODELS}, tags {_TAGS})"
    )
    .format(cents="VARCHAR")
    .replace('"', "")
)

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
    "cost": _CENTS,
    "reported": _CENTS,
    "computed": _CENTS,
    "estimated": _CENTS,
    "unpriced": "BIGINT",
    "attempts": "BIGINT",
    "models": _MODELS.format(cents=_CENTS),
    "tags": _TAGS.format(cents=_CENTS),
    "problem": "UTINYINT",
}
"""Of the table ``metrics``: one row a metric of a window. Times are UTC, costs US cents."""
MEASURES: Final = {
    **{
        name: name
        for name in (
            "calls", "errors", "cost", "reported", "computed", "estimated", "unpriced",
            "bytes_up", "bytes_down", "latency_ms",
        )
    },
    "p50": "p50_ms * calls",
    "p95": "p95_ms * calls",
    "timed": "calls",
}  # fmt: skip
"""Names of the sums that are made of metrics, and of what; the last three are for means weighted by calls."""
_QUARTER_US: Final = QUARTER // timedelta(microseconds=1)
_OF_QUARTER: Final = (
    f"SELECT source, make_timestamp(epoch_us(started) // {_QUARTER_US} * {_QUARTER_US}) AS started, "
    "environment, provider"
)


class Parts(NamedTuple):
    """What a breakdown within the metrics tells, and where."""

    rows: str
    """SQL: the metrics with their parts, each as ``part``; ``{where}`` stands for which metrics."""
    table: str
    """The sums of its parts by quarters of an hour."""
    names: dict[str, str]
    """What the parts are called by, and what of a part it is."""
    measures: dict[str, str]
    """Of `MEASURES`, those that the parts tell, and of what they are the sums."""


def _parts(column: str, names: dict[str, str], **fields: str) -> Parts:
    return Parts(
        f"(SELECT *, unnest({column}) AS part FROM metrics {{where}}) WHERE part IS NOT NULL",
        f"quarter_{column}",
        names,
        {name: f"coalesce(part.{field}, 0)" for name, field in fields.items()},
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
"""By the kind of breakdown."""


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
"""Tables with the sums of a quarter of an hour, which answer what is asked for most often: of the metrics,
and of their breakdowns."""


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


def add_lines(connection: Any, files: Mapping[Path, int]) -> dict[int, tuple[int, int]]:
    """Add the lines of files, each under its number; return the numbers of bad lines and of bad metrics.

    Raises:
        SourceError: They cannot be read at all.
    """
    number = _number(files)
    _with_long_lines(connection, files, lambda lines: _INSERT.format(source=number, lines=lines))
    bad = f"FROM metrics {_of(files.values())} AND problem > 0"
    rows = connection.execute(f"SELECT source, problem, count(*) {bad} GROUP BY ALL").fetchall()
    if rows:
        connection.execute(f"DELETE {bad}")
    found = {(source, problem): count for source, problem, count in rows}
    return {
        source: (found.get((source, BAD_LINE), 0), found.get((source, BAD_METRIC), 0))
        for source in files.values()
    }


def sum_up(connection: Any, sources: Collection[int]) -> None:
    """Bring the sums by quarters of an hour up to date with the rows of files."""
    for table, sums in _QUARTERS.items():
        connection.execute(f"DELETE FROM {table} {_of(sources)}")
        connection.execute(f"INSERT INTO {table} {sums.format(sources=_listed(sources))}")


def drop_rows(connection: Any, source: int) -> None:
    """Drop all that was read from a file."""
    for table in ("metrics", *_QUARTERS):
        connection.execute(f"DELETE FROM {table} WHERE source = ?", [source])


def bad_flags(connection: Any, path: Path) -> list[int]:
    """Return, for each line that is not blank, in order: 1 where it is bad, -n for n bad metrics, else 0."""
    connection.execute("SET preserve_insertion_order = true")
    try:
        result = _with_long_lines(connection, [path], lambda lines: _FLAGS.format(lines=lines))
        return [flag for (flag,) in result.fetchall()]
    finally:
        connection.execute("SET preserve_insertion_order = false")


def _number(files: Mapping[Path, int]) -> str:
    """Return as SQL which number a line's file has; NULL, which no row may have, for another name."""
    if len(files) == 1:
        return str(*files.values())
    whens = " ".join(f"WHEN {literal(str(path))} THEN {number}" for path, number in files.items())
    return f"CASE filename {whens} END"


def _of(sources: Collection[int]) -> str:
    return _OF_SOURCES.format(sources=_listed(sources))


def _listed(sources: Collection[int]) -> str:
    return ", ".join(map(str, sources))


def _with_long_lines(connection: Any, paths: Collection[Path], statement: Any) -> Any:
    names = ", ".join(literal(str(path)) for path in paths)
    for longest in _LONGEST_LINES:
        lines = _LINES.format(paths=names, longest=longest, metric=_METRIC)
        try:
            return connection.execute(statement(lines))
        except Exception as error:
            if "maximum_object_size" not in str(error):
                raise
    named = " or ".join(map(str, paths))
    raise SourceError(f"recost: {named} has a line of more than {_LONGEST_LINES[-1] >> 20} MB")


_LINES: Final = (
    "read_json([{paths}], format = 'newline_delimited', ignore_errors = true, compression = 'uncompressed', "
    "filename = true, maximum_object_size = {longest}, columns = {{protocolVersion: 'VARCHAR', "
    "environment: 'VARCHAR', windowStart: 'VARCHAR', metrics: '{metric}[]'}})"
)
_GOOD_LINE: Final = (
    "coalesce(regexp_full_match(protocolVersion, '1\\.\\d+'), false) "
    "AND coalesce(try_cast(windowStart AS TIMESTAMP) BETWEEN '1970-01-01' AND '9999-12-01', false) "
    "AND metrics IS NOT NULL"
)
_BAD_METRIC: Final = (
    "m.provider IS NULL OR m.endpoint IS NULL OR m.method IS NULL OR coalesce(m.requestCount, -1) < 0 "
    "OR coalesce(m.errorCount, -1) < 0 OR "
    f"coalesce(try_cast(m.estimatedCostCents AS {_CENTS}), -1) NOT BETWEEN 0 AND {_MOST_CENTS - 1}"
)
_FLAGS: Final = (
    f"SELECT CASE WHEN {_GOOD_LINE} THEN -(SELECT count(*) FROM (SELECT unnest(metrics) AS m) "
    f"WHERE {_BAD_METRIC}) ELSE 1 END FROM {{lines}}"
)


def _cents(field: str) -> str:
    return f"coalesce(try_cast({field} AS {_CENTS}), 0)"


def _count(field: str) -> str:
    return f"greatest(coalesce({field}, 0), 0)"


_INSERT: Final = f"""
INSERT INTO metrics
SELECT {{source}}, started, environment, m.provider, m.endpoint, m.method, m.requestCount, m.errorCount,
       {_count("m.totalLatencyMs")}, {_count("m.p50LatencyMs")}, {_count("m.p95LatencyMs")},
       {_count("m.totalRequestBytes")}, {_count("m.totalResponseBytes")}, {_cents("m.estimatedCostCents")},
       {_cents("m.costSource.reported")}, {_cents("m.costSource.computed")},
       {_cents("m.costSource.estimated")},
       {_count("m.unpricedCount")}, CASE WHEN m.attempts >= 0 THEN m.attempts END,
       try_cast(m.models AS {COLUMNS["models"]}),
       try_cast(m.tags AS {COLUMNS["tags"]}),
       CASE WHEN NOT good THEN {BAD_LINE} WHEN {_BAD_METRIC} THEN {BAD_METRIC} ELSE 0 END
FROM (SELECT filename, good, started, environment,
             unnest(CASE WHEN good THEN metrics ELSE [NULL] END) AS m
      FROM (SELECT filename, {_GOOD_LINE} AS good, try_cast(windowStart AS TIMESTAMP) AS started,
                   coalesce(environment, '') AS environment, metrics FROM {{lines}}))
"""
