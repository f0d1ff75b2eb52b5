"""Routes: the rules that apply to a target, resolved once and shared by all parts of recost."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Callable, Final, Optional, Protocol

from recost._late import importing
from recost._pacing import short_turns
from recost.captured import Wanted
from recost.pricing.model import MatchResult, ProviderDef
from recost.pricing.paths import model_in_path
from recost.pricing.prices import NO_USAGE, Prices, computed_once
from recost.pricing.registry import ProviderRegistry
from recost.pricing.usage import header_names
from recost.pricing.usage.request_fields import MODEL, request_fields

__all__ = ["LONGEST_REMEMBERED", "REMEMBERED", "UNKNOWN_PROVIDER", "Route", "Routes", "Target", "Terms"]

Target = tuple[str, str, str]
"""Host, path and method of a call."""

UNKNOWN_PROVIDER: Final = "unknown"
"""Provider of a host that no rule matches."""
_NO_PRICES: Final = Prices()
REMEMBERED: Final = 2048
"""Targets whose route is remembered."""
LONGEST_REMEMBERED: Final = 512
"""Characters of a path whose route is remembered."""


class Terms:
    """The prices that a rule has for calls, shared by all routes with the same ones."""

    __slots__ = ("facts", "failed_calls_billed", "flat_cents", "own", "priced")

    def __init__(self, route: Route) -> None:
        rule, prices = route.rule, route.prices
        self.own = rule is not None and not route.routes.registry.is_builtin(rule)
        self.priced = prices.is_priced if self.own else prices.is_priced_unread
        self.failed_calls_billed = rule is not None and rule.failed_calls_billed
        self.flat_cents = self._flat(route)
        self.facts: Any = None
        """Facts of a call that succeeded, kept by the pipeline."""

    def _flat(self, route: Route) -> Optional[Decimal]:
        """Return the flat price. Estimates of built-in rules are for POST requests. 0 means nothing."""
        if route.match is None:
            return None
        cents = route.match.cost_cents
        if route.rule is None or self.own:
            return cents
        if not cents or route.prices.usage == NO_USAGE or route.method.upper() != "POST":
            return None
        return cents


class Route:
    """The rules that apply to one target. Parts that not every call needs are computed at first access."""

    wanted: Optional[Wanted] = None
    """Headers and fields to keep of a call. None if its response is not captured."""
    fields: Sequence[str] = ()
    excluded: Optional[dict[tuple[str, int], bool]] = None
    """True for each scheme and port whose calls the pipeline drops."""
    endpoint: Optional[str] = None
    """Category or shown path, kept by the pipeline."""
    highest = -1.0
    """Highest amount that a call counts as in US dollars, kept by the budgets. Negative if unknown."""
    met = False
    """True once the pipeline has counted a call."""

    def __init__(self, routes: Routes, target: Target, match: Optional[MatchResult]) -> None:
        self.routes = routes
        """The resolver. Listeners may have different rules."""
        self.host, self.path, self.method = target
        self.match = match
        self.rule: Optional[ProviderDef] = None if match is None else match.rule
        self.prices: Prices = _NO_PRICES if self.rule is None else self.rule.prices_for(*target)
        self.provider = UNKNOWN_PROVIDER if match is None else match.provider
        self.category: Optional[str] = None
        """Endpoint that the rule names. None if each path template is an endpoint."""
        if match is not None and match.categorised:
            self.category = match.endpoint_category
        self.shape: Optional[str] = self.prices.shape
        """Shape of the responses, if usage is read from them."""
        if self.shape is not None:
            self.wanted = routes.wanted_of(self)
            if self.wanted is not None:
                self.fields = self.wanted.fields

    @computed_once
    def terms(self) -> Terms:
        """The terms of the rule for such calls."""
        return self.routes.terms_of(self)

    @property
    def own(self) -> bool:
        """True if the rule is the user's own rather than a built-in one."""
        return bool(self.terms.own)

    @property
    def priced(self) -> bool:
        """True if the cost depends on more than the target."""
        return bool(self.terms.priced)

    @property
    def flat_cents(self) -> Optional[Decimal]:
        """Flat price of a call in US cents. None if unknown, or if such calls may not be billed."""
        cents: Optional[Decimal] = self.terms.flat_cents
        return cents

    @property
    def failed_calls_billed(self) -> bool:
        """True if a failed call costs as much as one that succeeded."""
        return bool(self.terms.failed_calls_billed)

    @computed_once
    def template(self) -> str:
        """The path with placeholders for identifiers and secrets."""
        return _template_for()(self.host, self.path)

    @computed_once
    def model(self) -> Optional[str]:
        """The model that the path names."""
        return model_in_path(self.path)


