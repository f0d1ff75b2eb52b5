"""Provider rules and what a match says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

__all__ = ["MatchResult", "PathCase", "ProviderDef"]


@dataclass(frozen=True)
class PathCase:
    """A refinement of a rule for paths that contain a text."""

    contains: str
    endpoint_category: str
    cost_per_request_cents: Optional[float] = None


@dataclass(frozen=True)
class ProviderDef:
    """A rule: calls to this host, under this path, go to this provider and cost this much.

    The first rule of the list that matches decides; custom rules come before the built-in ones.
    """

    host_pattern: str
    """An exact host, or ``*.suffix``, which matches every host below ``suffix`` and not ``suffix`` itself."""
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
