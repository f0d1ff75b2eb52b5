"""Which files are meant: a folder of them, single ones, globs; rotated and compressed ones included."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from recost.errors import RecostError

__all__ = [
    "STDIN",
    "Source",
    "SourceError",
    "as_text",
    "find_sources",
    "is_plain",
    "passed_over",
    "project_of",
    "spool",
]

STDIN: Final = "-"
_NAME: Final = re.compile(
    r"(?P<project>.+?)(?:\.\d{1,9})?\.(?:jsonl|ndjson)(?:\.\d{1,9}|-\d{8}(?:-?\d{1,10})?)?(?:\.gz)?$"
)
"""Ours, and those that logrotate gives: ``shop.jsonl.1``, ``shop.jsonl.2.gz``, ``shop.jsonl-20261119``."""
_LIKE_OURS: Final = re.compile(r"\.(?:jsonl|ndjson)(?![A-Za-z0-9])")
_GZIP: Final = b"\x1f\x8b"
_SPECIAL: Final = frozenset("*?[]")


class SourceError(RecostError):
    """What was asked for is not there, or cannot be read."""


@dataclass(frozen=True)
class Source:
    """One file of windows, one JSON object a line."""

    path: Path
    """Absolute."""
    project: str
    """By the file's name: the wire form of a window does not tell it."""

    @property
    def compressed(self) -> bool:
        """Whether the name says gzip."""
        return self.path.suffix == ".gz"


def as_text(name: str) -> str:
    """Return a name that is text: bytes that are not UTF-8, which file names may have, are escaped."""
    return name.encode("utf-8", "backslashreplace").decode()


def is_plain(path: Path) -> bool:
    """Return whether DuckDB takes a path for what it is: it has no wildcards, and is text."""
    name = str(path)
    return not _SPECIAL.intersection(name) and as_text(name) == name


def project_of(name: str) -> str:
    """Return the project of a file: ``shop`` for ``shop.jsonl``, ``shop.2.jsonl`` and ``shop.1.jsonl.gz``."""
    found = _NAME.match(name)
    return found["project"] if found else name


def find_sources(arguments: Sequence[str], folder: Path) -> list[Source]:
    """Return the files that the arguments name, each once, sorted by path.

    Args:
        arguments: Files, folders, globs; empty: the folder of all projects.
        folder: The telemetry folder.

    Raises:
        SourceError: Nothing is there.
    """
    paths: set[Path] = set()
    for argument in arguments:
        paths.update(_matching(argument))
    if not arguments:
        paths.update(_inside(folder) if folder.is_dir() else ())
        if not paths:
            raise SourceError(
                f"recost: nothing recorded in {folder}: run a program with recost.init(), or "
                "`recost demo`; RECOST_LOCAL_DIR or a path chooses another folder"
            )
    return [Source(path, as_text(project_of(path.name))) for path in sorted(paths)]


def _matching(argument: str) -> Iterable[Path]:
    path = Path(argument).expanduser()
    if path.is_dir():
        found = _inside(path)
        if not found:
            raise SourceError(f"recost: no .jsonl file in {path}")
        return found
    if path.is_file():
        return [path.absolute()]
    if path.exists():  # a pipe would be waited for, a device may never end
        raise SourceError(
            f"recost: {argument} is not a regular file: expected a file, a folder or - for stdin"
        )
    if glob.has_magic(argument):
        found = [Path(name).absolute() for name in glob.glob(str(path), recursive=True)]  # noqa: PTH207 - absolute ones, too
        files = [each for each in found if each.is_file()]
        if files:
            return files
        raise SourceError(f"recost: no file matches {argument!r}")
    raise SourceError(f"recost: no such file or folder: {argument}")


def _inside(folder: Path) -> list[Path]:
    return [
        path.absolute()
        for path in folder.iterdir()
        if not path.name.startswith(".") and _NAME.match(path.name) and path.is_file()
    ]


def passed_over(arguments: Sequence[str], folder: Path) -> list[Path]:
    """Return the files of the folders that may hold windows by their names, and are not read."""
    folders = [Path(each).expanduser() for each in arguments] or [folder]
    return sorted(
        path
        for each in folders
        if each.is_dir()
        for path in each.iterdir()
        if not path.name.startswith(".")
        and _LIKE_OURS.search(path.name)
        and not _NAME.match(path.name)
        and path.is_file()
    )


def spool(stream: BinaryIO, folder: Path) -> Path:
    """Copy a stream, compressed or not, into a file in a folder, as it can be read only once."""
    first = stream.read(1 << 16)
    path = folder / ("stdin.jsonl.gz" if first.startswith(_GZIP) else "stdin.jsonl")
    # A read that takes several pieces would put off a signal that comes between two of them.
    read = getattr(stream, "read1", stream.read)
    with path.open("xb") as copy:
        copy.write(first)
        while block := read(1 << 20):
            copy.write(block)
    return path
