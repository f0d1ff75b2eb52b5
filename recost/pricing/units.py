"""Cost of a call by the unit prices of its rule, with free tiers and minimum."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from threading import RLock
from typing import Callable, Final, NamedTuple, Optional, Union

from recost.pricing.prices import CALLS, Prices

__all__ = ["Charge", "UnitPricing"]

_GB: Final = Decimal(1024**3)
_ZERO: Final = Decimal(0)


class Charge(NamedTuple):
    """Sum of unit prices."""

    usd: Decimal
    exact: bool
    """False if more may be billed: units of unknown number or without a price."""


class UnitPricing:
    """Unit prices of calls, with a count of the free units used in each month. Thread-safe."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = RLock()  # a signal handler or finaliser may price a call, too
        self._month = ""
        self._used: dict[tuple[int, str], Decimal] = {}
        self._kept: dict[int, Prices] = {}

    def charge(
        self,
        prices: Prices,
        units: Optional[Mapping[str, Union[int, Decimal]]],
        *,
        up: int,
        down: int,
        count: bool = True,
    ) -> Optional[Charge]:
        """Return the cost of a call, or None if its rule has no price for any known unit.

        Args:
            prices: Prices of the rule.
            units: Usage that the response states. None if unknown.
            up: Bytes of the request.
            down: Bytes of the response.
            count: Whether the call uses up free units.
        """
        items = _items(prices, units, up, down)
        missing = bool(prices.usd_per_unit) and (
            units is None or any(units[unit] for unit in units.keys() - prices.usd_per_unit.keys())
        )
        if not items:
            least = prices.minimum_usd
            return None if least is None else Charge(least, exact=not prices.usd_per_unit)
        total = _ZERO
        for unit, quantity, price in items:
            billed = self._beyond_free(prices, unit, quantity, count) if prices.free_units else quantity
            total += billed * price
        if prices.fixed_usd is not None and units and any(units.get(unit) for unit in prices.usd_per_unit):
            total += prices.fixed_usd
        if prices.minimum_usd is not None:
            total = max(total, prices.minimum_usd)
        return Charge(total, exact=not missing)

    def _beyond_free(self, prices: Prices, unit: str, quantity: Decimal, count: bool) -> Decimal:
        free = prices.free_units.get(unit)
        if free is None:
            return quantity
        with self._lock:
            month = self._clock().strftime("%Y-%m")
            if month != self._month:
                self._month = month
                self._used.clear()
            self._kept[id(prices)] = prices  # an id is taken again once its object is gone
            key = (id(prices), unit)
            used = self._used.get(key, _ZERO)
            if count:
                self._used[key] = used + quantity
        return max(_ZERO, quantity - max(_ZERO, free - used))


def _items(
    prices: Prices, units: Optional[Mapping[str, Union[int, Decimal]]], up: int, down: int
) -> list[tuple[str, Decimal, Decimal]]:
    """Return unit, quantity and price of whatever has a price and a quantity."""
    items: list[tuple[str, Decimal, Decimal]] = []
    if prices.usd_per_call is not None:
        items.append((CALLS, Decimal(1), prices.usd_per_call))
    per_gb = prices.usd_per_gb
    up_price = per_gb if prices.usd_per_gb_up is None else prices.usd_per_gb_up
    down_price = per_gb if prices.usd_per_gb_down is None else prices.usd_per_gb_down
    if up_price is not None:
        items.append(("gb_up", up / _GB, up_price))
    if down_price is not None:
        items.append(("gb_down", down / _GB, down_price))
    if units is not None:
        for unit, price in prices.usd_per_unit.items():
            if unit in units:
                items.append((unit, Decimal(units[unit]), price))
    return items
