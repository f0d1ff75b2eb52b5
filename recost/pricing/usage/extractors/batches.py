"""Sums over the requests of a batch."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final, Optional

from recost.pricing.usage.fields import add_units
from recost.pricing.usage.model import Number, Usage

__all__ = ["TIER", "sum_up"]

TIER: Final = "batch"
"""Service tier of batches."""


def sum_up(usages: Iterable[Optional[Usage]], *, partial: bool, receipts: tuple[int, ...]) -> Usage:
    """Return the sum of the usages of a batch's requests, by model and token factor, at the batch tier.

    Args:
        usages: Usage of each request, or None if it used nothing.
        partial: Whether the usage of other requests may be missing.
        receipts: Receipts under which the batch is billed.
    """
    found: dict[tuple[Optional[str], Optional[Decimal]], dict[str, Number]] = {}
    requests: dict[tuple[Optional[str], Optional[Decimal]], int] = {}
    uncounted: list[str] = []
    for usage in usages:
        if usage is None:
            continue
        for part in usage.parts or (usage,):
            key = part.model, part.token_factor
            add_units(found.setdefault(key, {}), part.units)
            requests[key] = requests.get(key, 0) + 1
        uncounted += usage.uncounted
    if not found:
        return Usage(partial=partial)
    parts = tuple(
        Usage(model, units, tier=TIER, token_factor=factor, requests=requests[model, factor])
        for (model, factor), units in found.items()
    )
    total: dict[str, Number] = {}
    for part in parts:
        add_units(total, part.units)
    several = len(parts) > 1
    return Usage(
        None if several else parts[0].model,
        total,
        tier=TIER,
        partial=partial,
        parts=parts if several else (),
        token_factor=None if several else parts[0].token_factor,
        uncounted=tuple(dict.fromkeys(uncounted)),
        receipts=receipts,
        requests=sum(requests.values()),
    )
