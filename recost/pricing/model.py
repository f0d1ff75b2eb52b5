"""Provider rules and what a match says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Optional

from recost.pricing.hosts import parse_host

__all__ = ["FLAT_ESTIMATE", "MatchResult", "PathCase", "ProviderDef", "to_cents"]

FLAT_ESTIMATE: Final = "flat estimate of recost 0.1.x, taken over in 2026-11; not a price list"
"""The `ProviderDef.cost_source` of the built-in rules that 0.1.x had."""

_SHOWN: Final = 80


@dataclass(frozen=True)
class PathCase:
    """A refinement of a rule for paths that contain a text.

    Raises:
        ValueError: A field is blank, of the wrong type, or a price that is negative or not finite.
    """

    contains: str
    endpoint_category: str
    cost_per_request_cents: Optional[float] = None

    def __post_init__(self) -> None:
        _check_text("PathCase.contains", self.contains)
        _check_text("PathCase.endpoint_category", self.endpoint_category)
        _check_price("PathCase.cost_per_request_cents", self.cost_per_request_cents)


@dataclass(frozen=True)
class ProviderDef:
    """A rule: calls to this host, under this path, go to this provider and cost this much.

    The first rule of the list that matches decides; custom rules come before the built-in ones.

    Raises:
        ValueError: A field is blank, malformed or of the wrong type; names the field, what was given and
            what is wanted.
    """

    host_pattern: str
    """An exact host, or ``*.suffix``, which matches every host below ``suffix`` and not ``suffix`` itself.

    Upper and lower case, and Unicode and ASCII (``xn--``) spellings of a name, are the same.
    """
    provider: str
    path_prefix: Optional[str] = None
    """Ends at a path boundary: ``/v1/charges`` matches ``/v1/charges/ch_1``, not ``/v1/charges_report``."""
    endpoint_category: Optional[str] = None
    """Name of the endpoint; None: the call's path, templated."""
    cost_per_request_cents: Optional[float] = None
    """US cents for one call that is answered below 400; None: not known, which is not free."""
    failed_calls_billed: bool = False
    """True: a call that failed costs as much as one that did not."""
    path_cases: tuple[PathCase, ...] = ()
    """The first whose text the path contains replaces category and cost."""
    cost_source: Optional[str] = None
    """Where the price is from, and the date when it was looked up."""

    def __post_init__(self) -> None:
        _check_host_pattern(self.host_pattern)
        _check_text("ProviderDef.provider", self.provider)
        _check_prefix(self.path_prefix)
        if self.endpoint_category is not None:
            _check_text("ProviderDef.endpoint_category", self.endpoint_category)
        _check_price("ProviderDef.cost_per_request_cents", self.cost_per_request_cents)
        _check_type("ProviderDef.failed_calls_billed", self.failed_calls_billed, bool, "True or False")
        _check_type("ProviderDef.path_cases", self.path_cases, tuple, "a tuple of PathCase")
        for case in self.path_cases:
            _check_type("ProviderDef.path_cases", case, PathCase, "a tuple of PathCase")
        if self.cost_source is not None:
            _check_text("ProviderDef.cost_source", self.cost_source)


@dataclass(frozen=True)
class MatchResult:
    """What the rules say of one URL."""

    provider: str
    endpoint_category: str
    """The URL's path when the rule names no category."""
    cost_per_request_cents: Optional[float]
    """US cents; None when the rule does not know."""
    rule: Optional[ProviderDef] = None
    """The rule that matched."""
    categorised: bool = True
    """False when ``endpoint_category`` is only the path."""

    @property
    def cost_cents(self) -> Optional[Decimal]:
        """``cost_per_request_cents``, exact: the decimal number that was written in the rule."""
        return to_cents(self.cost_per_request_cents)


def to_cents(amount: Optional[float]) -> Optional[Decimal]:
    """Return an amount of cents as the decimal number that it was written as; None stays None."""
    return None if amount is None else Decimal(repr(float(amount)))


def _check_host_pattern(given: Any) -> None:
    wanted = "a host name such as 'api.example.com', or '*.example.com' for every host below it"
    _check_type("ProviderDef.host_pattern", given, str, wanted)
    try:
        if given.startswith("*."):
            if parse_host(given[2:]) and ":" in given:
                raise _refusal("ProviderDef.host_pattern", given, wanted)
        else:
            parse_host(given)
    except ValueError:
        raise _refusal("ProviderDef.host_pattern", given, f"{wanted}; no scheme, port or path") from None


def _check_prefix(given: Any) -> None:
    if given is None:
        return
    wanted = "None, or a path that begins with '/', without query and fragment"
    _check_type("ProviderDef.path_prefix", given, str, wanted)
    if not given.startswith("/") or "?" in given or "#" in given:
        raise _refusal("ProviderDef.path_prefix", given, wanted)


def _check_text(field: str, given: Any) -> None:
    _check_type(field, given, str, "a text that is not blank")
    if not given.strip():
        raise _refusal(field, given, "a text that is not blank")


def _check_price(field: str, given: Any) -> None:
    if given is None:
        return
    wanted = "None when not known, or a finite number of US cents, 0 or more"
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        raise _refusal(field, given, wanted)
    try:
        finite = math.isfinite(given)
    except OverflowError:  # an int that no float holds
        finite = False
    if not finite or given < 0:
        raise _refusal(field, given, wanted)


def _check_type(field: str, given: Any, kind: type, wanted: str) -> None:
    if not isinstance(given, kind):
        raise _refusal(field, given, wanted)


def _refusal(field: str, given: Any, wanted: str) -> ValueError:
    """Return the error to raise; of userinfo, which may hold a password, nothing is shown."""
    shown = repr(given)
    if isinstance(given, str) and "@" in given:
        shown = repr("***@" + given.rpartition("@")[2])
    if len(shown) > _SHOWN:
        shown = shown[:_SHOWN] + "…"
    return ValueError(f"recost: {field}: got {shown}, wanted {wanted}")
