"""What the requests of a batch used together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Optional

from recost.pricing.usage.fields import add
from recost.pricing.usage.model import Number, Usage

__all__ = ["TIER", "sum_up"]

TIER: Final = "batch"
"""The service tier of batches."""


def sum_up(usages: Iterable[Optional[Usage]], *, partial: bool, receipts: tuple[int, ...]) -> Usage:
    """Return the sum of the usages of a batch's requests, by model, at the batch price.

    Args:
        usages: Of each request; None for one that used nothing.
        partial: What other requests used may be lost.
        receipts: Under which the batch is billed.
    """
    found: dict[Optional[str], dict[str, Number]] = {}
    requests: dict[Optional[str], int] = {}
    uncounted: list[str] = []
    for usage in usages:
        if usage is None:
            continue
        for part in usage.parts or (usage,):
            _add(found.setdefault(part.model, {}), part.units)
            requests[part.model] = requests.get(part.model, 0) + 1
        uncounted += usage.uncounted
    if not found:
        return Usage(partial=partial)
    parts = tuple(Usage(model, units, tier=TIER, requests=requests[model]) for model, units in found.items())
    total: dict[str, Number] = {}
    for part in parts:
        _add(total, part.units)
    return Usage(
        parts[0].model if len(parts) == 1 else None,
        total,
        tier=TIER,
        partial=partial,
        parts=parts if len(parts) > 1 else (),
        uncounted=tuple(dict.fromkeys(uncounted)),
        receipts=receipts,
        requests=sum(requests.values()),
    )


def _add(units: dict[str, Number], more: Mapping[str, Number]) -> None:
    for unit, value in more.items():
        units[unit] = add(units.get(unit), value)
