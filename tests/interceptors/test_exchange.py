"""An exchange finishes once, whoever ends it, and says what a nested call is."""

from __future__ import annotations

import contextvars
import gc
import threading
import time
from http import HTTPStatus
from typing import Any
from unittest.mock import MagicMock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost.interceptors import Interception
from recost.interceptors.context import SUPPRESSED, current
from recost.interceptors.exchange import Exchange, nowhere, unfinished
from recost.interceptors.targets import LONGEST_HOST, LONGEST_METHOD, LONGEST_PATH, clean_path, origin
from tests.exchanges import begun


def make(sink: Any = lambda exchange: None, **fields: Any) -> Exchange:
    values: dict[str, Any] = {
        "scheme": "https",
        "host": "api.example",
        "port": 443,
        "path": "/v1",
        "method": "GET",
    }
    values.update(fields)
    target: Any = tuple(values.values())
    return begun(sink, "httpx", target)


def test_it_reaches_the_sink_once() -> None:
    ended: list[Exchange] = []
    exchange = make(ended.append)
    assert not exchange.finished
    exchange.finish()
    exchange.finish()
    exchange.discard()
    assert ended == [exchange]
    assert exchange.finished


def test_a_discarded_one_reaches_nobody() -> None:
    ended: list[Exchange] = []
    exchange = make(ended.append)
    exchange.body_follows()
    exchange.discard()
    exchange.finish()
    assert exchange.finished
    assert not ended
    assert not unfinished


def test_threads_that_end_it_at_once_end_it_once() -> None:
    ended: list[Exchange] = []
    for _ in range(50):
        exchange = make(ended.append)
        barrier = threading.Barrier(4)

        def end(exchange: Exchange = exchange, gate: threading.Barrier = barrier) -> None:
            gate.wait()
            exchange.finish()

        threads = [threading.Thread(target=end) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(ended) == 50
    assert len(set(map(id, ended))) == 50


def test_a_body_that_follows_is_remembered_until_it_ends() -> None:
    exchange = make()
    exchange.owner = self_made = object()
    exchange.active = True
    exchange.body_follows()
    assert [*unfinished] == [exchange]
    assert exchange.owner is not self_made
    assert not exchange.active
    exchange.finish()
    assert not unfinished


def test_what_it_owns_is_let_go() -> None:
    class Client:
        pass

    exchange = make()
    exchange.owner = Client()
    exchange.finish()
    assert not [each for each in gc.get_objects() if type(each) is Client]


@pytest.mark.parametrize(
    ("layer", "host", "port", "covered"),
    [
        ("urllib3", "api.example", 443, True),
        ("httpx", "api.example", 443, False),
        ("urllib3", "other.example", 443, False),
        ("urllib3", "api.example", 8443, False),
    ],
)
def test_a_nested_call_is_the_same_on_another_layer_to_the_same_target(
    layer: str, host: str, port: int, *, covered: bool
) -> None:
    exchange = make()
    assert not exchange.covers(layer, host, port)
    exchange.active = True
    assert exchange.covers(layer, host, port) is covered
    exchange.finish()
    assert not exchange.covers(layer, host, port)


def test_a_redirect_moves_the_target() -> None:
    exchange = make()
    exchange.active = True
    exchange.hop = ("http", "other.example", 80, "/", "GET")
    assert exchange.covers("urllib3", "other.example", 80)
    assert not exchange.covers("urllib3", "api.example", 443)


def test_what_recost_does_itself_is_covered_whatever_it_is() -> None:
    assert SUPPRESSED.covers("httpx", "anything", 1)
    assert not hasattr(SUPPRESSED, "__dict__")


def test_the_current_exchange_is_the_contexts_own() -> None:
    exchange = make()
    contextvars.copy_context().run(current.set, exchange)
    assert current.get() is None


def test_the_event_of_a_call_with_a_response() -> None:
    before = time.time() * 1000
    exchange = make(path="/v1/x?key=secret#part")
    exchange.attempts = 2
    exchange.request_bytes, exchange.response_bytes = 5, 7
    exchange.headers_received(404)
    exchange.finish()
    event = exchange.to_event()
    assert before - 1 <= event.timestamp <= time.time() * 1000
    assert (event.method, event.url, event.host, event.path) == (
        "GET",
        "https://api.example/v1/x",
        "api.example",
        "/v1/x",
    )
    assert (event.status_code, event.error, event.attempts) == (404, True, 2)
    assert (event.request_bytes, event.response_bytes) == (5, 7)
    assert event.time_to_headers_ms is not None
    assert 0 <= event.time_to_headers_ms <= event.latency_ms
    assert event.latency_ms == exchange.latency_ms


def test_the_event_of_a_call_without_a_response() -> None:
    exchange = make()
    exchange.finish()
    event = exchange.to_event()
    assert (event.status_code, event.error, event.attempts, event.time_to_headers_ms) == (0, True, 1, None)


@pytest.mark.parametrize(
    ("status", "error"),
    [(0, True), (101, False), (200, False), (304, False), (399, False), (400, True), (503, True)],
)
def test_what_is_an_error(status: int, *, error: bool) -> None:
    exchange = make()
    exchange.status = status
    assert exchange.is_error is error


@pytest.mark.parametrize(
    ("status", "number"),
    [("204", 204), (None, 0), ("ok", 0), (HTTPStatus.NOT_FOUND, 404), (MagicMock(), 0), ("7", 0)],
)
def test_the_status_of_a_stand_ins_response_is_a_number(status: Any, number: int) -> None:
    exchange = make()
    exchange.headers_received(status)
    exchange.finish()
    assert (exchange.to_event().status_code, exchange.is_error) == (number, number != 204)


def test_a_path_of_any_length_is_kept_within_bounds() -> None:
    made = Interception()
    made.sink = nowhere
    methods: list[Any] = ["GET", "X" * 100, b"GET"]  # httpx sends bytes as they are
    for host, method in (("h", methods[0]), ("h" * 300, methods[1]), ("h", methods[2])):
        exchange = made.begin("httpx", ("https", host, 443, "/" + "x" * 10_000, method))
        assert exchange is not None
        assert len(exchange.path) == LONGEST_PATH
        assert (exchange.host, exchange.method) == (host[:LONGEST_HOST], method[:LONGEST_METHOD])


@given(st.text(), st.text(alphabet=st.characters(blacklist_characters="?#")))
def test_no_query_and_no_fragment_survives(tail: str, path: str) -> None:
    assert clean_path(f"{path}?{tail}") == clean_path(f"{path}#{tail}") == (path or "/")


@pytest.mark.parametrize(
    ("scheme", "host", "port", "expected"),
    [
        ("https", "api.example", 443, "https://api.example"),
        ("http", "api.example", 80, "http://api.example"),
        ("http", "api.example", 443, "http://api.example:443"),
        ("wss", "api.example", 443, "wss://api.example"),
        ("http", "::1", 8080, "http://[::1]:8080"),
        ("https", "::1", 443, "https://[::1]"),
    ],
)
def test_the_origin(scheme: str, host: str, port: int, expected: str) -> None:
    assert origin(scheme, host, port) == expected
