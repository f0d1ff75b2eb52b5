"""Calls that the application's code makes inside a client's call are calls of their own."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any, Callable

import aiohttp
import httpx
import pytest
import requests
import urllib3

from recost.events import RawEvent
from recost.interceptors.exchange import unfinished
from tests.loopback import Loopback

Events = list[RawEvent]


def _urllib_request(url: str) -> None:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url) as response:
        response.read()


def _requests(url: str) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.get(url)


def _urllib3(url: str) -> None:
    with urllib3.PoolManager() as manager:
        manager.request("GET", url)


def _httpx(url: str) -> None:
    httpx.get(url, trust_env=False)


def _transport(url: str) -> None:
    with httpx.HTTPTransport() as transport:
        transport.handle_request(httpx.Request("GET", url)).read()


INNER = [_urllib_request, _requests, _urllib3, _httpx, _transport]


def _directly(call: Callable[[], None]) -> None:
    call()


def _in_thread(call: Callable[[], None]) -> None:
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()


def _in_thread_with_context(call: Callable[[], None]) -> None:
    context = contextvars.copy_context()
    _in_thread(lambda: context.run(call))


def _in_copied_context(call: Callable[[], None]) -> None:
    contextvars.copy_context().run(call)


WAYS = [_directly, _in_thread, _in_thread_with_context, _in_copied_context]


def _outer_httpx_body(url: str, feed: Callable[[], Iterator[bytes]]) -> None:
    httpx.post(url, content=feed(), trust_env=False)


def _outer_httpx_sized_body(url: str, feed: Callable[[], Iterator[bytes]]) -> None:
    httpx.post(url, content=feed(), headers={"content-length": "2"}, trust_env=False)


def _outer_httpx_hook(url: str, feed: Callable[[], Iterator[bytes]]) -> None:
    with httpx.Client(trust_env=False, event_hooks={"request": [lambda request: list(feed())]}) as client:
        client.get(url)


def _outer_httpx_auth(url: str, feed: Callable[[], Iterator[bytes]]) -> None:
    class Auth(httpx.Auth):
        def auth_flow(self, request: Any) -> Any:
            list(feed())
            yield request

    httpx.get(url, auth=Auth(), trust_env=False)


def _outer_requests_body(url: str, feed: Callable[[], Iterator[bytes]]) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.post(url, data=feed())


def _outer_urllib3_body(url: str, feed: Callable[[], Iterator[bytes]]) -> None:
    with urllib3.PoolManager() as manager:
        manager.request("POST", url, body=feed(), chunked=True)


def _outer_urllib_body(url: str, feed: Callable[[], Iterator[bytes]]) -> None:
    with urllib.request.urlopen(urllib.request.Request(url, data=feed(), method="POST")) as response:
        response.read()


class _OverUrllib3(httpx.BaseTransport):
    """A transport of the user's own: what it sends by another client is the call."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        content = request.read() if request.method == "GET" else b"".join(request.stream)  # type: ignore[arg-type]
        with urllib3.PoolManager() as manager:
            response = manager.request(request.method, str(request.url), body=content)
        return httpx.Response(response.status, content=response.data)


def _outer_own_transport(url: str, feed: Callable[[], Iterator[bytes]]) -> None:
    with httpx.Client(transport=_OverUrllib3()) as client:
        client.post(url, content=feed())


OUTER = [
    _outer_httpx_body,
    _outer_httpx_sized_body,
    _outer_httpx_hook,
    _outer_httpx_auth,
    _outer_requests_body,
    _outer_urllib3_body,
    _outer_urllib_body,
    _outer_own_transport,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda each: each.__name__)
@pytest.mark.parametrize("outer", OUTER, ids=lambda each: each.__name__)
def test_what_a_hook_or_a_body_calls(
    outer: Callable[..., None], way: Callable[..., None], server: Loopback, events: Events
) -> None:
    for inner in INNER:
        server.log.clear()
        events.clear()

        def feed(call: Callable[[str], None] = inner) -> Iterator[bytes]:
            yield b"1"
            way(lambda: call(server.url + "/inner"))
            yield b"2"

        outer(server.url + "/outer", feed)
        _agree(server, events, inner.__name__)


def _agree(server: Loopback, events: Events, what: str) -> None:
    served = Counter((each.method, each.path) for each in server.log)
    recorded = Counter((each.method, each.path) for each in events)
    assert recorded == served, what
    assert all(each.attempts == 1 for each in events), what
    assert len(served) == 2, what
    assert not unfinished


@pytest.mark.parametrize("how", ["thread", "task", "same client"])
@pytest.mark.parametrize("client", ["httpx", "aiohttp", "trace"])
async def test_what_a_body_calls_in_an_event_loop(  # noqa: C901 - each way, in turn
    server: Loopback, events: Events, client: str, how: str
) -> None:
    async def other() -> None:
        async with httpx.AsyncClient(trust_env=False) as inner:
            await inner.get(server.url + "/inner")

    async with httpx.AsyncClient(trust_env=False) as own, aiohttp.ClientSession() as session:

        async def call() -> None:
            if how == "thread":
                await asyncio.to_thread(_urllib_request, server.url + "/inner")
            elif how == "task":
                await asyncio.create_task(other())
            elif client == "httpx":
                await own.get(server.url + "/inner")
            else:
                await (await session.get(server.url + "/inner", trace_request_ctx="inner")).read()

        async def feed() -> AsyncIterator[bytes]:
            yield b"1"
            await call()
            yield b"2"

        if client == "httpx":
            await own.post(server.url + "/outer", content=feed())
        elif client == "aiohttp":
            await (await session.post(server.url + "/outer", data=feed())).read()
        else:
            trace = aiohttp.TraceConfig()

            async def starts(_session: Any, context: Any, _params: Any) -> None:
                if context.trace_request_ctx != "inner":
                    await call()

            trace.on_request_start.append(starts)
            async with aiohttp.ClientSession(trace_configs=[trace]) as traced:
                await (await traced.get(server.url + "/outer")).read()
    _agree(server, events, client)
