"""The store in PostgreSQL, which any number of collectors may share.

A batch is one transaction: the ids that are new, by a unique index, then the lines and the rows of their
windows. A window whose id another collector has not committed yet waits for it. So each id is stored once,
and a window that got a 202 is committed.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import Any, Final, Optional

import psycopg
from psycopg.types.json import Jsonb

from recost.analytics.databases import postgresql
from recost.analytics.databases.postgresql import encoded
from recost.analytics.databases.url import DatabaseError, StoreUrl, message_of
from recost.collector.stores.database import DatabaseStore
from recost.collector.stores.ids import IDS_KEPT_S
from recost.collector.stores.queued import Pending, once
from recost.wire.rows import MetricRow, parse_rows

__all__ = ["PostgreSqlStore"]

_PURGE_EVERY_S: Final = 60.0
_PURGED: Final = 50_000
_MONTHS_BACK: Final = 24
_LOCK: Final = 0x7265636F7374
"""The advisory lock of changes to the tables."""
_LIMITS: Final = (
    "SELECT set_config('statement_timeout', '20s', true), set_config('lock_timeout', '10s', true), "
    "set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' "
    "ELSE current_setting('synchronous_commit') END, true)"
)
_NEW: Final = (
    "INSERT INTO recost.window_ids (id, arrived) SELECT id, now() FROM unnest(%s::bytea[]) AS id "
    "ON CONFLICT DO NOTHING RETURNING id"
)
_PURGE: Final = (
    "DELETE FROM recost.window_ids WHERE id IN (SELECT id FROM recost.window_ids "
    "WHERE arrived < now() - make_interval(secs => %s) LIMIT %s FOR UPDATE SKIP LOCKED)"
)
_WINDOWS: Final = "COPY recost.windows (source, started, environment, line) FROM STDIN"
_METRICS: Final = (
    "COPY recost.metrics (source, started, environment, provider, endpoint, method, calls, errors, "
    "latency_ms, p50_ms, p95_ms, bytes_up, bytes_down, cost, reported, computed, estimated, unpriced, "
    "uncounted, attempts, model_names, model_calls, model_costs, model_unpriced, "
    "tag_sets, tag_others, tag_calls, tag_errors, tag_costs, tag_unpriced) FROM STDIN"
)


class PostgreSqlStore(DatabaseStore["psycopg.Connection[Any]"]):
    """A database of windows.

    Args:
        url: The database. Its tables are made if they are missing.

    Raises:
        DatabaseError: It cannot be used.
    """

    def __init__(self, url: StoreUrl) -> None:
        self._sources: dict[str, int] = {}
        self._months: set[tuple[int, int]] = set()
        """Those that have partitions, or cannot have them."""
        self._purged_at = 0.0
        super().__init__(url)

    def _connected(self) -> psycopg.Connection[Any]:
        connection = postgresql.connect(self._url, reading=False)
        try:
            if not postgresql.check_version(connection, self._url):
                with connection.transaction():
                    connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
                    if not postgresql.check_version(connection, self._url):
                        connection.execute("CREATE SCHEMA recost")
                        connection.execute(postgresql.TABLES)
                        connection.execute("INSERT INTO recost.meta VALUES (%s)", [postgresql.VERSION])
        except psycopg.Error as error:
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
            connection = self._usable()
            new = self._inserted(connection, windows)
        except (DatabaseError, psycopg.Error) as error:
            self._fail(windows, error)
            return
        self._succeed(windows, lambda pending: pending.key is None or pending.key in new)

    def _usable(self) -> psycopg.Connection[Any]:
        """Return the connection, a new one if it broke.

        Raises:
            DatabaseError: The database cannot be used.
        """
        if self._connection is not None and not self._connection.closed:
            return self._connection
        self._refuse_while_resting()
        self._sources.clear()
        self._months.clear()
        self._connection = self._connected()
        return self._connection

    def _fail(self, windows: Sequence[Pending], error: Exception) -> None:
        """Report windows that were not stored. One that the engine refuses fails alone."""
        if isinstance(error, (psycopg.DataError, psycopg.IntegrityError)) and len(windows) > 1:
            for pending in windows:
                self._store([pending])
            return
        super()._fail(windows, error)

    def _inserted(self, connection: psycopg.Connection[Any], windows: Sequence[Pending]) -> set[bytes]:
        """Store windows in one transaction, and return the ids that are new.

        Raises:
            psycopg.Error: Nothing was stored.
        """
        rows = {id(each): parse_rows(each.line) for each in windows}
        self._prepare(connection, {each.project for each in windows}, rows.values())
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(_LIMITS)
            keys = sorted(each.key for each in windows if each.key is not None)  # in one order: no deadlock
            new = {bytes(key) for (key,) in cursor.execute(_NEW, [keys])} if keys else set()
            fresh = [each for each in windows if each.key is None or each.key in new]
            if fresh:
                self._copy(cursor, [(each, rows[id(each)]) for each in fresh])
        self._purge(connection)
        return new

    def _copy(self, cursor: Any, windows: Sequence[tuple[Pending, Sequence[MetricRow]]]) -> None:
        with cursor.copy(_WINDOWS) as copy:
            for pending, rows in windows:
                line = zlib.compress(pending.line.rstrip(b"\n"), 1)
                source, first = self._sources[pending.project], rows[0]
                copy.write_row((source, first.started, encoded(first.environment), line))
        with cursor.copy(_METRICS) as copy:
            for pending, rows in windows:
                for row in rows:
                    copy.write_row((self._sources[pending.project], *_columns(row)))

    def _prepare(
        self, connection: psycopg.Connection[Any], projects: set[str], rows: Iterable[Sequence[MetricRow]]
    ) -> None:
        """Make what the rows refer to: the numbers of their projects, and the partitions of their months."""
        missing = sorted(projects - self._sources.keys())
        if missing:
            with connection.transaction():
                connection.execute(
                    "INSERT INTO recost.projects (project) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING",
                    [missing],
                )
            found = connection.execute(
                "SELECT project, source FROM recost.projects WHERE project = ANY(%s)", [missing]
            )
            self._sources.update(found.fetchall())
        for month in {(each[0].started.year, each[0].started.month) for each in rows} - self._months:
            if _is_near(*month):
                self._make_month(connection, *month)
            self._months.add(month)

    def _make_month(self, connection: psycopg.Connection[Any], year: int, month: int) -> None:
        """Make the partitions of a month. If the table for other months has some of it, that goes on."""
        following = (year + month // 12, month % 12 + 1)
        try:
            with connection.transaction():
                connection.execute(_LIMITS)
                connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
                for table in ("windows", "metrics"):
                    connection.execute(
                        f"CREATE TABLE IF NOT EXISTS recost.{table}_{year:04}_{month:02} "
                        f"PARTITION OF recost.{table} FOR VALUES FROM ('{year:04}-{month:02}-01') "
                        f"TO ('{following[0]:04}-{following[1]:02}-01')"
                    )
        except psycopg.errors.CheckViolation:
            pass

    def _purge(self, connection: psycopg.Connection[Any]) -> None:
        """Forget ids that are too old, from time to time."""
        if time.monotonic() - self._purged_at < _PURGE_EVERY_S:
            return
        self._purged_at = time.monotonic()
        try:
            connection.execute(_PURGE, [IDS_KEPT_S, _PURGED])
        except psycopg.Error as error:  # the windows are stored all the same
            self._report(message_of(error, self._url))


def _is_near(year: int, month: int) -> bool:
    now = datetime.now(timezone.utc)
    return -1 <= (now.year * 12 + now.month) - (year * 12 + month) <= _MONTHS_BACK


def _columns(row: MetricRow) -> tuple[Any, ...]:
    """Return the columns of a row after its source."""
    names = (encoded(row.environment), encoded(row.provider), encoded(row.endpoint), encoded(row.method))
    models: Sequence[Optional[Sequence[Any]]] = (None,) * 4
    if row.models:
        titles, *models = map(list, zip(*row.models))
        models = [[None if each is None else encoded(each) for each in titles], *models]
    tags: Sequence[Optional[Sequence[Any]]] = (None,) * 6
    if row.tags:
        sets, *tags = map(list, zip(*row.tags))
        tags = [[Jsonb({encoded(n): encoded(v) for n, v in each.items()}) for each in sets], *tags]
    return (row.started, *names, *row[5:19], *models, *tags)
