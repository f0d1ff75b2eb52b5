"""The built-in rules: one module per provider or family, each with its rules as ``RULES``."""

from __future__ import annotations

import importlib
from typing import Final

from recost.pricing.model import ProviderDef

__all__ = ["BUILTIN_PROVIDERS"]

_PROVIDERS: Final = (
    "openai",
    "anthropic",
    "stripe",
    "twilio",
    "sendgrid",
    "pinecone",
    "aws",
    "gcp",
    "github",
    "coingecko",
    "hackernews",
    "public_apis",
    # Up to here, the rules that 0.1.x had, which come first.
    "openai_regions",
    "azure",
    "mistral",
    "cohere",
    "inference",
    "compatible",
    "reporting",
    "gateways",
    "routers",
    "speech",
    "search",
    "saas",
    "aws_apis",
)
"""Modules of this package, in the order in which their rules are tried."""

BUILTIN_PROVIDERS: Final[tuple[ProviderDef, ...]] = tuple(
    rule for name in _PROVIDERS for rule in importlib.import_module(f"{__name__}.{name}").RULES
)
"""In order: the first that matches decides."""
