"""aiohttp: what is recorded is what the server saw, and the caller sees no difference."""

from __future__ import annotations

import asyncio
import gc
import gzip
import io
import subprocess
import sys
import textwrap
import threading
import urllib.request
import weakref
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from typing import Any, Callable, Optional
from unittest import mock

import pytest

from recost.events import RawEvent
from recost.interceptors import install, interception, uninstall
from recost.interceptors.exchange import unfinished
from tests.loopback import Loopback, loopback, refused_port, wait_until

aiohttp = pytest.importorskip("aiohttp")
pytest.importorskip("aiohttp.web")

VERSION = tuple(int(part) for part in aiohttp.__version__.split(".")[:2])


@pytest.fixture
async def session() -> AsyncIterator[Any]:
    async with aiohttp.ClientSession() as session:
        yield session


def only(events: list[RawEvent]) -> RawEvent:
    assert len(events) == 1, events
    return events[0]


async def same_with_and_without(
    attempt: Callable[[], Awaitable[tuple[Any, ...]]],
) -> tuple[tuple[Any, ...], list[RawEvent]]:
    """Return what an attempt gave, having checked that recost makes no difference, and what was recorded."""
    bare = await attempt()
    recorded: list[RawEvent] = []
    install(recorded.append)
    try:
        assert await attempt() == bare
    finally:
        uninstall()
    return bare, recorded


# What is recorded


async def test_a_response_whose_body_is_a_mock_has_no_size(session: Any, events: list[RawEvent]) -> None:
    """Mock a response in the way of aiohttp's own tests."""
    message = mock.MagicMock(code=200)
    connection = mock.Mock(connected=True, closed=None, _drain_helper=mock.AsyncMock())
    connection.read = mock.AsyncMock(return_value=(message, mock.Mock()))
    connection.transport.is_closing.return_value = False

    async def connect(*_: object) -> Any:
        return connection

    with mock.patch.object(session.connector, "_create_connection", connect):
        (await session.get("http://mocked.example/")).close()
    assert (only(events).host, only(events).response_bytes) == ("mocked.example", 0)


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("/plain?n=1234", 1234),
        ("/plain?n=0", 0),
        ("/plain?n=3000000", 3000000),
        ("/chunked?n=1000&k=7", 1000),
        ("/close?n=777", 777),
        ("/empty", 0),
        ("/status/404", 7),
        ("/status/503", 7),
    ],
)
async def test_a_call_is_recorded_as_the_server_saw_it(
    session: Any, server: Loopback, events: list[RawEvent], path: str, size: int
) -> None:
    async with session.get(server.url + path) as response:
        assert len(await response.read()) == size
    event = only(events)
    assert wait_until(lambda: server.log[0].complete)
    assert event.response_bytes == size == server.log[0].response_bytes
    assert event.status_code == server.log[0].status == response.status
    assert (event.method, event.host, event.path) == ("GET", "127.0.0.1", path.partition("?")[0])
    assert event.url == server.url + path.partition("?")[0]
    assert event.error == (event.status_code >= 400)
    assert (event.attempts, event.request_bytes) == (1, 0)
    assert event.time_to_headers_ms is not None
    assert 0 < event.time_to_headers_ms <= event.latency_ms
    assert not unfinished


@pytest.mark.parametrize("how", ["iter_any", "iter_chunks", "lines", "iter_chunked", "readexactly"])
@pytest.mark.parametrize("path", ["/sse?k=9", "/chunked?n=5000&k=9", "/plain?n=40", "/close?n=99"])
async def test_a_streamed_body_is_counted_to_its_end(
    session: Any, server: Loopback, events: list[RawEvent], path: str, how: str
) -> None:
    async with session.get(server.url + path) as response:
        content = response.content
        if how == "readexactly":
            with pytest.raises(asyncio.IncompleteReadError):
                await content.readexactly(10**6)
        else:
            chunks = {
                "iter_any": content.iter_any,
                "iter_chunks": content.iter_chunks,
                "lines": lambda: content,
                "iter_chunked": lambda: content.iter_chunked(7),
            }[how]()
            assert [chunk async for chunk in chunks]
        event = only(events)
    assert wait_until(lambda: server.log[0].complete)
    assert event.response_bytes == server.log[0].response_bytes
    assert len(events) == 1


