"""A database, read by a command in one snapshot."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable

from recost.analytics.databases.url import DatabaseError, StoreUrl, message_of
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
    engine: Any = importlib.import_module(f"recost.analytics.databases.{url.kind}")
    connection = engine.connect(url, reading=True)
    try:
        opened(connection)
        if not engine.check_version(connection, url):
            raise DatabaseError(f"recost: nothing recorded in {url}: no collector has stored there")
        yield Readings(connection, (), {}, Path(), engine.DIALECT)
    except engine.errors() as error:
        raise DatabaseError(f"recost: {url}: {message_of(error, url)}") from None
    finally:
        connection.close()
