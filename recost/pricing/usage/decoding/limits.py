"""Limits on what is kept and read of one response."""

from __future__ import annotations

from typing import Final

__all__ = ["HEAD_LIMIT", "MOST_DOCUMENTS", "TAIL_LIMIT", "Work"]

HEAD_LIMIT: Final = 16 * 1024
"""Bytes kept of the beginning of a body that is longer than both limits together."""
TAIL_LIMIT: Final = 48 * 1024
"""Bytes kept of the end of such a body."""
MOST_DOCUMENTS: Final = 1_000
"""Documents kept of one response."""
_MOST: Final = 8_000
_PER_TEXT: Final = 3
_PER_FAILURE: Final = 9
_BYTES: Final = 64
"""Bytes parsed in one microsecond."""


class Work:
    """Remaining work for one response, in microseconds of a machine of 2026."""

    __slots__ = ("left",)

    def __init__(self, most: int = _MOST) -> None:
        self.left = most
        """Nothing more is read once this is 0 or less."""

    @property
    def done(self) -> bool:
        """True if nothing more is read."""
        return self.left <= 0

    def spend(self, size: int, *, failed: bool = False) -> None:
        """Count the parsing of a text of so many characters."""
        self.left -= size // _BYTES + (_PER_FAILURE if failed else _PER_TEXT)

    def stop(self) -> None:
        """Read nothing more."""
        self.left = 0
