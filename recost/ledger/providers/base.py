"""The description of a ledger: its URL, its credential, and the function that makes buckets of responses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Callable, Optional

from recost.ledger.client import Client
from recost.ledger.model import Days, LedgerDay, LedgerError

__all__ = ["Ledger", "Pull", "bearer", "every_page"]


Pull = Callable[[Client, Days, Optional[str]], Iterator[LedgerDay]]
"""A function that asks for days, and yields a bucket for each that is whole, the oldest first.

It takes the client, the days, and the account, team or project, where the credential does not name it. It
raises `LedgerError` if the provider refuses, or its response is malformed.
"""


@dataclass(frozen=True)
class Ledger:
    """The usage API of one provider."""

    url: str
    pull: Pull
    headers: Callable[[str, Optional[str]], Mapping[str, str]]
    """The headers that carry a credential, for an account."""
    variables: tuple[str, ...] = ()
    """The vendor's own environment variables of a credential that may read usage."""
    account_variables: tuple[str, ...] = ()
    """The vendor's own environment variables of the account."""
    needs_account: bool = False
    kept_days: Optional[int] = None
    """The days before today that the provider still has. None if it keeps them all."""
    has_today: bool = True
    """False if only days that have ended can be asked for."""


def bearer(credential: str, _account: Optional[str] = None) -> dict[str, str]:
    """Return the header of most providers."""
    return {"Authorization": f"Bearer {credential}"}


def every_page(
    ask: Callable[[Optional[str]], Any], following: Callable[[Any], Optional[str]]
) -> Iterator[Any]:
    """Yield the pages of a list.

    Args:
        ask: Returns the page at a cursor, and the first one for None.
        following: Returns the cursor of the page after this one, or None if it is the last.

    Raises:
        LedgerError: A cursor comes twice, or a request failed.
    """
    seen: set[Optional[str]] = set()
    cursor: Optional[str] = None
    while cursor not in seen:
        seen.add(cursor)
        page = ask(cursor)
        yield page
        cursor = following(page)
        if cursor is None:
            return
    raise LedgerError("malformed response: the same page comes again")