async def test_the_call_ends_with_the_body_not_with_the_headers(
    session: Any, server: Loopback, events: list[RawEvent]
) -> None:
    async with session.get(f"{server.url}/stall?n=100") as response:
        await response.content.readexactly(50)
        assert not events
        server.release.set()
        await response.read()
        assert only(events).response_bytes == 100


@pytest.mark.parametrize("size", [0, 10, 50_000, 5_000_000])
@pytest.mark.parametrize("streamed", [False, True])
async def test_compressed_bodies_are_counted_as_received(
    session: Any, server: Loopback, events: list[RawEvent], size: int, *, streamed: bool
) -> None:
    async with session.get(f"{server.url}/gzip?n={size}") as response:
        if streamed:
            total = 0
            async for chunk in response.content.iter_chunked(1000):
                total += len(chunk)
        else:
            total = len(await response.read())
    assert total == size
    assert wait_until(lambda: server.log[0].complete)
    assert only(events).response_bytes == server.log[0].response_bytes


async def test_a_compressed_body_in_chunks(session: Any, events: list[RawEvent]) -> None:
    data = gzip.compress(b"z" * 100_000)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
            b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for part in (data[:20], data[20:]):
            writer.write(b"%x\r\n%s\r\n" % (len(part), part))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    for _ in range(2):
        async with session.get(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/") as response:
            assert len(await response.read()) == 100_000
            assert response.content.total_bytes == 100_000
    listener.close()
    assert [event.response_bytes for event in events] == [len(data)] * 2


async def test_compressed_bodies_that_are_left_compressed(server: Loopback, events: list[RawEvent]) -> None:
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.get(f"{server.url}/gzip") as response,
    ):
        received = len(await response.read())
    assert wait_until(lambda: server.log[0].complete)
    assert received == only(events).response_bytes == server.log[0].response_bytes


async def test_a_head_request_has_no_body(session: Any, server: Loopback, events: list[RawEvent]) -> None:
    async with session.head(f"{server.url}/plain?n=500") as response:
        assert response.headers["content-length"] == "500"
    assert (only(events).method, only(events).response_bytes) == ("HEAD", 0)


async def test_await_in_place_of_a_context_manager(
    session: Any, server: Loopback, events: list[RawEvent]
) -> None:
    response = await session.get(f"{server.url}/chunked?n=64")
    assert await response.read() == b"c" * 64
    assert only(events).response_bytes == 64


async def test_aiohttp_request(server: Loopback, events: list[RawEvent]) -> None:
    async with aiohttp.request("get", f"{server.url}/plain") as response:
        await response.read()
    assert (only(events).method, only(events).response_bytes) == ("GET", 100)


async def test_raise_for_status_tells_the_status(
    session: Any, server: Loopback, events: list[RawEvent]
) -> None:
    async def refuses(response: Any) -> None:
        raise LookupError(response.status)

    with pytest.raises(aiohttp.ClientResponseError):
        await session.get(f"{server.url}/status/404", raise_for_status=True)
    with pytest.raises(LookupError):
        await session.head(
            f"{server.url}/status/503", raise_for_status=refuses
        )  # the early versions leak a body
    with pytest.raises(aiohttp.ClientResponseError):
        async with session.get(f"{server.url}/status/500") as response:
            response.raise_for_status()
    assert [event.status_code for event in events] == [404, 503, 500]
    assert all(event.error and event.time_to_headers_ms is not None for event in events)


# Requests


def _form() -> Any:
    form = aiohttp.FormData()
    form.add_field("file", b"y" * 100, filename="f.bin")
    return form


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"data": b"x" * 321}, 321),
        ({"data": "text"}, 4),
        ({"data": io.BytesIO(b"z" * 50)}, 50),
        ({"json": {"a": 1}}, None),
        ({"data": {"key": "value"}}, 9),
        ({"form": True}, None),
        ({}, 0),
    ],
)
async def test_request_bodies_are_sized(
    session: Any, server: Loopback, events: list[RawEvent], options: dict[str, Any], size: Optional[int]
) -> None:
    if options.pop("form", False):
        options["data"] = _form()
    async with session.post(f"{server.url}/plain", **options) as response:
        await response.read()
    assert only(events).request_bytes == server.log[0].request_bytes
    assert size is None or size == server.log[0].request_bytes


