"""Bodies of requests, read within a limit of each and of all together."""

from __future__ import annotations

from typing import Final

from starlette.types import Message, Receive

from recost.collector.windows import MAX_BODY_BYTES, too_large

__all__ = ["Bodies", "ClientGoneError", "MemoryFullError"]

_MAX_BYTES: Final = 256 << 20
"""The most bytes of all bodies that are held at once."""


class MemoryFullError(Exception):
    """The error of a body while the memory for bodies is full."""


class ClientGoneError(Exception):
    """The end of a request whose client has closed the connection."""


class Bodies:
    """The bodies that are held at once. Used by one event loop."""

    def __init__(self) -> None:
        self._held = 0

    async def read(self, receive: Receive, announced: str) -> bytearray:
        """Return the body of a request. Its bytes count until `release` is called.

        Args:
            receive: The events of the request.
            announced: The value of its Content-Length.

        Raises:
            InvalidWindowError: It is longer than `MAX_BODY_BYTES`, whatever its length says.
            MemoryFullError: Too many bytes are held for other requests.
            ClientGoneError: The client has gone.
        """
        if announced.isdecimal() and (len(announced) > 18 or int(announced) > MAX_BODY_BYTES):
            raise too_large()
        body = bytearray()
        try:
            more = True
            while more:
                message = await receive()
                self._add(message, body)
                more = message.get("more_body", False)
        except BaseException:
            self.release(body)
            raise
        return body

    def _add(self, message: Message, body: bytearray) -> None:
        if message["type"] != "http.request":
            raise ClientGoneError
        part: bytes = message.get("body", b"")
        if len(body) + len(part) > MAX_BODY_BYTES:
            raise too_large()
        if self._held + len(part) > _MAX_BYTES:
            raise MemoryFullError
        self._held += len(part)
        body += part

    def release(self, body: bytearray) -> None:
        """Stop counting the bytes of a body."""
        self._held -= len(body)
