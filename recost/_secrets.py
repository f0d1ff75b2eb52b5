"""Secrets that a variable, a file or a command names. They are never stored, logged or shown."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Optional

from recost._documents import read_document
from recost._files import reason_of

__all__ = ["SecretError", "from_command", "from_file", "from_variable", "one_line"]

_MAX_BYTES: Final = 64 << 10
_WITHIN_S: Final = 120.0


class SecretError(Exception):
    """The reason why a secret cannot be read. It does not quote the secret."""


def from_variable(source: str, environ: Mapping[str, str]) -> str:
    """Return the value of an environment variable.

    Raises:
        SecretError: It is not set.
    """
    found: Optional[str] = environ.get(source)
    if not found:
        shown = source if source.isidentifier() else "the variable"  # somebody may have put the secret there
        raise SecretError(f"{shown} is not set")
    return found


def from_file(source: str, path: str) -> str:
    """Return the content of a file, such as a secret of Docker, Kubernetes or systemd.

    Raises:
        SecretError: It cannot be read.
    """
    try:
        return read_document(Path(path), _MAX_BYTES)
    except (OSError, ValueError) as error:
        raise SecretError(f"cannot read the file that {source} names: {reason_of(error)}") from None


def from_command(source: str, command: str) -> str:
    """Return what a command prints. It may ask on the terminal, and is not run by a shell.

    Raises:
        SecretError: It failed.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the user's own command
            shlex.split(command), stdout=subprocess.PIPE, timeout=_WITHIN_S, check=False
        )
    except (OSError, ValueError) as error:
        raise SecretError(f"cannot run the command of {source}: {reason_of(error)}") from None
    except subprocess.TimeoutExpired:
        raise SecretError(f"the command of {source} did not end within {_WITHIN_S:g} s") from None
    if done.returncode:
        raise SecretError(f"the command of {source} ended with exit code {done.returncode}")
    try:
        return done.stdout[:_MAX_BYTES].decode("utf-8")
    except UnicodeDecodeError:
        raise SecretError(f"the command of {source} printed no UTF-8") from None


def one_line(text: str, source: str) -> str:
    """Return a secret without the spaces around it.

    Raises:
        SecretError: It is empty, or not one line of printable ASCII.
    """
    secret = text.strip()
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise SecretError(f"invalid credential in {source}: expected one line of ASCII without spaces")
    return secret
