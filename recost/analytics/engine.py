"""DuckDB: imported when it is first needed, and opened with bounds on what it takes."""

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

    The compiled part is asked for first: the Python part around it (data frames, user functions) takes 0.3 s
    to import, and nothing of it is used here.

    Raises:
        EngineMissingError: It is not installed.
    """
    for name in ("_duckdb", "duckdb"):  # before DuckDB 1.4 there is no _duckdb
        if name in sys.modules or find_spec(name) is not None:
            with _interrupts_held():
                return importlib.import_module(name)
    raise EngineMissingError


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Have Ctrl-C wait: one while the compiled part comes up would abort the process."""
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
    """Have a statement that Ctrl-C stops raise KeyboardInterrupt: DuckDB makes a RuntimeError of it."""
    try:
        yield
    except RuntimeError as error:
        if "interrupted" in str(error).lower():
            raise KeyboardInterrupt from None
        raise


def errors() -> tuple[type[BaseException], ...]:
    """Return what DuckDB raises; nothing when it is not installed."""
    try:
        return (module().Error,)
    except EngineMissingError:
        return ()


def connect(path: Optional[Path], spill: Optional[Path] = None) -> Any:
    """Open a database.

    Args:
        path: Its file; None: in memory.
        spill: The folder for what does not fit into memory.

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
    """Return a text as a literal of SQL, where a parameter cannot stand."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return a name as a quoted identifier of SQL: that of a column, say, which may hold any character."""
    return '"' + name.replace('"', '""') + '"'
