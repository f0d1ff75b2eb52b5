"""The HTTP clients, each as a function that makes n calls one after the other on a kept-alive connection."""

from __future__ import annotations

import asyncio
import atexit
import importlib
from typing import Any, Callable, Final, Optional

from memory_network import aiohttp_connector, httpcore_backend, replace_sockets
from payload import BODY, HEADERS, HOST, PATH

__all__ = ["CLIENTS", "Calls", "make", "module_of"]

Calls = Callable[[int], None]
"""Makes that many calls."""


def _httpx(module: str, url: str, *, memory: bool, stream: bool) -> Calls:
    httpx: Any = importlib.import_module(module)
    transport = httpx.HTTPTransport()
    if memory:
        core: Any = importlib.import_module(module.replace("httpx", "httpcore"))
        transport._pool = core.ConnectionPool(network_backend=httpcore_backend(asynchronous=False))  # noqa: SLF001
    client = httpx.Client(transport=transport, trust_env=False)

    def calls(count: int) -> None:
        for _ in range(count):
            response = client.post(url, content=BODY, headers=HEADERS)
        _check(response.status_code)

    def streams(count: int) -> None:
        for _ in range(count):
            with client.stream("POST", url, content=BODY, headers=HEADERS) as response:
                for _ in response.iter_bytes():
                    pass

    return streams if stream else calls


def _httpx_async(module: str, url: str, *, memory: bool, stream: bool) -> Calls:
    httpx: Any = importlib.import_module(module)
    transport = httpx.AsyncHTTPTransport()
    if memory:
        core: Any = importlib.import_module(module.replace("httpx", "httpcore"))
        transport._pool = core.AsyncConnectionPool(network_backend=httpcore_backend(asynchronous=True))  # noqa: SLF001
    client = httpx.AsyncClient(transport=transport, trust_env=False)
    loop = _new_loop()

    async def calls(count: int) -> None:
        for _ in range(count):
            response = await client.post(url, content=BODY, headers=HEADERS)
        _check(response.status_code)

    async def streams(count: int) -> None:
        for _ in range(count):
            async with client.stream("POST", url, content=BODY, headers=HEADERS) as response:
                async for _ in response.aiter_bytes():
                    pass

    return lambda count: loop.run_until_complete(streams(count) if stream else calls(count))


def _aiohttp(_: str, url: str, *, memory: bool, stream: bool) -> Calls:
    aiohttp: Any = importlib.import_module("aiohttp")
    loop = _new_loop()
    session: Any = None

    async def calls(count: int) -> None:
        nonlocal session
        if session is None:
            session = aiohttp.ClientSession(connector=aiohttp_connector(aiohttp) if memory else None)
            atexit.register(lambda: loop.run_until_complete(session.close()))
        for _ in range(count):
            async with session.post(url, data=BODY, headers=HEADERS) as response:
                if stream:
                    async for _ in response.content.iter_any():
                        pass
                await response.read()
        _check(response.status)

    return lambda count: loop.run_until_complete(calls(count))


def _requests(_: str, url: str, *, memory: bool, stream: bool) -> Calls:
    requests: Any = importlib.import_module("requests")
    if memory:
        replace_sockets()
    session = requests.Session()
    session.trust_env = False

    def calls(count: int) -> None:
        for _ in range(count):
            response = session.post(url, data=BODY, headers=HEADERS, stream=stream)
            for _ in response.iter_content(None) if stream else ():
                pass
        _check(response.status_code)

    return calls


def _urllib3(_: str, url: str, *, memory: bool, stream: bool) -> Calls:
    urllib3: Any = importlib.import_module("urllib3")
    if memory:
        replace_sockets()
    pool = urllib3.PoolManager()

    def calls(count: int) -> None:
        for _ in range(count):
            response = pool.request("POST", url, body=BODY, headers=HEADERS, preload_content=not stream)
            for _ in response.stream() if stream else ():
                pass
        _check(response.status)

    return calls


def _urllib(_: str, url: str, *, memory: bool, stream: bool) -> Calls:
    request: Any = importlib.import_module("urllib.request")
    if memory:
        replace_sockets()
    opener = request.build_opener(request.ProxyHandler({}))

    def calls(count: int) -> None:
        for _ in range(count):
            with opener.open(request.Request(url, BODY, HEADERS, method="POST")) as response:
                for _ in response if stream else ():
                    pass
                response.read()
        _check(response.status)

    return calls


_Maker = Callable[..., Calls]
_MAKERS: Final[dict[str, tuple[str, _Maker]]] = {
    "httpx": ("httpx", _httpx),
    "httpx async": ("httpx", _httpx_async),
    "httpx2": ("httpx2", _httpx),
    "httpx2 async": ("httpx2", _httpx_async),
    "aiohttp": ("aiohttp", _aiohttp),
    "requests": ("requests", _requests),
    "urllib3": ("urllib3", _urllib3),
    "urllib.request": ("urllib.request", _urllib),
}

CLIENTS: Final = tuple(_MAKERS)


def module_of(client: str) -> str:
    """Return the module that a client is imported by."""
    return _MAKERS[client][0]


def make(client: str, port: Optional[int], *, host: str = HOST, stream: bool = False) -> Calls:
    """Return the calls of a client, to a port of loopback or, where that is None, to a host in memory.

    Bodies are read as a whole, or with ``stream`` as they come.
    """
    module, maker = _MAKERS[client]
    url = f"http://{host}{PATH}" if port is None else f"http://127.0.0.1:{port}{PATH}"
    return maker(module, url, memory=port is None, stream=stream)


def _new_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    return loop


def _check(status: int) -> None:
    if status != 200:
        raise RuntimeError(f"the server responded with {status}")
