"""The option ``--store``: a database in place of files."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final, Optional

from recost.analytics.databases.url import PASSWORD_VARIABLE, StoreUrl, parse_url
from recost.cli._shared.refusal import available

__all__ = ["add_store", "conceal_password", "driver_available", "readable"]

_OPTION: Final = "--store"
_DRIVERS: Final = {"postgresql": "psycopg", "clickhouse": "clickhouse_connect"}


def add_store(parser: argparse.ArgumentParser) -> None:
    """Add the option."""
    parser.add_argument(
        _OPTION,
        metavar="URL",
        type=_url,
        help="database of collectors in place of files: postgresql://USER@HOST/DATABASE or clickhouse://… "
        f"(password: ${PASSWORD_VARIABLE})",
    )


def readable(arguments: argparse.Namespace, command: str) -> bool:
    """Return True if what reads the files or the database is installed. Print the pip command if not."""
    if arguments.store is None:
        return available(command, "duckdb")
    return driver_available(arguments.store, command)


def driver_available(url: StoreUrl, command: str) -> bool:
    """Return True if the package for a database is installed. Print the pip command if not."""
    return available(command, _DRIVERS[url.kind], extra=url.kind)


def conceal_password(arguments: Sequence[str]) -> None:
    """Begin the process again with the password of ``--store`` in the environment, if an argument has it.

    Other users of the machine see arguments. They don't see the environment.
    """
    if os.name != "posix" or not any(each.startswith(_OPTION) for each in arguments):
        return
    replaced, password = [], None
    for before, each in zip(("", *arguments), arguments):
        name, equals, text = each.partition("=") if each.startswith(f"{_OPTION}=") else ("", "", each)
        url = _parsed(text) if equals or before == _OPTION else None
        if url is not None and url.password is not None and url.text != text:
            password, each = url.password, f"{name}{equals}{url.text}"  # noqa: PLW2901 - one in place of the other
        replaced.append(each)
    given = getattr(sys, "orig_argv", [sys.executable, "-m", "recost", *arguments])
    if password is None or list(given[len(given) - len(arguments) :]) != list(arguments):
        return
    command = [*given[: len(given) - len(arguments)], *replaced]
    os.execve(sys.executable, command, {**os.environ, PASSWORD_VARIABLE: password})  # noqa: S606 - this program


def _parsed(text: str) -> Optional[StoreUrl]:
    try:
        return parse_url(text, {})
    except ValueError:
        return None


def _url(text: str) -> StoreUrl:
    try:
        return parse_url(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error).removeprefix("recost: ")) from None
