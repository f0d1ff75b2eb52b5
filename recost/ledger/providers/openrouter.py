"""OpenRouter: activity by day, model and upstream provider, with a management key.

https://openrouter.ai/docs/api-reference/analytics/get-activity has the last 30 completed UTC days. Rows of a
key need one request a day. Whether unknown parameters are ignored is not documented. So rows of keys are only
used if their sum does not exceed that of the account.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, Optional

from recost._money import EXACT
from recost.ledger import fields
from recost.ledger.client import Client, Params
from recost.ledger.model import Days, LedgerDay, Row
from recost.ledger.providers.base import Ledger, bearer

__all__ = ["LEDGER"]

_MOST_KEYS: Final = 50
"""Keys that are asked for by themselves. With more, rows have no key."""
_KEYS_A_PAGE: Final = 100
_ROUNDING: Final = Decimal("1e-9")
_Place = tuple[Optional[str], Optional[str], str]
_Sums = dict[_Place, tuple[Decimal, ...]]


def _pull(client: Client, days: Days, _account: Optional[str] = None) -> Iterator[LedgerDay]:
    keys = _keys(client)
    for day in days:
        rows = _rows(client, {"date": day.isoformat()})
        if 1 < len(keys) <= _MOST_KEYS and rows:
            by_key = [
                replace(row, key_id=key, key_name=name)
                for key, name in keys.items()
                for row in _rows(client, {"date": day.isoformat(), "api_key_hash": key})
            ]
            rows = _attributed(rows, by_key)
        yield LedgerDay(day, tuple(rows))


def _keys(client: Client) -> dict[str, Optional[str]]:
    """Return the names of the account's keys by hash."""
    found: dict[str, Optional[str]] = {}
    while True:
        params: Params = {"offset": len(found), "include_disabled": "true"}
        page = list(fields.objects(client.get("/keys", params), "data"))
        new = {fields.name(each, "hash"): fields.name(each, "name") for each in page}
        before = len(found)
        found.update({key: name for key, name in new.items() if key is not None})
        if len(page) < _KEYS_A_PAGE or len(found) == before or len(found) > _MOST_KEYS:
            return found


def _rows(client: Client, params: Mapping[str, str]) -> list[Row]:
    return [row for each in fields.objects(client.get("/activity", params), "data") for row in _of(each)]


def _of(item: Mapping[str, Any]) -> Iterator[Row]:
    model = fields.name(item, "model_permaslug") or fields.name(item, "model")
    served_by = fields.name(item, "provider_name")
    named = {"input": "prompt_tokens", "output": "completion_tokens",
             "reasoning": "reasoning_tokens", "cache_read": "cached_tokens"}  # fmt: skip
    counts = {kind: fields.count(item, field) for kind, field in named.items()}
    yield Row(
        "billed",
        model=model,
        item=served_by,
        requests=fields.count(item, "requests"),
        tokens={kind: number for kind, number in counts.items() if number is not None},
        amount=fields.money(item, "usage"),
        currency="USD",
    )
    elsewhere = fields.money(item, "byok_usage_inference")
    if elsewhere:
        yield Row("byok", model=model, item=served_by, amount=elsewhere, currency="USD")


def _attributed(rows: list[Row], by_key: list[Row]) -> list[Row]:
    """Return rows by key, and rows without one for what is left. The same rows if keys don't add up."""
    whole, parts = _sums(rows), _sums(by_key)
    rest: list[Row] = []
    for place, total in whole.items():
        left = tuple(_difference(a, b) for a, b in zip(total, parts.pop(place, _nothing(total))))
        if any(each < 0 for each in left):
            return rows
        if any(left):
            rest.append(_remaining(place, left))
    return rows if parts else [*by_key, *rest]


def _difference(whole: Decimal, parts: Decimal) -> Decimal:
    """Return what is left, and 0 for what is left by the rounding of floats."""
    left = EXACT.subtract(whole, parts)
    return Decimal() if abs(left) < _ROUNDING else left


_KINDS: Final = ("input", "output", "reasoning", "cache_read")


def _sums(rows: Iterable[Row]) -> _Sums:
    found: _Sums = {}
    for row in rows:
        counts = (row.requests or 0, *(row.tokens.get(kind, 0) for kind in _KINDS))
        values = (row.amount or Decimal(), *map(Decimal, counts))
        place = (row.model, row.item, row.basis)
        found[place] = tuple(EXACT.add(a, b) for a, b in zip(found.get(place, _nothing(values)), values))
    return found


def _nothing(values: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
    return (Decimal(),) * len(values)


def _remaining(place: _Place, left: tuple[Decimal, ...]) -> Row:
    model, item, basis = place
    amount, requests, *tokens = left
    if basis == "byok":
        return Row("byok", model=model, item=item, amount=amount, currency="USD")
    counts = {kind: int(number) for kind, number in zip(_KINDS, tokens) if number}
    return Row(
        "billed", model=model, item=item, requests=int(requests), tokens=counts, amount=amount, currency="USD"
    )


LEDGER: Final = Ledger(
    url="https://openrouter.ai/api/v1",
    pull=_pull,
    headers=bearer,
    variables=("OPENROUTER_MANAGEMENT_KEY", "OPENROUTER_PROVISIONING_KEY"),
    kept_days=30,
    has_today=False,
)
