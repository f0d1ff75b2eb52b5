"""Bodies of requests, read within a limit of each and of all together."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from recost.collector.windows import MAX_BODY_BYTES, too_large

__all__ = ["Bodies", "MemoryFullError"]

_MAX_BYTES: Final = 256 << 20
"""The most bytes of all bodies that are held at once."""


class MemoryFullError(Exception):
    """The error of a body while the memory for bodies is full."""


class Bodies:
    """The bodies that are held at once. Used by one event loop."""

    def __init__(self) -> None:
        self._held = 0

    async def read(self, request: Request) -> bytearray:
        """Return the body of a request. Its bytes count until `release` is called.

        Raises:
            InvalidWindowError: It is longer than `MAX_BODY_BYTES`, whatever its length says.
            MemoryFullError: Too many bytes are held for other requests.
            ClientDisconnect: The client has gone.
        """
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and (len(announced) > 18 or int(announced) > MAX_BODY_BYTES):
            raise too_large()
        body = bytearray()
        try:
            async for part in request.stream():
                self._add(part, body)
        except BaseException:
            self.release(body)
            raise
        return body

    def _add(self, part: bytes, body: bytearray) -> None:
        if len(body) + len(part) > MAX_BODY_BYTES:
            raise too_large()
        if self._held + len(part) > _MAX_BYTES:
            raise MemoryFullError
        self._held += len(part)
        body += part

    def release(self, body: bytearray) -> None:
        """Stop counting the bytes of a body."""
        self._held -= len(body)
