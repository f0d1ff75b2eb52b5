"""http.client, and through it urllib.request."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recost.interceptors import Interception

__all__ = ["instrument"]


def instrument(module: ModuleType, interception: Interception) -> None:
    """Patch ``http.client``."""
