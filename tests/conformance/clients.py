"""How each client makes a call: one `Driver` a client, sync and async, for the tests of conformance.

To add a client, write a function that makes one call as `Ask` says and returns what the application gets, and
name it in `DRIVERS` with the module that stands in `recost.interceptors.CLIENTS`. For an async client it is
a coroutine function, and `of_async` makes its driver.
"""

from __future__ import annotations

import asyncio
import http.client
import importlib
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, Callable, NamedTuple, Optional
from urllib.parse import urlsplit

import pytest

from tests.integration.clients import installed

__all__ = [
    "DRIVERS",
    "ELSEWHERE",
    "Ask",
    "AsyncPieces",
    "Driver",
    "Got",
    "Pieces",
    "every_async_client",
    "every_client",
]


class Pieces:
    """A body of which no client knows the size."""

    def __init__(self, pieces: tuple[bytes, ...], between: Callable[[], Any]) -> None:
        self._pieces = pieces
        self._between = between

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._between()
            yield piece


class AsyncPieces(Pieces):
    """The same for an async client."""

    __iter__ = None  # type: ignore[assignment]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            self._between()
            yield piece


class Ask(NamedTuple):
    """One call. Without a body it is a GET, else a POST."""

    url: str
    how: str = "whole"
    """``whole``, ``streamed`` to its end, ``left``: closed after the first byte, or ``unawaited``: an async
    client's coroutine is made and closed, and never awaited."""
    body: Any = None
    """Bytes, or `Pieces` (for an async client `AsyncPieces`): an iterable of bytes."""
    redirected: bool = False
    """True to follow redirects."""
    timeout_s: float = 20
    headers: Optional[dict[str, str]] = None

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
    """What must be installed: the module of this distribution."""
    make: Optional[Callable[[Ask], Coroutine[Any, Any, Got]]] = None
    """The same as ``call`` on a running loop."""
    redirects: Optional[str] = "attempts"
    """A redirect is one of the ``attempts`` of a call. Or it is one of several ``calls``, because the patched
    method does not follow it. None: the client follows no redirects."""
    streams: bool = True
    """False: the client returns each body as a whole, so that ``left`` is not asked of it."""
    remembers: bool = True
    """False: its responses can't be hashed, or not weakly referenced. `recost.cost_for` doesn't find them."""

    @property
    def missing(self) -> bool:
        return not installed(self.needs)

    def pieces(self, *pieces: bytes, between: Callable[[], Any] = lambda: None) -> Pieces:
        """Return a body without a size. ``between`` is called before each piece."""
        return (Pieces if self.make is None else AsyncPieces)(pieces, between)


def of_async(name: str, module: str, make: Callable[[Ask], Coroutine[Any, Any, Got]], needs: str) -> Driver:
    """Return the driver of an async client."""
    return Driver(name, module, lambda ask: asyncio.run(make(ask)), needs, make)


_UNAWAITED = Got(None, 0, b"")


def _httpx(name: str) -> Callable[[Ask], Got]:
    def call(ask: Ask) -> Got:
        module = importlib.import_module(name)
        with module.Client(trust_env=False, timeout=ask.timeout_s, follow_redirects=ask.redirected) as client:
            if ask.how == "whole":
                response = client.request(ask.method, ask.url, content=ask.body, headers=ask.headers)
                return Got(response, response.status_code, response.content)
            with client.stream(ask.method, ask.url, content=ask.body, headers=ask.headers) as response:
                body = b"".join(_as_asked(response.iter_bytes(), ask))
            return Got(response, response.status_code, body)

    return call


def _httpx_async(name: str) -> Callable[[Ask], Coroutine[Any, Any, Got]]:
    async def make(ask: Ask) -> Got:
        module = importlib.import_module(name)
        async with module.AsyncClient(
            trust_env=False, timeout=ask.timeout_s, follow_redirects=ask.redirected
        ) as client:
            if ask.how == "unawaited":
                client.send(client.build_request(ask.method, ask.url)).close()
                return _UNAWAITED
            if ask.how == "whole":
                response = await client.request(ask.method, ask.url, content=ask.body, headers=ask.headers)
                return Got(response, response.status_code, response.content)
            async with client.stream(ask.method, ask.url, content=ask.body, headers=ask.headers) as response:
                body = await _as_asked_async(response.aiter_bytes(), ask)
            return Got(response, response.status_code, body)

    return make


