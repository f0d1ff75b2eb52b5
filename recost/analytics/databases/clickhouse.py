"""ClickHouse: connections, the tables, and its SQL for questions. It needs clickhouse-connect.

The tables replace rows of the same key, which a window that is sent again has. They are read with ``final``,
so that each row counts once, whether parts are merged yet or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any, ClassVar, Final, Optional
from urllib.parse import parse_qsl, unquote, urlsplit

from recost.analytics.databases.url import DatabaseError, StoreUrl, check_number, message_of
from recost.analytics.dialect import Dialect
from recost.analytics.ingest.tables import Parts

__all__ = [
    "DIALECT",
    "LATEST",
    "TABLES",
    "VERSION",
    "Connection",
    "check_version",
    "connect",
    "errors",
]

VERSION: Final = 1
"""The version of the tables."""
LATEST: Final = datetime(2299, 12, 31, tzinfo=timezone.utc)
"""The latest start of a window. Later ones, by a clock that is wrong, are stored with this one."""
_EARLIEST: Final = datetime(1900, 1, 1, tzinfo=timezone.utc)
_WITHIN_S: Final = 10
_ANSWERED_WITHIN_S: Final = 300
_MONTH: Final = "PARTITION BY if(toYear(started) BETWEEN 2020 AND 2049, toYYYYMM(started), 0)"
_DURABLE: Final = "SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"
_CENTS: Final = "Decimal(38, 24)"
TABLES: Final = (
    f"""CREATE TABLE IF NOT EXISTS recost_metrics (
    source LowCardinality(String), started DateTime64(6, 'UTC'), number UUID, place UInt32,
    environment LowCardinality(String), provider LowCardinality(String), endpoint String,
    method LowCardinality(String), calls Int64, errors Int64,
    latency_ms Float64, p50_ms Float64, p95_ms Float64, bytes_up Int64, bytes_down Int64,
    cost {_CENTS}, reported {_CENTS}, computed {_CENTS}, estimated {_CENTS},
    unpriced Int64, uncounted Int64, attempts Nullable(Int64),
    models Array(Tuple(model Nullable(String), calls Int64, cost {_CENTS}, unpriced Int64)),
    tags Array(Tuple(tags Map(String, String), other UInt8, calls Int64, errors Int64, cost {_CENTS},
        unpriced Int64))
) ENGINE = ReplacingMergeTree {_MONTH} ORDER BY (source, toStartOfHour(started), number, place) {_DURABLE}""",
    f"""CREATE TABLE IF NOT EXISTS recost_windows (
    source LowCardinality(String), started DateTime64(6, 'UTC'), number UUID,
    environment LowCardinality(String), arrived DateTime64(3, 'UTC'), line String CODEC(ZSTD(1))
) ENGINE = ReplacingMergeTree {_MONTH} ORDER BY (source, toStartOfHour(started), number) {_DURABLE}""",
    f"""CREATE TABLE IF NOT EXISTS recost_window_ids (number UUID, arrived DateTime64(3, 'UTC'))
ENGINE = ReplacingMergeTree ORDER BY number TTL toDateTime(arrived) + INTERVAL 8 DAY {_DURABLE}""",
)
"""Metrics, the lines of windows, and ids. Days of a wrong clock have a partition together."""
_SETTINGS: Final = {
    "final": 1,
    "do_not_merge_across_partitions_select_final": 1,
    "aggregate_functions_null_for_empty": 1,
    "enable_extended_results_for_datetime_functions": 1,
    "prefer_column_name_to_alias": 1,
    "async_insert": 0,
    "wait_end_of_query": 1,
    "max_partitions_per_insert_block": 0,
}
_OPTIONS: Final = frozenset({"secure", "verify", "ca_cert"})
_AMOUNT: Final = re.compile(r"\b(?:found\.|part_)?(?:cost|reported|computed|estimated|flat)\b")
_FLOAT: Final = re.compile(r"\b(?:latency_ms|p50|p95|p50_ms|p95_ms)\b")
_STARTS: Final = {
    "minute": "toStartOfMinute({})",
    "hour": "toStartOfHour({})",
    "day": "toStartOfDay({})",
    "week": "toStartOfWeek({}, 1)",
    "month": "toStartOfMonth({})",
}


class _ClickHouse(Dialect):
    """ClickHouse's SQL over the tables of a collector."""

    parts: ClassVar = {
        "model": Parts(
            "(SELECT *, arrayJoin(models) AS part FROM recost_metrics {where}) AS metric WHERE true",
            "",
            {"model": "tupleElement(part, 'model')"},
            {name: f"tupleElement(part, '{name}')" for name in ("calls", "cost", "unpriced")},
        ),
        "tag": Parts(
            "(SELECT *, arrayJoin(tags) AS part FROM recost_metrics {where}) AS metric WHERE true",
            "",
            {"tagged": "tupleElement(part, 'tags')", "other": "tupleElement(part, 'other')"},
            {name: f"tupleElement(part, '{name}')" for name in ("calls", "errors", "cost", "unpriced")},
        ),
    }
    metrics = "recost_metrics"
    windows = "recost_windows"
    projects = "(SELECT DISTINCT source, toString(source) AS project FROM recost_windows) AS projects"
    real = "Float64"
    whole = "(?s)^{}$"
    has_quarters = False
    knows_zones = False

    def line(self, stored: Any) -> bytes:
        return stored if isinstance(stored, bytes) else str(stored).encode()

    def arrived_within(self, seconds: int) -> str:
        return f"arrived >= now64(3) - toIntervalSecond({seconds})"

    def source(self, source: Any, parameters: list[Any]) -> str:
        return self.bind(parameters, source)

    def absent(self, name: str) -> str:
        return {"tagged": "CAST(map(), 'Map(String, String)')", "other": "0"}.get(name, "NULL")

    def bind(self, parameters: list[Any], value: Any) -> str:
        parameters.append(value)
        return f"{{p{len(parameters) - 1}:String}}"

    def moment(self, at: datetime) -> str:
        within = min(max(at.astimezone(timezone.utc), _EARLIEST), LATEST).replace(tzinfo=None)
        return f"toDateTime64('{within.isoformat(' ')}', 6, 'UTC')"

    def later(self, started: str, microseconds: str) -> str:
        return f"({started} + toIntervalMicrosecond({microseconds}))"

    def microseconds(self, started: str) -> str:
        return f"toUnixTimestamp64Micro({started})"

    def divided(self, number: str, by: int) -> str:
        return f"intDiv({number}, {by})"

    def start_of(self, unit: str, local: str) -> str:
        return _STARTS[unit].format(local)

    def full_match(self, column: str, expression: str) -> str:
        return f"match({column}, {expression})"

    def tag(self, tags: str, name: str) -> str:
        return f"if(mapContains({tags}, {name}), {tags}[{name}], NULL)"

    def tag_names(self, tags: str) -> str:
        return f"arrayJoin(mapKeys({tags}))"

    def total(self, values: str) -> str:
        if _FLOAT.search(values):
            return f"sum({values})"
        wide = "toDecimal256({}, 24)" if _AMOUNT.search(values) else "toInt128({})"
        return f"sum({wide.format(values)})"


