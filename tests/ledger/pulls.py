"""Pulls from a loopback server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Optional

from recost.ledger.client import Client
from recost.ledger.model import Days, LedgerDay
from recost.ledger.providers import ledger_of
from tests.ledger.fakes import Api

PREFIXES = {"openrouter": "/api/v1", "openai": "/v1", "together": "/v1", "deepgram": "/v1"}
"""The path of each provider's base URL."""
ACCOUNTS = {"twilio": "AC1", "xai": "team-1"}


def client(provider: str, api: Api, key: str = "secret-key") -> Client:
    """Return a client that does not wait between attempts."""
    headers = ledger_of(provider).headers(key, ACCOUNTS.get(provider))
    return Client(api.url + PREFIXES.get(provider, ""), headers, sleep=lambda _: None)


def buckets(
    provider: str, api: Api, first: date, last: date, account: Optional[str] = None
) -> list[LedgerDay]:
    """Return what a provider says of some days."""
    found: Iterator[LedgerDay] = ledger_of(provider).pull(
        client(provider, api), Days(first, last), account or ACCOUNTS.get(provider)
    )
    return list(found)
