"""Rows of the FinOps Open Cost and Usage Specification (FOCUS), of what was billed or recorded.

A day of a provider whose ledger was pulled has the ledger's rows. Every other day has what was recorded, by
project, environment and model. Source of the columns: the Cost and Usage dataset of FOCUS 1.4, checked
2026-11-30 (https://focus.finops.org/focus-specification/).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, Optional, Union

from recost.analytics.query import Question, exactly
from recost.analytics.report import Figures, ask
from recost.analytics.store import Readings
from recost.ledger.model import Row
from recost.ledger.reconcile import is_within
from recost.ledger.store import LedgerFile

__all__ = ["COLUMNS", "Charge", "Value", "charges"]

Value = Union[str, Decimal, None]
Charge = dict[str, Value]
"""One row, by column. A Decimal is exact, times are in UTC, and texts are as they were recorded."""

COLUMNS: Final = (
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "EffectiveCost",
    "HostProviderName",
    "InvoiceIssuerName",
    "ListCost",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ServiceCategory",
    "ServiceName",
    "ServiceProviderName",
    "ServiceSubcategory",
    "SkuId",
    "SubAccountId",
    "SubAccountName",
    "Tags",
    "x_recostCostSource",
    "x_recostModel",
    "x_recostUnpricedCalls",
)
"""The mandatory columns in the order of the specification, those that recost can fill, and its own."""

_DAY: Final = timedelta(days=1)
_REQUESTS: Final = "Requests"
_NO_ACCOUNT: Final = "unknown"
_SOURCES: Final = ("reported", "computed", "estimated", "unstated")
_LANGUAGE: Final = ("AI and Machine Learning", "Generative AI")
_OTHER: Final = ("Other", "Other (Other)")
"""Category and subcategory of a service."""


def charges(readings: Readings, files: Sequence[LedgerFile], question: Question) -> Iterator[Charge]:
    """Yield the charges of a period, the billed ones first.

    Args:
        readings: The local files.
        files: The ledgers that are not filtered out.
        question: Period, which consists of whole UTC days, and filters of what was recorded.

    Raises:
        OSError: A ledger can't be read.
    """
    billed: set[tuple[str, date]] = set()
    for file in files:
        for day in sorted(file.days()):
            if is_within(day, question.period):
                billed.add((file.provider, day))
                yield from _of_ledger(file, day)
    groups = ask(readings, replace(question, by=("provider",))).groups
    for provider in sorted(group.names[0] or "" for group in groups):
        yield from _recorded(readings, replace(question, providers=(exactly(provider),)), provider, billed)


def _of_ledger(file: LedgerFile, day: date) -> Iterator[Charge]:
    rows = [row for row in file.rows(day) if row.basis == "billed" and row.amount is not None]
    for row in rows:
        cost = row.amount
        quantity, unit = _billed_quantity(row)
        yield {
            **_period(day),
            **_service(file.provider, row.model),
            **_costs(cost, cost if row.list_amount is None else row.list_amount),
            **_consumed(quantity, unit),
            "BillingAccountId": file.account,
            "BillingCurrency": row.currency or "USD",
            "ChargeDescription": row.item or row.model or file.provider,
            "SkuId": row.item or row.model,
            "SubAccountId": row.project,
            "SubAccountName": row.project,
            "Tags": _tags(tier=row.tier, key=row.key_name or row.key_id, user=row.user),
            "x_recostCostSource": "billed",
            "x_recostUnpricedCalls": Decimal(0),
        }


def _billed_quantity(row: Row) -> tuple[Optional[Decimal], str]:
    if row.quantity is not None:
        return row.quantity, row.unit or "Units"
    if row.requests is not None:
        return Decimal(row.requests), _REQUESTS
    return None, ""


def _recorded(
    readings: Readings, question: Question, provider: str, billed: set[tuple[str, date]]
) -> Iterator[Charge]:
    places = ask(readings, replace(question, by=("project", "environment"))).groups
    for project, environment in sorted(tuple(name or "" for name in place.names) for place in places):
        within = replace(question, projects=(exactly(project),), environments=(exactly(environment),))
        by_day = ask(readings, replace(within, by=("day",))).groups
        sources = {group.names[0]: _source(group.now) for group in by_day}
        for group in ask(readings, replace(within, by=("day", "model"))).groups:
            text, model = group.names
            day = None if text is None else date.fromisoformat(text)
            if day is None or (provider, day) in billed:
                continue
            yield _of_group(
                day, provider, project, environment, model, sources.get(text, "unknown"), group.now
            )


def _of_group(
    day: date,
    provider: str,
    project: str,
    environment: str,
    model: Optional[str],
    source: str,
    figures: Figures,
) -> Charge:
    return {
        **_period(day),
        **_service(provider, model),
        **_costs(figures.cost_usd, figures.cost_usd),
        **_consumed(Decimal(figures.calls), _REQUESTS),
        "BillingAccountId": _NO_ACCOUNT,
        "BillingCurrency": "USD",
        "ChargeDescription": f"{model or provider}, as recorded",
        "SkuId": model,
        "SubAccountId": project or None,
        "SubAccountName": project or None,
        "Tags": _tags(environment=environment),
        "x_recostCostSource": source,
        "x_recostUnpricedCalls": Decimal(figures.unpriced),
    }


def _source(figures: Figures) -> str:
    """Return where the amounts come from: one of `_SOURCES`, ``mixed`` or ``unknown``."""
    found = [name for name in _SOURCES if getattr(figures, f"{name}_usd")]
    return "mixed" if len(found) > 1 else found[0] if found else "unknown"


def _period(day: date) -> Charge:
    first = day.replace(day=1)
    following = (first + 31 * _DAY).replace(day=1)
    return {
        "BillingPeriodStart": _instant(first),
        "BillingPeriodEnd": _instant(following),
        "ChargePeriodStart": _instant(day),
        "ChargePeriodEnd": _instant(day + _DAY),
        "ChargeCategory": "Usage",
        "ChargeFrequency": "Usage-Based",
    }


def _instant(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def _service(provider: str, model: Optional[str]) -> Charge:
    category, subcategory = _OTHER if model is None else _LANGUAGE
    names = dict.fromkeys(
        ("HostProviderName", "InvoiceIssuerName", "ServiceProviderName", "ServiceName"), provider
    )
    return {
        **names,
        "ServiceCategory": category,
        "ServiceSubcategory": subcategory,
        "x_recostModel": model,
    }


def _costs(cost: Optional[Decimal], before_discounts: Optional[Decimal]) -> Charge:
    return {
        **dict.fromkeys(("BilledCost", "ContractedCost", "EffectiveCost"), cost),
        "ListCost": before_discounts,
    }


def _consumed(quantity: Optional[Decimal], unit: str) -> Charge:
    named = unit if quantity is not None else None
    return {
        "ConsumedQuantity": quantity,
        "ConsumedUnit": named,
        "PricingCategory": "Standard",
        "PricingQuantity": quantity,
        "PricingUnit": named,
    }


def _tags(**tags: Optional[str]) -> Optional[str]:
    known = {f"recost/{name}": value for name, value in tags.items() if value}
    return json.dumps(known, sort_keys=True) if known else None
