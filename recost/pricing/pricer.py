"""From a rule, a usage and the facts of a call to a cost.

In this order: the cost that the answer reports; the user's own price; genai-prices; the unit prices of the
rule; an estimate from the bytes of a stream; the flat estimate of the rule; unknown.
"""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal, localcontext
from functools import partial
from typing import Any, Callable, Final, NamedTuple, Optional

from recost.pricing.cost import EXACT, Cost, Source
from recost.pricing.genai import GenaiPrices, Quote
from recost.pricing.model import MatchResult, ProviderDef
from recost.pricing.paths import model_in_path
from recost.pricing.prices import PriceCase, Prices
from recost.pricing.rates import Units
from recost.pricing.registry import ProviderRegistry
from recost.pricing.units import UnitPricing
from recost.pricing.usage.model import Usage

__all__ = ["UNKNOWN_PROVIDER", "Pricer"]

UNKNOWN_PROVIDER: Final = "unknown"
"""Provider of a host that no rule matches."""

_BYTES_PER_TOKEN: Final = 4
"""Four characters of English text; https://help.openai.com/en/articles/4936856, as of 2026-11."""
_BYTES_PER_STREAMED_TOKEN: Final = 250
"""An event of a chat completion has one token of about 4 bytes, and some 245 bytes around it: ids, model,
fingerprint; the example in https://platform.openai.com/docs/api-reference/chat-streaming, as of 2026-11."""
_TOKENS: Final = frozenset({"input_tokens", "output_tokens"})
_UNKNOWN: Final[tuple[Optional[Decimal], Source]] = (None, "unknown")
_NOTHING: Final[tuple[Optional[Decimal], Source]] = (Decimal(0), "computed")


class _Amount(NamedTuple):
    usd: Optional[Decimal]
    source: Source
    priced_on: Optional[str] = None


class _Call(NamedTuple):
    """The facts of a call that its price may depend on."""

    match: MatchResult
    rule: ProviderDef
    prices: Prices
    path: str
    request_bytes: int
    response_bytes: int
    body_bytes: int
    """Without its encoding, where that is known."""
    content_type: str
    usage: Optional[Usage]
    uses_free_units: bool
    unread: bool

    @property
    def units(self) -> Optional[Units]:
        return None if self.usage is None else self.usage.units


