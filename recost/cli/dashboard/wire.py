"""Figures for the page, exact and as text. Amounts are decimal strings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any, Final, Optional

from recost._money import format_usd
from recost.analytics.query import exactly, tag_of
from recost.analytics.report import Figures, Group, Report
from recost.analytics.sql import OTHER
from recost.cli._shared.formats import change_of, format_bytes, format_cost, format_ms, name_of, share_of

__all__ = ["figures_of", "money", "table_of", "total_of"]

_FIELDS: Final = tuple(field.name for field in fields(Figures))
_FILTERS: Final = ("provider", "endpoint", "model", "environment", "project")


def money(dollars: Decimal) -> dict[str, str]:
    """Return an amount with all its digits, and as text."""
    return {"usd": f"{dollars:f}", "text": format_usd(dollars)}


def figures_of(figures: Figures) -> dict[str, Any]:
    """Return each figure by its name. Unknown figures are None."""
    found = {name: _cell(name, getattr(figures, name)) for name in _FIELDS}
    found["cost_usd"]["text"] = format_cost(figures)
    return found


def _cell(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name.endswith("_usd"):
        return money(value)
    if name.endswith("_ms"):
        return {"ms": value, "text": format_ms(value)} if math.isfinite(value) else None
    if name.startswith("bytes"):
        return {"bytes": value, "text": format_bytes(value)}
    return value


def total_of(result: Report) -> dict[str, Any]:
    """Return the figures of all calls, with the change of the cost if there is one."""
    total = result.total
    content = figures_of(total.now)
    if total.before is not None:
        content["before"] = figures_of(total.before)["cost_usd"]
        content["change"] = change_of(total.now, total.before)
    return content


def table_of(result: Report) -> dict[str, Any]:
    """Return the rows of a table, the groups beyond its limit, and its total."""
    rest = None
    if result.rest is not None:
        rest = {"groups": result.rest_count, **_row(result, result.rest)}
    return {
        "by": list(result.question.by),
        "rows": [_named(result, group) for group in result.groups],
        "rest": rest,
        "total": figures_of(result.total.now),
    }


def _named(result: Report, group: Group) -> dict[str, Any]:
    by = result.question.by
    return {
        "names": list(group.names),
        "shown": [name_of(dimension, name) for dimension, name in zip(by, group.names)],
        "filters": _filters(by, group.names),
        **_row(result, group),
    }


def _row(result: Report, group: Group) -> dict[str, Any]:
    whole = result.total.now.cost_usd
    return {
        **figures_of(group.now),
        "share": share_of(group.now, result.total.now),
        "width": float(group.now.cost_usd / whole) if whole else 0.0,
    }


def _filters(by: Sequence[str], names: Sequence[Optional[str]]) -> Optional[list[tuple[str, str]]]:
    """Return the filters that match these calls only, or None if filters cannot."""
    found = []
    for dimension, name in zip(by, names):
        tag = tag_of(dimension)
        if name is None or (tag is not None and name == OTHER):
            return None
        if tag is not None:
            found.append(("tag", f"{tag}={exactly(name)}"))
        elif dimension in _FILTERS:
            found.append(("env" if dimension == "environment" else dimension, exactly(name)))
    return found