async def _aiohttp(ask: Ask) -> Got:
    aiohttp = importlib.import_module("aiohttp")
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(ask.timeout_s)) as session:
        if ask.how == "unawaited":
            session.request(ask.method, ask.url).close()
            return _UNAWAITED
        async with session.request(
            ask.method, ask.url, data=ask.body, allow_redirects=ask.redirected, headers=ask.headers
        ) as response:
            if ask.how == "whole":
                return Got(response, response.status, await response.read())
            return Got(response, response.status, await _as_asked_async(response.content.iter_any(), ask))


def _requests(ask: Ask) -> Got:
    requests = importlib.import_module("requests")
    with requests.Session() as session:
        session.trust_env = False
        with session.request(
            ask.method,
            ask.url,
            data=ask.body,
            headers=ask.headers,
            stream=ask.how != "whole",
            timeout=ask.timeout_s,
            allow_redirects=ask.redirected,
        ) as response:
            if ask.how == "whole":
                return Got(response, response.status_code, response.content)
            body = b"".join(_as_asked(response.iter_content(64), ask))
            return Got(response, response.status_code, body)


def _urllib3(ask: Ask) -> Got:
    urllib3 = importlib.import_module("urllib3")
    parts = urlsplit(ask.url)
    # A pool follows redirects itself, and a PoolManager above it.
    with urllib3.HTTPConnectionPool(parts.hostname, parts.port) as pool:
        response = pool.request(
            ask.method,
            ask.url[ask.url.index(parts.netloc) + len(parts.netloc) :],
            body=ask.body,
            headers=ask.headers,
            preload_content=ask.how == "whole",
            retries=urllib3.Retry(2, connect=0, read=0) if ask.redirected else False,
            timeout=ask.timeout_s,
            **({"chunked": True} if isinstance(ask.body, Pieces) else {}),
        )
        if ask.how == "whole":
            return Got(response, response.status, response.data)
        try:
            return Got(response, response.status, b"".join(_as_asked(response.stream(64), ask)))
        finally:
            response.close()


def _urllib_request(ask: Ask) -> Got:
    handlers: list[Any] = [urllib.request.ProxyHandler({})]
    opener = urllib.request.build_opener(*handlers, *([] if ask.redirected else [_NoRedirect]))
    try:
        response = opener.open(
            urllib.request.Request(ask.url, data=ask.body, headers=ask.headers or {}, method=ask.method),
            timeout=ask.timeout_s,
        )
    except urllib.error.HTTPError as error:
        response = error
    with response:
        return Got(response, response.code, _read(response, ask))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any) -> None:
        return None


def _http_client(ask: Ask) -> Got:
    parts = urlsplit(ask.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=ask.timeout_s)
    try:
        connection.request(ask.method, ask.url[ask.url.index(parts.path) :], ask.body, ask.headers or {})
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


async def _as_asked_async(pieces: Any, ask: Ask) -> bytes:
    body = b""
    async for piece in pieces:
        body += piece
        if ask.how == "left":
            break
    return body


DRIVERS = (
    Driver("httpx", "httpx", _httpx("httpx"), "httpx"),
    of_async("httpx async", "httpx", _httpx_async("httpx"), "httpx"),
    Driver("httpx2", "httpx2", _httpx("httpx2"), "httpx2"),
    of_async("httpx2 async", "httpx2", _httpx_async("httpx2"), "httpx2"),
    Driver("urllib3", "urllib3", _urllib3, "urllib3"),
    Driver("requests", "urllib3", _requests, "requests", redirects="calls"),
    of_async("aiohttp", "aiohttp", _aiohttp, "aiohttp"),
    Driver("urllib.request", "http.client", _urllib_request, "urllib", redirects="calls"),
    Driver("http.client", "http.client", _http_client, "http", redirects=None),
)
ELSEWHERE = {"urllib3_future": "tests/interceptors/test_urllib3_future.py"}
"""Clients that can't be installed beside the others, and the tests that they have."""


def _each(drivers: list[Driver]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "driver",
        [
            pytest.param(
                driver,
                id=driver.name,
                marks=pytest.mark.skipif(driver.missing, reason=f"{driver.needs} is missing"),
            )
            for driver in drivers
        ],
    )


every_client = _each(list(DRIVERS))
every_async_client = _each([driver for driver in DRIVERS if driver.make is not None])