async def _chunks() -> AsyncIterator[bytes]:
    yield b"a" * 10
    yield b"b" * 5000
    yield b"c"


class _Iterable:
    def __aiter__(self) -> AsyncIterator[bytes]:
        return _chunks()


@pytest.mark.parametrize("make", [_chunks, _Iterable])
async def test_bodies_without_a_length_are_counted_while_they_are_sent(
    session: Any, server: Loopback, events: list[RawEvent], make: Callable[[], Any]
) -> None:
    async with session.post(f"{server.url}/plain", data=make()) as response:
        await response.read()
        assert response.request_info.headers["Transfer-Encoding"] == "chunked"
        assert response.request_info.headers["Content-Type"] == "application/octet-stream"
    assert only(events).request_bytes == server.log[0].request_bytes == 5011


async def test_what_stands_in_for_the_client_can_iterate_over_the_body(events: list[RawEvent]) -> None:
    taken: list[bytes] = []

    async def request(_session: Any, _method: str, _url: str, *, data: Any, **_options: Any) -> Any:
        taken.extend([chunk async for chunk in data])
        raise aiohttp.ClientConnectionError("no server")

    original = aiohttp.ClientSession._request
    uninstall()
    aiohttp.ClientSession._request = request
    install(events.append)
    try:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectionError):
                await session.post("http://nowhere.example/", data=_chunks())
    finally:
        uninstall()
        aiohttp.ClientSession._request = original
    assert b"".join(taken) == b"a" * 10 + b"b" * 5000 + b"c"
    assert only(events).request_bytes == 5011


async def test_one_response_sent_on_as_the_next_request(
    session: Any, server: Loopback, events: list[RawEvent]
) -> None:
    source = await session.get(f"{server.url}/chunked?n=3000")
    async with session.post(f"{server.url}/plain", data=source.content) as response:
        await response.read()
    assert [event.request_bytes for event in events] == [0, 3000]
    assert server.log[1].request_bytes == 3000


async def test_a_redirect_is_one_call_of_two_attempts(
    session: Any, server: Loopback, events: list[RawEvent]
) -> None:
    async with session.post(f"{server.url}/redirect?code=307&to=/plain", data=b"body") as response:
        await response.read()
        assert len(response.history) == 1
    event = only(events)
    assert (event.path, event.status_code, event.attempts) == ("/redirect", 200, 2)
    assert (event.response_bytes, event.request_bytes) == (100, 4)
    assert len(server.log) == 2


async def test_redirects_that_lead_nowhere(session: Any, server: Loopback, events: list[RawEvent]) -> None:
    async with session.get(f"{server.url}/redirect", allow_redirects=False) as response:
        await response.read()
    with pytest.raises(aiohttp.TooManyRedirects):
        await session.get(f"{server.url}/redirect", max_redirects=1)
    with pytest.raises(aiohttp.ClientConnectorError):
        await session.get(f"{server.url}/redirect?to=http://127.0.0.1:{refused_port()}/")
    with pytest.raises((aiohttp.ClientError, ValueError)):
        await session.get(f"{server.url}/redirect?to=ftp://elsewhere/")
    assert [event.status_code for event in events] == [302, 302, 0, 302]
    assert [event.attempts for event in events] == [1, 1, 1, 1]


@pytest.mark.skipif(VERSION < (3, 10), reason="retries of stale connections came with 3.10")
async def test_a_reconnect_on_a_stale_connection_is_an_attempt(session: Any, events: list[RawEvent]) -> None:
    answers = [True, False, True]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                if not answers.pop(0):
                    break
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"
    for _ in range(2):
        async with session.get(url) as response:
            assert await response.read() == b"ok"
    listener.close()
    assert [event.attempts for event in events] == [1, 2]


