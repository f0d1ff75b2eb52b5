"""Keeps the beginning and the end of what passes."""

from __future__ import annotations

from recost.pricing.usage.content import HEAD_LIMIT, TAIL_LIMIT

__all__ = ["Window"]


class Window:
    """The first 16 KB and the last 48 KB of the bytes that were fed; all of them when they are fewer."""

    __slots__ = ("_kept", "gap", "head")

    def __init__(self) -> None:
        self.head = b""
        self.gap = False
        self._kept = b""

    @property
    def tail(self) -> bytes:
        """What came last; empty where ``head`` has everything."""
        return self._kept if self.gap else b""

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        if not self.gap:
            self.head += data
            if len(self.head) <= HEAD_LIMIT + TAIL_LIMIT:
                return
            self.gap = True
            data = self.head[HEAD_LIMIT:]
            self.head = self.head[:HEAD_LIMIT]
        self._kept = (self._kept + data)[-TAIL_LIMIT:]
