"""Connections whose responses come from memory: clients run all of their code, and make no system call.

What the kernel does is the larger and the noisier part of a call on loopback; without it the same difference
is seen more sharply.
"""

from __future__ import annotations

import asyncio
import importlib
import io
import socket
from typing import Any

from payload import RESPONSE

__all__ = ["aiohttp_connector", "httpcore_backend", "replace_sockets"]


class MemorySocket:
    """As much of a socket as http.client and urllib3 use."""

    _idle, _other_end = socket.socketpair()
    """Never readable, which is what a client asks before it uses a connection again."""

    def sendall(self, data: bytes) -> None:
        """Take a part of a request."""

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(io.BytesIO(RESPONSE))

    def fileno(self) -> int:
        return self._idle.fileno()

    def setsockopt(self, *_: Any) -> None:
        """Take an option."""

    settimeout = shutdown = setsockopt

    def close(self) -> None:
        """Close nothing."""


def replace_sockets() -> None:
    """Have http.client and urllib3 connect to memory, in the whole process."""

    def connect(*_: Any, **__: Any) -> Any:
        return MemorySocket()

    socket.create_connection = connect
    try:
        importlib.import_module("urllib3.util.connection").create_connection = connect  # type: ignore[attr-defined]
    except ImportError:
        return


class _Stream:
    """httpcore's sync and async stream in one: `read` and `write` are given by the backend that makes it."""

    def get_extra_info(self, info: str) -> Any:
        return False if info == "is_readable" else None


class _SyncStream(_Stream):
    def read(self, max_bytes: int, timeout: Any = None) -> bytes:  # noqa: ARG002 - httpcore's signature
        return RESPONSE

    def write(self, buffer: bytes, timeout: Any = None) -> None:
        """Take a part of a request."""

    def close(self) -> None:
        """Close nothing."""


class _AsyncStream(_Stream):
    async def read(self, max_bytes: int, timeout: Any = None) -> bytes:  # noqa: ARG002
        await asyncio.sleep(0)
        return RESPONSE

    async def write(self, buffer: bytes, timeout: Any = None) -> None:
        """Take a part of a request."""

    async def aclose(self) -> None:
        """Close nothing."""


def httpcore_backend(*, asynchronous: bool) -> Any:
    """Return what ``httpcore.ConnectionPool(network_backend=…)`` takes, for httpcore and httpcore2."""

    class Backend:
        def connect_tcp(self, *_: Any, **__: Any) -> Any:
            return _SyncStream()

    class AsyncBackend:
        async def connect_tcp(self, *_: Any, **__: Any) -> Any:
            return _AsyncStream()

    return AsyncBackend() if asynchronous else Backend()


class _Transport(asyncio.Transport):
    """Responds when the end of a request's body has been written."""

    def __init__(self, protocol: Any) -> None:
        super().__init__()
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()

    def write(self, data: Any) -> None:
        if data.endswith(b"}"):
            self._loop.call_soon(self._protocol.data_received, RESPONSE)

    def writelines(self, list_of_data: Any) -> None:
        self.write(b"".join(list_of_data))

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        self._loop.call_soon(self._protocol.connection_lost, None)

    def pause_reading(self) -> None:
        """Go on."""

    resume_reading = pause_reading
    abort = close


def aiohttp_connector(aiohttp: Any) -> Any:
    """Return a connector for ``aiohttp.ClientSession``."""

    class Connector(aiohttp.TCPConnector):  # type: ignore[misc]
        async def _create_connection(self, *_: Any, **__: Any) -> Any:
            protocol = self._factory()
            protocol.connection_made(_Transport(protocol))
            return protocol

    return Connector()
