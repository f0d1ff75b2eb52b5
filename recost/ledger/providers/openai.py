"""OpenAI: costs by day, project, key and line item, and usage by model, with an admin key.

https://platform.openai.com/docs/api-reference/usage. Costs can't be grouped by model: a line item is the
model, a comma and what was billed. Counts come from the usage API, in rows of their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final, Optional

from recost.ledger import fields
from recost.ledger.client import Client, quoted
from recost.ledger.model import Days, LedgerDay, LedgerError, Row
from recost.ledger.providers.base import Ledger, bearer, every_page

__all__ = ["LEDGER"]

_COUNTED: Final = (
    "completions",
    "embeddings",
    "images",
    "moderations",
    "audio_speeches",
    "audio_transcriptions",
)
"""The kinds of usage that have models and requests."""
_MOST_DAYS: Final = 31
_TOKENS: Final = {
    "input": "input_tokens", "output": "output_tokens", "cache_read": "input_cached_tokens",
    "cache_write": "input_cache_write_tokens",
}  # fmt: skip
_Rows = dict[date, list[Row]]


def _pull(client: Client, days: Days, _account: Optional[str] = None) -> Iterator[LedgerDay]:
    names = _KeyNames(client)
    for chunk in days.chunks(_MOST_DAYS):
        rows: _Rows = defaultdict(list)
        for day, result in _results(
            client, "/organization/costs", chunk, ("project_id", "line_item", "api_key_id")
        ):
            rows[day].append(_cost(result, names))
        for kind in _COUNTED:
            groups = (
                "project_id",
                "api_key_id",
                "model",
                *(("batch", "service_tier") if kind == "completions" else ()),
            )
            for day, result in _results(client, f"/organization/usage/{kind}", chunk, groups):
                rows[day].append(_usage(result, kind, names))
        for day in chunk:
            yield LedgerDay(day, tuple(rows.get(day, ())))


def _results(
    client: Client, path: str, days: Days, groups: tuple[str, ...]
) -> Iterator[tuple[date, Mapping[str, Any]]]:
    """Yield each result with its day."""
    params: dict[str, Any] = {
        "start_time": int(days.start.timestamp()),
        "end_time": int(days.end.timestamp()),
        "bucket_width": "1d",
        "limit": _MOST_DAYS,
        "group_by[]": groups,
    }
    for page in every_page(
        lambda cursor: client.get(path, params if cursor is None else {**params, "page": cursor}), _following
    ):
        for bucket in fields.objects(page, "data"):
            day = fields.day_of(bucket, "start_time")
            for result in fields.objects(bucket, "results"):
                yield day, result


def _following(page: Mapping[str, Any]) -> Optional[str]:
    return fields.name(page, "next_page") if page.get("has_more") else None


def _cost(result: Mapping[str, Any], names: _KeyNames) -> Row:
    amount = fields.nested(result, "amount")
    item = fields.name(result, "line_item")
    project, key = fields.name(result, "project_id"), fields.name(result, "api_key_id")
    currency = fields.name(amount, "currency")
    return Row(
        "billed",
        model=None if item is None or "," not in item else item.partition(",")[0].strip(),
        item=item,
        key_id=key,
        key_name=names.of(project, key),
        project=project,
        user=fields.name(result, "user_id"),
        quantity=fields.money(result, "quantity"),
        unit=fields.name(result, "quantity_unit"),
        amount=fields.money(amount, "value"),
        currency=None if currency is None else currency.upper(),
    )


def _usage(result: Mapping[str, Any], kind: str, names: _KeyNames) -> Row:
    project, key = fields.name(result, "project_id"), fields.name(result, "api_key_id")
    counts = {kind: fields.count(result, field) for kind, field in _TOKENS.items()}
    return Row(
        "usage",
        model=fields.name(result, "model"),
        item=kind,
        key_id=key,
        key_name=names.of(project, key),
        project=project,
        tier="batch" if result.get("batch") is True else fields.name(result, "service_tier"),
        requests=fields.count(result, "num_model_requests"),
        tokens={kind: number for kind, number in counts.items() if number is not None},
    )


class _KeyNames:
    """The names of keys, asked once a project. They may be refused, or gone with a deleted key."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._of_project: dict[str, dict[str, str]] = {}

    def of(self, project: Optional[str], key: Optional[str]) -> Optional[str]:
        """Return the name of a key."""
        if project is None or key is None:
            return None
        if project not in self._of_project:
            try:
                self._of_project[project] = dict(self._pages(project))
            except LedgerError:
                self._of_project[project] = {}
        return self._of_project[project].get(key)

    def _pages(self, project: str) -> Iterator[tuple[str, str]]:
        path = f"/organization/projects/{quoted(project)}/api_keys"

        def ask(cursor: Optional[str]) -> Any:
            return self._client.get(path, {"limit": 100, **({} if cursor is None else {"after": cursor})})

        def following(page: Mapping[str, Any]) -> Optional[str]:
            return fields.name(page, "last_id") if page.get("has_more") else None

        for page in every_page(ask, following):
            for key in fields.objects(page, "data"):
                identifier, name = fields.name(key, "id"), fields.name(key, "name")
                if identifier is not None and name is not None:
                    yield identifier, name


LEDGER: Final = Ledger(
    url="https://api.openai.com/v1",
    pull=_pull,
    headers=bearer,
    variables=("OPENAI_ADMIN_KEY",),
)
