"""The files that a command follows, and whether anybody still reads what it prints of them."""

from __future__ import annotations

import os
import select
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Callable, Final

from recost.analytics.ingest.sources import STDIN, Source, SourceError, find_sources

__all__ = ["finder", "reader_gone"]

_GONE: Final = getattr(select, "POLLERR", 0) | getattr(select, "POLLHUP", 0)


def finder(command: str, paths: Sequence[str], folder: Path) -> Callable[[], Sequence[Source]]:
    """Return what finds the files each time that it is called; none where there are none yet.

    Args:
        command: That follows them.
        paths: Files, folders, globs; empty: the folder of all projects.
        folder: The telemetry folder.

    Raises:
        SourceError: A path that is named is not there, or nothing can be appended to it.
    """
    if STDIN in paths:
        raise SourceError(f"recost: {command} follows files, not stdin")
    if paths and all(source.compressed for source in find_sources(paths, folder)):
        raise SourceError("recost: nothing is appended to compressed files; `recost report` reads them")

    def find() -> Sequence[Source]:
        try:
            return find_sources(paths, folder)
        except SourceError:  # not yet, or not at this moment
            return []

    return find


def reader_gone() -> Callable[[], bool]:
    """Return what tells whether our output is a pipe that nobody reads any more."""
    try:
        output = sys.stdout.fileno()
        if not _GONE or not stat.S_ISFIFO(os.fstat(output).st_mode):
            return _never
    except (OSError, ValueError):  # no real file behind it
        return _never
    poll = select.poll()
    poll.register(output, 0)
    return lambda: any(event & _GONE for _, event in poll.poll(0))


def _never() -> bool:
    return False
