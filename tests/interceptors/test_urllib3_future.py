"""urllib3-future, sync, async and multiplexed. What it shares with urllib3 is in test_urllib3."""

from __future__ import annotations

import asyncio
import gc
import importlib
import pickle
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from recost.interceptors import install, interception, uninstall
from recost.interceptors.exchange import unfinished
from recost.testing import capture_windows
from tests.integration.named_hosts import Answer, Asked, NamedHosts, named_hosts
from tests.interceptors.truth import ENDINGS, Events, seen, truth
from tests.labelled import ALICE, BOB, LABELS, STRANGER, tags
from tests.loopback import Loopback, refused_port, wait_until

future: Any = pytest.importorskip("urllib3_future", reason="urllib3-future is not installed")

RETRIES_503: Any = {"status_forcelist": [503], "allowed_methods": None, "backoff_factor": 0}
LONG = b"l" * 200_000

PATHS = [*ENDINGS, "/empty", "/status/404", "/status/503"]


@pytest.fixture
def manager() -> Iterator[Any]:
    with future.PoolManager(retries=False, timeout=10, maxsize=4) as manager:
        yield manager


def run(use: Callable[[Any], Awaitable[Any]], **options: Any) -> Any:
    """Run a coroutine function with an async manager."""

    async def main() -> Any:
        async with future.AsyncPoolManager(**{"retries": False, "timeout": 10, **options}) as manager:
            return await use(manager)

    return asyncio.run(main())


def ended(events: Events) -> list[tuple[int, int]]:
    return [(event.status_code, event.attempts) for event in events]


@pytest.mark.parametrize("path", PATHS)
def test_sync_calls(server: Loopback, events: Events, manager: Any, path: str) -> None:
    manager.request("GET", server.url + path)
    assert seen(events) == truth(server)
    response = manager.request("GET", server.url + path, preload_content=False)
    b"".join(response.stream(50, decode_content=False))
    response.release_conn()
    assert seen(events) == truth(server)
    assert all(event.attempts == 1 for event in events)
    assert not unfinished


@pytest.mark.parametrize("path", PATHS)
def test_async_calls(server: Loopback, events: Events, path: str) -> None:
    async def use(manager: Any) -> None:
        await manager.request("GET", server.url + path)
        assert seen(events) == truth(server)
        response = await manager.request("GET", server.url + path, preload_content=False)
        if "n=0" not in path and "empty" not in path:
            assert len(events) == 1
        assert isinstance(b"".join([part async for part in response.stream(50)]), bytes)

    run(use)
    assert seen(events) == truth(server)
    assert all(event.attempts == 1 for event in events)
    assert not unfinished


def pieces() -> Iterator[bytes]:
    yield b"one"
    yield b"three"


async def pieces_async() -> AsyncIterator[bytes]:
    for piece in pieces():
        yield piece


@pytest.mark.parametrize("body", [None, b"12345", "zwölf", "text"])
def test_request_bytes(server: Loopback, events: Events, manager: Any, body: Any) -> None:
    manager.urlopen("POST", server.url + "/plain", body=body)
    run(lambda each: each.urlopen("POST", server.url + "/plain", body=body))
    assert seen(events) == truth(server)


def test_request_bytes_of_unknown_size(
    server: Loopback, events: Events, manager: Any, tmp_path: Path
) -> None:
    (tmp_path / "body").write_bytes(b"f" * 20_000)
    with (tmp_path / "body").open("rb") as file:
        manager.urlopen("POST", server.url + "/plain", body=file)
    manager.urlopen("POST", server.url + "/plain", body=pieces())
    run(lambda each: each.urlopen("POST", server.url + "/plain", body=pieces_async()))
    assert sorted(event.request_bytes for event in events) == [8, 8, 20_000]
    assert seen(events) == truth(server)


def test_a_body_that_is_sent_again_counts_once(server: Loopback, events: Events, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"f" * 20_000)
    with future.PoolManager() as manager, (tmp_path / "body").open("rb") as file:
        url = f"{server.url}/flaky?fail=2&id=future-body"
        manager.urlopen("POST", url, body=file, retries=future.Retry(5, **RETRIES_503))
    assert [(e.request_bytes, e.attempts) for e in events] == [(20_000, 3)]


def test_retries_are_attempts(server: Loopback, events: Events, manager: Any) -> None:
    retries = future.Retry(5, **RETRIES_503)
    assert manager.request("GET", server.url + "/flaky?fail=2&id=future", retries=retries).status == 200
    url = server.url + "/flaky?fail=2&id=future-async"
    assert run(lambda each: each.request("GET", url, retries=retries)).status == 200
    assert ended(events) == [(200, 3)] * 2
    assert len(server.log) == 6


def test_retries_that_run_out_keep_the_status(server: Loopback, events: Events, manager: Any) -> None:
    error = future.exceptions.MaxRetryError
    with pytest.raises(error):
        manager.request("GET", server.url + "/status/503", retries=future.Retry(1, **RETRIES_503))
    with pytest.raises(error):
        run(
            lambda each: each.request(
                "GET", server.url + "/status/503", retries=future.Retry(1, **RETRIES_503)
            )
        )
    assert ended(events) == [(503, 2)] * 2


