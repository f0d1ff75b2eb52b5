"""Location of a list of token prices that replaces the one of genai-prices."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, Optional, Union

__all__ = ["ListPlace", "how_to_install", "tokens_unpriced"]

_PLACE: Final = "~/.recost/prices.json"


class ListPlace(NamedTuple):
    """Location of a list."""

    path: Path
    chosen: bool
    """True if the user set it. Then the list is used whatever its age, and a missing file is an error."""

    @classmethod
    def of(cls, chosen: Union[str, os.PathLike[str], None]) -> Optional[ListPlace]:
        """Return the place that a setting names, or the default. None for a user without a home."""
        if chosen is not None:
            return cls(Path(chosen), chosen=True)
        with suppress(RuntimeError):
            return cls(Path(_PLACE).expanduser(), chosen=False)
        return None


def how_to_install() -> str:
    """Return how to install genai-prices, for messages."""
    if sys.version_info < (3, 10):
        return "it needs Python 3.10 or later"
    return "pip install 'recost[prices]'"


def tokens_unpriced(reason: str) -> str:
    """Return the message that tokens have no price. It is reported once."""
    return f"genai-prices {reason}: {how_to_install()}; without it, tokens have no price"
