"""One module for each provider's usage API. To add one: a module with ``LEDGER``, and a line in `LEDGERS`."""

from __future__ import annotations

import importlib
from typing import Final

from recost.ledger.providers.base import Ledger

__all__ = ["LEDGERS", "ledger_of"]

LEDGERS: Final = {
    "openrouter": "recost.ledger.providers.openrouter",
    "openai": "recost.ledger.providers.openai",
    "anthropic": "recost.ledger.providers.anthropic",
    "together": "recost.ledger.providers.together",
    "deepgram": "recost.ledger.providers.deepgram",
    "xai": "recost.ledger.providers.xai",
    "twilio": "recost.ledger.providers.twilio",
}
"""The module of each provider."""


def ledger_of(provider: str) -> Ledger:
    """Return the ledger of a provider in `LEDGERS`."""
    found: Ledger = importlib.import_module(LEDGERS[provider]).LEDGER
    return found
