"""httpx and httpx2, sync and async: the record equals the server's log, and the caller sees no difference."""

from __future__ import annotations

import asyncio
import gc
import importlib
import importlib.util
import logging
import subprocess
import sys
import textwrap
import urllib.request
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from contextvars import copy_context
from pathlib import Path
from types import ModuleType
from typing import Any, Optional

import pytest

from recost.events import RawEvent
from recost.interceptors import install, interception, uninstall
from recost.interceptors.context import current
from recost.interceptors.exchange import Exchange, unfinished
from tests.loopback import Loopback, loopback, refused_port, wait_until

MODULES = [name for name in ("httpx", "httpx2") if importlib.util.find_spec(name)]


class Http:
    """One of the four clients, under one asynchronous face."""

    def __init__(self, module: ModuleType, *, is_async: bool) -> None:
        self.module = module
        self.is_async = is_async

    def client(self, **options: Any) -> Any:
        options.setdefault("timeout", 10)
        return (self.module.AsyncClient if self.is_async else self.module.Client)(trust_env=False, **options)

    async def close(self, resource: Any) -> None:
        if self.is_async:
            await resource.aclose()
        else:
            resource.close()

    @asynccontextmanager
    async def session(self, **options: Any) -> AsyncIterator[Any]:
        client = self.client(**options)
        try:
            yield client
        finally:
            await self.close(client)

    async def call(self, client: Any, method: str, url: str, **options: Any) -> Any:
        response = client.request(method, url, **options)
        return await response if self.is_async else response

    async def open(self, client: Any, url: str, **options: Any) -> Any:
        response = client.send(client.build_request("GET", url), stream=True, **options)
        return await response if self.is_async else response

    async def one(self, method: str, url: str, **options: Any) -> Any:
        async with self.session() as client:
            return await self.call(client, method, url, **options)

    async def chunks(self, response: Any, how: str) -> list[Any]:
        if self.is_async:
            return [chunk async for chunk in getattr(response, f"a{how}")()]
        return list(getattr(response, how)())

    async def read(self, response: Any) -> bytes:
        body: bytes = await response.aread() if self.is_async else response.read()
        return body

    def body(self, *chunks: bytes) -> Any:
        """Return a generator body, which has no length."""

        async def asynchronous() -> AsyncIterator[bytes]:
            for chunk in chunks:
                yield chunk

        return asynchronous() if self.is_async else iter(chunks)

    def transport(self, handler: Any) -> Any:
        """Return a custom transport of the right kind."""
        module = self.module

        class Sync(module.BaseTransport):  # type: ignore[misc, name-defined]
            def handle_request(self, request: Any) -> Any:
                return handler(request)

        class Async(module.AsyncBaseTransport):  # type: ignore[misc, name-defined]
            async def handle_async_request(self, request: Any) -> Any:
                result = handler(request)
                return await result if hasattr(result, "__await__") else result

        return Async() if self.is_async else Sync()


@pytest.fixture(params=[f"{name}-{kind}" for name in MODULES for kind in ("sync", "async")])
def http(request: pytest.FixtureRequest) -> Http:
    name, kind = request.param.split("-")
    return Http(importlib.import_module(name), is_async=kind == "async")


def only(events: list[RawEvent]) -> RawEvent:
    assert len(events) == 1, events
    return events[0]


# What is recorded


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("/plain?n=1234", 1234),
        ("/plain?n=0", 0),
        ("/plain?n=300000", 300000),
        ("/chunked?n=1000&k=7", 1000),
        ("/close?n=777", 777),
        ("/empty", 0),
        ("/status/404", 7),
        ("/status/503", 7),
    ],
)
async def test_a_call_is_recorded_as_the_server_saw_it(
    http: Http, server: Loopback, events: list[RawEvent], path: str, size: int
) -> None:
    response = await http.one("GET", server.url + path)
    event = only(events)
    assert wait_until(lambda: server.log[0].complete)
    assert event.response_bytes == size == server.log[0].response_bytes == len(response.content)
    assert event.status_code == server.log[0].status == response.status_code
    assert (event.method, event.host, event.path) == ("GET", "127.0.0.1", path.partition("?")[0])
    assert event.url == server.url + path.partition("?")[0]
    assert event.error == (event.status_code >= 400)
    assert event.attempts == 1
    assert event.request_bytes == 0
    assert event.time_to_headers_ms is not None
    assert 0 < event.time_to_headers_ms <= event.latency_ms


