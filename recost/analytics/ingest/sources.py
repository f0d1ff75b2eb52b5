"""Files of windows: folders, single files and globs, including rotated and compressed files."""

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
"""Names that recost or logrotate give: ``shop.jsonl.1``, ``shop.jsonl.2.gz``, ``shop.jsonl-20261119``."""
_LIKE_OURS: Final = re.compile(r"\.(?:jsonl|ndjson)(?![A-Za-z0-9])")
_GZIP: Final = b"\x1f\x8b"
_SPECIAL: Final = frozenset("*?[]")


class SourceError(RecostError):
    """A file that is missing or cannot be read."""


@dataclass(frozen=True)
class Source:
    """One file of windows, one JSON object a line."""

    path: Path
    """Absolute."""
    project: str
    """The project, from the file name. Windows do not contain it."""

    @property
    def compressed(self) -> bool:
        """True if the name ends with ``.gz``."""
        return self.path.suffix == ".gz"


def as_text(name: str) -> str:
    """Return a file name as text. Bytes that are not UTF-8 are escaped."""
    return name.encode("utf-8", "backslashreplace").decode()


def is_plain(path: Path) -> bool:
    """Return True if DuckDB reads a path literally: it is valid text without wildcards."""
    name = str(path)
    return not _SPECIAL.intersection(name) and as_text(name) == name


def project_of(name: str) -> str:
    """Return the project of a file: ``shop`` for ``shop.jsonl``, ``shop.2.jsonl`` and ``shop.1.jsonl.gz``."""
    found = _NAME.match(name)
    return found["project"] if found else name


def find_sources(arguments: Sequence[str], folder: Path) -> list[Source]:
    """Return the files that the arguments name, each once, sorted by path.

    Args:
        arguments: Files, folders and globs. If empty, the telemetry folder is read.
        folder: The telemetry folder.

    Raises:
        SourceError: No file is found.
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
    if path.exists():  # reading a pipe would block, and a device may never end
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
    """Return the files in the folders that are ignored, although their names resemble recost's."""
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
    """Copy a stream, compressed or not, into a file, because it can be read only once."""
    first = stream.read(1 << 16)
    path = folder / ("stdin.jsonl.gz" if first.startswith(_GZIP) else "stdin.jsonl")
    # A read in several pieces would delay a signal that arrives between two of them.
    read = getattr(stream, "read1", stream.read)
    with path.open("xb") as copy:
        copy.write(first)
        while block := read(1 << 20):
            copy.write(block)
    return path
