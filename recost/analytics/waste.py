"""Estimates of avoidable spend from recorded windows.

A row is one endpoint and method in one window, without the cost of single calls. So each finding has two
amounts. The likely waste is its share of the calls or attempts of a row, times the cost of the row. The upper
bound is the whole cost of the rows that it occurs in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, Final, Optional

from recost._money import EXACT
from recost.analytics.dialect import Dialect
from recost.analytics.ingest.tables import MEASURES
from recost.analytics.query import Question
from recost.analytics.sql import Statement
from recost.analytics.store import Readings, select_files

__all__ = ["REPEATED", "STORM_ATTEMPTS", "RetryStorm", "Waste", "WasteSums", "find_waste"]

REPEATED: Final = 50
"""The minimum calls of a row that count as repeated."""
STORM_ATTEMPTS: Final = 10
"""The minimum failed or repeated attempts of a row that count as a storm."""
_WORST: Final = 5

_EXTRA: Final = "greatest(coalesce(attempts, 0) - calls, 0)"
_FAILED: Final = f"(errors + {_EXTRA})"
_ALL: Final = "greatest(coalesce(attempts, 0), calls)"
_STORM: Final = f"{_FAILED} >= {STORM_ATTEMPTS} AND {_FAILED} * 2 >= {_ALL}"
_SOME_FAILED: Final = "errors > 0 AND calls > 0"
_ALL_FAILED: Final = "errors > 0 AND errors >= calls"


@dataclass(frozen=True)
class WasteSums:
    """The sums over the rows of one endpoint, or of all. Costs are US dollars, exact."""

    calls: int = 0
    cost_usd: Decimal = Decimal(0)
    attempts: int = 0
    """The attempts of rows that record them. Windows of protocol 1.0 do not."""
    attempts_known: int = 0
    """The calls of these rows."""
    extra: int = 0
    """Attempts beyond the first."""
    extra_likely_usd: Decimal = Decimal(0)
    """Their share of all attempts of these rows, times the cost."""
    extra_usd: Decimal = Decimal(0)
    """The cost of the rows with such attempts. Repeated attempts themselves are not priced."""
    errors: int = 0
    errors_likely_usd: Decimal = Decimal(0)
    """Their share of all calls of these rows, times the cost. At least ``billed_usd``."""
    errors_usd: Decimal = Decimal(0)
    """The cost of the rows with errors: the upper bound for errors."""
    billed: int = 0
    """Errors in rows, or in tag sets within rows, that have a cost although every call failed."""
    billed_usd: Decimal = Decimal(0)
    """Their cost: the lower bound for errors."""
    storms: int = 0
    """Rows with at least half of the attempts, and at least `STORM_ATTEMPTS`, failed or repeated."""
    storm_attempts: int = 0
    """The failed or repeated attempts of these rows."""
    storms_likely_usd: Decimal = Decimal(0)
    """Their share of all attempts of these rows, times the cost."""
    storms_usd: Decimal = Decimal(0)
    repeats: int = 0
    """Rows with many calls."""
    repeated: int = 0
    """The calls of these rows."""
    repeated_most: int = 0
    """Maximum number of calls of one of them."""
    repeated_bytes: int = 0
    """The bytes that these calls sent."""
    repeated_usd: Decimal = Decimal(0)
    flat_usd: Decimal = Decimal(0)
    """The part of the cost that is flat estimates, from calls whose responses were not metered."""
    unpriced: int = 0
    """Calls without a known cost, which no amount includes."""
    unpriced_usd: Decimal = Decimal(0)
    """The cost of the priced calls in rows with such calls."""


@dataclass(frozen=True)
class RetryStorm:
    """A row with mostly failed or repeated attempts."""

    started: datetime
    provider: str
    endpoint: str
    calls: int
    errors: int
    attempts: Optional[int]
    """None if the window does not record attempts."""


@dataclass(frozen=True)
class Waste:
    """The total, the sums by endpoint, and the worst storms."""

    total: WasteSums
    endpoints: Sequence[tuple[str, str, WasteSums]]
    """Provider, endpoint and sums, unsorted."""
    storms: Sequence[RetryStorm]
    """The worst first."""
    repeated_from: int


def find_waste(readings: Readings, question: Question, repeated_from: int = REPEATED) -> Waste:
    """Estimate avoidable spend.

    Args:
        readings: The files.
        question: The period and the filters. Models and tags are ignored.
        repeated_from: The minimum calls of a row that count as repeated.
    """
    selection = select_files(readings)
    if selection is None:
        return Waste(WasteSums(), (), (), repeated_from)
    dialect = readings.dialect
    where, parameters = Statement(question, selection, dialect).conditions()
    rows = f"FROM {dialect.metrics} {where}"
    names = [field.name for field in fields(WasteSums)]
    sums = ", ".join(_expressions(repeated_from, dialect)[name] for name in names)
    result = readings.connection.execute(
        f"SELECT provider, endpoint, {sums} {rows} GROUP BY provider, endpoint", parameters
    ).fetchall()
    endpoints = {row[:2]: dict(zip(names, map(_number, row[2:]))) for row in result}
    for provider, endpoint, errors, cost in _billed_parts(readings, where, parameters):
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
    """Return a sum. Shares of costs, which are estimates, are rounded to nine places of a cent."""
    return EXACT.create_decimal(f"{value:.9f}") if isinstance(value, float) else value or 0


def _expressions(repeated_from: int, dialect: Dialect) -> dict[str, str]:
    """Return the SQL of each sum. Costs are US cents."""
    many = f"calls >= {int(repeated_from)}"
    total, cost = dialect.total, f"CAST(cost AS {dialect.real})"
    return {
        "calls": total("calls"),
        "cost_usd": total("cost"),
        "attempts": total("attempts"),
        "attempts_known": f"{total('calls')} FILTER (WHERE attempts IS NOT NULL)",
        "extra": total(_EXTRA),
        "extra_likely_usd": f"sum({cost} * {_EXTRA} / attempts) FILTER (WHERE {_EXTRA} > 0)",
        "extra_usd": f"{total('cost')} FILTER (WHERE {_EXTRA} > 0)",
        "errors": total("errors"),
        "errors_likely_usd": f"sum({cost} * least(errors, calls) / calls) FILTER (WHERE {_SOME_FAILED})",
        "errors_usd": f"{total('cost')} FILTER (WHERE errors > 0)",
        "billed": f"{total('errors')} FILTER (WHERE {_ALL_FAILED} AND cost > 0)",
        "billed_usd": f"{total('cost')} FILTER (WHERE {_ALL_FAILED})",
        "storms": f"count(*) FILTER (WHERE {_STORM})",
        "storm_attempts": f"{total(_FAILED)} FILTER (WHERE {_STORM})",
        "storms_likely_usd": f"sum({cost} * least({_FAILED}, {_ALL}) / {_ALL}) FILTER (WHERE {_STORM})",
        "storms_usd": f"{total('cost')} FILTER (WHERE {_STORM})",
        "repeats": f"count(*) FILTER (WHERE {many})",
        "repeated": f"{total('calls')} FILTER (WHERE {many})",
        "repeated_most": f"max(calls) FILTER (WHERE {many})",
        "repeated_bytes": f"{total('bytes_up')} FILTER (WHERE {many})",
        "repeated_usd": f"{total('cost')} FILTER (WHERE {many})",
        "flat_usd": total(MEASURES["flat"]),
        "unpriced": total("unpriced"),
        "unpriced_usd": f"{total('cost')} FILTER (WHERE unpriced > 0)",
    }


def _billed_parts(readings: Readings, where: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    """Return the cost of tag sets with only failed calls, in rows with other calls that succeeded."""
    total, parts = readings.dialect.total, readings.dialect.parts["tag"]
    part = ", ".join(f"{parts.measures[name]} AS part_{name}" for name in ("calls", "errors", "cost"))
    sets = (
        f"SELECT provider, endpoint, {part} FROM {parts.rows.format(where=where)} "
        "AND errors > 0 AND errors < calls"
    )
    found: list[tuple[Any, ...]] = readings.connection.execute(
        f"SELECT provider, endpoint, {total('part_errors')}, {total('part_cost')} FROM ({sets}) AS found "
        "WHERE part_errors > 0 AND part_errors >= part_calls AND part_cost > 0 GROUP BY provider, endpoint",
        parameters,
    ).fetchall()
    return found


def _storms(readings: Readings, rows: str, parameters: list[Any]) -> list[RetryStorm]:
    text = f"SELECT started, provider, endpoint, calls, errors, attempts, {_FAILED} AS failed {rows}"
    found = readings.connection.execute(
        f"SELECT started, provider, endpoint, calls, errors, attempts FROM ({text}) AS found WHERE {_STORM} "
        f"ORDER BY failed DESC, started, provider, endpoint LIMIT {_WORST}",
        parameters,
    ).fetchall()
    return [RetryStorm(row[0].replace(tzinfo=timezone.utc), *row[1:]) for row in found]


def _added(parts: Any, names: Sequence[str]) -> dict[str, Any]:
    total: dict[str, Any] = dict.fromkeys(names, 0)
    for part in parts:
        for name, value in part.items():
            if name == "repeated_most":
                total[name] = max(total[name], value)
            else:
                total[name] = EXACT.add(total[name], value) if name.endswith("_usd") else total[name] + value
    return total


def _usd(sums: dict[str, Any]) -> WasteSums:
    """Return the sums with US dollars in place of cents."""
    known: dict[str, Any] = {}
    for name, value in sums.items():
        if name.endswith("_usd"):
            dollars = EXACT.scaleb(EXACT.create_decimal(value), -2)
            known[name] = EXACT.normalize(dollars) if dollars else Decimal(0)
        else:
            known[name] = int(value)
    return WasteSums(**known)
