"""Requests that http.client sends as a whole, of which only the response is watched, and others."""

from __future__ import annotations

import gc
import http.client
import io
import socket
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import recost
from recost.interceptors import interception
from recost.interceptors._body import BodyFile, MeteredBodyFile
from recost.interceptors._http_client_importlib_bootstrap import Steps, Waiting, putrequest, request
from recost.interceptors.exchange import Exchange, unfinished
from tests.interceptors.truth import ENDINGS, Events, seen, truth
from tests.loopback import Loopback, wait_until

REPLACED = {"send", "getresponse", "close"}


@pytest.fixture
def connection(server: Loopback) -> Iterator[http.client.HTTPConnection]:
    found = http.client.HTTPConnection(server.host, server.port, timeout=10)
    yield found
    found.close()


def response_of(connection: Any) -> Any:
    return connection._HTTPConnection__response


@pytest.fixture(params=["callback", "defaults"])
def exchanges(request: Any) -> Iterator[list[Exchange]]:
    """The finished calls, of a listener that asks for the time of the headers, and of one that doesn't."""
    found: list[Exchange] = []
    interception.add("test", found.append, timed=request.param == "callback")
    yield found
    interception.remove("test")


@pytest.mark.parametrize("path", [*ENDINGS, "/empty", "/status/304", "/status/503"])
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_every_ending(
    server: Loopback,
    exchanges: list[Exchange],
    connection: http.client.HTTPConnection,
    path: str,
    method: str,
) -> None:
    stray = method == "HEAD" or path == "/status/304"
    """True if the server may send a body where there is none, so that the connection can't be used again."""
    for index in range(3):
        connection.request(method, path, b"abc" if method == "POST" else None)
        assert REPLACED & set(vars(connection)) == {"getresponse"}
        assert type(response_of(connection)) is Waiting
        response = connection.getresponse()
        assert not REPLACED & set(vars(connection))
        assert response_of(connection) in (response, None)
        data = response.read()
        response.close()
        assert len(exchanges) == index + 1
        exchange = exchanges[-1]
        assert (exchange.status, exchange.response_bytes) == (response.status, len(data))
        assert exchange.request_bytes == (3 if method == "POST" else 0)
        assert (exchange.host, exchange.port, exchange.path) == (server.host, server.port, path)
        assert (exchange.method, exchange.attempts, exchange.layer) == (method, 1, "http.client")
        if stray:
            connection.close()
    assert len(server.log) == 3
    assert not unfinished


def test_other_bodies_are_watched_as_they_are_sent(
    server: Loopback, events: Events, connection: http.client.HTTPConnection
) -> None:
    bodies: list[Any] = ["text", bytearray(b"abc"), io.BytesIO(b"file"), iter([b"one", b"two"])]
    for body in bodies:
        connection.request("POST", "/plain", body)
        assert set(vars(connection)) >= REPLACED
        connection.getresponse().read()
    assert seen(events) == truth(server)


@pytest.mark.parametrize("name", ["Transfer-Encoding", "transfer-encoding"])
def test_framing_that_the_application_wrote_is_not_counted(
    server: Loopback, events: Events, connection: http.client.HTTPConnection, name: str
) -> None:
    connection.request("POST", "/plain", b"3\r\nabc\r\n0\r\n\r\n", {name: "chunked"})
    connection.getresponse().read()
    with urllib.request.urlopen(
        urllib.request.Request(f"{server.url}/plain", b"3\r\nabc\r\n0\r\n\r\n", {name: "chunked"})
    ) as response:
        response.read()
    assert [event.request_bytes for event in events] == [3, len(b"3\r\nabc\r\n0\r\n\r\n")]


def test_another_tools_function_on_the_connection_is_called_and_kept(
    server: Loopback, events: Events, connection: Any
) -> None:
    original, called = connection.getresponse, []

    def getresponse() -> Any:
        called.append(1)
        return original()

    connection.getresponse = getresponse
    for _ in range(2):
        connection.request("POST", "/plain", b"abc")
        connection.getresponse().read()
        assert vars(connection)["getresponse"] is getresponse
    assert called == [1, 1]
    assert seen(events) == truth(server)


def test_another_tools_function_above_the_stand_in_is_called_and_kept(
    server: Loopback, events: Events, connection: Any
) -> None:
    called = []
    connection.request("POST", "/plain", b"abc")
    stand_in = connection.getresponse

    def getresponse() -> Any:
        called.append(1)
        return stand_in()

    connection.getresponse = getresponse
    connection.getresponse().read()
    connection.request("POST", "/chunked", b"abcdef")
    connection.getresponse().read()
    assert vars(connection)["getresponse"] is getresponse
    assert called == [1, 1]
    assert seen(events) == truth(server)