@pytest.mark.parametrize("how", ["iter_bytes", "iter_raw", "iter_lines", "iter_text"])
@pytest.mark.parametrize(
    "path", ["/sse?k=5", "/chunked?n=5000&k=9", "/plain?n=40", "/gzip?n=9000", "/close?n=99"]
)
async def test_a_streamed_body_is_counted_to_its_end(
    http: Http, server: Loopback, events: list[RawEvent], path: str, how: str
) -> None:
    async with http.session() as client:
        response = await http.open(client, server.url + path)
        assert not events
        chunks = await http.chunks(response, how)
        assert chunks
        event = only(events)
        await http.close(response)
    assert wait_until(lambda: server.log[0].complete)
    assert event.response_bytes == server.log[0].response_bytes
    assert event.status_code == 200
    assert len(events) == 1


async def test_compressed_bodies_are_counted_as_received(
    http: Http, server: Loopback, events: list[RawEvent]
) -> None:
    response = await http.one("GET", f"{server.url}/gzip?n=50000")
    assert len(response.content) == 50000
    assert wait_until(lambda: server.log[0].complete)
    assert only(events).response_bytes == server.log[0].response_bytes < 1000


async def test_a_head_request_has_no_body(http: Http, server: Loopback, events: list[RawEvent]) -> None:
    response = await http.one("HEAD", f"{server.url}/plain?n=500")
    assert response.headers["content-length"] == "500"
    assert (only(events).method, only(events).response_bytes) == ("HEAD", 0)


async def test_a_streamed_response_that_is_read_at_once(
    http: Http, server: Loopback, events: list[RawEvent]
) -> None:
    async with http.session() as client:
        response = await http.open(client, f"{server.url}/chunked?n=64")
        assert await http.read(response) == b"c" * 64
        assert only(events).response_bytes == 64
        assert response.num_bytes_downloaded == 64


async def test_elapsed_works_for_streamed_responses(
    http: Http, server: Loopback, events: list[RawEvent]
) -> None:
    async with http.session() as client:
        response = await http.open(client, f"{server.url}/plain")
        with pytest.raises(RuntimeError, match="elapsed"):
            _ = response.elapsed
        await http.read(response)
        assert response.elapsed.total_seconds() > 0
    assert len(events) == 1


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"content": b"x" * 321}, 321),
        ({"json": {"a": 1}}, None),
        ({"data": {"key": "value"}}, 9),
        ({"files": {"f": b"y" * 100}}, None),
        ({}, 0),
    ],
)
async def test_request_bodies_are_sized(
    http: Http, server: Loopback, events: list[RawEvent], options: dict[str, Any], size: Optional[int]
) -> None:
    await http.one("POST", f"{server.url}/plain", **options)
    assert only(events).request_bytes == server.log[0].request_bytes
    assert size is None or size == server.log[0].request_bytes


async def test_generator_bodies_are_counted_while_they_are_sent(
    http: Http, server: Loopback, events: list[RawEvent]
) -> None:
    await http.one("POST", f"{server.url}/plain", content=http.body(b"a" * 10, b"b" * 5000, b"c"))
    assert only(events).request_bytes == server.log[0].request_bytes == 5011


async def test_a_body_of_the_wrong_kind_is_refused_as_ever(http: Http, server: Loopback) -> None:
    other = Http(http.module, is_async=not http.is_async)

    async def failure() -> str:
        with pytest.raises(RuntimeError) as caught:
            await http.one("POST", f"{server.url}/plain", content=other.body(b"x"))
        return str(caught.value)

    bare = await failure()
    recorded: list[RawEvent] = []
    install(recorded.append)
    try:
        assert await failure() == bare
    finally:
        uninstall()


async def test_a_redirect_is_one_call_of_two_attempts(
    http: Http, server: Loopback, events: list[RawEvent]
) -> None:
    async with http.session(follow_redirects=True) as client:
        response = await http.call(
            client, "POST", f"{server.url}/redirect?code=307&to=/plain", content=b"body"
        )
    assert response.status_code == 200
    event = only(events)
    assert (event.path, event.status_code, event.attempts) == ("/redirect", 200, 2)
    assert (event.response_bytes, event.request_bytes) == (100, 4)
    assert len(server.log) == 2


async def test_a_redirect_that_is_not_followed(http: Http, server: Loopback, events: list[RawEvent]) -> None:
    response = await http.one("GET", f"{server.url}/redirect")
    assert response.next_request is not None
    assert (only(events).status_code, only(events).attempts) == (302, 1)


async def test_a_redirect_to_where_nobody_listens_has_no_status(
    http: Http, server: Loopback, events: list[RawEvent]
) -> None:
    async with http.session(follow_redirects=True) as client:
        with pytest.raises(http.module.ConnectError):
            await http.call(client, "GET", f"{server.url}/redirect?to=http://127.0.0.1:{refused_port()}/")
    assert (only(events).status_code, only(events).attempts) == (0, 2)


