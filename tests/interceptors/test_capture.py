"""Captured responses: the same with every client, for any pieces, within 64 KB."""

from __future__ import annotations

import asyncio
import gzip
import importlib
import json
import random
import tracemalloc
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recost.captured import CapturedResponse
from recost.decompression import Decompressor
from recost.interceptors import interception
from recost.interceptors.capture import LIMIT, Capture, WholeCapture
from recost.interceptors.exchange import Exchange, Unrouted, Wanted
from recost.interceptors.targets import Target
from tests.exchanges import no_room
from tests.loopback import Loopback

PATHS = (
    "/plain?n=2000",
    "/chunked?n=5000",
    "/sse",
    "/gzip?n=5000",
    "/empty",
    "/plain?n=300000",
    "/close?n=3000",
)


def wanted(target: Target) -> Unrouted:
    return Unrouted(None if target[1] == "/unmetered" else Wanted(("date", "x-absent")))


@pytest.fixture
def ended() -> Iterator[list[Exchange]]:
    found: list[Exchange] = []
    interception.add("test", found.append, metered=wanted)
    yield found
    interception.remove("test")


def _with_httpx(url: str) -> bytes:
    import httpx

    with httpx.Client(trust_env=False) as client:
        return client.get(url).content


def _with_httpx_stream(url: str) -> bytes:
    import httpx

    with httpx.Client(trust_env=False) as client, client.stream("GET", url) as response:
        return b"".join(response.iter_bytes())


def _with_httpx2_async(url: str) -> bytes:
    httpx2: Any = pytest.importorskip("httpx2")

    async def get() -> bytes:
        async with httpx2.AsyncClient(trust_env=False) as client, client.stream("GET", url) as response:
            return b"".join([piece async for piece in response.aiter_bytes()])

    return asyncio.run(get())


def _with_urllib3(url: str) -> bytes:
    import urllib3

    with urllib3.PoolManager() as manager:
        data: bytes = manager.request("GET", url, headers={"accept-encoding": "gzip"}).data
        return data


def _with_requests(url: str) -> bytes:
    import requests

    with requests.Session() as session:
        return session.get(url).content


def _with_requests_stream(url: str) -> bytes:
    import requests

    with requests.Session() as session, session.get(url, stream=True) as response:
        return b"".join(response.iter_content(700))


def _with_aiohttp(url: str) -> bytes:
    import aiohttp

    async def get() -> bytes:
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return await response.read()

    return asyncio.run(get())


def _with_urllib(url: str) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url) as response:
        body: bytes = response.read()
        return body


CLIENTS = {
    name.removeprefix("_with_") if hasattr(str, "removeprefix") else name[6:]: function
    for name, function in list(globals().items())
    if name.startswith("_with_")
}


def body_of(captured: CapturedResponse) -> bytes:
    return zlib.decompress(captured.head, zlib.MAX_WBITS | 32) if captured.encoding else captured.head


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("client", CLIENTS)
def test_what_is_kept_is_what_the_application_reads(
    server: Loopback, ended: list[Exchange], client: str, path: str
) -> None:
    body = CLIENTS[client](server.url + path)
    (exchange,) = ended
    if exchange.capture is None:
        assert not body
        return
    assert exchange.capture.nbytes <= max(LIMIT, len(body))
    captured = exchange.capture.take()
    assert captured is not None
    assert captured.complete
    assert list(captured.headers) == ["date"]
    if captured.gap:
        assert len(body) > LIMIT
        assert body.startswith(captured.head)
        assert body.endswith(captured.tail)
        assert len(captured.head) + len(captured.tail) > LIMIT // 2
    elif client == "urllib" or not captured.encoding:
        assert captured.head == body
    else:
        assert body_of(captured) == body


def test_only_what_is_wanted_is_kept(server: Loopback, ended: list[Exchange]) -> None:
    _with_httpx(f"{server.url}/unmetered")
    assert ended[0].capture is None


@pytest.mark.parametrize("client", ["httpx", "requests", "aiohttp", "urllib3", "urllib"])
def test_a_body_that_is_left_early_is_not_complete(
    server: Loopback, ended: list[Exchange], client: str
) -> None:
    url = f"{server.url}/chunked?n=200000"
    if client == "httpx":
        module: Any = importlib.import_module("httpx")
        with module.Client(trust_env=False) as session, session.stream("GET", url) as response:
            next(response.iter_raw(100))
    elif client == "requests":
        module = importlib.import_module("requests")
        with module.Session() as session, session.get(url, stream=True) as response:
            next(response.iter_content(100))
    elif client == "urllib3":
        module = importlib.import_module("urllib3")
        with module.PoolManager() as manager:
            response = manager.request("GET", url, preload_content=False)
            response.read(100)
            response.close()
    elif client == "urllib":
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url) as response:
            response.read(100)
    else:
        _leave_early_with_aiohttp(url)
    (exchange,) = ended
    assert exchange.capture is not None
    assert not exchange.capture.complete