def test_another_tools_method_of_the_class(
    server: Loopback, events: Events, connection: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, called = http.client.HTTPConnection.getresponse, []

    def getresponse(self: Any) -> Any:
        called.append(1)
        return original(self)

    connection.request("GET", "/plain")
    monkeypatch.setattr(http.client.HTTPConnection, "getresponse", getresponse)
    connection.getresponse().read()
    connection.request("GET", "/plain")
    connection.getresponse().read()
    assert called == [1, 1]
    assert seen(events) == truth(server)


def test_the_classs_method_works_beside_the_stand_in(
    server: Loopback, events: Events, connection: http.client.HTTPConnection
) -> None:
    connection.request("GET", "/plain")
    assert len(http.client.HTTPConnection.getresponse(connection).read()) == 100
    connection.close()
    connection.request("GET", "/plain")
    assert len(connection.getresponse().read()) == 100


def test_a_subclass_is_watched_as_it_sends(server: Loopback, events: Events) -> None:
    class Connection(http.client.HTTPConnection):
        def send(self, data: Any) -> None:
            super().send(data)

    connection = Connection(server.host, server.port, timeout=10)
    connection.request("POST", "/plain", b"abc")
    assert set(vars(connection)) >= REPLACED
    connection.getresponse().read()
    connection.close()
    assert seen(events) == truth(server)


def test_a_second_request_before_the_response_is_refused_and_not_a_call(
    server: Loopback, events: Events, connection: http.client.HTTPConnection
) -> None:
    connection.request("POST", "/plain", b"abc")
    with pytest.raises(http.client.CannotSendRequest):
        connection.request("POST", "/plain", b"abcdef")
    connection.getresponse().read()
    assert seen(events) == truth(server)
    assert len(events) == 1
    with pytest.raises(http.client.ResponseNotReady):
        connection.getresponse()


def test_a_request_while_the_last_response_is_unread(
    server: Loopback, events: Events, connection: http.client.HTTPConnection
) -> None:
    connection.request("GET", "/plain?n=10")
    first = connection.getresponse()
    first.peek(10)  # now the buffer can't receive any of the next response
    connection.request("POST", "/chunked?n=20", b"abc")
    assert response_of(connection) is first
    first.read()
    connection.getresponse().read()
    assert seen(events) == truth(server)


def test_a_closed_connection_has_its_own_methods(
    server: Loopback, events: Events, connection: http.client.HTTPConnection
) -> None:
    connection.request("POST", "/plain", b"abc")
    assert wait_until(lambda: server.log)
    connection.close()
    assert [(event.status_code, event.request_bytes) for event in events] == [(0, 3)]
    assert not REPLACED & set(vars(connection))
    assert response_of(connection) is None
    with pytest.raises(http.client.ResponseNotReady):
        connection.getresponse()
    assert len(events) == 1


def test_a_refused_header_ends_the_call(
    server: Loopback, events: Events, connection: http.client.HTTPConnection
) -> None:
    with pytest.raises(ValueError, match="Invalid header"):
        connection.request("GET", "/plain", headers={"X-Line": "a\nb"})
    connection.close()
    assert [event.status_code for event in events] == [0]
    connection.request("GET", "/plain")
    connection.getresponse().read()
    assert [event.status_code for event in events] == [0, 200]


def test_refused_headers_are_refused_as_without(
    events: Events, connection: http.client.HTTPConnection
) -> None:
    with pytest.raises(TypeError):
        connection.request("POST", "/plain", b"abc", headers=None)  # type: ignore[arg-type]
    assert events == []


def test_a_response_that_comes_before_the_body_is_sent(events: Events) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = threading.Event()

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(1000)
                peer.sendall(b"HTTP/1.1 413 Too large\r\nContent-Length: 2\r\n\r\nno")
                done.wait(10)

        thread = threading.Thread(target=serve)
        thread.start()
        connection = http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=0.2)
        with pytest.raises(socket.timeout):
            connection.request("POST", "/x", b"x" * 50_000_000)
        assert events == []
        assert connection.getresponse().read() == b"no"
        connection.close()
        done.set()
        thread.join(10)
    assert [(event.status_code, event.response_bytes) for event in events] == [(413, 2)]


def test_a_failed_request_keeps_no_connection(events: Events, server: Loopback) -> None:
    connection = http.client.HTTPConnection(server.host, server.port)
    with pytest.raises(ValueError, match="Invalid header") as caught:
        connection.request("GET", "/plain", headers={"X-Line": "a\nb"})
    assert [event.status_code for event in events] == [0]
    assert not unfinished
    assert caught.traceback