async def test_too_many_redirects(http: Http, server: Loopback, events: list[RawEvent]) -> None:
    async with http.session(follow_redirects=True, max_redirects=0) as client:
        with pytest.raises(http.module.TooManyRedirects):
            await http.call(client, "GET", f"{server.url}/redirect")
    assert (only(events).attempts, only(events).status_code, len(server.log)) == (1, 302, 1)


async def test_credentials_query_and_fragment_stay_out(
    http: Http, server: Loopback, events: list[RawEvent]
) -> None:
    await http.one("GET", f"http://user:secret@127.0.0.1:{server.port}/plain?token=secret#secret")
    assert "secret" not in repr(only(events))
    assert only(events).url == f"{server.url}/plain"


async def test_hosts_are_ascii_and_lower_case(http: Http, events: list[RawEvent]) -> None:
    async with http.session(transport=http.transport(lambda request: http.module.Response(200))) as client:
        await http.call(client, "GET", "https://BÜCHER.example/a")
        await http.call(client, "GET", "http://[::1]:8080/b")
        await http.call(client, "get", "https://h.example:443")
    assert [event.url for event in events] == [
        "https://xn--bcher-kva.example/a",
        "http://[::1]:8080/b",
        "https://h.example/",
    ]
    assert [event.method for event in events] == ["GET", "GET", "GET"]


async def test_ipv6(http: Http, events: list[RawEvent]) -> None:
    with loopback("::1") as six:
        await http.one("GET", f"{six.url}/plain")
        assert (only(events).host, only(events).url) == ("::1", f"{six.url}/plain")


async def test_a_forward_proxy_is_not_the_target(
    http: Http, server: Loopback, events: list[RawEvent]
) -> None:
    async with http.session(mounts={"all://": _proxy(http, server.url)}) as client:
        await http.call(client, "GET", "http://api.example/v1/x?q=1")
    assert server.log[0].headers["host"] == "api.example"
    assert only(events).url == "http://api.example/v1/x"


def _proxy(http: Http, url: str) -> Any:
    kind = http.module.AsyncHTTPTransport if http.is_async else http.module.HTTPTransport
    return kind(proxy=http.module.Proxy(url))


# Failures


@pytest.mark.parametrize("url", ["not a url", "/relative", "ftp://host/x", "http://", "http://[::1"])
async def test_an_invalid_url_is_not_a_call(http: Http, url: str) -> None:
    async def failure() -> tuple[type, str]:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - any, as long as it is the same
            await http.one("GET", url)
        return type(caught.value), str(caught.value)

    bare = await failure()
    recorded: list[RawEvent] = []
    install(recorded.append)
    try:
        assert await failure() == bare
    finally:
        uninstall()
    assert not recorded


FAILURES: dict[str, tuple[str, dict[str, Any]]] = {
    "refused": ("", {}),
    "reset": ("/reset", {}),
    "truncated": ("/truncate?n=100", {}),
    "timeout": ("/hang", {"timeout": (30, 0.2, 30, 30)}),
    "body timeout": ("/stall", {"timeout": (30, 1, 30, 30)}),
}


@pytest.mark.parametrize("kind", FAILURES)
async def test_failures_are_recorded_once_and_look_the_same(http: Http, server: Loopback, kind: str) -> None:
    path, options = FAILURES[kind]
    url = server.url + path if path else f"http://127.0.0.1:{refused_port()}/plain"

    async def failure() -> tuple[type, str, type, bool]:
        async with http.session(**options) as client:
            with pytest.raises(http.module.TransportError) as caught:
                await http.call(client, "GET", url)
        error = caught.value
        return type(error), str(error), type(error.__cause__), error.__suppress_context__

    bare = await failure()
    recorded: list[RawEvent] = []
    install(recorded.append)
    try:
        assert await failure() == bare
        event = only(recorded)
    finally:
        uninstall()
    headers_came = kind in ("truncated", "body timeout")
    assert event.status_code == (200 if headers_came else 0)
    assert event.error is not headers_came
    assert (event.time_to_headers_ms is not None) is headers_came
    assert event.attempts == 1
    # Not in the midst of the next test:
    assert not path or await asyncio.to_thread(wait_until, lambda: len(server.log) > 1)


async def test_a_streamed_body_that_breaks_off(http: Http, server: Loopback, events: list[RawEvent]) -> None:
    async with http.session() as client:
        response = await http.open(client, f"{server.url}/truncate?n=1000")
        with pytest.raises(http.module.RemoteProtocolError):
            await http.chunks(response, "iter_bytes")
        assert (only(events).status_code, only(events).response_bytes) == (200, 500)


