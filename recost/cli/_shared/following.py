"""Files that a command follows, and the reader of its output."""

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
    """Return a function that finds the files. It returns an empty list if nothing is recorded yet.

    Args:
        command: Name of the command, for messages.
        paths: Files, folders or globs. Empty for all projects.
        folder: The telemetry folder.

    Raises:
        SourceError: A path does not exist, or nothing can be appended to it.
    """
    if STDIN in paths:
        raise SourceError(f"recost: {command} cannot follow stdin: expected files or folders")
    if paths and all(source.compressed for source in find_sources(paths, folder)):
        raise SourceError("recost: cannot follow compressed files: use recost report")

    def find() -> Sequence[Source]:
        try:
            return find_sources(paths, folder)
        except SourceError:  # not yet, or not at this moment
            return []

    return find


def reader_gone() -> Callable[[], bool]:
    """Return a function that returns whether stdout is a pipe that was closed by its reader."""
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
