"""aiohttp's client."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp.abc import AbstractResolver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from recost.cli.demo.calls import Call
    from recost.cli.demo.clients import AsyncFetch
    from recost.cli.demo.routing import Routing

__all__ = ["async_session"]


@asynccontextmanager
async def async_session(_library: Any, routing: Routing) -> AsyncIterator[AsyncFetch]:
    """Yield a coroutine function that makes one call and returns its status."""
    connector = aiohttp.TCPConnector(resolver=_Resolver(routing), family=socket.AF_INET)
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as client:
        yield partial(_fetch, client)


async def _fetch(client: aiohttp.ClientSession, call: Call) -> int:
    async with client.request(
        call.method, call.url, data=call.body or None, headers=call.headers
    ) as response:
        if call.streamed:
            async for _line in response.content:
                pass
        await response.read()
        return response.status


class _Resolver(AbstractResolver):
    def __init__(self, routing: Routing) -> None:
        self._routing = routing

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> Any:  # noqa: ARG002
        address, mapped = self._routing.address(host)
        return [
            {
                "hostname": host,
                "host": address,
                "port": mapped,
                "family": socket.AF_INET,
                "proto": 0,
                "flags": socket.AI_NUMERICHOST,
            }
        ]

    async def close(self) -> None:
        """Do nothing: no resource is held."""
