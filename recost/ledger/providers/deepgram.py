"""Deepgram: dollars by day, key and line item, of each project that the key may see.

``GET /v1/projects/{id}/billing/breakdown``, as the `deepgram-sdk` package asks it: one request a day, because
results are sums of the range. When a day becomes final is not documented.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final, Optional

from recost.ledger import fields
from recost.ledger.client import Client, quoted
from recost.ledger.model import Days, LedgerDay, Row
from recost.ledger.providers.base import Ledger

__all__ = ["LEDGER"]

_GROUPS: Final = ("accessor", "line_item")


def _pull(client: Client, days: Days, account: Optional[str] = None) -> Iterator[LedgerDay]:
    projects = [account] if account is not None else _projects(client)
    for day in days:
        yield LedgerDay(day, tuple(row for project in projects for row in _rows(client, project, day)))


def _projects(client: Client) -> list[str]:
    found = (fields.name(each, "project_id") for each in fields.objects(client.get("/projects"), "projects"))
    return [project for project in found if project is not None]


def _rows(client: Client, project: str, day: date) -> Iterator[Row]:
    text = day.isoformat()
    response = client.get(
        f"/projects/{quoted(project)}/billing/breakdown", {"start": text, "end": text, "grouping": _GROUPS}
    )
    for result in fields.objects(response, "results"):
        yield _of(result, fields.nested(result, "grouping"), project)


def _of(result: Mapping[str, Any], group: Mapping[str, Any], project: str) -> Row:
    item = fields.name(group, "line_item")
    return Row(
        "billed",
        item=item,
        key_id=fields.name(group, "accessor"),
        project=project,
        tier=fields.name(group, "deployment"),
        amount=fields.money(result, "dollars"),
        currency="USD",
    )


def _headers(credential: str, _account: Optional[str]) -> dict[str, str]:
    return {"Authorization": f"Token {credential}"}


LEDGER: Final = Ledger(
    url="https://api.deepgram.com/v1",
    pull=_pull,
    headers=_headers,
    variables=("DEEPGRAM_API_KEY",),
    account_variables=("DEEPGRAM_PROJECT_ID",),
)