@pytest.mark.parametrize(
    ("base", "given", "expected"),
    [
        (None, "http://user:secret@{host}/plain?token=secret#secret", "/plain"),
        (None, "http://{host}", "/"),
        (None, "http://{host}/a b/%7Euser/ü", "/a%20b/~user/%C3%BC"),
        ("http://{host}/", "/v1/x?key=secret", "/v1/x"),
        (None, "HTTP://{host}/x/../y", "/y"),
    ],
)
@pytest.mark.parametrize("parsed", [False, True])
async def test_urls(
    server: Loopback, events: list[RawEvent], base: Optional[str], given: str, expected: str, *, parsed: bool
) -> None:
    host = f"127.0.0.1:{server.port}"
    url: Any = given.format(host=host)
    async with (
        aiohttp.ClientSession(base and base.format(host=host)) as session,
        session.get(aiohttp.client.URL(url) if parsed else url, params={"key": "secret"}) as response,
    ):
        await response.read()
    assert only(events).url == server.url + expected
    assert server.log[0].path == expected
    assert "secret" not in repr(events)


class _Resolver(aiohttp.abc.AbstractResolver):  # type: ignore[misc, name-defined]
    """Finds every name on loopback."""

    def __init__(self, port: int) -> None:
        self.asked: list[str] = []
        self._port = port

    async def resolve(self, host: str, port: int = 0, family: int = 2) -> list[Any]:
        self.asked.append(host)
        return [
            {"hostname": host, "host": "127.0.0.1", "port": self._port, "family": 2, "proto": 0, "flags": 0}
        ]

    async def close(self) -> None:
        """Nothing is held."""


async def test_hosts_are_ascii_and_lower_case(server: Loopback, events: list[RawEvent]) -> None:
    resolver = _Resolver(server.port)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=resolver)) as session:
        for url in ("http://BÜCHER.example/a", "http://API.example:80/b", "http://api.example:81/c"):
            async with session.get(url) as response:
                await response.read()
    assert [event.url for event in events] == [
        "http://xn--bcher-kva.example/a",
        "http://api.example/b",
        "http://api.example:81/c",
    ]
    assert [event.host for event in events] == resolver.asked


async def test_ipv6(session: Any, events: list[RawEvent]) -> None:
    with loopback("::1") as six:
        async with session.get(f"{six.url}/plain") as response:
            await response.read()
        assert (only(events).host, only(events).url) == ("::1", f"{six.url}/plain")


async def test_a_forward_proxy_is_not_the_target(
    session: Any, server: Loopback, events: list[RawEvent]
) -> None:
    async with session.get("http://api.example/v1/x?q=1", proxy=server.url) as response:
        await response.read()
    assert server.log[0].headers["host"] == "api.example"
    assert only(events).url == "http://api.example/v1/x"


async def test_a_proxy_that_refuses_the_tunnel_is_not_a_response(
    session: Any, server: Loopback, events: list[RawEvent]
) -> None:
    with pytest.raises(aiohttp.ClientHttpProxyError):
        await session.get("https://api.example/v1/x", proxy=f"{server.url}/")
    assert (only(events).url, only(events).status_code) == ("https://api.example/v1/x", 0)


# Failures


@pytest.mark.parametrize(
    "url", ["not a url", "/relative", "ftp://host/x", "http://", "http://[::1", "http:///x", None, 7]
)
async def test_an_invalid_url_is_not_a_call(session: Any, url: Any) -> None:
    async def attempt() -> tuple[Any, ...]:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - any, as long as it is the same
            await session.get(url)
        return type(caught.value), str(caught.value)

    _, recorded = await same_with_and_without(attempt)
    assert not recorded


FAILURES: dict[str, tuple[str, dict[str, Any], int]] = {
    "refused": ("", {}, 0),
    "reset": ("/reset", {}, 0),
    "timeout": ("/hang", {"timeout": 0.5}, 0),
    "socket timeout": ("/hang", {"timeout": 0.1, "sock": True}, 0),
    "truncated": ("/truncate?n=100", {}, 200),
    "body timeout": ("/stall", {"timeout": 1.0}, 200),  # the headers have to come first
    "body socket timeout": ("/stall", {"timeout": 1.0, "sock": True}, 200),
}


async def _in_context(call: Any) -> None:
    async with call as response:
        await response.read()


async def _awaited(call: Any) -> None:
    response = await call
    await response.read()