def _leave_early_with_aiohttp(url: str) -> None:
    import aiohttp

    async def get() -> None:
        async with aiohttp.ClientSession(read_bufsize=1000) as session, session.get(url) as response:
            await response.content.read(100)

    asyncio.run(get())


def captured(
    body: bytes, pieces: list[int], encoding: str = "", *, waiting: bool = False
) -> CapturedResponse:
    capture = Capture((), {}, None, encoding or None)
    at = 0
    with nullcontext() if waiting else no_room():
        for size in [*pieces, len(body)]:
            if at < len(body):
                capture.feed(body[at : at + size])
                at += size
            assert capture.nbytes <= (max(LIMIT, at) if waiting else LIMIT)
    capture.complete = True
    found = capture.take()
    assert found is not None
    return found


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 200_000),
    st.lists(st.integers(1, 70_000), max_size=12),
    st.sampled_from(["", "gzip", "deflate"]),
    st.booleans(),
)
def test_the_pieces_make_no_difference(size: int, pieces: list[int], encoding: str, waiting: bool) -> None:
    body = (b"\0" + random.Random(size).randbytes(size))[:size]  # no JSON, which is skimmed
    coded = {"": lambda: body, "gzip": lambda: gzip.compress(body), "deflate": lambda: zlib.compress(body)}
    sent = coded[encoding]()
    found = captured(sent, pieces, encoding, waiting=waiting)
    if not found.gap:
        assert found.head == sent
        return
    assert not found.encoding
    assert body.startswith(found.head)
    assert body.endswith(found.tail)
    assert len(found.tail) >= min(len(body) - len(found.head), (LIMIT - 16_384) // 2)


@pytest.mark.parametrize("waiting", [False, True])
def test_what_swells_is_held_down(waiting: bool) -> None:
    bomb = gzip.compress(bytes(300_000_000), 1)
    assert len(bomb) > LIMIT
    found = captured(bomb, [len(bomb)], "gzip", waiting=waiting)
    assert found.gap
    assert len(found.head) + len(found.tail) <= LIMIT


def test_headers_that_cannot_be_read() -> None:
    capture = Capture(["date"], object(), "application/json")
    capture.feed(b"{}")
    assert capture.take() is None
    assert WholeCapture(["date"], object(), "application/json", b"{}").take() is None


def test_a_coding_that_is_not_known_and_one_that_is_broken() -> None:
    for encoding in ("x-own", "gzip"):
        found = captured(b"no gzip at all" * 10_000, [], encoding)
        assert found.unread
        assert not found.complete
        assert not found.head


def test_a_view_of_a_long_body_is_kept_as_its_bytes_are() -> None:
    body = random.Random(1).getrandbits(8 * 300_000).to_bytes(300_000, "big")
    for encoding, sent in (("", body), ("gzip", gzip.compress(body))):
        capture = Capture((), {}, None, encoding)
        capture.feed(b"")
        capture.feed(memoryview(bytearray(sent)))
        found = capture.take()
        assert found is not None
        assert body.startswith(found.head)
        assert body.endswith(found.tail)


def test_a_long_body_that_is_there_at_once_is_not_copied() -> None:
    body = bytes(64_000_000)
    tracemalloc.start()
    try:
        WholeCapture((), {}, None, body)
        capture = Capture((), {}, None)
        capture.feed(body)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


ENCODED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "gzip, deflate": lambda body: zlib.compress(gzip.compress(body)),
}


@pytest.mark.parametrize(
    "options", [({}, {}), ({"auto_decompress": False}, {}), ({}, {"auto_decompress": False})]
)
@pytest.mark.parametrize("size", [2_000, 300_000])
@pytest.mark.parametrize("encoding", ENCODED)
def test_aiohttp_that_does_not_decode(
    ended: list[Exchange], encoding: str, size: int, options: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    """An option of the session or of the call leaves bodies encoded, as does a coding it doesn't know."""
    import aiohttp
    from aiohttp import web

    body = json.dumps({"text": f"{random.Random(1).getrandbits(4 * size):x}", "usage": {"n": 1}}).encode()

    async def answer(_: web.Request) -> web.Response:
        headers = {"content-encoding": encoding, "content-type": "application/json"}
        return web.Response(body=ENCODED[encoding](body), headers=headers)

    async def get() -> None:
        application = web.Application()
        application.router.add_get("/", answer)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        async with (
            aiohttp.ClientSession(**options[0]) as session,
            session.get(f"http://{host}:{port}/", **options[1]) as response,
        ):
            await response.read()
        await runner.cleanup()

    asyncio.run(get())
    (exchange,) = (exchange for exchange in ended if exchange.capture is not None)
    assert exchange.capture is not None
    captured = exchange.capture.take()
    assert captured is not None
    assert captured.complete
    if captured.encoding:
        decompressor = Decompressor(captured.encoding, 1_000_000)
        decompressor.feed(captured.head)
        assert b"".join(iter(decompressor.read, b"")) == body
    else:
        assert json.loads(captured.head)["usage"] == {"n": 1}
        assert captured.size == len(body)
