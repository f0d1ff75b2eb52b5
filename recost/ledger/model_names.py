"""One name for each model, whatever a bill and a response call it."""

from __future__ import annotations

import re
from typing import Any, Final, Optional

__all__ = ["ModelNames"]

_GENAI: Final = {"xai": "x-ai"}
"""Providers with another id in genai-prices."""
_DATED: Final = re.compile(r"[-@:](20\d{2}-\d{2}-\d{2}|20\d{6})\Z")
_MOST: Final = 10_000


class ModelNames:
    """Finds the name by the aliases of genai-prices, or without it by dropping the date of a snapshot."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}
        self._snapshot: Any = _snapshot()

    def of(self, provider: str, model: Optional[str]) -> Optional[str]:
        """Return the common name of a model. None stays None."""
        if model is None:
            return None
        key = (provider, model)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            found = self._known[key] = self._find(provider, model)
        return found

    def _find(self, provider: str, model: str) -> str:
        listed = None if self._snapshot is None else _listed(self._snapshot, provider, model)
        return listed or _DATED.sub("", model.strip().lower())


def _listed(snapshot: Any, provider: str, model: str) -> Optional[str]:
    try:
        _, match = snapshot.find_provider_model(model, None, _GENAI.get(provider, provider), None)
    except Exception:  # noqa: BLE001 - unknown, or whatever that package does: the names are compared
        return None
    return str(match.id)


def _snapshot() -> Any:
    try:
        from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - an extra, and slow to import
    except ImportError:
        return None
    return get_snapshot()