@pytest.mark.parametrize("kind", FAILURES)
@pytest.mark.parametrize("in_context", [True, False])
async def test_failures_are_recorded_once_and_look_the_same(
    session: Any, server: Loopback, kind: str, *, in_context: bool
) -> None:
    path, options, status = FAILURES[kind]
    url = server.url + path if path else f"http://127.0.0.1:{refused_port()}/plain"
    seconds = options.get("timeout", 10)
    timeout = aiohttp.ClientTimeout(**{"sock_read" if "sock" in options else "total": seconds})

    async def attempt() -> tuple[Any, ...]:
        with pytest.raises((aiohttp.ClientError, asyncio.TimeoutError)) as caught:
            await (_in_context if in_context else _awaited)(session.get(url, timeout=timeout))
        error = caught.value
        return type(error), str(error), type(error.__cause__), error.__suppress_context__

    _, recorded = await same_with_and_without(attempt)
    event = only(recorded)
    assert (event.status_code, event.response_bytes) == (status, 50 if status else 0)
    assert event.error is (status == 0)
    assert (event.time_to_headers_ms is not None) is (status == 200)
    assert not unfinished
    # Not in the midst of the next test:
    assert not path or await asyncio.to_thread(wait_until, lambda: len(server.log) > 1)


@pytest.mark.parametrize("path", ["/hang", "/stall"])
async def test_cancellation_is_an_outcome(
    session: Any, server: Loopback, events: list[RawEvent], path: str
) -> None:
    answered = threading.Event()

    async def call() -> None:
        async with session.get(server.url + path) as response:
            answered.set()
            await response.read()

    task = asyncio.create_task(call())
    begun = answered.is_set if path == "/stall" else lambda: bool(server.log)
    assert await asyncio.to_thread(wait_until, begun)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert only(events).status_code == (200 if path == "/stall" else 0)


async def test_a_session_that_is_closed(server: Loopback) -> None:
    session = aiohttp.ClientSession()
    await session.close()

    async def attempt() -> tuple[Any, ...]:
        with pytest.raises(RuntimeError) as caught:
            await session.get(f"{server.url}/plain")
        return (str(caught.value),)

    await same_with_and_without(attempt)


# The end of a body


async def test_leaving_early_ends_the_call(session: Any, server: Loopback, events: list[RawEvent]) -> None:
    async with session.get(f"{server.url}/stall?n=100") as response:
        assert await response.content.readexactly(10)
        assert not events
    assert only(events).status_code == 200
    assert not unfinished


@pytest.mark.parametrize("method", ["close", "release"])
async def test_closing_early_ends_the_call(
    session: Any, server: Loopback, events: list[RawEvent], method: str
) -> None:
    response = await session.get(f"{server.url}/stall?n=100")
    assert not events
    getattr(response, method)()
    assert (only(events).status_code, only(events).response_bytes) in [(200, 0), (200, 50)]
    getattr(response, method)()
    response.close()
    assert len(events) == 1


async def test_breaking_out_of_the_iteration(session: Any, server: Loopback, events: list[RawEvent]) -> None:
    async with session.get(f"{server.url}/sse?k=50") as response:
        async for _ in response.content:
            break
    assert only(events).status_code == 200
    assert 0 < only(events).response_bytes < 50 * 20


async def test_an_exception_in_the_readers_block(
    session: Any, server: Loopback, events: list[RawEvent]
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with session.get(f"{server.url}/stall"):
            raise ZeroDivisionError
    assert only(events).status_code == 200


async def test_a_response_left_to_the_garbage_collector(server: Loopback, events: list[RawEvent]) -> None:
    async with aiohttp.ClientSession() as session:
        await session.get(f"{server.url}/stall?n=100")
        gc.collect()
    # aiohttp itself keeps an unread response until its connection is gone.
    await asyncio.sleep(0)
    gc.collect()
    assert only(events).status_code == 200
    assert not unfinished


async def test_a_leaked_response_whose_body_arrives(
    session: Any, server: Loopback, events: list[RawEvent]
) -> None:
    await session.get(f"{server.url}/stall?n=100")
    assert not events
    server.release.set()
    assert await asyncio.to_thread(wait_until, lambda: events)
    assert (only(events).status_code, only(events).response_bytes) == (200, 100)


@pytest.mark.parametrize("path", ["/chunked", "/stall"])
async def test_no_response_lives_longer_than_without_recost(
    session: Any, server: Loopback, path: str
) -> None:
    async def attempt() -> tuple[Any, ...]:
        async with session.get(server.url + path) as response:
            if path == "/chunked":
                await response.read()
        alive, content = weakref.ref(response), response.content
        gc.collect()
        gc.disable()
        try:
            del response
            referrers = [
                each for each in gc.get_referrers(content) if type(each).__module__.startswith("recost")
            ]
            return alive() is None, len(referrers)
        finally:
            gc.enable()

    result, _ = await same_with_and_without(attempt)
    assert result == (True, 0)


# Nested and concurrent calls


async def test_a_hundred_calls_at_once(server: Loopback, events: list[RawEvent]) -> None:
    async def call(session: Any, n: int) -> None:
        async with session.get(f"{server.url}/chunked?k=1&n={n}") as response:
            await response.read()

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(call(session, n) for n in range(1, 101)))
    assert len(events) == len(server.log) == 100
    assert sum(event.response_bytes for event in events) == 5050
    assert not unfinished


