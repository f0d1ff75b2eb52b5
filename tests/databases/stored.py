"""A store in a database that each test, or each example of one, finds empty."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import wait
from typing import Any, TypeVar

from recost.analytics.databases.clickhouse import connect
from recost.analytics.databases.reading import database
from recost.analytics.databases.url import StoreUrl, parse_url
from recost.analytics.store import Readings
from recost.collector.stores.base import Store
from recost.collector.windows import read_window
from tests.databases import clickhouse, postgresql

__all__ = ["Stored", "stored"]

_T = TypeVar("_T")


class Stored:
    """A store, and questions about it."""

    def __init__(self, url: StoreUrl, store: Store, empty: Callable[[], Any]) -> None:
        self.url = url
        self.store = store
        self._empty = empty

    def fill(self, **projects: Sequence[bytes]) -> None:
        """Store the lines of projects, and nothing else."""
        self._empty()
        futures = [
            self.store.add(project, read_window(line))
            for project, lines in projects.items()
            for line in lines
        ]
        wait(futures)
        assert all(isinstance(future.result(), bool) for future in futures)

    def ask(self, use: Callable[[Readings], _T]) -> _T:
        """Return the result of a function of the database."""
        with database(self.url) as found:
            return use(found)


@functools.cache
def stored(kind: str) -> Stored:
    """Return the store of this process in a database of a kind."""
    return {"clickhouse": _in_clickhouse, "postgresql": _in_postgresql}[kind]()


def _in_clickhouse() -> Stored:
    url = parse_url(clickhouse.server().url)
    from recost.collector.stores.clickhouse import ClickHouseStore

    store = ClickHouseStore(url)
    client = connect(url, reading=False).client

    def empty() -> None:
        for table in ("recost_metrics", "recost_windows", "recost_window_ids"):
            client.command(f"TRUNCATE TABLE {table}")

    return Stored(url, store, empty)


def _in_postgresql() -> Stored:
    text = postgresql.new_database()
    import psycopg

    from recost.collector.stores.postgresql import PostgreSqlStore

    url = parse_url(text)
    store = PostgreSqlStore(url)
    connection = psycopg.connect(text, autocommit=True)
    tables = "recost.metrics, recost.windows, recost.window_ids"
    return Stored(url, store, lambda: connection.execute(f"TRUNCATE {tables}"))
