"""What may have been paid for in vain, as far as the windows tell it.

A row is one endpoint and method in one window. It doesn't tell the cost of a single call. So there are two
amounts for what is found. Its part of the calls or attempts of its row, times the cost of the row, is what
was probably wasted. The cost of the rows that it is in is the most that can be put down to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, Final, Optional

from recost._money import EXACT
from recost.analytics.ingest.tables import MEASURES
from recost.analytics.query import Question
from recost.analytics.sql import Statement
from recost.analytics.store import Readings, scope_of

__all__ = ["REPEATED", "STORM_ATTEMPTS", "Storm", "Sums", "Waste", "find_waste"]

REPEATED: Final = 50
"""Calls of one row from which on they count as repeated."""
STORM_ATTEMPTS: Final = 10
"""Attempts of one row that failed or were repeated, from which on they can be a storm."""
_WORST: Final = 5

_EXTRA: Final = "greatest(coalesce(attempts, 0) - calls, 0)"
_FAILED: Final = f"(errors + {_EXTRA})"
_ALL: Final = "greatest(coalesce(attempts, 0), calls)"
_STORM: Final = f"{_FAILED} >= {STORM_ATTEMPTS} AND {_FAILED} * 2 >= {_ALL}"
_SOME_FAILED: Final = "errors > 0 AND calls > 0"
_ALL_FAILED: Final = "errors > 0 AND errors >= calls"


@dataclass(frozen=True)
class Sums:
    """What the rows of one endpoint, or of all, amount to. Costs are US dollars, exact."""

    calls: int = 0
    cost_usd: Decimal = Decimal(0)
    attempts: int = 0
    """Of the rows that tell them: windows of protocol 1.0 don't."""
    attempts_told: int = 0
    """The calls of these rows."""
    extra: int = 0
    """Attempts beyond the first."""
    extra_likely_usd: Decimal = Decimal(0)
    """Their part of all attempts of these rows, times the cost."""
    extra_usd: Decimal = Decimal(0)
    """Cost of the rows with such attempts. A repeated attempt itself is in no cost."""
    errors: int = 0
    errors_likely_usd: Decimal = Decimal(0)
    """Their part of all calls of these rows, times the cost; ``billed_usd`` at least."""
    errors_usd: Decimal = Decimal(0)
    """Cost of the rows with errors: the most that errors were billed with."""
    billed: int = 0
    """Errors of rows, or of tag sets within a row, in which every call failed and that have a cost."""
    billed_usd: Decimal = Decimal(0)
    """Their cost: the least that errors were billed with."""
    storms: int = 0
    """Rows of which at least half of the attempts, and at least `STORM_ATTEMPTS`, failed or were repeated."""
    storm_attempts: int = 0
    """The attempts of these rows that failed or were repeated."""
    storms_likely_usd: Decimal = Decimal(0)
    """Their part of all attempts of these rows, times the cost."""
    storms_usd: Decimal = Decimal(0)
    repeats: int = 0
    """Rows with many calls."""
    repeated: int = 0
    """The calls of these rows."""
    repeated_most: int = 0
    """The most calls of one of them."""
    repeated_bytes: int = 0
    """What these calls sent."""
    repeated_usd: Decimal = Decimal(0)
    flat_usd: Decimal = Decimal(0)
    """Of the cost, flat estimates: of programs that don't look at answers."""
    unpriced: int = 0
    """Calls whose cost is not known, and is in no figure."""
    unpriced_usd: Decimal = Decimal(0)
    """Cost of the priced calls in the rows with such calls."""


@dataclass(frozen=True)
class Storm:
    """A row of which most of the attempts failed or were repeated."""

    started: datetime
    provider: str
    endpoint: str
    calls: int
    errors: int
    attempts: Optional[int]
    """None: the window doesn't tell."""


@dataclass(frozen=True)
class Waste:
    """What was found altogether, by endpoint, and the worst storms."""

    total: Sums
    endpoints: Sequence[tuple[str, str, Sums]]
    """Provider, endpoint, and what its rows amount to; in no order."""
    storms: Sequence[Storm]
    """The worst first."""
    repeated_from: int


def find_waste(readings: Readings, question: Question, repeated_from: int = REPEATED) -> Waste:
    """Return what may have been paid for in vain.

    Args:
        readings: The files.
        question: Its period and its filters count; models and tags don't.
        repeated_from: Calls of one row from which on they count as repeated.
    """
    scope = scope_of(readings)
    if scope is None:
        return Waste(Sums(), (), (), repeated_from)
    where, parameters = Statement(question, scope).conditions()
    rows = f"FROM metrics {where}"
    names = [field.name for field in fields(Sums)]
    sums = ", ".join(_expressions(repeated_from)[name] for name in names)
    result = readings.connection.execute(
        f"SELECT provider, endpoint, {sums} {rows} GROUP BY provider, endpoint", parameters
    ).fetchall()
    endpoints = {row[:2]: dict(zip(names, map(_number, row[2:]))) for row in result}
    for provider, endpoint, errors, cost in _billed_parts(readings, rows, parameters):
        found = endpoints[provider, endpoint]
        found["billed"] += int(errors)
        found["billed_usd"] = min(EXACT.add(found["billed_usd"], cost), found["errors_usd"])
    for found in endpoints.values():
        found["errors_likely_usd"] = max(found["errors_likely_usd"], found["billed_usd"])
        for kind in ("extra", "errors", "storms"):  # rounded up, it could be more
            found[f"{kind}_likely_usd"] = min(found[f"{kind}_likely_usd"], found[f"{kind}_usd"])
    return Waste(
        _usd(_added(endpoints.values(), names)),
        [(provider, endpoint, _usd(found)) for (provider, endpoint), found in endpoints.items()],
        _storms(readings, rows, parameters),
        repeated_from,
    )


