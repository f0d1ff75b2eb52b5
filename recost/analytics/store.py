"""The columnar copy: a DuckDB file in a hidden folder beside the files that it is made from.

It holds nothing that the files don't: it is dropped and built again when it is damaged or of another
version. One command at a time uses it; where it cannot be written, or another command doesn't let go of it, a
temporary one takes its place.
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

from recost import _files
from recost.analytics import engine
from recost.analytics.ingest.content import unpacked
from recost.analytics.ingest.fingerprint import Known
from recost.analytics.ingest.lines import bad_flags
from recost.analytics.ingest.sources import Source, SourceError, find_sources, is_plain
from recost.analytics.ingest.tables import SCHEMA_VERSION, create_tables
from recost.analytics.ingest.update import Progress, update

__all__ = ["FOLDER", "Readings", "Scope", "consult", "readings", "scope_of", "troubles"]

FOLDER: Final = ".cache"
"""Of the telemetry folder."""
_NAME: Final = "reports.duckdb"
_TEMPORARY: Final = ("lines-", "export", "tmp")
"""What the names of copies begin with that live no longer than a command."""
_WAIT_S: Final = 30.0
_ATTEMPTS: Final = 3

_T = TypeVar("_T")


@dataclass(frozen=True)
class Readings:
    """The columnar copy, up to date with some files, for as long as a command needs it."""

    connection: Any
    sources: Sequence[Source]
    known: dict[Path, Known]
    scratch: Path
    """A folder for what is needed for a moment only."""

    @property
    def bad_lines(self) -> int:
        """Lines that are no windows, torn ones included."""
        return sum(each.bad_lines for each in self.known.values()) + len(self.unfinished())

    @property
    def bad_metrics(self) -> int:
        """Metrics of a window that lack what is needed."""
        return sum(each.bad_metrics for each in self.known.values())

    def unfinished(self) -> list[Path]:
        """Return the files whose last line is torn, or is being written."""
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
    """Read what the arguments name, and return what ``use`` makes of it.

    Args:
        arguments: See `find_sources`.
        folder: The telemetry folder, which the columnar copy is kept in.
        use: Called again when files were rotated, or the copy turns out to be damaged.
        progress: Is told how far the reading is.
        keep: False: the columnar copy is thrown away afterwards.

    Raises:
        EngineMissingError: DuckDB is not installed.
        SourceError: Nothing is there, or a file cannot be read.
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
    """Drop a copy that cannot be read; a command that uses it now keeps what it has open."""
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
    """Yield the columnar copy, up to date with the files.

    Args:
        sources: The files.
        folder: The telemetry folder, which the copy is kept in; None: it is kept nowhere.
        progress: Is told how far the reading is.
        wait_s: How long to wait for another command.

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
    """Yield a folder, locked, and whether it is the one that is kept."""
    own = None if folder is None or not is_plain(folder) else _own(folder / FOLDER)
    with ExitStack() as stack:
        if own is not None and _held(stack, own, wait_s):
            yield own, True
        else:
            yield Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="recost-"))), False


def _held(stack: ExitStack, place: Path, wait_s: float) -> bool:
    """Lock the folder until the stack is left; False when another command uses it, or no file of ours can."""
    try:
        return stack.enter_context(_files.locked(place / "reports.lock", wait_s)) and _sweep(place)
    except OSError:
        return False


def _sweep(place: Path) -> bool:
    """Drop what a command that was killed has left, and what is no file of ours; False where that fails."""
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
    """Return the folder when it is ours alone and can be written; it is made when it is missing."""
    try:
        _files.make_folder(place, own=True)
        if place.is_symlink():
            return None
        with tempfile.TemporaryFile(dir=place):
            return place
    except OSError:
        return None


def _opened(
    path: Optional[Path], place: Path, sources: Sequence[Source], progress: Optional[Progress]
) -> tuple[Any, dict[Path, Known]]:
    """Open the copy and bring it up to date; begin anew when it is damaged or of another version."""
    if path is not None and path.exists():
        connection = None
        try:
            connection = engine.connect(path, place)
            if connection.execute("SELECT version FROM meta").fetchall() == [(SCHEMA_VERSION,)]:
                return connection, update(connection, sources, place, progress)
        except engine.errors():
            pass  # damaged, or written by another version of DuckDB: the files have it all
        except BaseException:
            _close(connection)
            raise
        _close(connection)
    return _anew(path, place, sources, progress)


def _anew(
    path: Optional[Path], place: Path, sources: Sequence[Source], progress: Optional[Progress]
) -> tuple[Any, dict[Path, Known]]:
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
class Scope:
    """The files that were asked for, as the columnar copy has them."""

    projects: dict[int, str]
    """By the number of the source."""
    everything: bool
    """There is nothing else in the copy."""
    first: datetime
    """When the first window began, in UTC."""
    last: datetime


def scope_of(readings: Readings) -> Optional[Scope]:
    """Return what was asked for; None when there are no rows.

    The table ``selected`` has the numbers and projects of the files from then on.
    """
    projects = {readings.known[source.path].source: source.project for source in readings.sources}
    connection = readings.connection
    connection.execute("CREATE OR REPLACE TEMP TABLE selected (source INTEGER, project VARCHAR)")
    if projects:
        connection.executemany("INSERT INTO selected VALUES (?, ?)", list(projects.items()))
    first, last = connection.execute("SELECT min(started), max(started) FROM metrics").fetchone()
    if first is None:
        return None
    known = {source for (source,) in connection.execute("SELECT source FROM sources").fetchall()}
    bounds = (moment.replace(tzinfo=timezone.utc) for moment in (first, last))
    return Scope(projects, known <= projects.keys(), *bounds)


def troubles(readings: Readings) -> Iterator[tuple[Path, int, str]]:
    """Yield the path, the line's number from 1 on, and what is wrong, for each bad line.

    The files that have any are read again: their places are not kept.
    """
    unfinished = set(readings.unfinished())
    for path, known in readings.known.items():
        if known.bad_lines or known.bad_metrics:
            with unpacked(path, readings.scratch, 0, known.size) as copy:
                yield from ((path, line, what) for line, what in _lines(readings, copy))
        if path in unfinished:
            yield path, _count(path) + 1, "torn, or being written: it has no end"


def _lines(readings: Readings, copy: Path) -> Iterator[tuple[int, str]]:
    flags = iter(bad_flags(readings.connection, copy, readings.scratch))
    with copy.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            flag = next(flags, 0)
            if flag > 0:
                yield number, "no window of protocol 1.x: torn, or another program's"
            elif flag < 0:
                yield number, f"{-flag} of its metrics lack a name, a count or a cost"


def _count(path: Path) -> int:
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
