"""How much of a response is read: bounded before it happens, whatever the response is."""

from __future__ import annotations

from typing import Final

__all__ = ["MOST_DOCUMENTS", "Work"]

_MOST: Final = 8_000
_PER_TEXT: Final = 3
_PER_FAILURE: Final = 9
_BYTES: Final = 64
"""That are read in a microsecond."""
MOST_DOCUMENTS: Final = 1_000
"""Documents that are kept of one response."""


class Work:
    """The work that reading one response may take, in what were microseconds on the machine of 2026."""

    __slots__ = ("_left",)

    def __init__(self, most: int = _MOST) -> None:
        self._left = most

    @property
    def done(self) -> bool:
        """True: nothing more is read."""
        return self._left <= 0

    def spend(self, size: int, *, failed: bool = False) -> None:
        """Count the reading of a text of so many characters."""
        self._left -= size // _BYTES + (_PER_FAILURE if failed else _PER_TEXT)

    def stop(self) -> None:
        """Read nothing more."""
        self._left = 0
