"""The built-in rules: one module per provider or family, each with its rules as ``RULES``."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from inspect import getmodulename
from typing import Final

from recost._pacing import rest
from recost.pricing.model import ProviderDef

__all__ = ["BUILTIN_PROVIDERS"]

_FIRST: Final = (
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
)
"""Modules with the rules that 0.1.x had, in their order. The rules of all other modules follow, by name."""


def _modules() -> list[str]:
    """Return the names of this package's modules, in the order in which their rules are tried."""
    try:
        files = os.listdir(__path__[0])  # noqa: PTH208 - sooner than pathlib or pkgutil are imported
    except (FileNotFoundError, NotADirectoryError):  # a zip archive or a frozen program
        files = []
    names = {getmodulename(file) or "" for file in files}
    if "openai" not in names:
        from pkgutil import iter_modules  # noqa: PLC0415 - seldom needed

        names = {module.name for module in iter_modules(__path__)}
    added = (name for name in names.difference(_FIRST) if name.isidentifier() and name[0] != "_")
    return [*_FIRST, *sorted(added)]


def _rules() -> Iterator[ProviderDef]:
    for name in _modules():
        yield from getattr(importlib.import_module(f"{__name__}.{name}"), "RULES", ())
        rest()


BUILTIN_PROVIDERS: Final[tuple[ProviderDef, ...]] = tuple(_rules())
"""In order: the first that matches decides."""
