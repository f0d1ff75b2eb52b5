"""xAI: dollars of a team by day, with a management key.

``POST /v1/billing/teams/{team}/usage`` of the management API. Groups are not documented, so a day is one row.
A response that has reached its limit is incomplete.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, Final, Optional

from recost._money import EXACT
from recost.ledger import fields
from recost.ledger.client import Client, quoted
from recost.ledger.model import Days, LedgerDay, LedgerError, Row
from recost.ledger.providers.base import Ledger, bearer

__all__ = ["LEDGER"]

_MOST_DAYS: Final = 31


def _pull(client: Client, days: Days, account: Optional[str] = None) -> Iterator[LedgerDay]:
    for chunk in days.chunks(_MOST_DAYS):
        response = client.post(f"/v1/billing/teams/{quoted(account or '')}/usage", _query(chunk))
        spent: dict[date, Decimal] = defaultdict(Decimal)
        for series in fields.objects(response, "timeSeries"):
            for point in fields.objects(series, "dataPoints"):
                day = fields.day_of(point, "timestamp")
                spent[day] = EXACT.add(spent[day], _value(point))
        complete = not response.get("limitReached")
        for day in chunk:
            rows = (Row("billed", amount=spent[day], currency="USD"),) if day in spent else ()
            yield LedgerDay(day, rows, complete=complete)


def _query(days: Days) -> dict[str, Any]:
    return {
        "analyticsRequest": {
            "timeRange": {
                "startTime": f"{days.start:%Y-%m-%d %H:%M:%S}",
                "endTime": f"{days.end:%Y-%m-%d %H:%M:%S}",
                "timezone": "Etc/GMT",
            },
            "timeUnit": "TIME_UNIT_DAY",
            "values": [{"name": "usd", "aggregation": "AGGREGATION_SUM"}],
            "groupBy": [],
            "filters": [],
        }
    }


def _value(point: Any) -> Decimal:
    values = fields.items(point, "values")
    if len(values) != 1:
        raise LedgerError("malformed response: values: expected one number")
    amount = fields.money({"values": values[0]}, "values")
    return Decimal() if amount is None else amount


LEDGER: Final = Ledger(
    url="https://management-api.x.ai",
    pull=_pull,
    headers=bearer,
    variables=("XAI_MANAGEMENT_API_KEY", "XAI_MANAGEMENT_KEY"),
    account_variables=("XAI_TEAM_ID",),
    needs_account=True,
)
