"""What a Python application's outbound API calls cost, in one line: ``recost.init()``."""

from __future__ import annotations

from recost._version import __version__
from recost.aggregation.aggregator import MAX_BUCKETS, Aggregator
from recost.attribution import Spend, cost_for, provider_for, tag, track
from recost.budgets.model import Budget
from recost.config import LocalTransportMode, RecostConfig, TransportMode
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
