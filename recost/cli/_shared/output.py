"""Output of a command: exact JSON, and files that an option names.

A regular file is replaced as a whole once everything is written, and keeps its mode. A new file has mode
0600. The target of a link is replaced. Pipes and devices are written into. ``-`` is stdout.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, Optional

from recost import _files
from recost.errors import RecostError

__all__ = ["STDOUT", "Output", "OutputError", "append", "exact_json", "is_stdout", "write", "written"]

STDOUT: Final = "-"
_READER_WITHIN_S: Final = 10.0
_POLL_S: Final = 0.02
_BLOCK: Final = 1 << 20


class Output(str):
    """The ``type`` of every option that names an output."""

    __slots__ = ()

    def __new__(cls, text: str) -> Output:  # noqa: PYI034 - Self is from Python 3.11 on
        """Take the text of the argument.

        Raises:
            ArgumentTypeError: The text is blank.
        """
        if not text.strip() or "\0" in text:
            raise argparse.ArgumentTypeError(f"invalid path {text!r}: expected a file, or - for stdout")
        return super().__new__(cls, text)


class OutputError(RecostError):
    """The error of an output that cannot be written."""


@contextmanager
def written(output: str) -> Iterator[Path]:
    """Yield the path of a private file, whose content reaches the output when the block succeeds.

    Args:
        output: A path, or ``-``. A pipe must get a reader within 10 s.

    Raises:
        OutputError: The output cannot be written. A regular file is unchanged.
    """
    try:
        before = None if output == STDOUT else _status(Path(output))
        if output != STDOUT and (before is None or _is_replaceable(output, before)):
            with _files.replaced_path(Path(os.path.realpath(output)), before) as fresh:
                yield fresh
        else:
            with tempfile.TemporaryDirectory(prefix="recost-") as folder:
                fresh = Path(folder, "content")
                yield fresh
                with fresh.open("rb") as content, _opened(output) as target:
                    shutil.copyfileobj(content, target, _BLOCK)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(_refusal(output, error)) from error


def _refusal(output: str, error: OSError) -> str:
    where = "to stdout" if output == STDOUT else output
    return f"recost: cannot write {where}: {_files.reason_of(error)}"


def write(output: str, text: str) -> None:
    """Write a text.

    Raises:
        OutputError: The output cannot be written. A regular file is unchanged.
    """
    with written(output) as fresh:
        fresh.write_bytes(text.encode())


def append(output: str, text: str) -> None:
    """Append a text to a file that other programs also write.

    Raises:
        OutputError: The output cannot be written.
    """
    try:
        with _opened(output, os.O_APPEND | os.O_CREAT) as target:
            target.write(text.encode())
    except OSError as error:
        raise OutputError(_refusal(output, error)) from error


def exact_json(content: Any, indent: Optional[int] = 2) -> str:
    """Return JSON in which a `Decimal` is a number with all its digits, on one line without ``indent``."""
    # A float would lose digits, and json has no other number. So an amount is first a string with a random
    # mark, which no string of the data can contain.
    mark = secrets.token_hex(16)
    text = json.dumps(content, indent=indent, default=lambda value: f"{mark}{value:f}")
    return re.sub(rf'"{mark}([-+.0-9E]+)"', r"\1", text)


def is_stdout(output: Optional[str]) -> bool:
    """Return True if an output is the stdout of this process, under any name."""
    if output is None or output == STDOUT:
        return True
    try:
        return os.path.samestat(os.stat(output), os.fstat(sys.stdout.fileno()))  # noqa: PTH116 - stat by descriptor
    except (OSError, ValueError):  # missing, or stdout has no descriptor
        return False


def _status(path: Path) -> Optional[os.stat_result]:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _is_replaceable(output: str, status: os.stat_result) -> bool:
    """Return True if it is a regular file that is not open as stdout or stderr."""
    folder = os.path.realpath(os.path.dirname(output))  # noqa: PTH120 - the last part is not followed
    if not stat.S_ISREG(status.st_mode) or folder.startswith(("/proc/", "/dev/")):
        return False
    return not any(_is_at(stream, status) for stream in (sys.stdout, sys.stderr))


def _is_at(stream: object, status: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.fstat(stream.fileno()), status)  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return False


@contextmanager
def _opened(output: str, flags: int = 0) -> Iterator[BinaryIO]:
    """Yield a stream into a pipe, a device, or the end of a file. stdout and stderr stay open."""
    status = None if output == STDOUT else _status(Path(output))
    for stream in (sys.stdout, sys.stderr):
        if (output == STDOUT and stream is sys.stdout) or (status is not None and _is_at(stream, status)):
            stream.flush()
            yield stream.buffer
            stream.flush()
            return
    fd = _open(output, flags)
    with os.fdopen(fd, "wb") as target:
        yield target


def _open(output: str, flags: int) -> int:
    """Open an output without blocking, except for the reader of a pipe."""
    flags |= os.O_WRONLY | _files.FOLLOWING_FLAGS
    deadline = time.monotonic() + _READER_WITHIN_S
    while True:
        try:
            fd = os.open(output, flags, _files.FILE_MODE)
        except OSError as error:
            if error.errno != errno.ENXIO or not stat.S_ISFIFO(os.stat(output).st_mode):  # noqa: PTH116
                raise
            if time.monotonic() >= deadline:
                raise _files.UnusableFileError(
                    f"it is a pipe without a reader for {_READER_WITHIN_S:g} s"
                ) from None
            time.sleep(_POLL_S)
            continue
        if hasattr(os, "set_blocking"):
            os.set_blocking(fd, True)  # a reader may take its time
        return fd
