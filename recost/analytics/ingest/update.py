"""Updates of the columnar copy: appended, new and deleted files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any, Final, Optional, Protocol

from recost.analytics import engine
from recost.analytics.ingest.content import unpacked
from recost.analytics.ingest.fingerprint import FileState, fingerprint, ready_bytes, recognise
from recost.analytics.ingest.lines import add_lines
from recost.analytics.ingest.sources import Source, SourceError, as_text, is_plain
from recost.analytics.ingest.tables import drop_rows, sum_up

__all__ = ["Progress", "update"]

_TOGETHER: Final = 512 << 20
"""Bytes of new files that are read in one statement, so that all threads have work."""

_Part = tuple[Source, FileState]
"""A file and its known state. The state of a new file has only a number."""


class Progress(Protocol):
    """A display of reading progress."""

    def begin(self, connection: Any, name: str, size: int) -> None:
        """Show that ``size`` bytes of a file are being read."""

    def expect(self, size: int) -> None:
        """Show how many bytes will be read in total."""


def update(
    connection: Any, sources: Sequence[Source], scratch: Path, progress: Optional[Progress] = None
) -> dict[Path, FileState]:
    """Update the tables from the files, and return the new state of each file.

    Args:
        connection: The connection to the columnar copy.
        sources: The files.
        scratch: A folder for copies.
        progress: Receives the progress.

    Raises:
        SourceError: A file cannot be read.
    """
    before = [FileState(*row) for row in connection.execute("SELECT * FROM sources").fetchall()]
    found = _claim([source.path for source in sources], before)
    _drop(connection, before, set(found.values()), {as_text(str(source.path)) for source in sources})
    if progress is not None:
        progress.expect(sum(_pending(source.path, found.get(source.path)) for source in sources))
    following = max((known.source for known in before), default=0) + 1
    parts = []
    for source in sources:
        known = found.get(source.path)
        if known is None:
            known, following = FileState(following, as_text(str(source.path)), 0, 0, 0, "", ""), following + 1
        parts.append((source, known))
    result: dict[Path, FileState] = {}
    for group in _grouped(parts):
        together = _read_together(connection, group, scratch, progress) if len(group) > 1 else None
        if together is None:
            together = [_read_alone(connection, source, known, scratch, progress) for source, known in group]
        result.update(zip((source.path for source, _ in group), together))
    return {source.path: result[source.path] for source in sources}


def _claim(paths: Sequence[Path], known: Sequence[FileState]) -> dict[Path, FileState]:
    """Match files to known ones: by name and content first, then by content alone."""
    by_path = {each.path: each for each in known}
    found: dict[Path, FileState] = {}
    for path in paths:
        same = by_path.get(as_text(str(path)))
        if same is not None and recognise(path, same):
            found[path] = same
    free = [each for each in known if each not in found.values()]
    for path in paths:
        if path not in found:
            match = next((each for each in free if recognise(path, each)), None)
            if match is not None:
                free.remove(match)
                found[path] = match
    return found


def _drop(connection: Any, known: Sequence[FileState], kept: set[FileState], asked: set[str]) -> None:
    """Delete the rows of files that are gone or were replaced."""
    for each in known:
        if each not in kept and (each.path in asked or not Path(each.path).exists()):
            with _transaction(connection):
                drop_rows(connection, each.source)
                connection.execute("DELETE FROM sources WHERE source = ?", [each.source])


@contextmanager
def _transaction(connection: Any) -> Iterator[None]:
    connection.execute("BEGIN")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _pending(path: Path, known: Optional[FileState]) -> int:
    return path.stat().st_size - (0 if known is None else known.size)


def _grouped(parts: Sequence[_Part]) -> Iterator[Sequence[_Part]]:
    """Yield new files in groups of up to `_TOGETHER` bytes, and other files alone."""
    group: list[_Part] = []
    room = _TOGETHER
    for part in parts:
        source, known = part
        size = 0 if known.size else _size_of_whole(source)
        if not size:
            yield [part]
            continue
        if group and size > room:
            yield group
            group, room = [], _TOGETHER
        group.append(part)
        room -= size
    if group:
        yield group


def _size_of_whole(source: Source) -> int:
    """Return the size of a file that DuckDB can read without a copy, or 0 for any other file."""
    if source.compressed or not is_plain(source.path):
        return 0
    try:
        size = source.path.stat().st_size
        return size if ready_bytes(source.path) == size else 0
    except OSError:  # reading it reports the error
        return 0


def _read_together(
    connection: Any, group: Sequence[_Part], scratch: Path, progress: Optional[Progress]
) -> Optional[list[FileState]]:
    """Read new files in one statement. Return None, with nothing read, if a file must be read alone."""
    try:
        if progress is not None:
            name = f"{group[0][0].path.name} and {len(group) - 1} more"
            progress.begin(connection, name, sum(_pending(source.path, known) for source, known in group))
        with _transaction(connection):
            return _added_together(connection, group, scratch)
    except (OSError, SourceError):
        return None
    except engine.errors():
        return None


def _added_together(connection: Any, group: Sequence[_Part], scratch: Path) -> list[FileState]:
    before = [source.path.stat() for source, _ in group]
    bad = add_lines(connection, {source.path: known.source for source, known in group}, scratch)
    for (source, _), status in zip(group, before):
        if source.path.stat().st_size != status.st_size:  # how much was read is unknown
            raise SourceError(f"recost: {source.path} has changed while it was read")
    sum_up(connection, bad)
    return [
        _noted(connection, source, known, status, status.st_size, bad[known.source])
        for (source, known), status in zip(group, before)
    ]


def _read_alone(
    connection: Any, source: Source, known: FileState, scratch: Path, progress: Optional[Progress]
) -> FileState:
    try:
        return _read_on(connection, source, known, scratch, progress)
    except OSError as error:
        raise SourceError(f"recost: cannot read {source.path}: {error.strerror or error}") from error


def _read_on(
    connection: Any, source: Source, known: FileState, scratch: Path, progress: Optional[Progress]
) -> FileState:
    """Read the appended content, or all of a new file."""
    path, status = source.path, source.path.stat()
    if (
        known.path == as_text(str(path))
        and status.st_size == known.size
        and status.st_mtime_ns == known.modified
    ):
        return known
    if source.compressed and known.size:  # all of it was read: it can only have been moved
        size = status.st_size
    else:
        size = status.st_size if source.compressed else ready_bytes(path)
    if progress is not None:
        progress.begin(connection, path.name, max(status.st_size - known.size, 0))
    with _transaction(connection):
        bad = (0, 0)
        if size > known.size:
            bad = _add(connection, source, known, size, scratch)
            sum_up(connection, [known.source])
        return _noted(connection, source, known, status, size, bad)


def _noted(
    connection: Any, source: Source, known: FileState, status: os.stat_result, size: int, bad: tuple[int, int]
) -> FileState:
    """Store the state of a file and its numbers of bad lines and metrics."""
    now = fingerprint(source.path, known.source, size, status.st_mtime_ns)
    now = replace(now, bad_lines=known.bad_lines + bad[0], bad_metrics=known.bad_metrics + bad[1])
    connection.execute("DELETE FROM sources WHERE source = ?", [known.source])
    connection.execute("INSERT INTO sources VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", list(astuple(now)))
    return now


def _add(connection: Any, source: Source, known: FileState, size: int, scratch: Path) -> tuple[int, int]:
    path = source.path
    if known.size == 0 and _size_of_whole(source) == size:
        result = add_lines(connection, {path: known.source}, scratch)
        if path.stat().st_size == size:
            return result[known.source]
        # The file has grown while it was read, so how much was read is unknown.
        drop_rows(connection, known.source)
    with unpacked(path, scratch, known.size, size) as copy:
        return add_lines(connection, {copy: known.source}, scratch)[known.source]
