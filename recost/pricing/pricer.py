"""Pricing of a call by its route, its usage and its other facts.

Sources, in order: the reported cost, the user's own price, genai-prices, the unit prices of the rule, an
estimate from the bytes of a stream, the flat estimate of the rule.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timezone
from decimal import Decimal, localcontext
from functools import partial
from threading import RLock
from typing import Any, Callable, Final, NamedTuple, Optional

from recost._money import PRICING
from recost.pricing.cost import Cost, Source
from recost.pricing.genai import GenaiPrices, Quote
from recost.pricing.list_place import ListPlace
from recost.pricing.prices import Prices
from recost.pricing.rates import Units
from recost.pricing.resale import prices_of_others
from recost.pricing.route import Route
from recost.pricing.units import UnitPricing
from recost.pricing.usage.model import Usage
from recost.pricing.usage.request_fields import price_key, requested_model

__all__ = ["PricedCall", "Pricer", "Receipts"]

_BYTES_PER_TOKEN: Final = 4
"""Four characters of English text: https://help.openai.com/en/articles/4936856, as of 2026-11."""
_BYTES_PER_STREAMED_TOKEN: Final = 250
"""An event of a chat completion has one token of about 4 bytes, and some 245 bytes around it: ids, model,
fingerprint. Measured in the example of
https://platform.openai.com/docs/api-reference/chat-streaming, as of 2026-11."""
_ONE: Final = Decimal(1)
_TOKENS: Final = frozenset({"input_tokens", "output_tokens"})
_UNKNOWN: Final[tuple[Optional[Decimal], Source]] = (None, "unknown")
_NOTHING: Final[tuple[Optional[Decimal], Source]] = (Decimal(0), "computed")


_MOST_RECEIPTS: Final = 20_000
"""Number of remembered ids, about 4 MB. The oldest are forgotten first."""


class Receipts:
    """Billed amounts by hashed ids. Thread-safe and of bounded size."""

    def __init__(self, most: int = _MOST_RECEIPTS) -> None:
        self._most = most
        self._paid: OrderedDict[int, Decimal] = OrderedDict()
        self._lock = RLock()  # a signal handler or finaliser may price a call, too

    def paid(self, receipts: tuple[int, ...]) -> Optional[Decimal]:
        """Return the highest amount billed under one of the ids. None if all are new."""
        with self._lock:
            known = [self._paid[each] for each in receipts if each in self._paid]
        return max(known, default=None)

    def keep(self, receipts: tuple[int, ...], usd: Decimal) -> None:
        """Remember an amount that was billed under these ids."""
        with self._lock:
            for each in receipts:
                self._paid[each] = max(usd, self._paid.pop(each, usd))
            while len(self._paid) > self._most:
                self._paid.popitem(last=False)

    def __len__(self) -> int:
        return len(self._paid)


class _Amount(NamedTuple):
    usd: Optional[Decimal]
    source: Source
    priced_on: Optional[str] = None
    missing: tuple[str, ...] = ()


class PricedCall(NamedTuple):
    """The facts of a call that its cost may depend on."""

    route: Route
    """Route of the call."""
    status: int
    """Status of the response, or 0 without a response."""
    request_bytes: int = 0
    response_bytes: int = 0
    body_bytes: int = 0
    """Bytes of the response's body without its content coding, or 0 if unknown."""
    content_type: str = ""
    usage: Optional[Usage] = None
    """Usage that the response states. None if unknown."""
    asked: Mapping[str, str] = {}
    """Fields of the request that were read."""
    attempts: int = 1
    """Number of times that the request was sent."""
    unread: bool = False
    """True if the response was not read to its end. What depends on it is an estimate."""
    uses_free_units: bool = True
    """True if the call uses up free units of its rule. False to price a call twice."""

    @property
    def units(self) -> Optional[Units]:
        """Units of the usage. None if unknown."""
        return None if self.usage is None else self.usage.units

    @property
    def units_by_model(self) -> Optional[Units]:
        """The units, under the names of those that the rule prices by model."""
        prices, usage = self.route.prices.usd_per_unit, self.usage
        if usage is None or not prices:
            return self.units
        kind, units = price_key(self.route.path, self.asked, usage.model), usage.units
        if self.route.prices.genai_provider == "aws":  # only the path has its whole name
            named = (self.route.model or "").partition(":")[0]
            kind = named.removeprefix("us.").removeprefix("global.")  # these cost the same anywhere
        if not kind:
            return units
        found: Units = units
        for unit in units:
            name = f"{kind}.{unit}"
            if name in prices:
                found = {name if each == unit else each: count for each, count in found.items()}
        return found