def _number(value: Any) -> Any:
    """Return a sum; a part of a cost, which is no more than likely, to nine places of a cent."""
    return EXACT.create_decimal(f"{value:.9f}") if isinstance(value, float) else value or 0


def _expressions(repeated_from: int) -> dict[str, str]:
    """Return the SQL of each sum; costs are US cents."""
    many = f"calls >= {int(repeated_from)}"
    return {
        "calls": "sum(calls)",
        "cost_usd": "sum(cost)",
        "attempts": "sum(attempts)",
        "attempts_told": "sum(calls) FILTER (attempts IS NOT NULL)",
        "extra": f"sum({_EXTRA})",
        "extra_likely_usd": f"sum(cost::DOUBLE * {_EXTRA} / attempts) FILTER ({_EXTRA} > 0)",
        "extra_usd": f"sum(cost) FILTER ({_EXTRA} > 0)",
        "errors": "sum(errors)",
        "errors_likely_usd": f"sum(cost::DOUBLE * least(errors, calls) / calls) FILTER ({_SOME_FAILED})",
        "errors_usd": "sum(cost) FILTER (errors > 0)",
        "billed": f"sum(errors) FILTER ({_ALL_FAILED} AND cost > 0)",
        "billed_usd": f"sum(cost) FILTER ({_ALL_FAILED})",
        "storms": f"count(*) FILTER ({_STORM})",
        "storm_attempts": f"sum({_FAILED}) FILTER ({_STORM})",
        "storms_likely_usd": f"sum(cost::DOUBLE * least({_FAILED}, {_ALL}) / {_ALL}) FILTER ({_STORM})",
        "storms_usd": f"sum(cost) FILTER ({_STORM})",
        "repeats": f"count(*) FILTER ({many})",
        "repeated": f"sum(calls) FILTER ({many})",
        "repeated_most": f"max(calls) FILTER ({many})",
        "repeated_bytes": f"sum(bytes_up) FILTER ({many})",
        "repeated_usd": f"sum(cost) FILTER ({many})",
        "flat_usd": f"sum({MEASURES['flat']})",
        "unpriced": "sum(unpriced)",
        "unpriced_usd": "sum(cost) FILTER (unpriced > 0)",
    }


def _billed_parts(readings: Readings, rows: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    """Return what tag sets of which every call failed cost, in rows of which some calls did not fail."""
    parts = (
        f"SELECT provider, endpoint, unnest(tags) AS part FROM (SELECT * {rows}) "
        "WHERE errors > 0 AND errors < calls"
    )
    found: list[tuple[Any, ...]] = readings.connection.execute(
        f"SELECT provider, endpoint, sum(part.errorCount), sum(part.estimatedCostCents) FROM ({parts}) "
        "WHERE part.errorCount > 0 AND part.errorCount >= part.requestCount AND part.estimatedCostCents > 0 "
        "GROUP BY provider, endpoint",
        parameters,
    ).fetchall()
    return found


def _storms(readings: Readings, rows: str, parameters: list[Any]) -> list[Storm]:
    text = f"SELECT started, provider, endpoint, calls, errors, attempts, {_FAILED} AS failed {rows}"
    found = readings.connection.execute(
        f"SELECT * EXCLUDE failed FROM ({text}) WHERE {_STORM} "
        f"ORDER BY failed DESC, started, provider, endpoint LIMIT {_WORST}",
        parameters,
    ).fetchall()
    return [Storm(row[0].replace(tzinfo=timezone.utc), *row[1:]) for row in found]


def _added(parts: Any, names: Sequence[str]) -> dict[str, Any]:
    total: dict[str, Any] = dict.fromkeys(names, 0)
    for part in parts:
        for name, value in part.items():
            if name == "repeated_most":
                total[name] = max(total[name], value)
            else:
                total[name] = EXACT.add(total[name], value) if name.endswith("_usd") else total[name] + value
    return total


def _usd(sums: dict[str, Any]) -> Sums:
    """Return the sums with US dollars in place of cents."""
    known: dict[str, Any] = {}
    for name, value in sums.items():
        if name.endswith("_usd"):
            dollars = EXACT.scaleb(EXACT.create_decimal(value), -2)
            known[name] = EXACT.normalize(dollars) if dollars else Decimal(0)
        else:
            known[name] = int(value)
    return Sums(**known)
