"""Provider rules, and the result of a match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Optional, TypeVar

from recost.pricing.checking import (
    check_cents,
    check_host_pattern,
    check_path_prefix,
    check_text,
    check_type,
)
from recost.pricing.paths import single_slashes
from recost.pricing.prices import PRICE_FIELDS, PriceCase, Prices, check_prices

__all__ = ["FLAT_ESTIMATE", "MatchResult", "PathCase", "PriceCase", "ProviderDef", "to_cents"]

FLAT_ESTIMATE: Final = "flat estimate of recost 0.1.x, taken over in 2026-11; not a price list"
"""The `ProviderDef.cost_source` of the built-in rules that 0.1.x had."""

_REMEMBERED: Final = 64
"""Hosts and methods of one rule whose cases are remembered."""
_INHERITED: Final = ("usage", "genai_provider", "genai_factor")
_Kind = TypeVar("_Kind")


@dataclass(frozen=True)
class PathCase:
    """Refinement of a rule for paths that contain a text.

    Raises:
        ValueError: A field is blank, of the wrong type, or a price that is negative or not finite.
    """

    contains: str
    endpoint_category: str
    cost_per_request_cents: Optional[float] = None

    def __post_init__(self) -> None:
        check_text("PathCase.contains", self.contains)
        check_text("PathCase.endpoint_category", self.endpoint_category)
        check_cents("PathCase.cost_per_request_cents", self.cost_per_request_cents)


@dataclass(frozen=True)
class ProviderDef:
    """A rule that gives calls to a host, under a path, their provider and their prices.

    The first rule of the list that matches decides. Custom rules come before the built-in ones.

    Raises:
        ValueError: A field is blank, malformed or of the wrong type. The message names the field, the given
            value and what is expected.
    """

    host_pattern: str
    """An exact host, or ``*.suffix``, which matches every host below ``suffix`` and not ``suffix`` itself.

    Upper and lower case, and Unicode and ASCII (``xn--``) spellings of a name, are the same.
    """
    provider: str
    path_prefix: Optional[str] = None
    """Prefix that ends at a path boundary.

    ``/v1/charges`` matches ``/v1/charges/ch_1``, but not ``/v1/charges_report``.
    """
    endpoint_category: Optional[str] = None
    """Name of the endpoint. None uses the template of the call's path."""
    cost_per_request_cents: Optional[float] = None
    """US cents for one call with a status below 400. None if unknown, which is not free."""
    failed_calls_billed: bool = False
    """True if a failed call costs as much as one that succeeded."""
    path_cases: tuple[PathCase, ...] = ()
    """Refinements. The first whose text the path contains replaces category and cost."""
    cost_source: Optional[str] = None
    """Source of ``cost_per_request_cents``, and the date when it was looked up."""
    usage: Optional[str] = None
    """Shape of the response that usage is read from: ``"openai"``, ``"anthropic"``, … None if it is not."""
    genai_provider: Optional[str] = None
    """The provider's id in genai-prices, which has the prices of tokens. None if it has no such prices."""
    genai_factor: Optional[Decimal] = None
    """Factor for the prices of genai-prices: 1.1 for a region that costs a tenth more."""
    usd_per_call: Optional[Decimal] = None
    usd_per_gb: Optional[Decimal] = None
    """US dollars for 1024^3 bytes, up and down together, as proxies and gateways bill."""
    usd_per_gb_up: Optional[Decimal] = None
    """US dollars for 1024^3 bytes of requests. Replaces ``usd_per_gb`` for these."""
    usd_per_gb_down: Optional[Decimal] = None
    """US dollars for 1024^3 bytes of responses. Replaces ``usd_per_gb`` for these."""
    usd_per_unit: Mapping[str, Decimal] = field(default_factory=dict, hash=False)
    """US dollars for one unit that the usage names: ``{"characters": Decimal("15") / 1_000_000}``.

    For one model, its name goes before the unit's: ``{"embed-english-v3.0.input_tokens": ...}``."""
    fixed_usd: Optional[Decimal] = None
    """Fixed part of a fee, added once to the price of the units if any of them was used."""
    free_units: Mapping[str, Decimal] = field(default_factory=dict, hash=False)
    """Number of free units in a calendar month (UTC), per process. ``"calls"`` are units too."""
    minimum_usd: Optional[Decimal] = None
    """Minimum cost of a call."""
    leaves_out: tuple[str, ...] = ()
    """Unknown parts of the price, such as ``("plan",)``.

    The cost is then an estimate, and its ``missing`` names these.
    """
    prices: tuple[PriceCase, ...] = ()
    """Cases. The first that matches host, path and method of a call replaces the prices above."""
    price_source: Optional[str] = None
    """Source of these prices."""
    price_date: Optional[str] = None
    """Date when they were looked up: ``"2026-11"`` or ``"2026-11-30"``."""

    def __post_init__(self) -> None:
        check_host_pattern("ProviderDef.host_pattern", self.host_pattern)
        check_text("ProviderDef.provider", self.provider)
        check_path_prefix("ProviderDef.path_prefix", self.path_prefix)
        if self.endpoint_category is not None:
            check_text("ProviderDef.endpoint_category", self.endpoint_category)
        check_cents("ProviderDef.cost_per_request_cents", self.cost_per_request_cents)
        check_type("ProviderDef.failed_calls_billed", self.failed_calls_billed, bool, "True or False")
        check_type("ProviderDef.path_cases", self.path_cases, tuple, "a tuple of PathCase")
        for case in self.path_cases:
            check_type("ProviderDef.path_cases", case, PathCase, "a tuple of PathCase")
        if self.cost_source is not None:
            check_text("ProviderDef.cost_source", self.cost_source)
        check_prices("ProviderDef", self)
        check_type("ProviderDef.prices", self.prices, tuple, "a tuple of PriceCase")
        for price in self.prices:
            check_type("ProviderDef.prices", price, PriceCase, "a tuple of PriceCase")
        own = _unchecked(Prices, {name: self.__dict__[name] for name in PRICE_FIELDS})
        self.__dict__["_own"] = own
        self.__dict__["_cases"] = {}
        inherited = {name: self.__dict__[name] for name in _INHERITED if self.__dict__[name] is not None}
        if inherited:
            self.__dict__["prices"] = tuple(_complete(case, inherited) for case in self.prices)

    def prices_for(self, host: str, path: str, method: str) -> Prices:
        """Return the prices of a call that this rule matches."""
        if "//" in path:
            path = single_slashes(path)
        for case in self._cases_of(host, method):
            if case.matches_path(path):
                return case
        own: Prices = self.__dict__["_own"]
        return own

    def _cases_of(self, host: str, method: str) -> tuple[PriceCase, ...]:
        """Return the cases of a host and a method, which are remembered: paths differ more than these."""
        known: dict[tuple[str, str], tuple[PriceCase, ...]] = self.__dict__["_cases"]  # not a field, as below
        found = known.get((host, method))
        if found is None:
            if len(known) >= _REMEMBERED:
                known.clear()
            found = tuple(case for case in self.prices if case.matches_host(host, method))
            known[host, method] = found
        return found

    @property
    def own_prices(self) -> Prices:
        """Prices of calls that match no case."""
        own: Prices = self.__dict__["_own"]  # not a field: it is neither compared nor shown
        return own


