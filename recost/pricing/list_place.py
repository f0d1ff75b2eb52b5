"""Where a list of prices of tokens may be, besides the one that genai-prices comes with."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, Optional, Union

__all__ = ["ListPlace", "how_to_install", "tokens_unpriced"]

_PLACE: Final = "~/.recost/prices.json"


class ListPlace(NamedTuple):
    """Where a list is kept."""

    path: Path
    chosen: bool
    """By the user: it is used whatever its age, and that it isn't there is an error."""

    @classmethod
    def of(cls, chosen: Union[str, os.PathLike[str], None]) -> Optional[ListPlace]:
        """Return the place that a setting names, or the usual one; None for a user without a home."""
        if chosen is not None:
            return cls(Path(chosen), chosen=True)
        with suppress(RuntimeError):
            return cls(Path(_PLACE).expanduser(), chosen=False)
        return None


def how_to_install() -> str:
    """Return what to do where genai-prices is missing or too old."""
    if sys.version_info < (3, 10):
        return "it needs Python 3.10 or later"
    return "pip install 'recost[prices]'"


def tokens_unpriced(reason: str) -> str:
    """Return what is told of it, once: at the start, else by the first call that would need it."""
    return f"genai-prices {reason}: {how_to_install()}; without it, tokens have no price"