async def test_a_web_socket_is_one_call_that_ends_with_the_handshake(
    session: Any, events: list[RawEvent]
) -> None:
    async def handle(request: Any) -> Any:
        socket = aiohttp.web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(message.data)
        return socket

    async with _application(handle) as port:
        async with session.ws_connect(f"ws://127.0.0.1:{port}/chat?key=secret") as socket:
            assert only(events).status_code == 101
            await socket.send_str("hello")
            assert (await socket.receive()).data == "hello"
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(f"ws://127.0.0.1:{port}/missing")
    assert [(event.url, event.status_code) for event in events] == [
        (f"ws://127.0.0.1:{port}/chat", 101),
        (f"ws://127.0.0.1:{port}/missing", 404),
    ]
    assert not unfinished


class _application:  # noqa: N801 - reads as a function
    def __init__(self, handle: Any) -> None:
        application = aiohttp.web.Application()
        application.router.add_get("/chat", handle)
        self._runner = aiohttp.web.AppRunner(application)

    async def __aenter__(self) -> int:
        await self._runner.setup()
        site = aiohttp.web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port: int = self._runner.addresses[0][1]
        return port

    async def __aexit__(self, *error: object) -> None:
        await self._runner.cleanup()


def _urlopen(url: str) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url) as response:
        response.read()


@pytest.mark.skipif(VERSION < (3, 12), reason="middlewares came with 3.12")
@pytest.mark.parametrize("same_host", [True, False])
@pytest.mark.parametrize("through", ["aiohttp", "urllib", "httpx"])
async def test_what_a_middleware_calls_is_a_call_of_its_own(
    server: Loopback, events: list[RawEvent], through: str, *, same_host: bool
) -> None:
    with loopback() as other:
        token_url = f"{(server if same_host else other).url}/token"

        async def authorised(request: Any, handler: Any) -> Any:
            if through == "urllib":
                _urlopen(token_url)
            elif through == "httpx":
                httpx = pytest.importorskip("httpx")
                async with httpx.AsyncClient(trust_env=False) as client:
                    await client.get(token_url)
            else:
                async with aiohttp.ClientSession() as fetcher, fetcher.get(token_url) as response:
                    await response.read()
            return await handler(request)

        async with (
            aiohttp.ClientSession(middlewares=[authorised]) as session,
            session.get(f"{server.url}/data") as response,
        ):
            await response.read()
    assert [event.path for event in events] == ["/token", "/data"]
    assert [event.attempts for event in events] == [1, 1]


@pytest.mark.skipif(VERSION < (3, 12), reason="middlewares came with 3.12")
async def test_what_a_middleware_sends_again_is_an_attempt(server: Loopback, events: list[RawEvent]) -> None:
    async def again(request: Any, handler: Any) -> Any:
        response = await handler(request)
        response.release()
        return await handler(request)

    async with (
        aiohttp.ClientSession(middlewares=[again]) as session,
        session.get(f"{server.url}/status/401") as response,
    ):
        await response.read()
    assert (only(events).attempts, len(server.log)) == (2, 2)


async def test_httpx_over_aiohttp_is_one_call(server: Loopback, session: Any, events: list[RawEvent]) -> None:
    httpx = pytest.importorskip("httpx")

    class Transport(httpx.AsyncBaseTransport):  # type: ignore[misc, name-defined]
        async def handle_async_request(self, request: Any) -> Any:
            async with session.get(str(request.url)) as response:
                return httpx.Response(response.status, content=await response.read())

    async with httpx.AsyncClient(transport=Transport()) as client:
        await client.get(f"{server.url}/plain?n=321")
    assert (only(events).response_bytes, only(events).path) == (321, "/plain")