@pytest.mark.parametrize("path", ["/hang", "/stall"])
@pytest.mark.parametrize("http", [f"{name}-async" for name in MODULES], indirect=True)
async def test_cancellation_is_an_outcome(
    http: Http, server: Loopback, events: list[RawEvent], path: str
) -> None:
    async with http.session() as client:
        task = asyncio.create_task(http.call(client, "GET", server.url + path))
        arrived = 50 if path == "/stall" else 0
        assert await asyncio.to_thread(
            wait_until,
            lambda: (
                server.log
                and server.log[0].response_bytes == arrived
                and (path == "/hang" or any(exchange.status for exchange in _exchanges()))
            ),
        )
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert only(events).status_code == (200 if path == "/stall" else 0)


def _exchanges() -> list[Any]:
    return [each for each in gc.get_objects() if type(each) is Exchange and not each.finished]


@pytest.mark.parametrize("http", [f"{name}-async" for name in MODULES], indirect=True)
async def test_a_stream_that_is_cancelled_while_it_is_read(
    http: Http, server: Loopback, events: list[RawEvent]
) -> None:
    async with http.session() as client:
        response = await http.open(client, f"{server.url}/stall?n=100")
        task = asyncio.create_task(http.read(response))
        (exchange,) = unfinished
        assert await asyncio.to_thread(wait_until, lambda: exchange.response_bytes == 50)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (only(events).response_bytes, only(events).status_code) == (50, 200)


# The end of a body


async def test_closing_early_ends_the_call(http: Http, server: Loopback, events: list[RawEvent]) -> None:
    async with http.session() as client:
        response = await http.open(client, f"{server.url}/stall?n=100")
        assert not events
        await http.close(response)
        assert only(events).status_code == 200
        await http.close(response)
    assert len(events) == 1
    assert not unfinished


async def test_breaking_out_of_the_iteration(http: Http, server: Loopback, events: list[RawEvent]) -> None:
    async with http.session() as client:
        if http.is_async:
            async with client.stream("GET", f"{server.url}/sse?k=50") as response:
                async for _ in response.aiter_lines():
                    break
        else:
            with client.stream("GET", f"{server.url}/sse?k=50") as response:
                for _ in response.iter_lines():
                    break
        assert only(events).status_code == 200
        assert 0 < only(events).response_bytes < 50 * 20
    await asyncio.sleep(0)


@pytest.mark.parametrize("http", [f"{name}-sync" for name in MODULES], indirect=True)
async def test_a_response_left_to_the_garbage_collector(
    http: Http, server: Loopback, events: list[RawEvent]
) -> None:
    client = http.client()
    response = await http.open(client, f"{server.url}/plain?n=1000")
    assert len(unfinished) == 1
    del response
    gc.collect()
    assert only(events).status_code == 200
    assert not unfinished
    client.close()


@pytest.mark.parametrize("streamed", [False, True])
async def test_no_response_lives_longer_than_without_recost(
    http: Http, server: Loopback, *, streamed: bool
) -> None:
    async def garbage_left() -> bool:
        async with http.session() as client:
            if streamed:
                response = await http.open(client, f"{server.url}/chunked")
                await http.read(response)
            else:
                response = await http.call(client, "GET", f"{server.url}/chunked")
            alive = weakref.ref(response)
            gc.collect()
            gc.disable()
            try:
                del response
                return alive() is not None
            finally:
                gc.enable()

    bare = await garbage_left()
    install(lambda event: None)
    try:
        assert await garbage_left() == bare
    finally:
        uninstall()


async def test_a_response_is_freed_without_the_collector(server: Loopback, events: list[RawEvent]) -> None:
    httpx2 = pytest.importorskip("httpx2")
    with httpx2.Client(trust_env=False) as client:
        gc.disable()
        try:
            response = client.send(client.build_request("GET", f"{server.url}/chunked"), stream=True)
            stream = weakref.ref(response.stream)
            response.read()
            del response
            assert stream() is None
        finally:
            gc.enable()
    assert len(events) == 1


# Nested and concurrent calls


async def test_a_hundred_calls_at_once(http: Http, server: Loopback, events: list[RawEvent]) -> None:
    async with http.session(timeout=60) as client:
        if http.is_async:
            paths = [f"/chunked?k=1&n={n}" for n in range(1, 101)]
            await asyncio.gather(*(http.call(client, "GET", server.url + path) for path in paths))
        else:
            loop = asyncio.get_running_loop()
            await asyncio.gather(
                *(
                    loop.run_in_executor(None, client.get, f"{server.url}/chunked?k=1&n={n}")
                    for n in range(1, 101)
                )
            )
    assert len(events) == len(server.log) == 100
    assert sum(event.response_bytes for event in events) == 5050


