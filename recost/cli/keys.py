"""``recost keys``: entries for the setting ``key_labels``."""

from __future__ import annotations

import argparse
import getpass
import sys
import warnings
from typing import Final

from recost._files import reason_of
from recost._key_labels import LONGEST, NAME, entry_of
from recost._validate import InvalidError, check_tag
from recost.cli._shared.parser import add_examples
from recost.cli._shared.refusal import refused

__all__ = ["configure", "run"]

_EXAMPLES: Final = """examples:
  printf %s "$OPENAI_API_KEY" | recost keys label alice
  op read op://team/openai/alice | recost keys label alice"""
_MOST_READ: Final = 2 * LONGEST
"""Bytes that are read: a key, and white space around it."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add ``label``."""
    add_examples(parser, _EXAMPLES)
    commands = parser.add_subparsers(dest="command", metavar="label")
    summary = "print the entry of key_labels for a key, which is read from stdin"
    label = commands.add_parser("label", help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
    label.add_argument("name", metavar="NAME", help="label of the key, such as the name of a developer")


def run(arguments: argparse.Namespace) -> int:
    """Print an entry. Return 2 on wrong usage, or without a key on stdin."""
    if arguments.command is None:
        return refused("missing command: expected label")
    try:
        name = check_tag(NAME, arguments.name)
        key = _one_key(_read())
    except (InvalidError, ValueError) as error:
        return refused(error)
    except OSError as error:
        return refused(f"cannot read stdin: {reason_of(error)}")
    print(entry_of(key, name))
    return 0


def _read() -> bytes:
    """Return what stdin has, without echo on a terminal.

    Raises:
        OSError: It can't be read.
        ValueError: It is closed, or the terminal would show the key.
    """
    if sys.stdin is None:
        raise ValueError("stdin is closed: expected a key")
    if not sys.stdin.isatty():
        return sys.stdin.buffer.read(_MOST_READ)
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass("Key (not shown): ").encode("utf-8", "surrogateescape")
        except getpass.GetPassWarning:
            raise ValueError("the terminal would show the key: expected it from a pipe") from None
        except EOFError:
            return b""


def _one_key(data: bytes) -> bytes:
    """Return the key without white space around it.

    Raises:
        ValueError: The key is missing, too long, or more than one word. The message doesn't quote it.
    """
    words = data.split()
    if not words:
        raise ValueError(
            'no key on stdin: expected one, as in: printf %s "$OPENAI_API_KEY" | recost keys label alice'
        )
    if len(data) >= _MOST_READ or len(words[0]) > LONGEST:
        raise ValueError(f"too long a key on stdin: expected at most {LONGEST} bytes")
    if len(words) > 1:
        raise ValueError(f"{len(words)} words on stdin: expected one key, without 'Bearer' or a name")
    return words[0]
