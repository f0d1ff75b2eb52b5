"""A collector on loopback, in a process of its own, that behaves as its argument says.

Prints its address, and ends when its standard input does. Over TLS it has a certificate of an authority that
it makes, and appends to the file that is named by the second argument.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import ssl
import sys
from pathlib import Path
from typing import Any, Final, Optional

_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_ACCEPTED: Final = b'{"status": "accepted"}'
_DELAY_S: Final = 0.5
_STATUSES: Final = {"5xx": b"500 Broken", "401": b"401 Unauthorized", "429": b"429 Too Many Requests"}


def _response(status: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(_ACCEPTED), *headers]
    return b"\r\n".join([*lines, b"", _ACCEPTED])


async def _read(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    await reader.readexactly(int(length[1]) if length else 0)


async def _serve(how: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        while how != "hung":
            await _read(reader)
            if how == "slow":
                await asyncio.sleep(_DELAY_S)
            status = _STATUSES.get(how, b"202 Accepted")
            writer.write(_response(status, *([b"Connection: close"] if how == "closing" else [])))
            await writer.drain()
            if how == "closing":
                break
        else:
            await asyncio.sleep(3600)
    writer.close()


async def _serve_websocket(stopped: Any) -> None:
    from websockets.asyncio.server import serve  # noqa: PLC0415 - an extra
    from websockets.exceptions import ConnectionClosed  # noqa: PLC0415 - as above

    async def read(connection: Any) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for _ in connection:
                pass

    async with serve(read, "127.0.0.1", 0, max_size=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await stopped


def _certified(trust: Path) -> ssl.SSLContext:
    import trustme  # noqa: PLC0415 - optional

    authority = trustme.CA()
    with trust.open("ab") as file:
        file.write(b"\n" + authority.cert_pem.bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


async def main(how: str, trust: str) -> None:
    """Serve until standard input ends."""
    stopped = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    if how == "WebSocket":
        await _serve_websocket(stopped)
        return
    tls: Optional[ssl.SSLContext] = None
    if how != "refusing":
        tls = _certified(Path(trust))
    server = await asyncio.start_server(lambda *ends: _serve(how, *ends), "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    if how == "refusing":
        server.close()
    print(f"https://127.0.0.1:{port}", flush=True)
    await stopped


async def _until_told(how: str, trust: str) -> None:
    await main(how, trust)
    os._exit(0)  # without a word on connections that are still open


if __name__ == "__main__":
    asyncio.run(_until_told(*sys.argv[1:]))
