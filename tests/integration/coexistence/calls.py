"""One call through each client, each to a path of its own, so that whoever sees a call can be asked which."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import ssl
import urllib.request
from typing import Any, Callable

_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""What a client would make for itself takes longer than all of its calls here."""


def _httpx(name: str) -> Callable[[str], None]:
    def call(url: str) -> None:
        module: Any = importlib.import_module(name)
        with module.Client(trust_env=False, verify=_NO_TLS) as client:
            assert client.get(url).content

    return call


def _async_httpx(name: str) -> Callable[[str], None]:
    async def get(url: str) -> None:
        module: Any = importlib.import_module(name)
        async with module.AsyncClient(trust_env=False, verify=_NO_TLS) as client:
            assert (await client.get(url)).content

    return lambda url: asyncio.run(get(url))


def _requests(url: str) -> None:
    import requests

    with requests.Session() as session:
        session.trust_env = False
        assert session.get(url).content


def _urllib3(url: str) -> None:
    import urllib3

    with urllib3.PoolManager() as manager:
        assert manager.request("GET", url).data


def _aiohttp(url: str) -> None:
    async def get() -> None:
        import aiohttp

        async with aiohttp.ClientSession() as session, session.get(url) as response:
            assert await response.read()

    asyncio.run(get())


def _urllib_request(url: str) -> None:
    handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=_NO_TLS)
    opener = urllib.request.build_opener(*handlers)
    with opener.open(url) as response:
        assert response.read()


_CLIENTS: dict[str, tuple[str, Callable[[str], None]]] = {
    "httpx": ("httpx", _httpx("httpx")),
    "httpx-async": ("httpx", _async_httpx("httpx")),
    "httpx2": ("httpx2", _httpx("httpx2")),
    "httpx2-async": ("httpx2", _async_httpx("httpx2")),
    "requests": ("requests", _requests),
    "urllib3": ("urllib3", _urllib3),
    "aiohttp": ("aiohttp", _aiohttp),
    "urllib.request": ("urllib", _urllib_request),
}


def clients() -> list[str]:
    """Return the clients that this Python has."""
    return [name for name, (module, _) in _CLIENTS.items() if importlib.util.find_spec(module) is not None]


def make(base: str, phase: str) -> None:
    """Make one call through each client: to ``/plain/{phase}/{client}``."""
    for name in clients():
        _CLIENTS[name][1](f"{base}/plain/{phase}/{name}")
