"""How each client makes a call: one `Driver` a client, sync and async, for the tests of conformance.

To add a client, write a function that makes one call as `Ask` says and returns what the application gets, and
name it in `DRIVERS` with the module that stands in `recost.interceptors.CLIENTS`.
"""

from __future__ import annotations

import asyncio
import http.client
import importlib
import urllib.error
import urllib.request
from typing import Any, Callable, NamedTuple, Optional
from urllib.parse import urlsplit

from tests.integration.clients import installed

__all__ = ["DRIVERS", "Ask", "Driver", "Got"]


class Ask(NamedTuple):
    """One call."""

    url: str
    how: str = "whole"
    """``whole``, ``streamed`` to its end, or ``left``: closed after the first byte."""
    body: Optional[bytes] = None
    """Sent with POST; None: GET."""

    @property
    def method(self) -> str:
        return "GET" if self.body is None else "POST"


class Got(NamedTuple):
    """What the application has afterwards."""

    response: Any
    status: int
    body: bytes


class Driver(NamedTuple):
    """A client."""

    name: str
    module: str
    """As in `recost.interceptors.CLIENTS`."""
    call: Callable[[Ask], Got]
    needs: str
    """What must be installed."""

    @property
    def missing(self) -> bool:
        return not installed(self.needs)


def _httpx(name: str) -> Callable[[Ask], Got]:
    def call(ask: Ask) -> Got:
        module = importlib.import_module(name)
        with module.Client(trust_env=False, timeout=20) as client:
            if ask.how == "whole":
                response = client.request(ask.method, ask.url, content=ask.body)
                return Got(response, response.status_code, response.content)
            with client.stream(ask.method, ask.url, content=ask.body) as response:
                body = b"".join(_as_asked(response.iter_bytes(), ask))
            return Got(response, response.status_code, body)

    return call


def _httpx_async(name: str) -> Callable[[Ask], Got]:
    async def make(ask: Ask) -> Got:
        module = importlib.import_module(name)
        async with module.AsyncClient(trust_env=False, timeout=20) as client:
            if ask.how == "whole":
                response = await client.request(ask.method, ask.url, content=ask.body)
                return Got(response, response.status_code, response.content)
            body = b""
            async with client.stream(ask.method, ask.url, content=ask.body) as response:
                async for piece in response.aiter_bytes():
                    body += piece
                    if ask.how == "left":
                        break
            return Got(response, response.status_code, body)

    return lambda ask: asyncio.run(make(ask))


async def _aiohttp(ask: Ask) -> Got:
    aiohttp = importlib.import_module("aiohttp")
    async with (
        aiohttp.ClientSession() as session,
        session.request(ask.method, ask.url, data=ask.body) as response,
    ):
        if ask.how == "whole":
            return Got(response, response.status, await response.read())
        body = b""
        async for piece in response.content.iter_any():
            body += piece
            if ask.how == "left":
                break
        return Got(response, response.status, body)


def _requests(ask: Ask) -> Got:
    requests = importlib.import_module("requests")
    with requests.Session() as session:
        session.trust_env = False
        with session.request(
            ask.method, ask.url, data=ask.body, stream=ask.how != "whole", timeout=20
        ) as response:
            if ask.how == "whole":
                return Got(response, response.status_code, response.content)
            body = b"".join(_as_asked(response.iter_content(64), ask))
            return Got(response, response.status_code, body)


def _urllib3(ask: Ask) -> Got:
    urllib3 = importlib.import_module("urllib3")
    with urllib3.PoolManager() as manager:
        response = manager.request(
            ask.method, ask.url, body=ask.body, preload_content=ask.how == "whole", retries=False, timeout=20
        )
        if ask.how == "whole":
            return Got(response, response.status, response.data)
        try:
            return Got(response, response.status, b"".join(_as_asked(response.stream(64), ask)))
        finally:
            response.close()


def _urllib_request(ask: Ask) -> Got:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        response = opener.open(urllib.request.Request(ask.url, data=ask.body, method=ask.method), timeout=20)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        return Got(response, response.code, _read(response, ask))


def _http_client(ask: Ask) -> Got:
    parts = urlsplit(ask.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    try:
        connection.request(ask.method, ask.url[ask.url.index(parts.path) :], ask.body)
        with connection.getresponse() as response:
            return Got(response, response.status, _read(response, ask))
    finally:
        connection.close()


def _read(response: Any, ask: Ask) -> bytes:
    """Read a response of http.client."""
    if ask.how == "whole":
        return bytes(response.read())
    return b"".join(_as_asked(iter(lambda: response.read(64), b""), ask))


def _as_asked(pieces: Any, ask: Ask) -> Any:
    for piece in pieces:
        yield piece
        if ask.how == "left":
            return


DRIVERS = (
    Driver("httpx", "httpx", _httpx("httpx"), "httpx"),
    Driver("httpx async", "httpx", _httpx_async("httpx"), "httpx"),
    Driver("httpx2", "httpx2", _httpx("httpx2"), "httpx2"),
    Driver("httpx2 async", "httpx2", _httpx_async("httpx2"), "httpx2"),
    Driver("urllib3", "urllib3", _urllib3, "urllib3"),
    Driver("requests", "urllib3", _requests, "requests"),
    Driver("aiohttp", "aiohttp", lambda ask: asyncio.run(_aiohttp(ask)), "aiohttp"),
    Driver("urllib.request", "http.client", _urllib_request, "urllib"),
    Driver("http.client", "http.client", _http_client, "http"),
)
ELSEWHERE = {"urllib3_future": "tests/interceptors/test_urllib3_future.py"}
"""Clients that can't be installed beside the others, and the tests that they have."""
