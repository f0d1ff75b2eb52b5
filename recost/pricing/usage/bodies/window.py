"""Keeps the beginning and the end of what passes."""

from __future__ import annotations

from recost.pricing.usage.content import HEAD_LIMIT, TAIL_LIMIT

__all__ = ["Window"]


class Window:
    """The first 16 KB and the last 48 KB of the bytes that were fed; all of them when they are fewer."""

    __slots__ = ("_head", "_rest", "size")

    def __init__(self) -> None:
        self._head = bytearray()
        self._rest = bytearray()
        self.size = 0
        """Bytes that were fed."""

    @property
    def gap(self) -> bool:
        """True: bytes between ``head`` and ``tail`` were not kept."""
        return self.size > HEAD_LIMIT + TAIL_LIMIT

    @property
    def head(self) -> bytes:
        """What came first; everything where there is no ``gap``."""
        return bytes(self._head) if self.gap else bytes(self._head + self._rest)

    @property
    def tail(self) -> bytes:
        """What came last; empty where ``head`` has everything."""
        return bytes(self._rest[-TAIL_LIMIT:]) if self.gap else b""

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self.size += len(data)
        missing = HEAD_LIMIT - len(self._head)
        if missing > 0:
            self._head += data[:missing]
            data = data[missing:]
        self._rest += data[-TAIL_LIMIT:]
        if len(self._rest) > 2 * TAIL_LIMIT:
            del self._rest[:-TAIL_LIMIT]
