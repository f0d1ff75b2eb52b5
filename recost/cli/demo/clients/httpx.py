"""httpx and httpx2, sync and async."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from recost.cli.demo.calls import Call
    from recost.cli.demo.clients import AsyncFetch, Fetch
    from recost.cli.demo.routing import Routing

__all__ = ["async_session", "session"]


@contextmanager
def session(library: Any, routing: Routing) -> Iterator[Fetch]:
    """Yield a function that makes one call and returns its status."""
    transport = type("RoutedTransport", (_Transport, library.BaseTransport), {})(library, routing)
    with library.Client(transport=transport, trust_env=False, timeout=10) as client:
        yield partial(_fetch, client)


@asynccontextmanager
async def async_session(library: Any, routing: Routing) -> AsyncIterator[AsyncFetch]:
    """Yield a coroutine function that makes one call and returns its status."""
    transport = type("RoutedTransport", (_AsyncTransport, library.AsyncBaseTransport), {})(library, routing)
    async with library.AsyncClient(transport=transport, trust_env=False, timeout=10) as client:
        yield partial(_async_fetch, client)


def _fetch(client: Any, call: Call) -> int:
    arguments = {"content": call.body or None, "headers": call.headers}
    if not call.streamed:
        return int(client.request(call.method, call.url, **arguments).status_code)
    with client.stream(call.method, call.url, **arguments) as response:
        for _line in response.iter_lines():
            pass
        return int(response.status_code)


async def _async_fetch(client: Any, call: Call) -> int:
    arguments = {"content": call.body or None, "headers": call.headers}
    if not call.streamed:
        return int((await client.request(call.method, call.url, **arguments)).status_code)
    async with client.stream(call.method, call.url, **arguments) as response:
        async for _line in response.aiter_lines():
            pass
        return int(response.status_code)


class _Transport:
    """A transport that connects to another address. The Host header is unchanged."""

    def __init__(self, library: Any, routing: Routing) -> None:
        self._library = library
        self._routing = routing
        self._inner = library.HTTPTransport(trust_env=False)

    def handle_request(self, request: Any) -> Any:
        return self._inner.handle_request(_moved(self._library, self._routing, request))

    def close(self) -> None:
        self._inner.close()


class _AsyncTransport:
    """Transport of the async client that sends to the demo server."""

    def __init__(self, library: Any, routing: Routing) -> None:
        self._library = library
        self._routing = routing
        self._inner = library.AsyncHTTPTransport(trust_env=False)

    async def handle_async_request(self, request: Any) -> Any:
        return await self._inner.handle_async_request(_moved(self._library, self._routing, request))

    async def aclose(self) -> None:
        await self._inner.aclose()


def _moved(library: Any, routing: Routing, request: Any) -> Any:
    """Return the request for another address, because httpx has no resolver to replace."""
    if request.url.scheme != "http":
        raise OSError("the demo supports http only")
    host, port = routing.address(request.url.host)
    return library.Request(
        request.method,
        request.url.copy_with(host=host, port=port),
        headers=request.headers,
        stream=request.stream,
        extensions=request.extensions,
    )
