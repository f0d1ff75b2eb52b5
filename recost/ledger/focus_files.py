"""Files of FOCUS rows: CSV, and Parquet with exact decimals."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any, Callable, Final

from recost._text import csv_cell, printable
from recost.analytics.export import to_parquet
from recost.ledger.focus import COLUMNS, Charge, Value

__all__ = ["write_csv", "write_parquet"]

_TIMES: Final = ("BillingPeriodEnd", "BillingPeriodStart", "ChargePeriodEnd", "ChargePeriodStart")
_NUMBERS: Final = (
    "BilledCost",
    "ConsumedQuantity",
    "ContractedCost",
    "EffectiveCost",
    "ListCost",
    "PricingQuantity",
    "x_recostUnpricedCalls",
)
_DECIMAL: Final = "DECIMAL(38,26)"
"""Dollars have 26 places: amounts are exact to 24 places of a cent."""


def write_csv(charges: Iterable[Charge], path: Path) -> int:
    """Write rows that no spreadsheet evaluates, and return their number."""
    return _write(charges, path, csv_cell)


def write_parquet(charges: Iterable[Charge], path: Path, connection: Any) -> int:
    """Write rows with typed columns, and return their number.

    Args:
        charges: The rows.
        path: The file, in a private folder.
        connection: A connection to DuckDB.
    """
    rows = path.with_name(f"{path.name}.csv")
    try:
        count = _write(charges, rows, printable)
        to_parquet(connection, rows, path, {name: _type(name) for name in COLUMNS})
    finally:
        rows.unlink(missing_ok=True)
    return count


def _write(charges: Iterable[Charge], path: Path, clean: Callable[[str], str]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(COLUMNS)
        for charge in charges:
            out.writerow([_text(charge.get(name), clean) for name in COLUMNS])
            count += 1
    return count


def _text(value: Value, clean: Callable[[str], str]) -> str:
    if value is None:
        return ""
    return _plain(value) if isinstance(value, Decimal) else clean(value)


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _type(name: str) -> str:
    return "TIMESTAMP" if name in _TIMES else _DECIMAL if name in _NUMBERS else "VARCHAR"
