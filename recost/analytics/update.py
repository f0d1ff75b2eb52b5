"""Bringing the columnar copy up to date: what was appended, what is new, what is gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any, Optional, Protocol

from recost.analytics.copying import unpacked
from recost.analytics.identity import Known, fingerprint, ready_bytes, recognise
from recost.analytics.lines import add_lines, drop_rows, sum_up
from recost.analytics.sources import Source, SourceError

__all__ = ["Progress", "update"]

_SPECIAL = frozenset("*?[]")


class Progress(Protocol):
    """Is told how far the reading is."""

    def begin(self, connection: Any, name: str, size: int) -> None:
        """Tell that ``size`` bytes of a file are read now."""

    def expect(self, size: int) -> None:
        """Tell how many bytes are to be read altogether."""


def update(
    connection: Any, sources: Sequence[Source], scratch: Path, progress: Optional[Progress] = None
) -> dict[Path, Known]:
    """Bring the tables up to date with the files; return what is known of each file then.

    Args:
        connection: Of the columnar copy.
        sources: The files.
        scratch: A folder for copies.
        progress: Is told how far it is.

    Raises:
        SourceError: A file cannot be read.
    """
    before = [Known(*row) for row in connection.execute("SELECT * FROM sources").fetchall()]
    found = _claim([source.path for source in sources], before)
    _drop(connection, before, set(found.values()), {str(source.path) for source in sources})
    if progress is not None:
        progress.expect(sum(_pending(source.path, found.get(source.path)) for source in sources))
    following = max((known.source for known in before), default=0) + 1
    result = {}
    for source in sources:
        known = found.get(source.path)
        if known is None:
            known, following = Known(following, str(source.path), 0, 0, 0, "", ""), following + 1
        try:
            result[source.path] = _read_on(connection, source, known, scratch, progress)
        except OSError as error:
            raise SourceError(f"recost: cannot read {source.path}: {error.strerror or error}") from error
    return result


def _claim(paths: Sequence[Path], known: Sequence[Known]) -> dict[Path, Known]:
    """Return which known file each is: the one of its name where it still is that, else any that it is."""
    by_path = {each.path: each for each in known}
    found: dict[Path, Known] = {}
    for path in paths:
        same = by_path.get(str(path))
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


def _drop(connection: Any, known: Sequence[Known], kept: set[Known], asked: set[str]) -> None:
    """Drop what was read from files that are gone, or are others now."""
    for each in known:
        if each not in kept and (each.path in asked or not Path(each.path).exists()):
            connection.execute("BEGIN")
            drop_rows(connection, each.source)
            connection.execute("DELETE FROM sources WHERE source = ?", [each.source])
            connection.execute("COMMIT")


def _pending(path: Path, known: Optional[Known]) -> int:
    return path.stat().st_size - (0 if known is None else known.size)


def _read_on(
    connection: Any, source: Source, known: Known, scratch: Path, progress: Optional[Progress]
) -> Known:
    """Read what was appended since; all of it when nothing was read before."""
    path, status = source.path, source.path.stat()
    if known.path == str(path) and status.st_size == known.size and status.st_mtime_ns == known.modified:
        return known
    if source.compressed and known.size:  # all of it was read: it can only have been moved
        size = status.st_size
    else:
        size = status.st_size if source.compressed else ready_bytes(path)
    if progress is not None:
        progress.begin(connection, path.name, max(status.st_size - known.size, 0))
    connection.execute("BEGIN")
    try:
        lines, metrics = 0, 0
        if size > known.size:
            lines, metrics = _add(connection, source, known, size, scratch)
            sum_up(connection, known.source)
        now = fingerprint(path, known.source, size, status.st_mtime_ns)
        now = replace(now, bad_lines=known.bad_lines + lines, bad_metrics=known.bad_metrics + metrics)
        connection.execute("DELETE FROM sources WHERE source = ?", [known.source])
        connection.execute("INSERT INTO sources VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", list(astuple(now)))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return now


def _add(connection: Any, source: Source, known: Known, size: int, scratch: Path) -> tuple[int, int]:
    path = source.path
    whole = known.size == 0 and path.stat().st_size == size and not _SPECIAL & set(str(path))
    if whole and not source.compressed:
        result = add_lines(connection, known.source, path)
        if path.stat().st_size == size:
            return result
        # It has grown meanwhile, and who knows how much of that was seen.
        drop_rows(connection, known.source)
    with unpacked(path, scratch, known.size, size) as copy:
        return add_lines(connection, known.source, copy)
