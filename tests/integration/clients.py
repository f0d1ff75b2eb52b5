"""The HTTP clients that recost sees, behind one face: a `Call` goes in, and either ends or raises."""

from __future__ import annotations

import importlib
import importlib.util
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass, field
from typing import Any, Callable, Optional
from urllib.parse import unquote, urlsplit

CONNECTIONS = 128
"""That a client may keep open: more than any test has calls at a time."""


@dataclass(frozen=True)
class Call:
    """What an application asks of a client."""

    method: str
    url: str
    body: Optional[bytes] = None
    pieces: int = 0
    """The body is handed over by an iterator, in that many pieces and with no length; 0: as it is."""
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: bool = False
    """The response's body is read piece by piece."""
    early: bool = False
    """The response is closed when its headers and the first bytes of its body are there."""
    timeout_s: float = 30.0

    def parts(self) -> Iterator[bytes]:
        """Return the pieces of the body."""
        assert self.body is not None
        size = max(len(self.body) // max(self.pieces, 1), 1)
        for start in range(0, len(self.body), size):
            yield self.body[start : start + size]

    async def async_parts(self) -> AsyncIterator[bytes]:
        """Return the pieces of the body."""
        for part in self.parts():
            yield part


Sender = Callable[[Call], int]
"""Makes a call on this thread and returns the status; what the client raises passes."""
AsyncSender = Callable[[Call], Awaitable[int]]


def _httpx_options(proxy: Optional[str], module: Any) -> dict[str, Any]:
    limits = module.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    return {"limits": limits, "trust_env": False, "verify": False, "proxy": proxy}


def _httpx(name: str) -> Callable[..., AbstractContextManager[Sender]]:
    @contextmanager
    def sender(proxy: Optional[str] = None) -> Iterator[Sender]:
        module = importlib.import_module(name)
        with module.Client(**_httpx_options(proxy, module)) as client:

            def send(call: Call) -> int:
                content = call.parts() if call.pieces else call.body
                options = {"headers": dict(call.headers), "content": content, "timeout": call.timeout_s}
                if not (call.stream or call.early):
                    return int(client.request(call.method, call.url, **options).status_code)
                with client.stream(call.method, call.url, **options) as response:
                    for _ in response.iter_bytes():
                        if call.early:
                            break
                    return int(response.status_code)

            yield send

    return sender


def _async_httpx(name: str) -> Callable[..., AbstractAsyncContextManager[AsyncSender]]:
    @asynccontextmanager
    async def sender(proxy: Optional[str] = None) -> AsyncIterator[AsyncSender]:
        module = importlib.import_module(name)
        async with module.AsyncClient(**_httpx_options(proxy, module)) as client:

            async def send(call: Call) -> int:
                content = call.async_parts() if call.pieces else call.body
                options = {"headers": dict(call.headers), "content": content, "timeout": call.timeout_s}
                if not (call.stream or call.early):
                    return int((await client.request(call.method, call.url, **options)).status_code)
                async with client.stream(call.method, call.url, **options) as response:
                    async for _ in response.aiter_bytes():
                        if call.early:
                            break
                    return int(response.status_code)

            yield send

    return sender


@asynccontextmanager
async def _aiohttp(proxy: Optional[str] = None) -> AsyncIterator[AsyncSender]:
    aiohttp = importlib.import_module("aiohttp")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session:

        async def send(call: Call) -> int:
            async with session.request(
                call.method,
                call.url,
                data=call.async_parts() if call.pieces else call.body,
                headers=dict(call.headers),
                timeout=aiohttp.ClientTimeout(total=call.timeout_s),
                proxy=proxy,
            ) as response:
                if call.early:
                    await response.content.readany()
                    response.close()
                elif call.stream:
                    async for _ in response.content.iter_any():
                        pass
                else:
                    await response.read()
                return int(response.status)

        yield send


@contextmanager
def _requests(proxy: Optional[str] = None) -> Iterator[Sender]:
    requests = importlib.import_module("requests")
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {} if proxy is None else {"http": proxy, "https": proxy}
        session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=CONNECTIONS))

        def send(call: Call) -> int:
            with session.request(
                call.method,
                call.url,
                data=call.parts() if call.pieces else call.body,
                headers=dict(call.headers),
                timeout=call.timeout_s,
                stream=call.stream or call.early,
            ) as response:
                if call.early:
                    response.raw.read(1)
                elif call.stream:
                    for _ in response.iter_content(16):
                        pass
                return int(response.status_code)

        yield send


@contextmanager
def _urllib3(proxy: Optional[str] = None) -> Iterator[Sender]:
    urllib3 = importlib.import_module("urllib3")
    if proxy is None:
        manager = urllib3.PoolManager(maxsize=CONNECTIONS)
    else:
        parts = urlsplit(proxy)
        pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        headers = urllib3.make_headers(proxy_basic_auth=pair) if parts.username else None
        manager = urllib3.ProxyManager(proxy, maxsize=CONNECTIONS, proxy_headers=headers)
    with manager:

        def send(call: Call) -> int:
            response = manager.request(
                call.method,
                call.url,
                body=call.parts() if call.pieces else call.body,
                headers=dict(call.headers),
                timeout=call.timeout_s,
                retries=False,
                preload_content=not (call.stream or call.early),
                **({"chunked": True} if call.pieces else {}),
            )
            try:
                if call.early:
                    response.read(1)
                elif call.stream:
                    for _ in response.stream(16):
                        pass
            finally:
                if call.early:
                    response.close()
                response.release_conn()
            return int(response.status)

        yield send


@contextmanager
def _urllib_request(proxy: Optional[str] = None) -> Iterator[Sender]:
    proxies = {} if proxy is None else {"http": proxy, "https": proxy}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))

    def send(call: Call) -> int:
        data: Any = call.parts() if call.pieces else call.body
        request = urllib.request.Request(call.url, data=data, headers=dict(call.headers), method=call.method)
        try:
            response = opener.open(request, timeout=call.timeout_s)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            if call.early:
                response.read(1)
            elif call.stream:
                while response.read(16):
                    pass
            else:
                response.read()
            return int(response.code)

    yield send


SENDERS: dict[str, Callable[..., AbstractContextManager[Sender]]] = {
    "httpx": _httpx("httpx"),
    "httpx2": _httpx("httpx2"),
    "requests": _requests,
    "urllib3": _urllib3,
    "urllib.request": _urllib_request,
}
"""Each opened with ``proxy=`` or nothing."""

ASYNC_SENDERS: dict[str, Callable[..., AbstractAsyncContextManager[AsyncSender]]] = {
    "httpx": _async_httpx("httpx"),
    "httpx2": _async_httpx("httpx2"),
    "aiohttp": _aiohttp,
}

CLIENTS = ("httpx", "httpx2", "aiohttp", "requests", "urllib3", "urllib.request")


def installed(name: str) -> bool:
    """Tell whether this Python has the client."""
    return importlib.util.find_spec(name.partition(".")[0]) is not None
