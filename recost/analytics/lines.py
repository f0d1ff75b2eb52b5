"""The columns that a line of a file becomes in the copy, and which lines are not recost's.

`recost.wire.parse_line` says what a window and a metric are, and has the limits; here SQL says the same,
and a test holds both against each other. An invalid window counts as a bad line. An invalid metric counts as
a bad metric, and the others of its line are kept. Fields that are not known are passed over. Costs are kept
as the decimal numbers that they are written as, to 24 places of a cent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from recost import wire
from recost.analytics import fields
from recost.analytics.engine import identifier, literal
from recost.analytics.screening import screened
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

SCHEMA_VERSION: Final = 9
"""Of the columnar copy; one of another version is dropped and built again."""
BAD_LINE: Final = 1
BAD_METRIC: Final = 2
_CENTS: Final = "DECIMAL(38,24)"
_MOST: Final = 10**wire.MAX_COUNT_DIGITS - 1
_SPARE_BYTES: Final = 1 << 16
"""Beside the longest line, in what is read at once."""

_MODELS: Final = (
    'STRUCT(model {text}, "requestCount" {count}, "estimatedCostCents" {cents}, "unpricedCount" {count})[]'
)
_TAGS: Final = (
    'STRUCT(tags MAP(VARCHAR, VARCHAR), other BOOLEAN, "requestCount" {count}, "errorCount" {count}, '
    '"estimatedCostCents" {cents}, "unpricedCount" {count})[]'
)
_SOURCES: Final = ("reported", "computed", "estimated")
_STORED: Final = {"text": "VARCHAR", "count": "BIGINT", "cents": _CENTS}
# What `recost.wire` reads, too, is read as the JSON that it is, in which a string is no number. Costs are no
# floats in between: their sums would depend on the order.
_METRIC: Final = (
    "STRUCT(provider JSON, endpoint JSON, method JSON, requestCount JSON, errorCount JSON, "
    "totalLatencyMs DOUBLE, p50LatencyMs JSON, p95LatencyMs JSON, totalRequestBytes BIGINT, "
    "totalResponseBytes BIGINT, estimatedCostCents JSON, "
    f"costSource STRUCT({', '.join(f'{each} VARCHAR' for each in _SOURCES)}), unpricedCount JSON, "
    f"attempts BIGINT, models {_MODELS.format(text='JSON', count='JSON', cents='JSON')}, "
    f"tags {_TAGS.format(count='BIGINT', cents='VARCHAR')})"
).replace('"', "")

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
    "untold": "BIGINT",
    "attempts": "BIGINT",
    "models": _MODELS.format(**_STORED),
    "tags": _TAGS.format(**_STORED),
    "problem": "UTINYINT",
}
"""Of the table ``metrics``: one row a metric of a window. Times are UTC, costs US cents."""
MEASURES: Final = {
    **{
        name: name
        for name in (
            "calls", "errors", "cost", "reported", "computed", "estimated", "unpriced", "untold",
            "bytes_up", "bytes_down", "latency_ms",
        )
    },
    # Of the estimates, those of calls whose answers were not looked at: only metered calls tell attempts.
    "flat": "CASE WHEN attempts IS NULL THEN estimated ELSE 0 END",
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


def _parts(column: str, names: dict[str, str], **amounts: str) -> Parts:
    return Parts(
        f"(SELECT *, unnest({column}) AS part FROM metrics {{where}}) WHERE part IS NOT NULL",
        f"quarter_{column}",
        names,
        {
            name: fields.within(f"part.{field}", wire.MAX_CENTS if name == "cost" else _MOST)
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


def add_lines(connection: Any, files: Mapping[Path, int], scratch: Path) -> dict[int, tuple[int, int]]:
    """Add the lines of files, each under its number; return the numbers of bad lines and of bad metrics.

    Args:
        connection: Of the columnar copy.
        files: The numbers by path.
        scratch: A folder for copies.
    """
    with screened(files, scratch) as (readable, longest):
        number = _number(dict(zip(readable, files.values())))
        connection.execute(_INSERT.format(source=number, lines=_lines(readable, longest)))
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


def bad_flags(connection: Any, path: Path, scratch: Path) -> list[int]:
    """Return, for each line that is not blank, in order: 1 where it is bad, -n for n bad metrics, else 0."""
    connection.execute("SET preserve_insertion_order = true")
    try:
        with screened([path], scratch) as (readable, longest):
            result = connection.execute(_FLAGS.format(lines=_lines(readable, longest)))
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


def _lines(paths: Collection[Path], longest: int) -> str:
    """Return SQL for the lines of files; the longest line decides what is read at once."""
    names = ", ".join(literal(str(path)) for path in paths)
    return _LINES.format(paths=names, longest=longest + _SPARE_BYTES, metric=_METRIC)


# Without partitions of Hive's, which make columns of the folders' names.
_LINES: Final = (
    "read_json([{paths}], format = 'newline_delimited', ignore_errors = true, compression = 'uncompressed', "
    "filename = true, hive_partitioning = false, maximum_object_size = {longest}, "
    "columns = {{protocolVersion: 'JSON', environment: 'JSON', windowStart: 'JSON', metrics: '{metric}[]'}})"
)


_STARTED: Final = fields.moment("windowStart")
_GOOD_LINE: Final = (
    f"{fields.is_text('protocolVersion', wire.VERSION_PATTERN)} "
    f"AND coalesce(({_STARTED}) BETWEEN '{wire.FIRST_START:%Y-%m-%d}' "
    f"AND '{wire.LAST_START:%Y-%m-%d}', false) "
    f"AND coalesce(len(metrics) <= {wire.MAX_METRICS}, false)"
)
_BAD_METRIC: Final = " OR ".join(
    [f"({fields.text(f'm.{name}')}) IS NULL" for name in ("provider", "endpoint", "method")]
    + [f"({fields.count(f'm.{name}')}) IS NULL" for name in ("requestCount", "errorCount")]
    + [f"({fields.cents('m.estimatedCostCents')}) IS NULL"]
)
_FLAGS: Final = (
    f"SELECT CASE WHEN {_GOOD_LINE} THEN -(SELECT count(*) FROM (SELECT unnest(metrics) AS m) "
    f"WHERE {_BAD_METRIC}) ELSE 1 END FROM {{lines}}"
)


def _each(field: str, kind: str, **values: str) -> str:
    fields = ", ".join(f'"{name}" := {value}' for name, value in values.items())
    made = f"CASE WHEN x IS NULL THEN NULL ELSE struct_pack({fields}) END"
    return f"list_transform(m.{field}, lambda x: {made})::{kind}"


_MODELS_READ: Final = _each(
    "models",
    COLUMNS["models"],
    model=fields.text("x.model"),
    requestCount=fields.count("x.requestCount"),
    estimatedCostCents=fields.cents("x.estimatedCostCents"),
    unpricedCount=fields.count("x.unpricedCount"),
)
_UNPRICED: Final = fields.count("m.unpricedCount")
_VALUES: Final = ",\n       ".join(
    [fields.text(f"m.{name}") for name in ("provider", "endpoint", "method")]
    + [fields.count(f"m.{name}") for name in ("requestCount", "errorCount")]
    + [fields.within("m.totalLatencyMs", wire.MAX_LATENCY_MS)]
    + [fields.latency(f"m.{name}") for name in ("p50LatencyMs", "p95LatencyMs")]
    + [fields.within(f"m.{name}", _MOST) for name in ("totalRequestBytes", "totalResponseBytes")]
    + [
        fields.or_zero(fields.cents(f"m.{name}"))
        for name in ("estimatedCostCents", *(f"costSource.{each}" for each in _SOURCES))
    ]
    + [
        fields.or_zero(_UNPRICED),
        # Windows of protocol 1.0 don't tell whether their calls have a price.
        f"CASE WHEN {_UNPRICED} IS NULL THEN {fields.count('m.requestCount')} ELSE 0 END",
        f"CASE WHEN {fields.is_within('m.attempts', _MOST)} THEN m.attempts END",
    ]
    + [_MODELS_READ, f"try_cast(m.tags AS {COLUMNS['tags']})"]
)
_INSERT: Final = f"""
INSERT INTO metrics
SELECT {{source}}, started, environment,
       {_VALUES},
       CASE WHEN NOT good THEN {BAD_LINE} WHEN {_BAD_METRIC} THEN {BAD_METRIC} ELSE 0 END
FROM (SELECT filename, good, started, environment,
             unnest(CASE WHEN good THEN metrics ELSE [NULL] END) AS m
      FROM (SELECT filename, {_GOOD_LINE} AS good, {_STARTED} AS started,
                   coalesce({fields.text("environment")}, '') AS environment, metrics FROM {{lines}}))
"""
