"""A loopback HTTP/1.1 server that responds to every request alike, in a process of its own.

The response is the one that the argument names, in `payload`.

Prints its port, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from typing import Any, Final

if len(sys.argv) > 1:
    os.environ["BENCHMARK_RESPONSE"] = sys.argv[1]

from payload import RESPONSE

_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_CLOSING: Final = re.compile(rb"connection: *close", re.IGNORECASE)


class Responding(asyncio.Protocol):
    """One connection: keep-alive, unless the request says ``Connection: close``."""

    def __init__(self) -> None:
        self._received = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while self._respond():
            pass

    def _respond(self) -> bool:
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end:
            return False
        length = _LENGTH.search(head)
        size = int(length[1]) if length else 0
        if len(rest) < size:
            return False
        self._received = rest[size:]
        self._transport.write(RESPONSE)
        if _CLOSING.search(head):
            self._transport.close()
        return bool(self._received)


async def serve() -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Responding, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve())