class Pricer:
    """A calculator of the costs of calls. Thread-safe.

    It does no I/O, except that genai-prices is imported when first needed.

    Args:
        report: Receives errors of genai-prices, once each. Nothing is raised.
        clock: The time, in UTC.
        price_list: Location of a list that replaces that of genai-prices, if it exists.
    """

    def __init__(
        self,
        *,
        report: Optional[Callable[[Exception], Any]] = None,
        clock: Callable[[], datetime] = partial(datetime.now, timezone.utc),
        price_list: Optional[ListPlace] = None,
    ) -> None:
        self._genai = GenaiPrices(report, clock, price_list)
        self._units = UnitPricing(clock)
        self._receipts = Receipts()

    def refresh(self) -> bool:
        """Load a newer list of prices if there is one. Reads a file, and may take long.

        Returns:
            True if prices may have changed.
        """
        return self._genai.refresh()

    def price(self, call: PricedCall) -> Cost:
        """Return the cost of a call."""
        route, usage = call.route, call.usage
        failed = not 0 < call.status < 400
        if route.rule is None:
            unpriced = _NOTHING if failed else _UNKNOWN
            return Cost(*unpriced, route.provider, usage=usage, attempts=call.attempts)
        with localcontext(PRICING):
            free = failed and not route.failed_calls_billed
            amount = _Amount(*_NOTHING) if free else self._amount(call)
            if not free and usage is not None and usage.receipts:
                amount = self._once(call, amount, usage.receipts)
        return Cost(
            amount.usd,
            amount.source,
            route.provider,
            _model(call),
            usage,
            amount.priced_on,
            call.attempts,
            partial=_is_partial(call),
            missing=amount.missing,
        )

    def _amount(self, call: PricedCall) -> _Amount:
        usage = call.usage
        if usage is not None and usage.reported_usd is not None:
            return _Amount(usage.reported_usd, "estimated" if _is_partial(call) else "reported")
        own = self._own_price(call) if call.route.terms.own else None
        if own is not None:
            return own
        sources = [self._by_genai, self._by_units, self._by_bytes, self._flat]
        if usage is not None and call.route.prices.usd_per_unit and call.units_by_model is not usage.units:
            sources.insert(0, self._by_units)
        for source in sources:
            amount = source(call)
            if amount is not None:
                return amount
        unpriced = _unpriced(call)
        hindrance = None if call.route.prices.genai_provider is None else self._genai.hindrance
        return _Amount(*_UNKNOWN, missing=(hindrance,) if unpriced and hindrance is not None else unpriced)

    def _once(self, call: PricedCall, amount: _Amount, receipts: tuple[int, ...]) -> _Amount:
        """Return the amount to bill now. A call that only reads is billed without what was billed before.

        A request for work is always billed, whatever id its response has.
        """
        known = self._receipts.paid(receipts)
        if call.uses_free_units and amount.usd is not None:
            self._receipts.keep(receipts, amount.usd)
        if known is None or not _only_reads(call) or amount.usd is None:
            return amount
        if amount.usd <= known:
            return _Amount(*_NOTHING, priced_on=amount.priced_on)
        return amount._replace(usd=amount.usd - known)

    def _own_price(self, call: PricedCall) -> Optional[_Amount]:
        """Return the price of the user's own rule. Calls of unknown units may have another source."""
        if call.route.prices.is_priced:
            return None if call.route.prices.usd_per_unit and call.usage is None else self._by_units(call)
        cents = call.route.flat_cents
        return None if cents is None else _Amount(cents / 100, "computed")

    def _by_genai(self, call: PricedCall) -> Optional[_Amount]:
        usage, prices = call.usage, call.route.prices
        if usage is None or not usage.units or prices.genai_provider is None:
            return None
        usd, exact, missing = Decimal(0), not _is_partial(call), list(usage.uncounted)
        priced_on: Optional[str] = None
        for part in usage.parts or (usage,):
            amount = self._by_genai_alone(call, part)
            if amount is None or amount.usd is None:
                missing.append(part.model or "model")
                continue
            usd, exact = usd + amount.usd, exact and amount.source == "computed"
            missing += amount.missing
            priced_on = amount.priced_on
        if priced_on is None:
            return None
        if "output_tokens" in usage.uncounted and "output_tokens" not in usage.units:
            usd += self._guess_output(call)
        exact = exact and not missing
        return _Amount(usd, "computed" if exact else "estimated", priced_on, tuple(dict.fromkeys(missing)))

    def _by_genai_alone(self, call: PricedCall, usage: Usage) -> Optional[_Amount]:
        """Return the price of the usage of one model."""
        prices = call.route.prices
        asked = any(usage.units.values()) or not prices.is_priced or not _TOKENS.isdisjoint(usage.units)
        quote = self._quote(call, usage.units, usage.tier, usage) if asked else None
        if quote is None:
            return None
        quote, summed = self._for_each(call, usage, quote) if usage.requests > 1 else (quote, False)
        usd = quote.usd * (_ONE if prices.genai_factor is None else prices.genai_factor)
        missing: list[str] = []
        if usage.token_factor is not None:
            usd = self._multiplied(call, usage, quote) * _factor(prices)
        missing += sorted(quote.guessed)
        for unit in sorted(quote.unpriced):
            price = prices.usd_per_unit.get(unit)
            if price is not None:
                usd += price * Decimal(usage.units[unit])
            elif usage.units[unit]:
                missing.append(unit)
        exact = quote.exact and not summed and not missing
        return _Amount(usd, "computed" if exact else "estimated", quote.priced_on, tuple(missing))

    def _for_each(self, call: PricedCall, usage: Usage, quote: Quote) -> tuple[Quote, bool]:
        """Return the price of the requests of a batch, and whether it depends on how long each prompt was.

        If it does, the price is that of as many prompts of the average length.
        """
        taken = usage.units.get("input_tokens", 0)
        if quote.even_up_to is None or taken <= quote.even_up_to:
            return quote, False
        average = {unit: int(value // usage.requests) for unit, value in usage.units.items()}
        one = self._quote(call, average, usage.tier, usage)
        return quote if one is None else one._replace(usd=one.usd * usage.requests), True

    def _multiplied(self, call: PricedCall, usage: Usage, quote: Quote) -> Decimal:
        """Return a price with the factor of the usage applied to the tokens' part only."""
        factor = Decimal(1) if usage.token_factor is None else usage.token_factor
        tokens = {unit: value for unit, value in usage.units.items() if unit.endswith("_tokens")}
        if len(tokens) == len(usage.units):
            return quote.usd * factor
        alone = self._quote(call, tokens, usage.tier, usage)
        return quote.usd if alone is None else quote.usd + alone.usd * (factor - 1)

    def _guess_output(self, call: PricedCall) -> Decimal:
        """Estimate the output of a stream that ended before it reported its usage."""
        units = {"input_tokens": 0, "output_tokens": call.response_bytes // _BYTES_PER_STREAMED_TOKEN}
        tier = None if call.usage is None else call.usage.tier
        quote = self._quote(call, units, tier) if units["output_tokens"] else None
        return Decimal(0) if quote is None else quote.usd * _factor(call.route.prices)

    def _by_units(self, call: PricedCall) -> Optional[_Amount]:
        prices, units = call.route.prices, call.units_by_model
        if not prices.is_priced:
            return None
        if units and prices.genai_provider and not _TOKENS.isdisjoint(units) and not _prices_tokens(prices):
            return None  # the searches of a model whose tokens have no price are not what the call cost
        charge = self._units.charge(
            prices, units, up=call.request_bytes, down=call.response_bytes, count=call.uses_free_units
        )
        if charge is None:
            return None
        uncounted = () if call.usage is None else call.usage.uncounted
        missing = tuple(dict.fromkeys((*uncounted, *prices.leaves_out))) if charge.usd else ()
        exact = charge.exact and not missing and not (_is_partial(call) and prices.usd_per_unit)
        return _Amount(charge.usd, "computed" if exact else "estimated", prices.price_date, missing)

    def _by_bytes(self, call: PricedCall) -> Optional[_Amount]:
        """Estimate a chat stream without usage, or an unread response, from its bytes."""
        prices = call.route.prices
        if prices.shape is None or prices.genai_provider is None:
            return None
        streamed = call.content_type.lower().startswith("text/event-stream")
        if not streamed and not call.unread:
            return None
        per_token = _BYTES_PER_STREAMED_TOKEN if streamed else _BYTES_PER_TOKEN
        units = {
            "input_tokens": call.request_bytes // _BYTES_PER_TOKEN,
            "output_tokens": (call.body_bytes or call.response_bytes) // per_token,
        }
        quote = self._quote(call, units, call.usage.tier if call.usage is not None else None)
        return None if quote is None else _Amount(quote.usd * _factor(prices), "estimated", quote.priced_on)

    def _flat(self, call: PricedCall) -> Optional[_Amount]:
        """Return the flat estimate of an endpoint that bills."""
        own = call.route.own and call.route.prices.genai_provider is None
        if _unpriced(call) and not own:
            return None  # the usage is known, and an estimate of a built-in rule ignores it
        cents = call.route.flat_cents
        return None if cents is None else _Amount(cents / 100, "estimated")

    def _quote(
        self, call: PricedCall, units: Units, tier: Optional[str], usage: Optional[Usage] = None
    ) -> Optional[Quote]:
        provider = call.route.prices.genai_provider
        if provider is None:
            return None
        usage, whole = usage or call.usage, call.usage
        served_by = None if whole is None else whole.served_by
        if served_by is not None:
            provider = f"{provider}_{served_by}"
        reported = usage.model if usage is not None else None
        named = None if usage is not whole else call.route.model
        # Bedrock: the region's share of the price is in the id of the path only.
        asked = requested_model(call.asked) if usage is whole and call.asked else None
        if asked is not None and served_by is not None:
            asked = asked.partition(":")[0]  # the router's: model:provider
        models = (named, reported) if provider == "aws" else (reported, named or asked)
        others = prices_of_others(provider, served_by, models)
        quote = self._genai.quote(provider, models, units, tier, report=others is None)
        if quote is None and others is not None:
            quote = self._genai.quote(*others, units, tier)
            if quote is not None and served_by is None:
                quote = quote._replace(exact=False)
        return quote


def _factor(prices: Prices) -> Decimal:
    return _ONE if prices.genai_factor is None else prices.genai_factor


def _is_partial(call: PricedCall) -> bool:
    return call.unread or (call.usage is not None and call.usage.partial)


def _only_reads(call: PricedCall) -> bool:
    return call.route.method.upper() != "POST" or call.route.path.rstrip("/").endswith("/cancel")


def _unpriced(call: PricedCall) -> tuple[str, ...]:
    """Return the model whose tokens are known but have no price. Empty if the call is billed otherwise."""
    units = call.units
    if not units or _TOKENS.isdisjoint(units):
        return ()
    return (_model(call) or "model",)


def _prices_tokens(prices: Prices) -> bool:
    return not _TOKENS.isdisjoint(prices.usd_per_unit)


def _model(call: PricedCall) -> Optional[str]:
    if call.usage is not None and call.usage.model is not None:
        return call.usage.model
    named = call.route.model if call.route.prices.shape is not None else None
    return named or (requested_model(call.asked) if call.asked else None)