def _complete(case: PriceCase, inherited: Mapping[str, object]) -> PriceCase:
    """Return a case with the usage shape and the genai-prices fields of its rule, unless it has its own."""
    values = case.__dict__
    missing = {name: value for name, value in inherited.items() if values[name] is None}
    return _unchecked(PriceCase, {**values, **missing}) if missing else case


def _unchecked(kind: type[_Kind], values: Mapping[str, object]) -> _Kind:
    """Make an object of checked fields. Checking them again takes half the time of the import."""
    made = object.__new__(kind)
    made.__dict__.update(values)
    return made


@dataclass(frozen=True)
class MatchResult:
    """Result of matching one URL."""

    provider: str
    endpoint_category: str
    """The URL's path when the rule names no category."""
    cost_per_request_cents: Optional[float]
    """US cents. None if unknown."""
    rule: Optional[ProviderDef] = None
    """The rule that matched."""
    categorised: bool = True
    """False when ``endpoint_category`` is only the path."""

    @property
    def cost_cents(self) -> Optional[Decimal]:
        """Exact decimal number that the rule has as ``cost_per_request_cents``."""
        return to_cents(self.cost_per_request_cents)


def to_cents(amount: Optional[float]) -> Optional[Decimal]:
    """Return an amount of cents as the decimal number that was written. None stays None."""
    return None if amount is None else Decimal(repr(float(amount)))
