"""Together: line items by day, with an ordinary key.

``GET /v1/billing/usage``, as the `together` package asks it. Credits have rows of their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final, Optional

from recost.ledger import fields
from recost.ledger.client import Client
from recost.ledger.model import Days, LedgerDay, Row
from recost.ledger.providers.base import Ledger, bearer, every_page

__all__ = ["LEDGER"]

_A_PAGE: Final = 100


def _pull(client: Client, days: Days, _account: Optional[str] = None) -> Iterator[LedgerDay]:
    for month in sorted({(day.year, day.month) for day in days}):
        rows: dict[date, list[Row]] = defaultdict(list)
        for record in _records(client, "{:04}-{:02}".format(*month)):
            day = fields.day_of(record, "date")
            for item in fields.objects(record, "line_items"):
                rows[day].extend(_of(item))
        for day in days:
            if (day.year, day.month) == month:
                yield LedgerDay(day, tuple(rows.get(day, ())))


def _records(client: Client, month: str) -> Iterator[Mapping[str, Any]]:
    params: dict[str, Any] = {"month": month, "granularity": "day", "limit": _A_PAGE}
    for page in every_page(
        lambda cursor: client.get(
            "/billing/usage", params if cursor is None else {**params, "after": cursor}
        ),
        lambda page: fields.name(page, "next_cursor"),
    ):
        yield from fields.objects(page, "data")


def _of(item: Mapping[str, Any]) -> Iterator[Row]:
    product = fields.name(item, "product_name")
    attributes = fields.nested(item, "attributes")
    model = fields.name(attributes, "model")
    yield Row(
        "billed",
        model=model,
        item=product,
        quantity=fields.money(item, "quantity"),
        unit=fields.name(item, "unit"),
        amount=fields.money(item, "cost"),
        currency="USD",
    )
    credit = fields.money(item, "applied_credit")
    if credit:
        yield Row("credit", model=model, item=product, amount=credit, currency="USD")


LEDGER: Final = Ledger(
    url="https://api.together.ai/v1",
    pull=_pull,
    headers=bearer,
    variables=("TOGETHER_API_KEY",),
)
