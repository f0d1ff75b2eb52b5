"""urllib3's calls while no listener wants more of them than their end: the usual case is written out."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from importlib import metadata
from typing import Any

import pytest
import requests
import urllib3
from urllib3 import HTTPConnectionPool

from recost.interceptors import _urllib3_importlib_bootstrap as methods
from recost.interceptors import interception
from recost.interceptors.context import EMPTY, cost_scope, current
from recost.interceptors.exchange import Exchange, unfinished
from recost.interceptors.targets import LONGEST_HOST, ascii_host, hosts
from tests.interceptors.truth import ENDINGS
from tests.loopback import Loopback

OLD = metadata.version("urllib3") < "2"
Recorded = list[Exchange]
Record = tuple[Any, ...]


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    calls: Recorded = []
    interception.add("test", calls.append, timed=False)
    yield calls
    interception.remove("test")
    assert not unfinished
    assert current.get() is None


def of(exchange: Exchange) -> Record:
    return (
        exchange.layer, exchange.target, exchange.status, exchange.request_bytes, exchange.response_bytes,
        exchange.attempts,
    )  # fmt: skip


def sent(server: Loopback) -> list[Record]:
    return [(each.status, each.request_bytes, each.response_bytes) for each in server.log]


@pytest.mark.parametrize("path", [*ENDINGS, "/empty", "/status/404"])
@pytest.mark.parametrize("how", ["preloaded", "streamed", "requests", "requests streamed"])
def test_a_call_is_what_the_server_saw(server: Loopback, recorded: Recorded, path: str, how: str) -> None:
    with HTTPConnectionPool(server.host, server.port) as pool, requests.Session() as session:
        session.trust_env = False
        for _ in range(2):  # the first call prepares
            if "requests" in how:
                response = session.post(server.url + path, data=b"12345", stream="streamed" in how)
                list(response.iter_content(64))
            else:
                options: Any = {"preload_content": how == "preloaded", "decode_content": False}
                b"".join(pool.urlopen("POST", path, b"12345", **options).stream(64))
    assert interception.plain
    assert [(each.status, each.request_bytes, each.response_bytes) for each in recorded] == sent(server)
    assert len(recorded) == 2
    assert recorded[1].target == ("http", server.host, server.port, path, "POST")
    assert recorded[1].attempts == 1
    assert OLD or recorded[1].headers_ns == 0  # the parameters of 1.26 are others
    assert recorded[1].ended_ns >= recorded[1].started_ns


def _connecting_by_a_function(pool: HTTPConnectionPool) -> Any:
    kind = pool.ConnectionCls
    pool.ConnectionCls = partial(kind)  # type: ignore[assignment]
    return pool.urlopen("GET", "/plain")


UNUSUAL: dict[str, Callable[[HTTPConnectionPool], Any]] = {
    "a long path": lambda pool: pool.urlopen("GET", "/plain?x=" + "y" * LONGEST_HOST),
    "a method in lower case": lambda pool: pool.urlopen("get", "/plain"),
    "a method that is not registered": lambda pool: pool.urlopen("FETCH", "/plain"),
    "text": lambda pool: pool.urlopen("POST", "/plain", "text"),
    "pieces": lambda pool: pool.urlopen("POST", "/plain", iter([b"a", b"bc"]), chunked=True),
    "an option of the response": lambda pool: pool.urlopen("GET", "/plain", enforce_content_length=False),
    "a whole URL": lambda pool: pool.urlopen("GET", f"http://{pool.host}:{pool.port}/plain"),
    "connections made by a function": _connecting_by_a_function,
    "a redirect": lambda pool: pool.urlopen("GET", "/redirect?to=/plain"),
    "a failure": lambda pool: pool.urlopen("GET", "/reset", retries=1),
    "a cut body": lambda pool: pool.urlopen("GET", "/truncate?n=100", retries=False),
    "no length": lambda pool: pool.urlopen("GET", "/close?n=50", preload_content=False).read(),
    "an early close": lambda pool: pool.urlopen("GET", "/plain?n=70000", preload_content=False).close(),
}


@pytest.mark.parametrize("case", UNUSUAL)
def test_an_unusual_call_is_recorded_as_ever(server: Loopback, case: str) -> None:
    """It is compared with what a listener gets that wants more, for whom nothing is written out."""
    outcomes = []
    for timed in (True, False):
        calls: Recorded = []
        interception.add("test", calls.append, timed=timed)
        try:
            with HTTPConnectionPool(server.host, server.port) as pool:
                pool.urlopen("GET", "/plain")
                try:
                    UNUSUAL[case](pool)
                except urllib3.exceptions.HTTPError as error:
                    outcomes.append(type(error).__name__)
        finally:
            interception.remove("test")
        outcomes.append(repr([of(call) for call in calls]))
    half = len(outcomes) // 2
    assert outcomes[:half] == outcomes[half:]
    assert not unfinished


def test_calls_in_a_cost_scope_have_it(server: Loopback, recorded: Recorded) -> None:
    scope = EMPTY.with_tags({"team": "a"})
    with HTTPConnectionPool(server.host, server.port) as pool:
        pool.urlopen("GET", "/plain")
        token = cost_scope.set(scope)
        try:
            pool.urlopen("GET", "/plain")
        finally:
            cost_scope.reset(token)
        pool.urlopen("GET", "/plain")
    assert [call.scope for call in recorded] == [None, scope, None]


@pytest.mark.skipif(OLD, reason="nothing is written out for the parameters of urllib3 1.26")
def test_an_error_of_recosts_own_keeps_no_response_alive(
    server: Loopback, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[BaseException] = []

    def fail() -> Any:
        raise RuntimeError("own")

    interception.add("test", recorded.append, timed=False, on_error=errors.append)
    with HTTPConnectionPool(server.host, server.port) as pool:
        pool.urlopen("GET", "/plain")
        monkeypatch.setattr(methods, "BodyFile", fail)
        response = pool.urlopen("GET", "/plain?n=70000", preload_content=False)
        plain = weakref.ref(response._original_response)  # type: ignore[attr-defined]
        gc.disable()
        try:
            del response
            assert plain() is None
        finally:
            gc.enable()
    assert [str(error) for error in errors] == ["own"]
    assert [call.status for call in recorded] == [200, 200]


@pytest.mark.parametrize("ending", ["dropped", "released and dropped", "closed"])
def test_an_abandoned_response_ends_its_call_at_once(
    server: Loopback, recorded: Recorded, ending: str
) -> None:
    gc.disable()
    try:
        with HTTPConnectionPool(server.host, server.port) as pool:
            pool.urlopen("GET", "/plain")
            response: Any = pool.urlopen("GET", "/stall?n=1000", preload_content=False)
            response.read(100)
            assert len(unfinished) == 1
            if ending == "closed":
                response.close()
            if ending == "released and dropped":
                response.release_conn()
            del response
            assert [(call.status, call.response_bytes) for call in recorded[1:]] == [(200, 100)]
    finally:
        gc.enable()


@pytest.mark.skipif(OLD, reason="urllib3 1.26 makes its response from what the mock returns")
def test_a_response_of_a_mock_is_recorded(
    server: Loopback, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Answer:
        """A response without the attributes of urllib3's, and with a status that is text."""

        __slots__ = ()
        status = "201"
        headers: dict[str, str] = {}  # noqa: RUF012

        def tell(self) -> int:
            return 7

    with HTTPConnectionPool(server.host, server.port) as pool:
        pool.urlopen("GET", "/plain")
        monkeypatch.setattr(pool, "_make_request", lambda *_args, **_options: Answer())
        pool.urlopen(
            "GET", "/plain", redirect=False, retries=urllib3.Retry(0, status=None), release_conn=True
        )
    assert [(call.status, call.response_bytes) for call in recorded[1:]] == [(201, 7)]


def test_few_names_of_hosts_are_kept_and_no_long_ones() -> None:
    hosts.clear()
    for index in range(3000):
        assert ascii_host(f"Host-{index}.Example.") == f"host-{index}.example"
    assert 0 < len(hosts) <= 1024
    assert len(ascii_host("h" * 10_000)) == LONGEST_HOST
    assert all(len(given) <= LONGEST_HOST >= len(name) for given, name in hosts.items())
