"""What a Python application's outbound API calls cost, in one line: ``recost.init()``."""

from __future__ import annotations

from recost._version import __version__
from recost.aggregation.aggregator import MAX_BUCKETS, Aggregator
from recost.config import LocalTransportMode, RecostConfig, TransportMode
from recost.errors import RecostAuthError, RecostError, RecostFatalAuthError, RecostRateLimitError
from recost.events import FlushStatus, MetricEntry, RawEvent, WindowSummary
from recost.interceptors import install, is_installed, uninstall
from recost.lifecycle import RecostHandle, init
from recost.pricing.model import MatchResult, ProviderDef
from recost.pricing.providers import BUILTIN_PROVIDERS
from recost.pricing.registry import ProviderRegistry

__all__ = [
    "BUILTIN_PROVIDERS",
    "MAX_BUCKETS",
    "Aggregator",
    "FlushStatus",
    "LocalTransportMode",
    "MatchResult",
    "MetricEntry",
    "ProviderDef",
    "ProviderRegistry",
    "RawEvent",
    "RecostAuthError",
    "RecostConfig",
    "RecostError",
    "RecostFatalAuthError",
    "RecostHandle",
    "RecostRateLimitError",
    "TransportMode",
    "WindowSummary",
    "__version__",
    "init",
    "install",
    "is_installed",
    "uninstall",
]