DIALECT: Final = _ClickHouse()


class _Result:
    """The rows of a statement."""

    def __init__(self, rows: Sequence[Sequence[Any]]) -> None:
        self._rows = iter([tuple(map(_plain, row)) for row in rows])

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self._rows

    def fetchone(self) -> Optional[tuple[Any, ...]]:
        return next(self._rows, None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._rows)

    def fetchmany(self, count: int) -> list[tuple[Any, ...]]:
        return [row for _, row in zip(range(count), self._rows)]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(timezone.utc).replace(tzinfo=None)
    return value


class Connection:
    """A client with the methods that questions use.

    Args:
        client: The client.
    """

    def __init__(self, client: Any) -> None:
        self.client = client

    def execute(self, text: str, parameters: Sequence[str] = ()) -> _Result:
        """Return the rows of a statement. Parameters are bound by the server."""
        named = {f"p{index}": value for index, value in enumerate(parameters)}
        return _Result(self.client.query(text, parameters=named or None).result_rows)

    def cancel(self) -> None:
        """Close the connections, which ends the statement."""
        self.client.close()

    def close(self) -> None:
        """Close the connections."""
        self.client.close()


def connect(url: StoreUrl, *, reading: bool) -> Connection:
    """Open a connection.

    Args:
        url: The database.
        reading: True if nothing is written.

    Raises:
        DatabaseError: clickhouse-connect is missing, or the database cannot be used.
    """
    try:
        import clickhouse_connect  # noqa: PLC0415 - an extra
    except ImportError:
        raise DatabaseError("recost: missing clickhouse-connect: pip install 'recost[clickhouse]'") from None
    parts = urlsplit(url.text)
    options = dict(parse_qsl(parts.query))
    if not options.keys() <= _OPTIONS:
        raise DatabaseError(f"recost: invalid option in {url}: expected {', '.join(sorted(_OPTIONS))}")
    secure = options.get("secure", "false").lower() in {"1", "true"}
    try:
        client = clickhouse_connect.get_client(
            host=parts.hostname or "localhost",
            port=parts.port or (8443 if secure else 8123),
            username=unquote(parts.username or "default"),
            password=url.password or "",
            database=unquote(parts.path.strip("/")) or "default",
            secure=secure,
            verify=options.get("verify", "true").lower() in {"1", "true"},
            ca_cert=options.get("ca_cert"),
            connect_timeout=_WITHIN_S,
            send_receive_timeout=_ANSWERED_WITHIN_S if reading else 2 * _WITHIN_S,
            compress=False,
            autogenerate_session_id=False,
            query_limit=0,
            settings=_SETTINGS,
        )
    except errors() as error:
        raise DatabaseError(f"recost: cannot use {url}: {message_of(error, url)}") from None
    return Connection(client)


def errors() -> tuple[type[Exception], ...]:
    """Return the exceptions of clickhouse-connect."""
    from clickhouse_connect.driver.exceptions import ClickHouseError  # noqa: PLC0415 - an extra
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 - comes with it

    return (ClickHouseError, HTTPError, OSError)


def check_version(connection: Connection, url: StoreUrl) -> bool:
    """Return True if the tables exist.

    Raises:
        DatabaseError: They are of another version, or another program's.
    """
    rows = connection.execute(
        "SELECT name, comment FROM system.tables "
        "WHERE database = currentDatabase() AND startsWith(name, 'recost_')"
    ).fetchall()
    comments = dict(rows)
    if not comments:
        return False
    found = re.fullmatch(r"recost tables, version (\d{1,9})", comments.get("recost_meta", ""))
    if found is None:
        raise DatabaseError(f"recost: tables in {url} were made by another program")
    check_number(int(found[1]), VERSION, url)
    return "recost_window_ids" in comments