@pytest.mark.skipif(VERSION < (3, 12), reason="middlewares came with 3.12")
async def test_a_task_spawned_inside_a_call_is_not_blinded(server: Loopback, events: list[RawEvent]) -> None:
    go = asyncio.Event()
    tasks: list[asyncio.Task[None]] = []

    async def later() -> None:
        await go.wait()
        async with aiohttp.ClientSession() as session, session.get(f"{server.url}/later") as response:
            await response.read()

    async def spawning(request: Any, handler: Any) -> Any:
        tasks.append(asyncio.create_task(later()))
        return await handler(request)

    async with (
        aiohttp.ClientSession(middlewares=[spawning]) as session,
        session.get(f"{server.url}/first") as response,
    ):
        await response.read()
    go.set()
    await asyncio.gather(*tasks)
    assert [event.path for event in events] == ["/first", "/later"]
    assert events[0].attempts == 1


async def test_traces_see_what_they_always_see(server: Loopback, events: list[RawEvent]) -> None:
    seen: list[tuple[str, str]] = []

    async def ended(session: Any, context: Any, params: Any) -> None:
        seen.append((params.method, str(params.url)))

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(ended)
    async with (
        aiohttp.ClientSession(trace_configs=[trace]) as session,
        session.get(f"{server.url}/plain") as response,
    ):
        await response.read()
    assert seen == [("GET", f"{server.url}/plain")]
    assert len(events) == 1


# Being patched and unpatched


async def test_a_callback_that_raises_is_contained(session: Any, server: Loopback) -> None:
    def fails(event: RawEvent) -> None:
        raise ZeroDivisionError

    install(fails)
    try:
        async with session.get(f"{server.url}/chunked") as response:
            assert await response.read() == b"c" * 100
    finally:
        uninstall()


async def test_a_failure_of_recosts_own_leaves_the_call_alone(session: Any, server: Loopback) -> None:
    errors: list[BaseException] = []

    def fails() -> bool:
        raise ZeroDivisionError

    interception.add("test", lambda exchange: None, before_call=fails, on_error=errors.append)
    try:
        async with session.get(f"{server.url}/plain") as response:
            assert response.status == 200
    finally:
        interception.remove("test")
    assert [type(error) for error in errors] == [ZeroDivisionError]


async def test_a_session_made_before_install_is_seen(session: Any, server: Loopback) -> None:
    async def get(path: str) -> None:
        async with session.get(server.url + path) as response:
            await response.read()

    recorded: list[RawEvent] = []
    await get("/before")
    install(recorded.append)
    try:
        await get("/while")
    finally:
        uninstall()
    await get("/after")
    assert [event.path for event in recorded] == ["/while"]


def test_the_original_methods_come_back() -> None:
    patched = [(aiohttp.ClientSession, "_request"), (aiohttp.ClientResponse, "__init__")]
    before = [owner.__dict__[name] for owner, name in patched]
    install(lambda event: None)
    assert all(owner.__dict__[name] is not method for (owner, name), method in zip(patched, before))
    uninstall()
    assert all(owner.__dict__[name] is method for (owner, name), method in zip(patched, before))


def test_aiohttp_imported_after_install_is_patched(server: Loopback) -> None:
    code = f"""
        import asyncio, sys
        from recost.interceptors import install
        seen = []
        install(seen.append)
        assert "aiohttp" not in sys.modules
        import aiohttp
        async def main():
            async with aiohttp.ClientSession() as session, session.get("{server.url}/plain?n=12") as response:
                await response.read()
        asyncio.run(main())
        print(len(seen), seen[0].response_bytes)
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.stdout.strip() == "1 12", result.stderr


async def test_a_call_that_nobody_awaits_is_named_as_ever(
    session: Any, server: Loopback, events: list[RawEvent]
) -> None:
    with pytest.warns(RuntimeWarning, match=r"coroutine 'ClientSession._request' was never awaited"):
        del session.get(f"{server.url}/plain")._coro
    assert not events
