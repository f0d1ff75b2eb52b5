"""The columnar copy: a DuckDB file in a hidden folder beside the recorded files.

It contains only data from the files, so a damaged copy or one of another version is rebuilt. One command at a
time uses it. If it is not writable, or another command keeps it locked, a temporary copy is used.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Final, Optional, TypeVar

from recost import _files, _folders
from recost.analytics import engine
from recost.analytics.dialect import DUCKDB, Dialect
from recost.analytics.ingest.content import unpacked
from recost.analytics.ingest.fingerprint import FileState
from recost.analytics.ingest.lines import bad_flags
from recost.analytics.ingest.sources import Source, SourceError, find_sources, is_plain
from recost.analytics.ingest.tables import SCHEMA_VERSION, create_tables
from recost.analytics.ingest.update import Progress, update

__all__ = ["FOLDER", "Readings", "Selection", "consult", "readings", "select_files", "troubles"]

FOLDER: Final = ".cache"
"""The folder of the copy within the telemetry folder."""
_NAME: Final = "reports.duckdb"
_TEMPORARY: Final = ("lines-", "export", "tmp")
"""The prefixes of temporary files that are deleted at the end of a command."""
_WAIT_S: Final = 30.0
_ATTEMPTS: Final = 3

_T = TypeVar("_T")


@dataclass(frozen=True)
class Readings:
    """The columnar copy, updated from some files, while a command uses it."""

    connection: Any
    sources: Sequence[Source]
    known: dict[Path, FileState]
    scratch: Path
    """A folder for temporary files."""
    dialect: Dialect = DUCKDB

    @property
    def bad_lines(self) -> int:
        """The number of lines that are not windows, including truncated ones."""
        return sum(each.bad_lines for each in self.known.values()) + len(self.unfinished())

    @property
    def bad_metrics(self) -> int:
        """The number of invalid metrics in valid windows."""
        return sum(each.bad_metrics for each in self.known.values())

    def unfinished(self) -> list[Path]:
        """Return the files whose last line is truncated or being written."""
        return [
            path
            for path, known in self.known.items()
            if path.suffix != ".gz" and path.exists() and known.size < path.stat().st_size
        ]


def consult(
    arguments: Sequence[str],
    folder: Path,
    use: Callable[[Readings], _T],
    progress: Optional[Progress] = None,
    *,
    keep: bool = True,
) -> _T:
    """Read the files that the arguments name, and return the result of ``use``.

    Args:
        arguments: See `find_sources`.
        folder: The telemetry folder, which contains the columnar copy.
        use: Called again if files were rotated, or the copy is damaged.
        progress: Receives the progress of reading.
        keep: False to delete the columnar copy afterwards.

    Raises:
        EngineMissingError: DuckDB is not installed.
        SourceError: No file is found, or a file cannot be read.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        last = attempt == _ATTEMPTS
        sources = find_sources(arguments, folder)
        before = _inodes(sources)
        try:
            with readings(sources, folder if keep else None, progress) as found:
                if last or _inodes(find_sources(arguments, folder)) == before:
                    return use(found)
        except SourceError:
            if last or all(source.path.exists() for source in sources):
                raise
        except engine.errors():
            if last:
                raise
            _discard(folder)
    raise AssertionError("unreachable")


def _inodes(sources: Sequence[Source]) -> dict[Path, int]:
    return {source.path: source.path.stat().st_ino for source in sources if source.path.exists()}


def _discard(folder: Path) -> None:
    """Delete an unreadable copy. Commands that have it open are not affected."""
    for path in (folder / FOLDER).glob(f"{_NAME}*"):
        with suppress(OSError):
            path.unlink()


@contextmanager
def readings(
    sources: Sequence[Source],
    folder: Optional[Path],
    progress: Optional[Progress] = None,
    *,
    wait_s: float = _WAIT_S,
) -> Iterator[Readings]:
    """Yield the columnar copy, updated from the files.

    Args:
        sources: The files.
        folder: The telemetry folder, which contains the copy. None for a temporary copy.
        progress: Receives the progress of reading.
        wait_s: Maximum number of seconds to wait for another command.

    Raises:
        EngineMissingError: DuckDB is not installed.
        SourceError: A file cannot be read.
    """
    engine.module()
    with _private_umask(), _place(folder, wait_s) as (place, kept):
        connection, known = _opened(place / _NAME if kept else None, place, sources, progress)
        try:
            yield Readings(connection, sources, known, place)
        finally:
            connection.close()


@contextmanager
def _place(folder: Optional[Path], wait_s: float) -> Iterator[tuple[Path, bool]]:
    """Yield a locked folder for the copy, and whether it is permanent."""
    own = None if folder is None or not is_plain(folder) else _own(folder / FOLDER)
    with ExitStack() as stack:
        if own is not None and _held(stack, own, wait_s):
            yield own, True
        else:
            yield Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="recost-"))), False


