"""Linear prices of text: the price of one token of each kind, found once and used for many calls.

Pricing a call with genai-prices takes longer than all other work on it. If the prices of a model have no
tiers, a price is a sum of token counts, each times a rate. A few calculations give the rates, and the last
ones check that the price is linear.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Callable, Final, NamedTuple, Optional

from recost.pricing.usage.model import Number

__all__ = ["Findings", "Rates", "Units", "find_rates", "kinds_of", "request_key"]

Units = Mapping[str, Number]
"""Usage by kind of unit."""

_TRIED: Final = {
    "input_tokens": 1_000_000,
    "cache_read_tokens": 10_000,
    "cache_write_tokens": 20_000,
    "cache_write_1h_tokens": 30_000,
    "output_tokens": 2_000_000,
    "reasoning_tokens": 50_000,
}
"""Kinds of tokens, each with the number that is tried. Parts are smaller than their totals."""


_Request = tuple[str, str, frozenset[tuple[str, bool]], int]


class Findings:
    """Findings about one list of prices."""

    __slots__ = ("lacking", "rates", "snapshot")

    def __init__(self, snapshot: object) -> None:
        self.snapshot = snapshot
        self.rates: dict[Any, Any] = {}
        """By request and minute: the number of calls while few, then quote and rates, or None if unknown."""
        self.lacking: dict[_Request, None] = {}
        """Requests that it has no price for."""


def request_key(provider: str, model: str, units: Units, now: datetime) -> _Request:
    """Return what a price is lacking for, and the hour: the list may change during the next one."""
    used = frozenset((unit, bool(count)) for unit, count in units.items())
    return provider, model, used, int(now.timestamp()) // 3600


class Rates(NamedTuple):
    """Prices of a call and of each token by kind, in US dollars."""

    call: Decimal
    tokens: Mapping[str, Decimal]

    def price(self, units: Units) -> Decimal:
        """Return the price of a usage of the kinds that these rates are for."""
        total = self.call
        for kind, rate in self.tokens.items():
            total += rate * units[kind]
        return total


def kinds_of(units: Units) -> Optional[tuple[tuple[str, bool], ...]]:
    """Return each kind of token, and whether it is used. Usages with the same result have the same rates.

    Return None if there are units other than tokens of text, or if a part exceeds its total.
    """
    for kind, count in units.items():
        if (count and kind not in _TRIED) or type(count) is not int or count < 0:
            return None
    get = units.get
    parts = get("cache_read_tokens", 0) + get("cache_write_tokens", 0) + get("cache_write_1h_tokens", 0)
    if parts > get("input_tokens", 0) or get("reasoning_tokens", 0) > get("output_tokens", 0):
        return None
    return tuple(zip(units, map(bool, units.values())))


def find_rates(units: Units, price: Callable[[Units], Decimal]) -> Optional[Rates]:
    """Return the rates. None if the price is not linear in the tokens.

    Args:
        units: A usage that `kinds_of` accepts.
        price: Calculates the price of a usage.

    Raises:
        ValueError: The price of a usage could not be worked out.
    """
    tried = {kind: _TRIED[kind] if count else 0 for kind, count in units.items()}
    used = [kind for kind, count in units.items() if count]
    at = price(tried)
    tokens = {kind: price({**tried, kind: tried[kind] + 1}) - at for kind in used}
    rates = Rates(at - sum((rate * tried[kind] for kind, rate in tokens.items()), Decimal(0)), tokens)
    few = {kind: count // 1000 for kind, count in tried.items()}
    return rates if all(rates.price(each) == price(each) for each in (few, units)) else None