@lru_cache(maxsize=1)
def _template_for() -> Callable[[str, str], str]:
    with importing(), short_turns():
        from recost.endpoints.templating import template_for  # noqa: PLC0415 - slow: it has many words

    return template_for


class _Call(Protocol):
    """A call that a route is kept on: an `Exchange`."""

    target: tuple[str, str, int, str, str]
    """Scheme, host, port, path and method."""
    route: Any


class Routes:
    """A resolver of targets that remembers the routes of the latest ones. Thread-safe.

    Two threads may resolve the same new target at once. It takes no lock, because a thread that doesn't
    exist after a fork could hold it.

    Args:
        registry: The active rules.
        reads_requests: False if no fields of requests are wanted.
        models_first: Want the model of every request whose path doesn't name it, for a budget that must know
            it before the response does.
    """

    def __init__(
        self,
        registry: ProviderRegistry,
        *,
        reads_requests: bool = True,
        models_first: bool = False,
    ) -> None:
        self.registry = registry
        self.reads_requests = reads_requests
        self._models_first = models_first
        self._known = _Known(self)
        self._terms: dict[tuple[int, int, Optional[float], str], Terms] = {}
        self.find: Callable[[Target], Route] = self._known.__getitem__
        """Return the route of a target.

        It is called for each call on the caller's thread, so a known target runs no function of Python's.
        """

    def of(self, call: _Call) -> Route:
        """Return the route of a call, and keep it there."""
        route: Optional[Route] = call.route
        if route is None or route.routes is not self:
            _, host, _, path, method = call.target
            found = self._known[host, path, method]
            if route is None:
                call.route = found
            return found
        return route

    def terms_of(self, route: Route) -> Terms:
        """Return the terms of a route."""
        price = None if route.match is None else route.match.cost_per_request_cents
        key = id(route.rule), id(route.prices), price, route.method  # the registry keeps rules and prices
        terms = self._terms.get(key)
        if terms is None:
            if len(self._terms) >= REMEMBERED:
                self._terms.clear()
            terms = self._terms[key] = Terms(route)
        return terms

    def wanted_of(self, route: Route) -> Optional[Wanted]:
        """Return what is kept of the calls of a route."""
        if route.shape is None:
            return None
        return Wanted(header_names(route.shape, route.host), self._fields_of(route, route.shape))

    def _fields_of(self, route: Route, shape: str) -> tuple[str, ...]:
        if not self.reads_requests:
            return ()
        names = request_fields(shape, route.path)
        return MODEL if not names and self._models_first and route.model is None else names


class _Known(dict[Target, Route]):
    """The remembered routes."""

    def __init__(self, routes: Routes) -> None:
        super().__init__()
        self._routes = routes

    def __missing__(self, target: Target) -> Route:
        host, path, method = target
        if (
            not path or "?" in path or "#" in path
        ):  # queries differ from call to call and don't change the route
            return self[host, path.partition("?")[0].partition("#")[0] or "/", method]
        route = Route(self._routes, target, self._routes.registry.resolve(host, path))
        if len(path) <= LONGEST_REMEMBERED:
            if len(self) >= REMEMBERED:
                self.clear()
            self[target] = route
        return route

    def __repr__(self) -> str:
        return f"<{len(self):,} routes>"  # paths may have secrets in them