def test_redirects(server: Loopback, events: Events, manager: Any) -> None:
    url = server.url + "/redirect?to=/plain"
    assert manager.request("GET", url, retries=3).status == 200
    assert run(lambda each: each.request("GET", url, retries=3)).status == 200
    with future.HTTPConnectionPool(server.host, server.port) as pool:
        assert pool.urlopen("GET", "/redirect?to=/plain").status == 200
    assert ended(events) == [(302, 1), (200, 1), (302, 1), (200, 1), (200, 2)]


def test_no_response(server: Loopback, events: Events, manager: Any) -> None:
    for url in (f"http://127.0.0.1:{refused_port()}/", server.url + "/reset"):
        with pytest.raises(future.exceptions.HTTPError):
            manager.request("GET", url)
        with pytest.raises(future.exceptions.HTTPError):
            run(lambda each, url=url: each.request("GET", url))  # type: ignore[misc]
    assert ended(events) == [(0, 1)] * 4
    assert all(event.error for event in events)


def test_time_outs(server: Loopback, events: Events, manager: Any) -> None:
    for path, patience in (("/hang", 0.1), ("/stall?n=1000", 1)):  # half of a response must arrive
        with pytest.raises(future.exceptions.ReadTimeoutError):
            manager.request("GET", server.url + path, timeout=patience)
        with pytest.raises(future.exceptions.ReadTimeoutError):
            run(lambda each, path=path, s=patience: each.request("GET", server.url + path, timeout=s))  # type: ignore[misc]
    assert ended(events) == [(0, 1), (0, 1), (200, 1), (200, 1)]
    assert wait_until(lambda: len(server.log) == 4)  # not in the midst of the next test


def test_a_body_that_fails_while_streaming(server: Loopback, events: Events, manager: Any) -> None:
    response = manager.request("GET", server.url + "/truncate", preload_content=False)
    with pytest.raises(future.exceptions.HTTPError) as raised:
        response.read()
    assert ended(events) == [(200, 1)]
    del raised


def test_left_early(server: Loopback, events: Events, manager: Any) -> None:
    response = manager.request("GET", server.url + "/stall?n=1000", preload_content=False)
    assert len(response.read(100)) == 100
    assert events == []
    response.close()
    assert ended(events) == [(200, 1)]
    response = manager.request("GET", server.url + "/stall?n=1000", preload_content=False)
    del response
    gc.collect()
    assert ended(events) == [(200, 1)] * 2
    assert not unfinished


def test_left_early_and_cancelled_async(server: Loopback, events: Events) -> None:
    async def use(manager: Any) -> None:
        response = await manager.request("GET", server.url + "/stall?n=1000", preload_content=False)
        assert len(await response.read(100)) == 100
        assert events == []
        await response.close()
        task = asyncio.ensure_future(manager.request("GET", server.url + "/hang"))
        await asyncio.to_thread(wait_until, lambda: any(served.path == "/hang" for served in server.log))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(use)
    assert ended(events) == [(200, 1), (0, 1)]


def test_many_at_once(server: Loopback, events: Events) -> None:
    async def use(manager: Any) -> None:
        await asyncio.gather(
            *(manager.request("GET", f"{server.url}/chunked?n={n}") for n in range(100, 120))
        )

    run(use, maxsize=5, block=True)
    assert seen(events) == truth(server)
    assert len(events) == 20


def test_responses_can_be_pickled_or_not_as_before(server: Loopback, manager: Any) -> None:
    def outcome() -> type[BaseException]:
        response = manager.request("GET", server.url + "/plain", preload_content=False)
        response.read()
        with pytest.raises(Exception) as raised:  # noqa: PT011 - whichever it is
            pickle.dumps(response)
        return raised.type

    bare = outcome()
    install(lambda event: None)
    try:
        assert outcome() is bare
    finally:
        uninstall()


def test_a_response_after_a_retry_is_not_kept(server: Loopback, events: Events) -> None:
    # The failed attempt's traceback is kept in the response's history, and keeps the frames of its callers.
    failing = [True]

    class Connection(future.HTTPConnectionPool.ConnectionCls):  # type: ignore[misc]
        def getresponse(self, **kwargs: Any) -> Any:
            if failing.pop():
                raise ConnectionResetError
            return super().getresponse(**kwargs)

    with future.HTTPConnectionPool(server.host, server.port, retries=2) as pool:
        pool.ConnectionCls = Connection
        failing.insert(0, False)
        response = pool.urlopen("GET", "/plain")
    gone = weakref.ref(response)
    del response
    assert gone() is None
    assert ended(events) == [(200, 2)]


def test_nothing_is_left_after_uninstall() -> None:
    pools = future.HTTPConnectionPool, future.AsyncHTTPConnectionPool
    methods = [(pool, name) for pool in pools for name in ("urlopen", "get_response")]
    methods += [(future.HTTPResponse, "drain_conn"), (future.AsyncHTTPResponse, "drain_conn")]
    bare = [owner.__dict__[name] for owner, name in methods]
    install(lambda event: None)
    assert all(owner.__dict__[name] is not function for (owner, name), function in zip(methods, bare))
    uninstall()
    assert [owner.__dict__[name] for owner, name in methods] == bare
    assert all("send" not in pool.ConnectionCls.__dict__ for pool in pools)


