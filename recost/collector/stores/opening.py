"""The store that was asked for, and what reads it: files in a folder, or a database."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Final, Optional

from recost.analytics.databases.url import StoreUrl
from recost.collector.reading import FolderReader, Reader
from recost.collector.spend import Spend
from recost.collector.stores.base import Store
from recost.collector.stores.counted import CountedStore
from recost.collector.stores.files import FileStore

__all__ = ["opened"]

_STORES: Final = {
    "clickhouse": ("recost.collector.stores.clickhouse", "ClickHouseStore"),
    "postgresql": ("recost.collector.stores.postgresql", "PostgreSqlStore"),
}
"""Module and class by the scheme of the URL."""


def opened(folder: Path, url: Optional[StoreUrl], spend: Spend) -> tuple[Store, Reader]:
    """Return a store and its reader.

    Args:
        folder: The folder of the files.
        url: A database in place of the files.
        spend: Counts what is stored.

    Raises:
        DatabaseError: The database cannot be used.
        FolderError: The folder cannot be used.
    """
    if url is None:
        return FileStore(folder, spend), FolderReader(folder)
    from recost.collector.database import DatabaseReader  # noqa: PLC0415 - with an extra

    return CountedStore(_store_in(url), spend), DatabaseReader(url)


def _store_in(url: StoreUrl) -> Store:
    module, name = _STORES[url.kind]
    store: Store = getattr(importlib.import_module(module), name)(url)
    return store
