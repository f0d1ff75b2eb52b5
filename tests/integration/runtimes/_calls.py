"""The calls that the programs make: each client, read to the end, refused, left early, cancelled."""

from __future__ import annotations

import os
from typing import Any


def upstream() -> str:
    """Where the server is that is to be called."""
    return os.environ["UPSTREAM"]


def call(path: str = "/plain") -> bytes:
    """Make one call with the standard library."""
    import urllib.request

    with urllib.request.urlopen(upstream() + path) as response:
        return bytes(response.read())


def blocking_clients() -> tuple[Any, Any, Any]:
    """Import the clients; ahead of the calls where an import bears no second thread, greenlet or fork."""
    import httpx
    import requests
    import urllib3

    return httpx, requests, urllib3


def blocking_calls() -> None:
    """Make two calls with each client that blocks."""
    httpx, requests, urllib3 = blocking_clients()
    url = upstream()
    assert len(call("/urllib-request")) == 100
    assert len(requests.get(url + "/requests", timeout=20).content) == 100
    assert requests.post(url + "/status/503", data=b"12345", timeout=20).status_code == 503
    assert len(urllib3.PoolManager().request("GET", url + "/chunked?n=900").data) == 900
    with httpx.Client(timeout=20, verify=False) as client:  # no TLS here, which takes long to prepare
        assert len(client.get(url + "/httpx").content) == 100
        with client.stream("GET", url + "/sse") as response:
            assert b"DONE" in response.read()


async def httpx_calls(httpx: Any) -> None:
    """Make calls with httpx or httpx2, on any loop that anyio knows."""
    import anyio

    async with httpx.AsyncClient(base_url=upstream(), timeout=20, verify=False) as client:
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(client.get, f"/{httpx.__name__}")
        assert (await client.post("/status/503", content=b"12345")).status_code == 503
        async with client.stream("GET", "/chunked?n=900") as response:
            assert len(await response.aread()) == 900
        async with client.stream("GET", "/stall?n=100") as response:
            async for _ in response.aiter_raw():
                break
        with anyio.CancelScope() as scope:
            async with client.stream("GET", "/stall?n=100") as response:
                async for _ in response.aiter_raw():
                    scope.cancel()
        assert scope.cancelled_caught


async def aiohttp_calls() -> None:
    """Make calls with aiohttp, on an asyncio loop."""
    import asyncio

    import aiohttp

    async with aiohttp.ClientSession(upstream()) as session:

        async def get(path: str) -> int:
            async with session.get(path) as response:
                return len(await response.read())

        assert await asyncio.gather(*[get("/aiohttp") for _ in range(20)]) == [100] * 20
        assert await get("/chunked?n=900") == 900
        async with session.post("/status/503", data=b"12345") as response:
            assert (response.status, await response.text()) == (503, "problem")
        async with session.get("/stall?n=100") as response:
            await response.content.readany()