def test_the_name_urllib3_may_be_taken(server: Loopback, events: Events) -> None:
    module: Any = importlib.import_module("urllib3")
    if not hasattr(module, "AsyncHTTPConnectionPool"):
        pytest.skip("urllib3 is itself here")
    assert "urllib3" not in interception.broken
    with module.PoolManager() as manager:
        manager.request("GET", server.url + "/chunked")
    assert seen(events) == truth(server)


def answer(asked: Asked) -> Answer:
    if asked.path == "/moved":
        return Answer(b"moved", 302, "text/plain", {"Location": "/long"})
    if asked.path == "/flaky" and asked.repeats < 2:
        return Answer(b"busy", 503, "text/plain")
    return Answer(LONG, content_type="text/plain")


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[tuple[NamedHosts, str, str]]:
    """A server of HTTP/2, its URL, and the file of its authority."""
    pytest.importorskip("h2")
    with named_hosts(["localhost"], answer, tmp_path) as (hosts, bundle):
        yield hosts, f"https://localhost:{hosts.port}", str(bundle)


def test_promises(hosts: tuple[NamedHosts, str, str], events: Events) -> None:
    server, url, bundle = hosts
    options = {"multiplexed": True, "preload_content": False}
    with future.PoolManager(ca_certs=bundle, maxsize=1) as manager:
        manager.request("GET", url + "/first")  # the connection is known to be multiplexed from here on
        promises = [manager.urlopen("POST", f"{url}/{n}", body=b"12345", **options) for n in range(4)]
        assert all(isinstance(promise, future.ResponsePromise) for promise in promises)
        assert len(events) == 1
        responses = [manager.get_response(promise=promise) for promise in promises[:2]]
        responses += [manager.get_response(), manager.get_response()]
        assert manager.get_response() is None
        assert [len(response.read()) for response in responses] == [len(LONG)] * 4
    assert server.http2 == 1
    assert seen(events) == truth(server)
    assert not unfinished


def test_promises_of_what_is_sent_again(hosts: tuple[NamedHosts, str, str], events: Events) -> None:
    server, _, bundle = hosts
    retries = future.Retry(5, **RETRIES_503)
    with future.HTTPSConnectionPool("localhost", server.port, ca_certs=bundle, maxsize=1) as pool:
        pool.urlopen("GET", "/first")
        for path in ("/flaky", "/moved"):
            promise = pool.urlopen("GET", path, retries=retries, multiplexed=True)
            assert pool.get_response(promise=promise).status == 200
        pool.urlopen("GET", "/moved", multiplexed=True)
        # Any promise. One that is retried for its status blocks here, also without recost.
        assert pool.get_response().status == 200
    assert ended(events) == [(200, 1), (200, 3), (200, 2), (200, 2)]
    assert len(server.log) == 8
    assert not unfinished


def test_promises_async(hosts: tuple[NamedHosts, str, str], events: Events) -> None:
    server, url, bundle = hosts

    async def use(manager: Any) -> None:
        await manager.request("GET", url + "/first")
        options = {"multiplexed": True, "preload_content": False, "retries": future.Retry(5, **RETRIES_503)}
        promise = await manager.urlopen("GET", url + "/flaky", **options)
        await manager.urlopen("GET", url + "/long", **options)
        response = await manager.get_response(promise=promise)
        assert await response.read() == LONG
        response = await manager.get_response()
        assert await response.read() == LONG

    run(use, ca_certs=bundle, maxsize=1)
    assert [(e.path, e.status_code, e.attempts) for e in events] == [
        ("/first", 200, 1),
        ("/flaky", 200, 3),
        ("/long", 200, 1),
    ]
    assert len(server.log) == 5


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the pool leaves it open
def test_a_promise_that_nobody_looks_at(hosts: tuple[NamedHosts, str, str], events: Events) -> None:
    _, url, bundle = hosts
    with future.PoolManager(ca_certs=bundle, maxsize=1) as manager:
        manager.request("GET", url + "/first")
        promise = manager.urlopen("GET", url + "/long", multiplexed=True)
    assert ended(events) == [(200, 1)]
    del promise, manager
    gc.collect()
    assert ended(events) == [(200, 1), (0, 1)]
    assert not unfinished


def test_a_call_has_the_label_of_its_key(server: Loopback) -> None:
    url = f"{server.url}/plain"
    with capture_windows(key_labels=LABELS) as captured, future.PoolManager() as manager:
        for key, label in ((ALICE, "alice"), (BOB, "bob"), (STRANGER, "other")):
            headers = {"Authorization": f"Bearer {key}"}
            manager.request("GET", url, headers=headers)
            assert tags(captured) == [({"key": label}, 1, 1)]
            run(partial(future.AsyncPoolManager.request, method="GET", url=url, headers=headers))
            assert tags(captured) == [({"key": label}, 1, 1)]
        manager.request("GET", url)
        assert tags(captured) == [({}, 1, 1)]