def test_no_response_is_kept_by_a_traceback(server: Loopback, events: Events) -> None:
    connection = http.client.HTTPConnection(server.host, server.port)
    connection.request("GET", "/reset")
    with pytest.raises(ConnectionError) as caught:
        connection.getresponse()
    assert [event.status_code for event in events] == [0]
    gc.collect()
    for entry in caught.traceback:
        kept = entry.frame.f_locals.values()
        assert not [each for each in kept if isinstance(each, Waiting) and each._exchange in unfinished]


def test_the_responses_file_has_the_attributes_of_a_file(
    server: Loopback, events: Events, connection: http.client.HTTPConnection
) -> None:
    connection.request("GET", "/plain")
    response = connection.getresponse()
    file: Any = response.fp
    assert type(file).__name__ == BodyFile.__name__
    assert isinstance(file.raw, io.RawIOBase)
    assert file.fileno() == connection.sock.fileno()
    assert (file.closed, file.readable(), file.writable(), file.mode) == (False, True, False, "rb")
    file.flush()
    assert not hasattr(file, "nothing")
    assert len(response.read()) == 100
    assert response.fp is None


@pytest.mark.parametrize("metered", [False, True])
def test_a_response_from_another_kind_of_file(metered: bool, server: Loopback, tmp_path: Path) -> None:
    class File:
        colour = "red"

        def __init__(self, file: Any) -> None:
            self._file = file

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

    class Socket:
        def __init__(self, sock: Any) -> None:
            self._sock = sock

        def makefile(self, mode: str) -> Any:
            return File(self._sock.makefile(mode))

        def __getattr__(self, name: str) -> Any:
            return getattr(self._sock, name)

    rule = recost.ProviderDef(server.host, "house", usage="openai", endpoint_category="chat")
    found: list[Exchange] = []
    with recost.init(local_dir=tmp_path, capture_usage=metered, custom_providers=[rule]):
        interception.add("test", found.append, timed=False)
        connection: Any = http.client.HTTPConnection(server.host, server.port)
        connection.connect()
        connection.sock = Socket(connection.sock)
        connection.request("POST", "/plain", b"abc")
        response = connection.getresponse()
        assert response.fp.colour == "red"
        assert isinstance(response.fp, MeteredBodyFile) is metered
        assert len(response.read()) == 100
        connection.close()
        interception.remove("test")
    assert [(each.status, each.request_bytes, each.response_bytes) for each in found] == [(200, 3, 100)]


def test_tags_and_suppression_reach_a_request_that_is_sent_whole(
    server: Loopback, tmp_path: Path, connection: http.client.HTTPConnection
) -> None:
    found: list[Exchange] = []
    with recost.init(local_dir=tmp_path):
        interception.add("test", found.append, timed=False)
        with recost.tag(feature="search"):
            connection.request("POST", "/plain", b"abc")
            connection.getresponse().read()
        interception.remove("test")
    assert [each.scope.tags for each in found if each.scope is not None] == [(("feature", "search"),)]


@pytest.mark.parametrize(
    "url", ["http://Api.Example.com:8080/v1?key=1", "*", "/" + "x" * 5000], ids=["absolute", "star", "long"]
)
def test_unusual_targets(
    server: Loopback, exchanges: list[Exchange], connection: http.client.HTTPConnection, url: str
) -> None:
    connection.request("OPTIONS", url)
    connection.getresponse().read()
    (exchange,) = exchanges
    expected = {"h": ("api.example.com", 8080, "/v1"), "*": (server.host, server.port, "/*")}
    host, port, path = expected.get(url[0], (server.host, server.port, url[:4096]))
    assert (exchange.host, exchange.port, exchange.path) == (host, port, path)


def test_a_method_with_other_parameters_is_passed_on() -> None:
    steps = Steps(interception, lambda *_: None, lambda *_: None, {}, {object: "http"})

    def other(connection: Any, *args: Any, **kwargs: Any) -> Any:
        return connection, args, kwargs

    connection = object()
    assert request(other, [True], steps)(connection, "GET", "/", hurry=1) == (
        connection,
        ("GET", "/"),
        {"hurry": 1},
    )
    assert putrequest(other, [True], steps)(connection, "GET", "/", hurry=1) == (
        connection,
        ("GET", "/"),
        {"hurry": 1},
    )
    assert not steps.whole


def test_nothing_is_kept_of_a_request_whose_first_line_is_written_elsewhere(
    events: Events, connection: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A mock that replaces ``putrequest``: nobody begins the call.
    kept = interception.patches._of(http.client.HTTPConnection, "request")[-1]
    make: Any = kept.make
    steps = make.__self__._steps
    original = http.client.HTTPConnection.putrequest.__wrapped__  # type: ignore[attr-defined]
    monkeypatch.setattr(http.client.HTTPConnection, "putrequest", original)
    connection.request("GET", "/plain")
    connection.getresponse().read()
    assert events == []
    assert not steps.whole
