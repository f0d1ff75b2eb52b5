"""Prices of text that grow evenly with the tokens: what one of each kind costs, found once for many calls.

To work a price out from the ground up takes longer than all else that a call costs together. Where a model's
prices have no tiers, it is a sum of numbers of tokens, each times a price; and those prices come out of a few
such workings-out, of which the last ones see whether it is so.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Callable, Final, NamedTuple, Optional

from recost.pricing.usage.model import Number

__all__ = ["Rates", "Units", "find_rates", "kinds_of"]

Units = Mapping[str, Number]
"""What was used, by the kind."""

_TRIED: Final = {
    "input_tokens": 1_000_000,
    "cache_read_tokens": 10_000,
    "cache_write_tokens": 20_000,
    "cache_write_1h_tokens": 30_000,
    "output_tokens": 2_000_000,
    "reasoning_tokens": 50_000,
}
"""The kinds of tokens that there may be, and how many are tried: parts are smaller than what they are of."""


class Rates(NamedTuple):
    """What a call costs, and each token of it, in US dollars."""

    call: Decimal
    tokens: Mapping[str, Decimal]

    def price(self, units: Units) -> Decimal:
        """Return the price of a usage of the kinds that these rates are for."""
        total = self.call
        for kind, rate in self.tokens.items():
            total += rate * units[kind]
        return total


def kinds_of(units: Units) -> Optional[tuple[tuple[str, bool], ...]]:
    """Return what is used, and of what there is nothing: rates are the same where this is.

    None where there is something else than tokens of text, or parts that are more than what they are of.
    """
    for kind, count in units.items():
        if (count and kind not in _TRIED) or type(count) is not int or count < 0:
            return None
    get = units.get
    parts = get("cache_read_tokens", 0) + get("cache_write_tokens", 0) + get("cache_write_1h_tokens", 0)
    if parts > get("input_tokens", 0) or get("reasoning_tokens", 0) > get("output_tokens", 0):
        return None
    return tuple((kind, bool(count)) for kind, count in units.items())


def find_rates(units: Units, price: Callable[[Units], Decimal]) -> Optional[Rates]:
    """Return the rates; None where the price does not grow evenly.

    Args:
        units: A usage that `kinds_of` has an answer for.
        price: Works out the price of a usage.

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