def _held(stack: ExitStack, place: Path, wait_s: float) -> bool:
    """Lock the folder until the stack exits. Return False if another command uses it, or it is unusable."""
    try:
        return stack.enter_context(_files.locked(place / "reports.lock", wait_s)) and _sweep(place)
    except OSError:
        return False


def _sweep(place: Path) -> bool:
    """Delete leftovers of killed commands and foreign files. Return False if that fails."""
    try:
        for path in place.iterdir():
            left = path.name.startswith(_TEMPORARY)
            if left or (path.name.startswith(_NAME) and not _is_private(path)):
                path.unlink()
    except OSError:
        return False
    return True


def _is_private(path: Path) -> bool:
    status = path.lstat()
    own = not hasattr(os, "geteuid") or (status.st_uid == os.geteuid() and status.st_nlink == 1)
    return own and stat.S_ISREG(status.st_mode)


def _own(place: Path) -> Optional[Path]:
    """Create the folder if needed. Return it if it is private and writable, else None."""
    try:
        _folders.make_folder(place, own=True)
        if place.is_symlink():
            return None
        with tempfile.TemporaryFile(dir=place):
            return place
    except OSError:
        return None


def _opened(
    path: Optional[Path], place: Path, sources: Sequence[Source], progress: Optional[Progress]
) -> tuple[Any, dict[Path, FileState]]:
    """Open and update the copy. Rebuild it if it is damaged or of another version."""
    if path is not None and path.exists():
        connection = None
        try:
            connection = engine.connect(path, place)
            if connection.execute("SELECT version FROM meta").fetchall() == [(SCHEMA_VERSION,)]:
                return connection, update(connection, sources, place, progress)
        except engine.errors():
            pass  # damaged, or written by another version of DuckDB: rebuild it from the files
        except BaseException:
            _close(connection)
            raise
        _close(connection)
    return _anew(path, place, sources, progress)


def _anew(
    path: Optional[Path], place: Path, sources: Sequence[Source], progress: Optional[Progress]
) -> tuple[Any, dict[Path, FileState]]:
    for old in place.glob(f"{_NAME}*"):
        old.unlink()
    connection = engine.connect(path or place / _NAME, place)
    try:
        create_tables(connection)
        return connection, update(connection, sources, place, progress)
    except BaseException:
        connection.close()
        raise


def _close(connection: Any) -> None:
    if connection is not None:
        connection.close()


@contextmanager
def _private_umask() -> Iterator[None]:
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@dataclass(frozen=True)
class Selection:
    """The requested files within the columnar copy."""

    projects: dict[int, str]
    """The projects by number of the source."""
    everything: bool
    """True if the copy contains no other files."""
    first: datetime
    """The start of the first window in UTC."""
    last: datetime


def select_files(readings: Readings) -> Optional[Selection]:
    """Select the requested files in the table ``selected``. Return None without rows.

    A database has that table. All of it is selected.
    """
    connection, dialect = readings.connection, readings.dialect
    if dialect is DUCKDB:
        projects = {readings.known[source.path].source: source.project for source in readings.sources}
        connection.execute("CREATE OR REPLACE TEMP TABLE selected (source INTEGER, project VARCHAR)")
        if projects:
            connection.executemany("INSERT INTO selected VALUES (?, ?)", list(projects.items()))
    else:
        projects = dict(connection.execute(f"SELECT source, project FROM {dialect.projects}").fetchall())
    first, last = connection.execute(f"SELECT min(started), max(started) FROM {dialect.metrics}").fetchone()
    if first is None:
        return None
    everything = dialect is not DUCKDB or _known_sources(connection) <= projects.keys()
    bounds = (moment.replace(tzinfo=timezone.utc) for moment in (first, last))
    return Selection(projects, everything, *bounds)


def _known_sources(connection: Any) -> set[int]:
    return {source for (source,) in connection.execute("SELECT source FROM sources").fetchall()}


def troubles(readings: Readings) -> Iterator[tuple[Path, int, str]]:
    """Yield path, line number (from 1) and problem of each bad line.

    Files with bad lines are read again, because line numbers are not stored.
    """
    unfinished = set(readings.unfinished())
    for path, known in readings.known.items():
        if known.bad_lines or known.bad_metrics:
            with unpacked(path, readings.scratch, 0, known.size) as copy:
                yield from ((path, line, what) for line, what in _lines(readings, copy))
        if path in unfinished:
            yield path, _count(path) + 1, "truncated or being written: it has no line feed"


def _lines(readings: Readings, copy: Path) -> Iterator[tuple[int, str]]:
    flags = iter(bad_flags(readings.connection, copy, readings.scratch))
    with copy.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            flag = next(flags, 0)
            if flag > 0:
                yield number, "not a window of protocol 1.x: truncated or written by another program"
            elif flag < 0:
                yield number, f"{-flag} of its metrics lack a name, a count or a cost"


def _count(path: Path) -> int:
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
