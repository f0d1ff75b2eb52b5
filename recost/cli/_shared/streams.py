"""The stdout and stderr of a command.

A failed write to stdout is a failure of the command. A failed write to stderr is ignored: notes must neither
change the exit code nor reach stdout, where Python prints them if stderr is closed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Optional, TextIO, cast

__all__ = ["flushed", "lasting_stderr", "point_nowhere", "print_anything"]


@contextmanager
def lasting_stderr() -> Iterator[None]:
    """Ignore failed writes to stderr in the block: closed, full, or without a reader."""
    before = sys.stderr
    with ExitStack() as stack:
        stream = before
        if stream is None:  # closed by the parent process
            stream = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123 - devnull
        sys.stderr = cast("TextIO", _LossyStream(stream))
        try:
            yield
        finally:
            sys.stderr = before


class _LossyStream:
    """A stream that drops text which the stream behind it cannot take."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            self._stream.write(text)
        except OSError:
            point_nowhere(self._stream)
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            point_nowhere(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def print_anything() -> None:
    """Print characters that the encoding of the terminal lacks as escapes."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def flushed() -> bool:
    """Flush stdout and return whether that succeeded. Print the reason if not.

    Raises:
        BrokenPipeError: The reader of stdout has closed it.
    """
    if sys.stdout is None:
        return True
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        point_nowhere(sys.stdout)
        print(f"recost: cannot write to stdout: {error.strerror or error}", file=sys.stderr)
        return False
    return True


def point_nowhere(stream: Optional[TextIO]) -> None:
    """Drop the buffer of a stream, which would raise again when the interpreter flushes it."""
    if stream is None:  # closed by the parent process
        return
    with suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - devnull
        os.dup2(nowhere.fileno(), stream.fileno())