@pytest.mark.parametrize("same_host", [True, False])
@pytest.mark.parametrize("through", ["httpx", "urllib", "same client"])
async def test_what_an_auth_flow_calls_is_a_call_of_its_own(
    http: Http, server: Loopback, events: list[RawEvent], through: str, *, same_host: bool
) -> None:
    with loopback() as other:
        token_url = f"{(server if same_host else other).url}/token"

        class TokenAuth(http.module.Auth):  # type: ignore[misc, name-defined]
            def sync_auth_flow(self, request: Any) -> Iterator[Any]:
                if through == "same client":
                    client.get(token_url, auth=None)
                elif through == "httpx":
                    http.module.get(token_url, trust_env=False)
                else:
                    _urlopen(token_url)
                request.headers["authorization"] = "Bearer t"
                yield request

            async def async_auth_flow(self, request: Any) -> AsyncIterator[Any]:
                if through == "same client":
                    await client.get(token_url, auth=None)
                elif through == "httpx":
                    async with http.session() as fetcher:
                        await fetcher.get(token_url)
                else:
                    _urlopen(token_url)
                request.headers["authorization"] = "Bearer t"
                yield request

        async with http.session(auth=TokenAuth()) as client:
            await http.call(client, "GET", f"{server.url}/data")
    assert [event.path for event in events] == ["/token", "/data"]
    assert [event.attempts for event in events] == [1, 1]
    assert events[1].latency_ms > events[0].latency_ms


def _urlopen(url: str) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url) as response:
        response.read()


async def test_an_auth_round_trip_is_an_attempt(http: Http, server: Loopback, events: list[RawEvent]) -> None:
    class Twice(http.module.Auth):  # type: ignore[misc, name-defined]
        def auth_flow(self, request: Any) -> Iterator[Any]:
            yield request
            yield request

    async with http.session(auth=Twice()) as client:
        await http.call(client, "GET", f"{server.url}/status/401")
    assert (only(events).attempts, len(server.log)) == (2, 2)


@pytest.mark.parametrize("http", [f"{name}-async" for name in MODULES], indirect=True)
async def test_a_task_spawned_inside_a_call_is_not_blinded(
    http: Http, server: Loopback, events: list[RawEvent]
) -> None:
    go = asyncio.Event()
    tasks: list[asyncio.Task[Any]] = []

    async def later() -> None:
        await go.wait()
        await http.one("GET", f"{server.url}/later")
        await asyncio.to_thread(_urlopen, f"{server.url}/later")

    def handler(request: Any) -> Any:
        tasks.append(asyncio.create_task(later()))
        return http.module.Response(200)

    async with http.session(transport=http.transport(handler)) as client:
        await http.call(client, "GET", f"{server.url}/first")
    go.set()
    await asyncio.gather(*tasks)
    assert [event.path for event in events] == ["/first", "/later", "/later"]


async def test_a_transport_that_uses_another_client_for_the_same_target_is_one_call(
    http: Http, server: Loopback, events: list[RawEvent]
) -> None:
    def handler(request: Any) -> Any:
        _urlopen(str(request.url))
        _urlopen(f"{server.url}/telemetry".replace("127.0.0.1", "localhost"))
        return http.module.Response(200, content=b"12345")

    async with http.session(transport=http.transport(handler)) as client:
        await http.call(client, "GET", f"{server.url}/data")
    assert [(event.host, event.path) for event in events] == [
        ("localhost", "/telemetry"),
        ("127.0.0.1", "/data"),
    ]
    assert events[1].response_bytes == 5


# Calls that are not outbound, and mocked ones


