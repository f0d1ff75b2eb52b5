"""The store in ClickHouse, which any number of collectors may share.

The rows of a window have its id in their key, so a window that is stored again replaces itself. Metrics are
inserted first, then lines, then ids. A batch that fails in between is sent again by the clients, and
completed.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from recost.analytics.databases import clickhouse
from recost.analytics.databases.clickhouse import LATEST, Connection
from recost.analytics.databases.url import DatabaseError, StoreUrl, message_of
from recost.collector.stores.database import DatabaseStore
from recost.collector.stores.queued import Pending, once
from recost.wire.rows import MetricRow, parse_rows

__all__ = ["ClickHouseStore"]

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - rows have UTC without a zone
_LAST: Final = LATEST.replace(tzinfo=None)
_COLUMNS: Final = (
    "source", "started", "number", "place", "environment", "provider", "endpoint", "method", "calls",
    "errors", "latency_ms", "p50_ms", "p95_ms", "bytes_up", "bytes_down", "cost", "reported", "computed",
    "estimated", "unpriced", "uncounted", "attempts", "models", "tags",
)  # fmt: skip
_WINDOW_COLUMNS: Final = ("source", "started", "number", "environment", "arrived", "line")


class ClickHouseStore(DatabaseStore[Connection]):
    """A database of windows.

    Args:
        url: The database. Its tables are made if they are missing.

    Raises:
        DatabaseError: It cannot be used.
    """

    def __init__(self, url: StoreUrl) -> None:
        self._contexts: dict[str, Any] = {}
        super().__init__(url)

    def _connected(self) -> Connection:
        connection = clickhouse.connect(self._url, reading=False)
        try:
            if not clickhouse.check_version(connection, self._url):
                # The version first: whoever finds other tables without it takes them for another program's.
                connection.client.command(
                    "CREATE TABLE IF NOT EXISTS recost_meta (version UInt32) ENGINE = MergeTree "
                    f"ORDER BY version COMMENT 'recost tables, version {clickhouse.VERSION}'"
                )
                for table in clickhouse.TABLES:
                    connection.client.command(table)
            self._contexts = {
                table: connection.client.create_insert_context(table, column_names=columns)
                for table, columns in (
                    ("recost_metrics", _COLUMNS),
                    ("recost_windows", _WINDOW_COLUMNS),
                    ("recost_window_ids", ("number", "arrived")),
                )
            }
        except clickhouse.errors() as error:
            connection.close()
            message = message_of(error, self._url)
            raise DatabaseError(f"recost: cannot make the tables in {self._url}: {message}") from None
        except BaseException:
            connection.close()
            raise
        return connection

    def _store(self, batch: Sequence[Pending]) -> None:
        windows = once(batch)
        try:
            new = self._inserted(self._usable(), windows)
        except _failures() as error:
            self._fail(windows, error)
            return
        self._succeed(windows, new.__contains__)

    def _usable(self) -> Connection:
        """Return the connection.

        Raises:
            DatabaseError: The database cannot be used.
        """
        self._refuse_while_resting()
        if self._connection is None:
            self._connection = self._connected()
        return self._connection

    def _inserted(self, connection: Connection, windows: Sequence[Pending]) -> set[Pending]:
        """Store windows, and return those that are new."""
        numbers = {each: uuid.uuid4() if each.key is None else uuid.UUID(bytes=each.key) for each in windows}
        known = self._known(connection, [numbers[each] for each in windows if each.key is not None])
        fresh = [each for each in windows if numbers[each] not in known]
        if not fresh:
            return set()
        arrived = _ticks(datetime.now(timezone.utc).replace(tzinfo=None), timedelta(milliseconds=1))
        metrics, lines = [], []
        for each in fresh:
            rows, number = parse_rows(each.line), numbers[each]
            started = _ticks(min(rows[0].started, _LAST), timedelta(microseconds=1))
            key = (each.project, started, number)
            metrics += [(*key, place, *_columns(row)) for place, row in enumerate(rows)]
            line = each.line.rstrip(b"\n").decode()
            lines.append((*key, rows[0].environment, arrived, line))
        self._insert(connection, "recost_metrics", metrics)
        self._insert(connection, "recost_windows", lines)
        ids = [(numbers[each], arrived) for each in fresh if each.key is not None]
        if ids:
            self._insert(connection, "recost_window_ids", ids)
        return set(fresh)

    def _insert(self, connection: Connection, table: str, rows: Sequence[Sequence[Any]]) -> None:
        context = self._contexts[table]
        context.data = rows
        connection.client.data_insert(context)

    def _known(self, connection: Connection, numbers: Sequence[uuid.UUID]) -> set[uuid.UUID]:
        if not numbers:
            return set()
        listed = ", ".join(f"'{number}'" for number in numbers)  # digits of hashes
        found = connection.execute(f"SELECT number FROM recost_window_ids WHERE number IN ({listed})")
        return {number for (number,) in found}


def _failures() -> tuple[type[Exception], ...]:
    return (DatabaseError, *clickhouse.errors())


def _ticks(at: datetime, unit: timedelta) -> int:
    """Return an instant as ClickHouse counts it, which floats would round."""
    return (at - _EPOCH) // unit


def _columns(row: MetricRow) -> tuple[Any, ...]:
    """Return the columns of a row after its place."""
    return (*row[1:19], [tuple(each) for each in row.models], [tuple(each) for each in row.tags])
