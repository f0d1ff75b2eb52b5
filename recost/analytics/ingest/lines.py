"""Reading lines with SQL into the tables of the columnar copy.

`recost.wire.parsing` defines valid windows and metrics, and has the limits. The SQL here follows the same
rules, and a test compares the two. An invalid window counts as a bad line, and an invalid metric as a bad
metric. The other metrics of its line are kept. Unknown fields are ignored. Costs are stored as decimal
numbers, to 24 places of a cent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from recost import wire
from recost.analytics.engine import literal
from recost.analytics.ingest.content import screened
from recost.analytics.ingest.tables import (
    CENTS,
    COLUMNS,
    COST_SOURCES,
    MAX_COUNT,
    MODELS,
    TAGS,
    is_within,
    of_sources,
    within,
)
from recost.wire import parsing

__all__ = ["BAD_LINE", "BAD_METRIC", "add_lines", "bad_flags"]

BAD_LINE: Final = 1
BAD_METRIC: Final = 2
_SPARE_BYTES: Final = 1 << 16
"""Bytes that are read at once in addition to the longest line."""

# Fields that `recost.wire.parsing` reads, too, are read as raw JSON, which keeps strings and numbers apart.
# Costs never become floats: their sums would depend on the order.
_METRIC: Final = (
    "STRUCT(provider JSON, endpoint JSON, method JSON, requestCount JSON, errorCount JSON, "
    "totalLatencyMs DOUBLE, p50LatencyMs JSON, p95LatencyMs JSON, totalRequestBytes BIGINT, "
    "totalResponseBytes BIGINT, estimatedCostCents JSON, "
    f"costSource STRUCT({', '.join(f'{each} VARCHAR' for each in COST_SOURCES)}), unpricedCount JSON, "
    f"attempts BIGINT, models {MODELS.format(text='JSON', count='JSON', cents='JSON')}, "
    f"tags {TAGS.format(count='BIGINT', cents='VARCHAR')})"
).replace('"', "")


def add_lines(connection: Any, files: Mapping[Path, int], scratch: Path) -> dict[int, tuple[int, int]]:
    """Add the lines of files, and return the number of bad lines and bad metrics by source.

    Args:
        connection: The connection to the columnar copy.
        files: The number of the source by path.
        scratch: A folder for copies.
    """
    with screened(files, scratch) as (readable, longest):
        number = _number(dict(zip(readable, files.values())))
        connection.execute(_INSERT.format(source=number, lines=_lines(readable, longest)))
    bad = f"FROM metrics {of_sources(files.values())} AND problem > 0"
    rows = connection.execute(f"SELECT source, problem, count(*) {bad} GROUP BY ALL").fetchall()
    if rows:
        connection.execute(f"DELETE {bad}")
    found = {(source, problem): count for source, problem, count in rows}
    return {
        source: (found.get((source, BAD_LINE), 0), found.get((source, BAD_METRIC), 0))
        for source in files.values()
    }


def bad_flags(connection: Any, path: Path, scratch: Path) -> list[int]:
    """Return a flag for each line that is not blank: 1 for a bad line, -n for n bad metrics, else 0."""
    connection.execute("SET preserve_insertion_order = true")
    try:
        with screened([path], scratch) as (readable, longest):
            result = connection.execute(_FLAGS.format(lines=_lines(readable, longest)))
            return [flag for (flag,) in result.fetchall()]
    finally:
        connection.execute("SET preserve_insertion_order = false")


def _number(files: Mapping[Path, int]) -> str:
    """Return SQL for the source number of a line. It is NULL, which fails, for an unknown file."""
    if len(files) == 1:
        return str(*files.values())
    whens = " ".join(f"WHEN {literal(str(path))} THEN {number}" for path, number in files.items())
    return f"CASE filename {whens} END"


def _lines(paths: Collection[Path], longest: int) -> str:
    """Return SQL for the lines of files, with room for the longest line."""
    names = ", ".join(literal(str(path)) for path in paths)
    return _LINES.format(paths=names, longest=longest + _SPARE_BYTES, metric=_METRIC)


# Hive partitioning would turn folder names into columns.
_LINES: Final = (
    "read_json([{paths}], format = 'newline_delimited', ignore_errors = true, compression = 'uncompressed', "
    "filename = true, hive_partitioning = false, maximum_object_size = {longest}, "
    "columns = {{protocolVersion: 'JSON', environment: 'JSON', windowStart: 'JSON', metrics: '{metric}[]'}})"
)


def _is_text(field: str, pattern: str) -> str:
    """Return SQL: whether a field is a string that matches a pattern as a whole."""
    return _matches(field, f'"{pattern}"')


def _text(field: str) -> str:
    """Return SQL for a string. Other values are NULL."""
    return f"CASE WHEN starts_with({field}::VARCHAR, '\"') THEN json_extract_string({field}, '$') END"


def _count(field: str) -> str:
    """Return SQL for an integer that is not negative."""
    whole = rf"[0-9]{{1,{parsing.MAX_COUNT_DIGITS}}}(\.0)?|-0\.0"
    return f"CASE WHEN {_matches(field, whole)} THEN try_cast({field}::VARCHAR AS BIGINT) END"


def _cents(field: str) -> str:
    """Return SQL for an amount in cents."""
    number = f"try_cast({field}::VARCHAR AS {CENTS})"
    return f"CASE WHEN {is_within(number, parsing.MAX_CENTS)} THEN {number} END"


def _latency(field: str) -> str:
    """Return SQL for milliseconds. Invalid values are 0."""
    number = f"try_cast({field}::VARCHAR AS DOUBLE)"
    return within(number, parsing.MAX_LATENCY_MS)


def _moment(field: str) -> str:
    """Return SQL for a time in UTC."""
    content = f"json_extract_string({field}, '$')"
    return (
        f"CASE WHEN {_is_text(field, wire.TIME_PATTERN)} THEN "
        f"CASE WHEN regexp_matches({content}, '[+-]..:..$') "
        f"THEN make_timestamp(epoch_us(try_cast({content} AS TIMESTAMPTZ))) "
        f"ELSE try_cast({content} AS TIMESTAMP) END END"
    )


def _or_zero(value: str) -> str:
    """Return SQL for a value, with 0 for NULL."""
    return f"coalesce({value}, 0)"


def _matches(field: str, pattern: str) -> str:
    doubled = pattern.replace("{", "{{").replace("}", "}}")
    return f"coalesce(regexp_full_match({field}::VARCHAR, '{doubled}'), false)"


_STARTED: Final = _moment("windowStart")
_GOOD_LINE: Final = (
    f"{_is_text('protocolVersion', parsing.VERSION_PATTERN)} "
    f"AND coalesce(({_STARTED}) BETWEEN '{parsing.FIRST_START:%Y-%m-%d}' "
    f"AND '{parsing.LAST_START:%Y-%m-%d}', false) "
    f"AND coalesce(len(metrics) <= {parsing.MAX_METRICS}, false)"
)
_BAD_METRIC: Final = " OR ".join(
    [f"({_text(f'm.{name}')}) IS NULL" for name in ("provider", "endpoint", "method")]
    + [f"({_count(f'm.{name}')}) IS NULL" for name in ("requestCount", "errorCount")]
    + [f"({_cents('m.estimatedCostCents')}) IS NULL"]
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
    model=_text("x.model"),
    requestCount=_count("x.requestCount"),
    estimatedCostCents=_cents("x.estimatedCostCents"),
    unpricedCount=_count("x.unpricedCount"),
)
_UNPRICED: Final = _count("m.unpricedCount")
_VALUES: Final = ",\n       ".join(
    [_text(f"m.{name}") for name in ("provider", "endpoint", "method")]
    + [_count(f"m.{name}") for name in ("requestCount", "errorCount")]
    + [within("m.totalLatencyMs", parsing.MAX_LATENCY_MS)]
    + [_latency(f"m.{name}") for name in ("p50LatencyMs", "p95LatencyMs")]
    + [within(f"m.{name}", MAX_COUNT) for name in ("totalRequestBytes", "totalResponseBytes")]
    + [
        _or_zero(_cents(f"m.{name}"))
        for name in ("estimatedCostCents", *(f"costSource.{each}" for each in COST_SOURCES))
    ]
    + [
        _or_zero(_UNPRICED),
        # Windows of protocol 1.0 do not record whether calls have a price.
        f"CASE WHEN {_UNPRICED} IS NULL THEN {_count('m.requestCount')} ELSE 0 END",
        f"CASE WHEN {is_within('m.attempts', MAX_COUNT)} THEN m.attempts END",
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
                   coalesce({_text("environment")}, '') AS environment, metrics FROM {{lines}}))
"""