async def test_calls_into_the_process_are_not_counted(http: Http, events: list[RawEvent]) -> None:
    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/fails":
            raise LookupError("inside")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})

    def wsgi(environ: Any, start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/fails":
            raise LookupError("inside")
        start_response("200 OK", [])
        return [b"hello"]

    module = http.module
    kind = module.ASGITransport if http.is_async else module.WSGITransport
    derived = type("Derived", (kind,), {})
    for transport in (
        kind(app=asgi if http.is_async else wsgi),
        derived(app=asgi if http.is_async else wsgi),
    ):
        async with http.session(transport=transport) as client:
            assert (await http.call(client, "GET", "http://testserver/")).text == "hello"
            assert await http.read(await http.open(client, "http://testserver/")) == b"hello"
            with pytest.raises(LookupError):
                await http.call(client, "GET", "http://testserver/fails")
    assert not events
    assert not unfinished


def test_starlettes_test_client_is_not_counted(events: list[RawEvent]) -> None:
    testclient = pytest.importorskip("starlette.testclient")
    responses = importlib.import_module("starlette.responses")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await responses.PlainTextResponse("hello")(scope, receive, send)

    assert testclient.TestClient(app).get("/").text == "hello"
    assert not events


async def test_mocked_calls_are_counted(http: Http, events: list[RawEvent]) -> None:
    module = http.module
    answers = {
        "/text": module.Response(200, text="hello"),
        "/none": module.Response(204),
        "/down": module.Response(500, json={"a": 1}),
    }
    async with http.session(
        transport=module.MockTransport(lambda request: answers[request.url.path])
    ) as client:
        for path in answers:
            await http.call(client, "POST", f"https://api.example{path}", content=b"abc")
        await http.read(await http.open(client, "https://api.example/text"))
    assert [(e.path, e.status_code, e.response_bytes, e.request_bytes) for e in events] == [
        ("/text", 200, 5, 3),
        ("/none", 204, 0, 3),
        ("/down", 500, len(answers["/down"].content), 3),
        ("/text", 200, 5, 0),
    ]


async def test_event_hooks_see_what_they_always_see(
    http: Http, server: Loopback, events: list[RawEvent]
) -> None:
    seen: list[Any] = []

    async def hook(message: Any) -> None:
        seen.append(message)

    hooks = {
        "request": [hook if http.is_async else seen.append],
        "response": [hook if http.is_async else seen.append],
    }
    async with http.session(event_hooks=hooks) as client:
        response = await http.call(client, "GET", f"{server.url}/plain")
    assert seen == [response.request, response]
    assert len(events) == 1


async def test_a_callback_that_raises_is_contained(http: Http, server: Loopback) -> None:
    def fails(event: RawEvent) -> None:
        raise ZeroDivisionError

    install(fails)
    try:
        response = await http.one("GET", f"{server.url}/plain")
        assert response.status_code == 200
        async with http.session() as client:
            assert await http.read(await http.open(client, f"{server.url}/chunked")) == b"c" * 100
    finally:
        uninstall()


async def test_a_failure_of_recosts_own_leaves_the_call_alone(
    http: Http, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[BaseException] = []

    def fails() -> bool:
        raise ZeroDivisionError

    interception.add("test", lambda exchange: None, before_call=fails, on_error=errors.append)
    try:
        assert (await http.one("GET", f"{server.url}/plain")).status_code == 200
    finally:
        interception.remove("test")
    # Once where the client begins the call, once where its transport then sees one that nobody has begun.
    assert [type(error) for error in errors] == [ZeroDivisionError] * 2


# Being patched and unpatched


async def test_a_client_made_before_install_is_seen(http: Http, server: Loopback) -> None:
    recorded: list[RawEvent] = []
    async with http.session() as client:
        await http.call(client, "GET", f"{server.url}/before")
        install(recorded.append)
        try:
            await http.call(client, "GET", f"{server.url}/while")
        finally:
            uninstall()
        await http.call(client, "GET", f"{server.url}/after")
    assert [event.path for event in recorded] == ["/while"]


async def test_a_stream_that_outlives_uninstall_goes_on(http: Http, server: Loopback) -> None:
    recorded: list[RawEvent] = []
    install(recorded.append)
    async with http.session() as client:
        try:
            response = await http.open(client, f"{server.url}/chunked?n=64")
        finally:
            uninstall()
        assert await http.read(response) == b"c" * 64
    assert not recorded
    assert not unfinished


def test_the_original_methods_come_back(http: Http) -> None:
    owner = http.module.AsyncClient if http.is_async else http.module.Client
    names = ("send", "_send_single_request")
    before = [owner.__dict__[name] for name in names]
    install(lambda event: None)
    assert all(owner.__dict__[name] is not method for name, method in zip(names, before))
    uninstall()
    assert all(owner.__dict__[name] is method for name, method in zip(names, before))


def _run(code: str) -> str:
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize("name", MODULES)
def test_a_client_imported_after_install_is_patched(server: Loopback, name: str) -> None:
    out = _run(f"""
        import sys
        from recost.interceptors import install
        seen = []
        install(seen.append)
        assert "{name}" not in sys.modules
        import {name}
        {name}.get("{server.url}/plain?n=12", trust_env=False)
        print(len(seen), seen[0].response_bytes)
    """)
    assert out == "1 12"


@pytest.mark.parametrize("order", ["alias first", "install first"])
def test_httpx2_aliased_as_httpx_is_patched_once(server: Loopback, order: str) -> None:
    pytest.importorskip("httpx2")
    first, second = "install(seen.append)", "import httpx2; httpx2.alias_httpx()"
    if order == "alias first":
        first, second = second, first
    out = _run(f"""
        from recost.interceptors import install, interception
        seen = []
        {first}
        {second}
        import httpx, httpx2
        assert httpx.Client is httpx2.Client
        httpx.get("{server.url}/plain", trust_env=False)
        httpx2.get("{server.url}/plain", trust_env=False)
        print(len(seen), interception.broken)
    """)
    assert out == "2 {}"


async def test_no_log_of_the_client_changes(
    http: Http, server: Loopback, events: list[RawEvent], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger=http.module.__name__):
        await http.one("GET", f"{server.url}/plain")
    assert [record.getMessage() for record in caplog.records] == [
        f'HTTP Request: GET {server.url}/plain "HTTP/1.1 200 OK"'
    ]


# A transport that is used by itself, or more than once


async def test_a_transport_without_a_client(http: Http, server: Loopback, events: list[RawEvent]) -> None:
    request = http.module.Request("POST", f"{server.url}/chunked?n=3000", content=b"x" * 50)
    if http.is_async:
        async with http.module.AsyncHTTPTransport() as transport:
            response = await transport.handle_async_request(request)
            body = b"".join([piece async for piece in response.stream])
            await response.stream.aclose()
    else:
        with http.module.HTTPTransport() as transport:
            response = transport.handle_request(request)
            body = b"".join(response.stream)
            response.stream.close()
    assert len(body) == 3000
    event = only(events)
    assert (event.status_code, event.request_bytes, event.response_bytes) == (200, 50, 3000)
    assert event.attempts == len(server.log) == 1


async def test_a_transport_that_sends_again(http: Http, server: Loopback, events: list[RawEvent]) -> None:
    module = http.module

    class Again(module.HTTPTransport):  # type: ignore[misc, name-defined]
        def handle_request(self, request: Any) -> Any:
            super().handle_request(request).close()
            return super().handle_request(request)

    class AsyncAgain(module.AsyncHTTPTransport):  # type: ignore[misc, name-defined]
        async def handle_async_request(self, request: Any) -> Any:
            await (await super().handle_async_request(request)).aclose()
            return await super().handle_async_request(request)

    async with http.session(transport=AsyncAgain() if http.is_async else Again()) as client:
        await http.call(client, "GET", f"{server.url}/plain?n=70")
    event = only(events)
    assert event.attempts == len(server.log) == 2
    assert event.response_bytes == 70


async def test_a_transport_that_leads_elsewhere(http: Http, server: Loopback, events: list[RawEvent]) -> None:
    module = http.module

    class Elsewhere(module.HTTPTransport):  # type: ignore[misc, name-defined]
        def handle_request(self, request: Any) -> Any:
            request.url = module.URL(f"{server.url}/plain")
            return super().handle_request(request)

    class AsyncElsewhere(module.AsyncHTTPTransport):  # type: ignore[misc, name-defined]
        async def handle_async_request(self, request: Any) -> Any:
            request.url = module.URL(f"{server.url}/plain")
            return await super().handle_async_request(request)

    async with http.session(transport=AsyncElsewhere() if http.is_async else Elsewhere()) as client:
        await http.call(client, "GET", "https://api.example/v1")
    event = only(events)
    assert (event.host, event.attempts) == ("api.example", len(server.log) == 1)


# Caches


class Kept:
    """Cache of responses by URL."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}

    def answer(self, module: ModuleType, request: Any) -> Any:
        body = self.bodies.get(str(request.url))
        return None if body is None else module.Response(200, content=body)

    def keep(self, module: ModuleType, request: Any, response: Any, body: bytes) -> Any:
        if response.status_code == 200:
            self.bodies[str(request.url)] = body
        return module.Response(response.status_code, headers=response.headers, content=body)


def derived_cache(http: Http) -> Any:
    """Return a network transport that responds from a cache if it can."""
    module, kept = http.module, Kept()

    class Sync(module.HTTPTransport):  # type: ignore[misc, name-defined]
        def handle_request(self, request: Any) -> Any:
            if (answer := kept.answer(module, request)) is not None:
                return answer
            response = super().handle_request(request)
            return kept.keep(module, request, response, response.read())

    class Async(module.AsyncHTTPTransport):  # type: ignore[misc, name-defined]
        async def handle_async_request(self, request: Any) -> Any:
            if (answer := kept.answer(module, request)) is not None:
                return answer
            response = await super().handle_async_request(request)
            return kept.keep(module, request, response, await response.aread())

    return Async() if http.is_async else Sync()


def wrapping(http: Http, handler: Any, beneath: Any) -> Any:
    """Return a transport that holds another, and closes it."""
    transport = http.transport(handler)
    transport.beneath = beneath
    transport.aclose = getattr(beneath, "aclose", None)
    transport.close = getattr(beneath, "close", None)
    return transport


def wrapping_cache(http: Http) -> Any:
    """Return a transport that responds from a cache if it can, and else by the network's transport."""
    module, kept = http.module, Kept()
    network = module.AsyncHTTPTransport() if http.is_async else module.HTTPTransport()

    def handle(request: Any) -> Any:
        if (answer := kept.answer(module, request)) is not None:
            return answer
        if http.is_async:
            return handle_async(request)
        response = network.handle_request(request)
        return kept.keep(module, request, response, response.read())

    async def handle_async(request: Any) -> Any:
        response = await network.handle_async_request(request)
        return kept.keep(module, request, response, await response.aread())

    return wrapping(http, handle, network)


def wrapped_twice(http: Http) -> Any:
    """Return a transport that hands everything on to a cache."""
    cache = wrapping_cache(http)
    return wrapping(
        http, getattr(cache, "handle_async_request" if http.is_async else "handle_request"), cache
    )


@pytest.mark.parametrize("cache", [derived_cache, wrapping_cache, wrapped_twice])
async def test_responses_from_a_cache_are_not_counted(
    http: Http, server: Loopback, events: list[RawEvent], cache: Any
) -> None:
    transport = cache(http)
    async with http.session(transport=transport, follow_redirects=True) as client:
        for _ in range(5):
            response = await http.call(client, "GET", f"{server.url}/plain?n=70")
            assert len(response.content) == 70
        streamed = await http.open(client, f"{server.url}/plain?n=70")
        assert len(await http.read(streamed)) == 70
        assert len(events) == len(server.log) == 1
        # The redirect is sent, its target is in the cache.
        await http.call(client, "GET", f"{server.url}/redirect?to=/plain?n=70")
    assert [event.attempts for event in events] == [1, 1]
    assert len(server.log) == 2
    assert not unfinished


async def test_a_mock_of_the_network_beneath_a_cache_is_counted(
    http: Http, events: list[RawEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = http.module

    async def answered(transport: Any, request: Any) -> Any:
        return module.Response(200, text="mocked")

    def answered_at_once(transport: Any, request: Any) -> Any:
        return module.Response(200, text="mocked")

    monkeypatch.setattr(module.AsyncHTTPTransport, "handle_async_request", answered)
    monkeypatch.setattr(module.HTTPTransport, "handle_request", answered_at_once)
    async with http.session(transport=wrapping_cache(http)) as client:
        assert (await http.call(client, "GET", "https://api.example/")).text == "mocked"
    assert only(events).host == "api.example"


async def test_a_transport_that_sends_with_another_client_is_counted(
    http: Http, server: Loopback, events: list[RawEvent]
) -> None:
    def handle(request: Any) -> Any:
        with urllib.request.urlopen(str(request.url)) as answer:
            return http.module.Response(200, content=answer.read())

    fallback = http.module.AsyncHTTPTransport() if http.is_async else http.module.HTTPTransport()
    transport = wrapping(http, handle, fallback)
    async with http.session(transport=transport) as client:
        assert len((await http.call(client, "GET", f"{server.url}/plain?n=70")).content) == 70
    assert only(events).attempts == len(server.log) == 1


@pytest.mark.skipif(not importlib.util.find_spec("hishel"), reason="hishel is not installed")
def test_hishel(server: Loopback, events: list[RawEvent], tmp_path: Path) -> None:
    hishel = importlib.import_module("hishel")
    clients = importlib.import_module("hishel.httpx")
    storage = hishel.SqliteStorage(database_path=str(tmp_path / "cache.db"))
    with closing(storage), clients.CacheClient(storage=storage, trust_env=False) as client:
        for _ in range(5):
            assert len(client.get(f"{server.url}/plain?n=70").content) == 70
    assert len(events) == len(server.log) == 1


@pytest.mark.parametrize("url", ["ftp://127.0.0.1:21/x", "ftp://127.0.0.1/x", "unknown://h:99/x"])
async def test_what_is_not_http_is_not_recorded(http: Http, events: list[RawEvent], url: str) -> None:
    with pytest.raises(Exception, match=r"(?i)protocol"):
        await http.one("GET", url)
    assert events == []


@pytest.mark.parametrize("name", MODULES)
def test_a_call_that_is_resumed_in_another_context_is_recorded(name: str, events: list[RawEvent]) -> None:
    """The token of the context that the call began in is of no use there."""
    module = importlib.import_module(name)

    class Transport(module.AsyncBaseTransport):  # type: ignore[misc, name-defined]
        async def handle_async_request(self, _: Any) -> Any:
            await _Suspended()
            return module.Response(200, content=b"abc", extensions={"http_version": b"HTTP/1.1"})

    call = module.AsyncClient(transport=Transport()).get("http://api.example.com/v1/x").__await__()
    first, second = copy_context(), copy_context()
    first.run(next, call)
    with pytest.raises(StopIteration) as returned:
        second.run(next, call)
    assert returned.value.value.status_code == 200
    assert [(event.status_code, event.response_bytes, event.attempts) for event in events] == [(200, 3, 1)]
    assert second.run(current.get) is None


class _Suspended:
    def __await__(self) -> Any:
        yield
