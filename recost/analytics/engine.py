"""DuckDB: imported when it is first needed, and opened with a memory limit."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Optional

from recost.errors import RecostError

__all__ = ["EngineMissingError", "connect", "errors", "identifier", "interruptible", "literal", "module"]

_MEMORY_MB: Final = 640


class EngineMissingError(RecostError):
    """DuckDB is not installed."""

    def __init__(self) -> None:
        super().__init__("recost: reports need DuckDB: pip install 'recost[cli]'")


def module() -> Any:
    """Return DuckDB's module.

    The compiled module is imported directly. The Python package around it (data frames, user functions) takes
    0.3 s to import, and is not used here.

    Raises:
        EngineMissingError: DuckDB is not installed.
    """
    for name in ("_duckdb", "duckdb"):  # _duckdb is missing before DuckDB 1.4
        if name in sys.modules or find_spec(name) is not None:
            with _interrupts_held():
                return importlib.import_module(name)
    raise EngineMissingError


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Defer Ctrl-C, which would abort the process while the compiled module is being imported."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pending: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: pending.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
    if pending:
        signal.raise_signal(signal.SIGINT)


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise KeyboardInterrupt for a statement that Ctrl-C stops. DuckDB raises RuntimeError."""
    try:
        yield
    except RuntimeError as error:
        if "interrupted" in str(error).lower():
            raise KeyboardInterrupt from None
        raise


def errors() -> tuple[type[BaseException], ...]:
    """Return the exceptions that DuckDB raises, or an empty tuple if it is not installed."""
    try:
        return (module().Error,)
    except EngineMissingError:
        return ()


def connect(path: Optional[Path], spill: Optional[Path] = None) -> Any:
    """Open a database.

    Args:
        path: The database file, or None for a database in memory.
        spill: The folder for data that does not fit into memory.

    Raises:
        EngineMissingError: DuckDB is not installed.
    """
    settings = {
        "memory_limit": f"{_MEMORY_MB}MB",
        "preserve_insertion_order": "false",
        "threads": str(max(1, min(os.cpu_count() or 1, 8))),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    if spill is not None:
        settings["temp_directory"] = str(spill)
    connection = module().connect(":memory:" if path is None else str(path), config=settings)
    connection.execute("SET enable_progress_bar = true")  # counted, for `query_progress`
    connection.execute("SET enable_progress_bar_print = false")
    return connection


def literal(text: str) -> str:
    """Quote a text as an SQL literal, for places where a parameter is not allowed."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Quote a name as an SQL identifier. It may contain any character."""
    return '"' + name.replace('"', '""') + '"'
