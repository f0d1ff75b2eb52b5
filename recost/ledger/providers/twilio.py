"""Twilio: usage records by GMT day and category, with an account's SID and token.

https://www.twilio.com/docs/usage/api/usage-record. Categories contain each other, so the category
``totalprice`` is what was billed, and the others are its details.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final, Optional
from urllib.parse import urlsplit

from recost.ledger import fields
from recost.ledger.client import Client, quoted
from recost.ledger.model import Days, LedgerDay, LedgerError, Row
from recost.ledger.providers.base import Ledger, every_page

__all__ = ["LEDGER"]

_MOST_DAYS: Final = 31
_A_PAGE: Final = 1000
_TOTAL: Final = "totalprice"
_LONGEST: Final = 2000


def _pull(client: Client, days: Days, account: Optional[str] = None) -> Iterator[LedgerDay]:
    path = f"/2010-04-01/Accounts/{quoted(account or '')}/Usage/Records/Daily.json"
    for chunk in days.chunks(_MOST_DAYS):
        params = {
            "StartDate": chunk.first.isoformat(),
            "EndDate": chunk.last.isoformat(),
            "PageSize": _A_PAGE,
        }

        def ask(cursor: Optional[str], params: Mapping[str, Any] = params) -> Any:
            return client.get(path, params) if cursor is None else client.get(cursor)

        rows: dict[date, list[Row]] = defaultdict(list)
        for page in every_page(ask, _following):
            for record in fields.objects(page, "usage_records"):
                rows[fields.day_of(record, "start_date")].append(_of(record))
        for day in chunk:
            yield LedgerDay(day, tuple(rows.get(day, ())))


def _following(page: Mapping[str, Any]) -> Optional[str]:
    """Return path and query of the next page. Whatever host it names, the client asks its own."""
    uri = page.get("next_page_uri")
    if not isinstance(uri, str) or not uri:
        return None
    try:
        parts = urlsplit(uri[:_LONGEST])
    except ValueError:
        raise LedgerError("malformed response: next_page_uri is not a URL") from None
    return f"/{parts.path.lstrip('/')}?{parts.query}"


def _of(record: Mapping[str, Any]) -> Row:
    category = fields.name(record, "category")
    currency = fields.name(record, "price_unit")
    return Row(
        "billed" if category == _TOTAL else "detail",
        item=category,
        requests=fields.count(record, "count") if category != _TOTAL else None,
        quantity=fields.money(record, "usage"),
        unit=fields.name(record, "usage_unit"),
        amount=fields.money(record, "price"),
        currency=None if currency is None else currency.upper(),
    )


def _headers(credential: str, account: Optional[str]) -> dict[str, str]:
    pair = f"{account}:{credential}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode('ascii')}"}


LEDGER: Final = Ledger(
    url="https://api.twilio.com",
    pull=_pull,
    headers=_headers,
    variables=("TWILIO_AUTH_TOKEN",),
    account_variables=("TWILIO_ACCOUNT_SID",),
    needs_account=True,
)
