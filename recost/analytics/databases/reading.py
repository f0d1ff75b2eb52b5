"""A database, read by a command in one snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable

from recost.analytics.databases.url import DatabaseError, StoreUrl
from recost.analytics.store import Readings

__all__ = ["database"]


@contextmanager
def database(url: StoreUrl, opened: Callable[[Any], None] = lambda _: None) -> Iterator[Readings]:
    """Yield a database for questions.

    Args:
        url: The database.
        opened: Receives the connection, whose statements it may cancel.

    Raises:
        DatabaseError: It cannot be used, or fails.
    """
    from recost.analytics.databases import postgresql  # noqa: PLC0415 - one of several

    connection = postgresql.connect(url, reading=True)
    try:
        opened(connection)
        if not postgresql.check_version(connection, url):
            raise DatabaseError(f"recost: nothing recorded in {url}: no collector has stored there")
        yield Readings(connection, (), {}, Path(), postgresql.DIALECT)
    except postgresql.errors() as error:
        raise DatabaseError(f"recost: {url}: {postgresql.message_of(error, url)}") from None
    finally:
        connection.close()
