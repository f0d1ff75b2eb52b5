"""Cost of a finished exchange, from its rule, the usage that its response states, and the prices."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from importlib import import_module
from typing import Any, Callable, Final, Optional

from recost._late import importing
from recost.errors import RecostError
from recost.interceptors.exchange import Exchange, unfinished
from recost.pricing.cost import Cost
from recost.pricing.list_place import ListPlace
from recost.pricing.pricer import PricedCall, Pricer
from recost.pricing.route import Route, Routes
from recost.pricing.usage import Reading, read_response
from recost.pricing.usage.fields import add
from recost.pricing.usage.model import Number, Usage
from recost.pricing.usage.request_fields import requested_model, with_request_fields

__all__ = ["FixedCosts", "Meter", "shown_model", "tokens_of"]

_NO_FIELDS: Final[Mapping[str, str]] = {}
_NOTHING: Final = Reading(None, unread=False)
_SUCCEEDED: Final = 200
_FAILED: Final = 500

FixedCosts = tuple[Cost, Cost]
"""Cost of a call that succeeds, and of one that fails."""


class Meter:
    """A meter that prices each exchange once. Thread-safe.

    Args:
        routes: Resolves the targets of calls.
        report: Receives errors. Nothing is raised.
        reads: Read the usage in captured responses. If False, responses that another listener captures are
            ignored.
        price_list: Location of a list of prices that replaces the one of genai-prices.
    """

    def __init__(
        self,
        routes: Routes,
        *,
        report: Callable[[BaseException], Any],
        reads: bool = True,
        price_list: Optional[ListPlace] = None,
    ) -> None:
        self._routes = routes
        self._reads = reads
        self._reads_requests = reads and routes.reads_requests
        self._key = object()
        self._pricer = Pricer(report=report, price_list=price_list)
        self._fixed: dict[tuple[int, int, Optional[Decimal]], FixedCosts] = {}
        """Costs by what they depend on: rule, prices and flat price. As many as the rules have prices."""
        self.edition = 0
        """Number of times that prices have changed. What was priced before must not be used any more."""
        self._report = report
        self._unread_reported = False
        self._lock = threading.RLock()  # a finaliser may make a call, and that may price another

    def cost_of(self, exchange: Exchange) -> Cost:
        """Return the cost of a call. Before its end the cost is unknown and not complete."""
        if exchange.costs is not None and self._key in exchange.costs:
            known: Cost = exchange.costs[self._key]
            return known
        if exchange in unfinished:
            provider = self._routes.of(exchange).provider
            return Cost(None, "unknown", provider, attempts=max(exchange.attempts, 1), complete=False)
        with self._lock:  # a response is read once
            if exchange.costs is None:
                exchange.costs = {}
            costs = exchange.costs  # even an empty one: another meter, with a lock of its own, has it, too
            if self._key not in costs:
                costs[self._key] = self._price(exchange)
            priced: Cost = costs[self._key]
            return priced

    def fixed_costs(self, route: Route) -> Optional[FixedCosts]:
        """Return the costs of each call of a route. None if they depend on more than its failure."""
        prices = route.prices
        if (self._reads and route.shape is not None) or prices.free_units or prices.by_size:
            return None
        key = id(route.rule), id(prices), route.flat_cents  # the registry keeps them all
        known = self._fixed.get(key)
        if known is None:
            known = self._fixed[key] = self._fixed_cost(route, _SUCCEEDED), self._fixed_cost(route, _FAILED)
        return known

    def highest_of(self, route: Route) -> Optional[Decimal]:
        """Return the highest cost of a call of a route in US dollars, 0 if it is unknown.

        Return None if it depends on more than the call's failure.
        """
        costs = self.fixed_costs(route)
        return None if costs is None else max(cost.usd or Decimal(0) for cost in costs)

    def refresh(self) -> None:
        """Load a newer list of prices if there is one. Reads a file, and may take long."""
        if self._pricer.refresh():
            self.edition += 1
            self._fixed = {}

    def model_asked(self, exchange: Exchange) -> Optional[str]:
        """Return the model that the request names. None if it is not read or unknown."""
        route = exchange.route
        if route is None or route.routes is not self._routes:
            route = self._routes.of(exchange)
        return requested_model(self._fields(exchange, route))

    def has_priced(self, exchange: Exchange) -> bool:
        """Return True if a call has been priced."""
        return exchange.costs is not None and self._key in exchange.costs

    def prepare(self) -> None:
        """Load modules and prices now, which would otherwise delay the first call."""
        route = self._routes.find(("api.openai.com", "/v1/chat/completions", "POST"))
        used = Usage("gpt-4o", {"input_tokens": 1})
        self._pricer.price(PricedCall(route, status=200, usage=used, uses_free_units=False))
        import_module("recost.skimming")  # a long body is skimmed on the caller's thread

    def _fixed_cost(self, route: Route, status: int) -> Cost:
        return self._pricer.price(PricedCall(route, status=status, uses_free_units=False))

    def _price(self, exchange: Exchange) -> Cost:
        route = exchange.route
        if route is None or route.routes is not self._routes:
            route = self._routes.of(exchange)
        reading, content_type = self._read(exchange, route)
        fields = _NO_FIELDS if exchange.request is None else self._fields(exchange, route)
        if reading.unread:
            self._report_unread(route.provider)
        return self._pricer.price(
            PricedCall(
                route,
                status=exchange.status,
                request_bytes=exchange.request_bytes,
                response_bytes=exchange.response_bytes,
                body_bytes=reading.size,
                content_type=content_type,
                usage=with_request_fields(reading.usage, route.path, fields) if fields else reading.usage,
                asked=fields,
                attempts=max(exchange.attempts, 1),
                unread=reading.unread,
            )
        )

    def _fields(self, exchange: Exchange, route: Route) -> Mapping[str, str]:
        """Return the fields of the request that are read here. Other listeners may read more."""
        if exchange.request is None or not self._reads_requests:
            return _NO_FIELDS
        found = exchange.request.fields()
        names = () if route.wanted is None else route.wanted.fields
        return found if found.keys() <= set(names) else {n: found[n] for n in names if n in found}

    def _read(self, exchange: Exchange, route: Route) -> tuple[Reading, str]:
        capture = exchange.capture if self._reads else None
        captured = None if capture is None else capture.take()
        if captured is not None and not getattr(capture, "readers", 0):  # no other listener will read it
            exchange.capture = None
        if captured is None or route.rule is None:
            return _NOTHING, ""
        if route.shape is None:
            return _NOTHING, captured.content_type
        content = captured._replace(path=route.path, status=exchange.status)
        return read_response(route.shape, content), captured.content_type

    def _report_unread(self, provider: str) -> None:
        """Report once that a response was not read to its end."""
        if self._unread_reported:
            return
        self._unread_reported = True
        self._report(
            RecostError(
                f"recost: a response of {provider} was not read to its end: it expands too far, "
                "is nested too deep, or can't be decoded. Such calls have estimated costs (reported once)"
            )
        )


def shown_model(cost: Cost, *, failed: bool) -> Optional[str]:
    """Return the model as windows show it. If the response names no model, it is from the path."""
    if cost.model is None:
        return None
    return _model_name()(cost.model, from_path=cost.usage is None or cost.usage.model is None, failed=failed)


def tokens_of(cost: Cost) -> dict[str, int]:
    """Return the tokens of a call by kind."""
    if cost.usage is None:
        return {}
    found: dict[str, Number] = {}
    for unit, number in cost.usage.units.items():
        kind = _TOKENS.get(unit)
        if kind is not None:
            found[kind] = number if kind not in found else add(found[kind], number)
    whole: dict[str, int] = {}
    for kind, number in found.items():
        if int(number):
            whole[kind] = int(number)
    return whole


_TOKENS: Final = {
    "input_tokens": "input",
    "output_tokens": "output",
    "cache_read_tokens": "cache_read",
    "cache_write_tokens": "cache_write",
    "cache_write_1h_tokens": "cache_write",
    "reasoning_tokens": "reasoning",
}


@lru_cache(maxsize=1)
def _model_name() -> Callable[..., Optional[str]]:
    with importing():
        from recost.endpoints.models import model_name  # noqa: PLC0415 - slow, as above

    return model_name
