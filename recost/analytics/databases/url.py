"""URLs of databases, whose passwords are shown nowhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Optional
from urllib.parse import unquote, urlsplit, urlunsplit

from recost.errors import RecostError

__all__ = ["PASSWORD_VARIABLE", "DatabaseError", "StoreUrl", "check_number", "message_of", "parse_url"]

PASSWORD_VARIABLE: Final = "RECOST_STORE_PASSWORD"  # noqa: S105 - the name of a variable
"""The variable with the password of a URL that lacks it."""
_KINDS: Final = {"postgresql": "postgresql", "postgres": "postgresql", "clickhouse": "clickhouse"}
_LONGEST: Final = 400
_SECRETS: Final = ("password", "sslpassword")


class DatabaseError(RecostError):
    """A database that cannot be used. The message never has a password."""


@dataclass(frozen=True)
class StoreUrl:
    """The URL of a database. It is shown without its password."""

    kind: str
    """``postgresql`` or ``clickhouse``."""
    shown: str
    """The URL without secrets."""
    text: str = field(repr=False)
    """The URL, with ``postgresql`` or ``clickhouse`` as its scheme, and without its password."""
    password: Optional[str] = field(repr=False)

    def __str__(self) -> str:
        return self.shown


def parse_url(text: str, environment: Mapping[str, str] = os.environ) -> StoreUrl:
    """Return the URL of a database.

    Raises:
        ValueError: It is not one. The message has no part of the URL but its scheme.
    """
    try:
        parts = urlsplit(text)
        kind = _KINDS.get(parts.scheme)
        _ = parts.port
    except ValueError:
        kind = None
    if kind is None or any(ord(character) < 32 for character in text):
        expected = "postgresql://user@host/database or clickhouse://user@host/database"
        raise ValueError(f"recost: invalid store: expected {expected}")
    login, _, place = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    options = [part.partition("=")[::2] for part in parts.query.split("&") if part]
    secret = next((unquote(value) for name, value in options if unquote(name) == "password"), None)
    place = f"{user}@{place}" if login else place

    def without(*secrets: str) -> str:
        query = "&".join(f"{name}={value}" for name, value in options if unquote(name) not in secrets)
        return urlunsplit((kind, place, parts.path, query, ""))

    found = unquote(password) or secret or environment.get(PASSWORD_VARIABLE) or None
    return StoreUrl(kind, without(*_SECRETS), without("password"), found)


def message_of(error: Exception, url: StoreUrl) -> str:
    """Return what went wrong in one line of at most 400 characters, without the password."""
    text = " ".join(str(error).split()) or type(error).__name__
    return (text.replace(url.password, "***") if url.password else text)[:_LONGEST]


def check_number(version: int, expected: int, url: StoreUrl) -> None:
    """Check the version of tables.

    Raises:
        DatabaseError: It is another one.
    """
    if version != expected:
        age = "newer" if version > expected else "older"
        raise DatabaseError(
            f"recost: the tables in {url} have version {version}, which is {age}: expected {expected}"
        )
