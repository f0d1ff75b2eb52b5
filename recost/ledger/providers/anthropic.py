"""Anthropic: cost and usage of an organisation by day, model, key, workspace and tier, with an admin key.

https://platform.claude.com/docs/en/api/beta/organization/analytics/cost/list. Amounts are texts of fractional
cents, after discounts and before credits. Where the beta is refused (403, 404), the older reports are asked:
https://platform.claude.com/docs/en/build-with-claude/usage-cost-api. They lack Priority Tier.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Optional

from recost._money import EXACT
from recost.ledger import fields
from recost.ledger.client import Client
from recost.ledger.model import Days, LedgerDay, LedgerError, Row
from recost.ledger.providers.base import Ledger, every_page

__all__ = ["LEDGER"]

_MOST_DAYS: Final = 31
_BETA: Final = {"anthropic-beta": "analytics-usage-cost-2026-08-24"}
_GROUPS: Final = ("model", "api_key_id", "workspace_id", "service_tier")
_REFUSED: Final = (403, 404)
_CENTS: Final = Decimal("0.01")
_Rows = dict[date, list[Row]]


def _pull(client: Client, days: Days, _account: Optional[str] = None) -> Iterator[LedgerDay]:
    names = _key_names(client)
    older = False
    for chunk in days.chunks(_MOST_DAYS):
        rows: Optional[_Rows] = None
        if not older:
            try:
                rows = _analytics(client, chunk, names)
            except LedgerError as error:
                if error.status not in _REFUSED:
                    raise
                older = True
        if rows is None:
            rows = _reports(client, chunk, names)
        for day in chunk:
            yield LedgerDay(day, tuple(rows.get(day, ())))


def _analytics(client: Client, days: Days, names: Mapping[str, str]) -> _Rows:
    """Return the rows of the beta."""
    rows: _Rows = defaultdict(list)
    params: dict[str, Any] = {
        "starting_at": _text(days.start),
        "ending_at": _text(days.end),
        "time_bucket_width": "1d",
        "limit": 1000,
        "group_by[]": _GROUPS,
    }
    for path, row_of in (("cost", _cost), ("usage", _usage)):
        for item in _items(client, f"/v1/organizations/analytics/{path}", params, _BETA):
            rows[fields.day_of(item, "starting_at")].append(row_of(item, names))
    return rows


def _reports(client: Client, days: Days, names: Mapping[str, str]) -> _Rows:
    """Return the rows of the older reports, in which each bucket has a list of results."""
    rows: _Rows = defaultdict(list)
    span = {"starting_at": _text(days.start), "ending_at": _text(days.end), "bucket_width": "1d"}
    costs = {**span, "limit": _MOST_DAYS, "group_by[]": ("workspace_id", "description")}
    for bucket in _items(client, "/v1/organizations/cost_report", costs):
        for result in fields.objects(bucket, "results"):
            rows[fields.day_of(bucket, "starting_at")].append(_reported_cost(result))
    counts = {**span, "limit": _MOST_DAYS, "group_by[]": _GROUPS}
    for bucket in _items(client, "/v1/organizations/usage_report/messages", counts):
        for result in fields.objects(bucket, "results"):
            rows[fields.day_of(bucket, "starting_at")].append(_counted(result, result, names))
    return rows


def _items(
    client: Client, path: str, params: Mapping[str, Any], headers: Optional[Mapping[str, str]] = None
) -> Iterator[Mapping[str, Any]]:
    for page in every_page(
        lambda cursor: client.get(path, params if cursor is None else {**params, "page": cursor}, headers),
        lambda page: fields.name(page, "next_page") if page.get("has_more") else None,
    ):
        yield from fields.objects(page, "data")


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _cost(item: Mapping[str, Any], names: Mapping[str, str]) -> Row:
    cost, group = fields.nested(item, "cost"), fields.nested(item, "group")
    return Row(
        "billed",
        **_named(group, names),
        requests=fields.count(cost, "requests"),
        amount=_dollars(cost, "amount"),
        currency=fields.name(cost, "currency"),
        list_amount=_dollars(cost, "list_amount"),
    )


def _usage(item: Mapping[str, Any], names: Mapping[str, str]) -> Row:
    return _counted(fields.nested(item, "group"), fields.nested(item, "usage"), names)


def _counted(group: Mapping[str, Any], counts: Mapping[str, Any], names: Mapping[str, str]) -> Row:
    written = sum(fields.count(fields.nested(counts, "cache_creation"), kind) or 0 for kind in _WRITTEN)
    read = fields.count(counts, "cache_read_input_tokens") or 0
    fresh = fields.count(counts, "uncached_input_tokens") or 0
    tokens = {"input": fresh + read + written, "cache_read": read, "cache_write": written}
    tokens["output"] = fields.count(counts, "output_tokens") or 0
    return Row("usage", **_named(group, names), requests=fields.count(counts, "requests"), tokens=tokens)


_WRITTEN: Final = ("ephemeral_1h_input_tokens", "ephemeral_5m_input_tokens")


def _reported_cost(result: Mapping[str, Any]) -> Row:
    currency = fields.name(result, "currency")
    return Row(
        "billed",
        model=fields.name(result, "model"),
        item=fields.name(result, "description"),
        project=fields.name(result, "workspace_id"),
        tier=fields.name(result, "service_tier"),
        amount=_dollars(result, "amount"),
        currency="USD" if currency is None else currency.upper(),
    )


def _named(group: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    key = fields.name(group, "api_key_id")
    return {
        "model": fields.name(group, "model"),
        "key_id": key,
        "key_name": None if key is None else names.get(key),
        "project": fields.name(group, "workspace_id"),
        "tier": fields.name(group, "service_tier"),
    }


def _dollars(content: Mapping[str, Any], field: str) -> Optional[Decimal]:
    cents = fields.money(content, field)
    return None if cents is None else EXACT.multiply(cents, _CENTS)


def _key_names(client: Client) -> dict[str, str]:
    """Return the names of the organisation's keys. None if the credential may not list them."""

    def ask(cursor: Optional[str]) -> Any:
        return client.get(
            "/v1/organizations/api_keys", {"limit": 100, **({} if cursor is None else {"after_id": cursor})}
        )

    found: dict[str, str] = {}
    try:
        for page in every_page(
            ask, lambda page: fields.name(page, "last_id") if page.get("has_more") else None
        ):
            for key in fields.objects(page, "data"):
                identifier, name = fields.name(key, "id"), fields.name(key, "name")
                if identifier is not None and name is not None:
                    found[identifier] = name
    except LedgerError as error:
        if error.status is None or error.status >= 500:
            raise
    return found


def _headers(credential: str, _account: Optional[str]) -> dict[str, str]:
    return {"x-api-key": credential, "anthropic-version": "2023-06-01"}


LEDGER: Final = Ledger(
    url="https://api.anthropic.com",
    pull=_pull,
    headers=_headers,
    variables=("ANTHROPIC_ADMIN_KEY", "ANTHROPIC_ADMIN_API_KEY"),
)
