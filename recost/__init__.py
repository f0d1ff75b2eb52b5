"""Costs of a Python application's outbound API calls, in one line: ``recost.init()``.

The names are imported when they are first used, so that ``import recost`` alone costs next to nothing.
"""

from __future__ import annotations

from recost._version import __version__

TYPE_CHECKING = False
"""Type checkers treat it as true. To import ``typing`` would cost more than everything else here."""

if TYPE_CHECKING:
    from recost.aggregation.aggregator import MAX_BUCKETS, Aggregator
    from recost.attribution import Spend, cost_for, provider_for, tag, track
    from recost.budgets.model import Budget
    from recost.config import LocalTransportMode, RecostConfig, TransportMode
    from recost.delivery.destinations import DestinationStats, Stats
    from recost.errors import (
        RecostAuthError,
        RecostBudgetExceededError,
        RecostError,
        RecostFatalAuthError,
        RecostRateLimitError,
    )
    from recost.events import FlushStatus, MetricEntry, RawEvent, WindowSummary
    from recost.interceptors import install, is_installed, uninstall
    from recost.lifecycle import RecostHandle, init
    from recost.pricing.cost import Cost
    from recost.pricing.model import MatchResult, PriceCase, ProviderDef
    from recost.pricing.providers import BUILTIN_PROVIDERS
    from recost.pricing.registry import ProviderRegistry

__all__ = [
    "BUILTIN_PROVIDERS",
    "MAX_BUCKETS",
    "Aggregator",
    "Budget",
    "Cost",
    "DestinationStats",
    "FlushStatus",
    "LocalTransportMode",
    "MatchResult",
    "MetricEntry",
    "PriceCase",
    "ProviderDef",
    "ProviderRegistry",
    "RawEvent",
    "RecostAuthError",
    "RecostBudgetExceededError",
    "RecostConfig",
    "RecostError",
    "RecostFatalAuthError",
    "RecostHandle",
    "RecostRateLimitError",
    "Spend",
    "Stats",
    "TransportMode",
    "WindowSummary",
    "__version__",
    "cost_for",
    "init",
    "install",
    "is_installed",
    "provider_for",
    "tag",
    "track",
    "uninstall",
]

_HOMES = {
    "BUILTIN_PROVIDERS": "recost.pricing.providers",
    "MAX_BUCKETS": "recost.aggregation.aggregator",
    "Aggregator": "recost.aggregation.aggregator",
    "Budget": "recost.budgets.model",
    "Cost": "recost.pricing.cost",
    "DestinationStats": "recost.delivery.destinations",
    "FlushStatus": "recost.events",
    "LocalTransportMode": "recost.config",
    "MatchResult": "recost.pricing.model",
    "MetricEntry": "recost.events",
    "PriceCase": "recost.pricing.model",
    "ProviderDef": "recost.pricing.model",
    "ProviderRegistry": "recost.pricing.registry",
    "RawEvent": "recost.events",
    "RecostAuthError": "recost.errors",
    "RecostBudgetExceededError": "recost.errors",
    "RecostConfig": "recost.config",
    "RecostError": "recost.errors",
    "RecostFatalAuthError": "recost.errors",
    "RecostHandle": "recost.lifecycle",
    "RecostRateLimitError": "recost.errors",
    "Spend": "recost.attribution",
    "Stats": "recost.delivery.destinations",
    "TransportMode": "recost.config",
    "WindowSummary": "recost.events",
    "cost_for": "recost.attribution",
    "init": "recost.lifecycle",
    "install": "recost.interceptors",
    "is_installed": "recost.interceptors",
    "provider_for": "recost.attribution",
    "tag": "recost.attribution",
    "track": "recost.attribution",
    "uninstall": "recost.interceptors",
}
"""The module that each name is from."""

if not TYPE_CHECKING:  # else every other name would be treated as defined

    def __getattr__(name: str) -> object:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module 'recost' has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415

        value = globals()[name] = getattr(import_module(home), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