class Pricer:
    """Prices calls. Thread-safe; no I/O, except that genai-prices is imported at the first need.

    Args:
        registry: The rules in force; tells the user's own from the built-in ones.
        report: Receives what goes wrong with genai-prices, once each; nothing is raised.
        clock: The time, in UTC.
    """

    def __init__(
        self,
        registry: ProviderRegistry,
        *,
        report: Optional[Callable[[Exception], Any]] = None,
        clock: Callable[[], datetime] = partial(datetime.now, timezone.utc),
    ) -> None:
        self._registry = registry
        self._genai = GenaiPrices(report, clock)
        self._units = UnitPricing(clock)

    def price(
        self,
        match: Optional[MatchResult],
        *,
        host: str,
        path: str,
        method: str,
        status: int,
        request_bytes: int,
        response_bytes: int,
        content_type: str = "",
        usage: Optional[Usage] = None,
        attempts: int = 1,
        count: bool = True,
        unread: bool = False,
        body_bytes: int = 0,
    ) -> Cost:
        """Return what a call cost.

        Args:
            match: What the rules say of the call; None when no rule matches.
            host: Without port.
            path: Without query.
            method: Of the request.
            status: Of the answer; 0 when there was none.
            request_bytes: Sent.
            response_bytes: Received.
            content_type: Of the answer.
            usage: What the answer says was used; None when that is not known.
            attempts: How often the request was sent.
            count: Have the call use up the free units of its rule: False to price one a second time.
            unread: The answer was not read to its end: what depends on it is an estimate.
            body_bytes: Of the answer without its encoding; 0 where that is not known.
        """
        failed = not 0 < status < 400
        rule = None if match is None else match.rule
        if match is None or rule is None:
            provider = UNKNOWN_PROVIDER if match is None else match.provider
            return Cost(*_NOTHING if failed else _UNKNOWN, provider, usage=usage, attempts=attempts)
        prices = rule.prices_for(host, path, method)
        call = _Call(
            match,
            rule,
            prices,
            path,
            request_bytes,
            response_bytes,
            body_bytes or response_bytes,
            content_type,
            usage,
            count,
            unread,
        )
        with localcontext(EXACT):
            free = failed and not rule.failed_calls_billed
            amount = _Amount(*_NOTHING) if free else self._amount(call)
        return Cost(
            amount.usd,
            amount.source,
            match.provider,
            _model(call),
            usage,
            amount.priced_on,
            attempts,
            partial=unread or (usage is not None and usage.partial),
        )

    def _amount(self, call: _Call) -> _Amount:
        usage = call.usage
        if usage is not None and usage.reported_usd is not None:
            return _Amount(usage.reported_usd, "estimated" if call.unread else "reported")
        sources = [self._by_genai, self._by_units, self._by_bytes, self._flat]
        if not self._registry.is_builtin(call.rule):
            sources.insert(0, self._own_price)
        for source in sources:
            amount = source(call)
            if amount is not None:
                return amount
        return _Amount(*_UNKNOWN)

    def _own_price(self, call: _Call) -> Optional[_Amount]:
        """The price that the user gave; a call whose units are not known may still be priced otherwise."""
        if call.prices.is_priced:
            return None if call.prices.usd_per_unit and call.usage is None else self._by_units(call)
        cents = call.match.cost_cents
        return None if cents is None else _Amount(cents / 100, "computed")

    def _by_genai(self, call: _Call) -> Optional[_Amount]:
        usage, prices = call.usage, call.prices
        if usage is None or not usage.units or prices.genai_provider is None:
            return None
        quote = self._quote(call, usage.units, usage.tier)
        if quote is None:
            return None
        summed = quote.tiered and call.path.endswith("/results")  # of a batch, prompts long and short
        usd, exact = quote.usd * _factor(prices), quote.exact and not summed and not call.unread
        for unit in quote.unpriced:
            price = prices.usd_per_unit.get(unit)
            if price is not None:
                usd += price * Decimal(usage.units[unit])
            elif usage.units[unit]:
                exact = False
        return _Amount(usd, "computed" if exact else "estimated", quote.priced_on)

    def _by_units(self, call: _Call) -> Optional[_Amount]:
        prices, units = call.prices, call.units
        if not prices.is_priced:
            return None
        if units and prices.genai_provider and not _TOKENS.isdisjoint(units) and not _prices_tokens(prices):
            return None  # the searches of a model whose tokens have no price are not what the call cost
        charge = self._units.charge(
            prices, units, up=call.request_bytes, down=call.response_bytes, count=call.uses_free_units
        )
        if charge is None:
            return None
        exact = charge.exact and not (call.unread and prices.usd_per_unit)
        return _Amount(charge.usd, "computed" if exact else "estimated", prices.price_date)

    def _by_bytes(self, call: _Call) -> Optional[_Amount]:
        """What a chat stream that does not say what it used, or an answer that is unread, probably cost."""
        prices = call.prices
        if prices.shape is None or prices.genai_provider is None:
            return None
        streamed = call.content_type.lower().startswith("text/event-stream")
        if not streamed and not call.unread:
            return None
        per_token = _BYTES_PER_STREAMED_TOKEN if streamed else _BYTES_PER_TOKEN
        units = {
            "input_tokens": call.request_bytes // _BYTES_PER_TOKEN,
            "output_tokens": call.body_bytes // per_token,
        }
        quote = self._quote(call, units, call.usage.tier if call.usage is not None else None)
        return None if quote is None else _Amount(quote.usd * _factor(prices), "estimated", quote.priced_on)

    def _flat(self, call: _Call) -> Optional[_Amount]:
        """The flat estimate; one of 0 says nothing about a call that is billed by what it uses."""
        cents = call.match.cost_cents
        billed = call.prices.is_priced or call.prices.genai_provider or isinstance(call.prices, PriceCase)
        if cents is None or (cents == 0 and billed):
            return None
        return _Amount(cents / 100, "estimated")

    def _quote(self, call: _Call, units: Units, tier: Optional[str]) -> Optional[Quote]:
        provider = call.prices.genai_provider
        if provider is None:
            return None
        reported = call.usage.model if call.usage is not None else None
        named = model_in_path(call.path)
        # Bedrock: the region's share of the price is in the id of the path only.
        models = (named, reported) if provider == "aws" else (reported, named)
        return self._genai.quote(provider, models, units, tier)


def _factor(prices: Prices) -> Decimal:
    return Decimal(1) if prices.genai_factor is None else prices.genai_factor


def _prices_tokens(prices: Prices) -> bool:
    return not _TOKENS.isdisjoint(prices.usd_per_unit)


def _model(call: _Call) -> Optional[str]:
    if call.usage is not None and call.usage.model is not None:
        return call.usage.model
    return model_in_path(call.path) if call.prices.genai_provider is not None else None
