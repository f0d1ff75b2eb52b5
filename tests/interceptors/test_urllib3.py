from __future__ import annotations

import array
import copy
import gc
import http.client
import io
import os
import pickle
import socket
import ssl
import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import trustme
import urllib3
from urllib3 import HTTPConnectionPool, PoolManager, ProxyManager
from urllib3._collections import HTTPHeaderDict
from urllib3.exceptions import HTTPError, IncompleteRead, MaxRetryError, ProtocolError, ReadTimeoutError
from urllib3.util import Retry, Timeout

from recost.interceptors import install, interception, uninstall
from recost.interceptors.context import SUPPRESSED, current
from recost.interceptors.exchange import unfinished
from tests.interceptors.test_stdlib import tunnel
from tests.interceptors.truth import ENDINGS, Events, seen, truth
from tests.loopback import Loopback, loopback, patience_s, refused_port, wait_until

OLD = metadata.version("urllib3") < "2"
RETRIES_503: Any = {"status_forcelist": [503], "allowed_methods": None, "backoff_factor": 0}


@pytest.fixture
def manager() -> Iterator[PoolManager]:
    with PoolManager(retries=False, timeout=Timeout(10), maxsize=4) as manager:
        yield manager


ALL = [*ENDINGS, "/empty", "/status/404", "/status/503"]


@pytest.mark.parametrize("path", ALL)
def test_preloaded_call_is_complete_on_return(
    server: Loopback, events: Events, manager: PoolManager, path: str
) -> None:
    response = manager.request("GET", server.url + path)
    assert seen(events) == truth(server)
    assert events[0].url == server.url + path.partition("?")[0]
    assert events[0].attempts == 1
    assert set(vars(response)) == attributes_without_recost(server, path)


def attributes_without_recost(server: Loopback, path: str) -> set[str]:
    uninstall()
    with PoolManager(retries=False) as manager:
        return set(vars(manager.request("GET", server.url + path)))


def test_positional_and_keyword_arguments(server: Loopback, events: Events) -> None:
    with HTTPConnectionPool(server.host, server.port) as pool:
        pool.urlopen("post", "/plain", b"abc", {}, False)
        pool.urlopen(method="POST", url="/plain", body=b"abcd", headers={}, retries=False)
    assert [(e.method, e.request_bytes) for e in events] == [("POST", 3), ("POST", 4)]


def drain(reader: Callable[[], Any]) -> bytes:
    parts: list[bytes] = []
    while True:
        part = reader()
        if not part:
            return b"".join(parts)
        parts.append(bytes(part))


def by_readinto(response: Any) -> bytes:
    buffer = bytearray(37)
    return drain(lambda: buffer[: response.readinto(buffer)])


READERS: dict[str, Callable[[Any], bytes]] = {
    "data": lambda r: r.data,
    "read": lambda r: r.read(decode_content=False),
    "read(n)": lambda r: drain(lambda: r.read(33, decode_content=False)),
    "readinto": by_readinto,
    "stream": lambda r: b"".join(r.stream(50, decode_content=False)),
    "stream()": lambda r: b"".join(r.stream(decode_content=False)),
    "read_chunked": lambda r: b"".join(r.read_chunked() if r.chunked else r.stream()),
    "iteration": b"".join,
    "drain_conn": lambda r: r.drain_conn() or b"",
}
if hasattr(urllib3.HTTPResponse, "read1"):
    READERS["read1"] = lambda r: drain(lambda: r.read1(50, decode_content=False))


@pytest.mark.parametrize("path", ENDINGS)
@pytest.mark.parametrize("how", READERS)
def test_every_way_of_reading_counts_the_wire(
    server: Loopback, events: Events, manager: PoolManager, path: str, how: str
) -> None:
    response = manager.request("GET", server.url + path, preload_content=False)
    if path != "/plain?n=0":
        assert events == []
    READERS[how](response)
    if "gzip" not in path or how not in {"data", "readinto", "read_chunked", "iteration"}:
        assert seen(events) == truth(server)
    response.release_conn()
    assert seen(events) == truth(server)
    assert events[0].time_to_headers_ms is not None
    assert not unfinished


@pytest.mark.parametrize(("method", "path"), [("HEAD", "/plain"), ("GET", "/empty"), ("GET", "/status/304")])
def test_no_body_finishes_at_once(
    server: Loopback, events: Events, manager: PoolManager, method: str, path: str
) -> None:
    response = manager.request(method, server.url + path, preload_content=False)
    assert [(e.method, e.status_code, e.response_bytes) for e in events] == [(method, response.status, 0)]
    response.close()
    assert len(events) == 1


def test_early_close(server: Loopback, events: Events, manager: PoolManager) -> None:
    response = manager.request("GET", server.url + "/stall?n=1000", preload_content=False)
    response.read(100)
    assert events == []
    response.close()
    assert [(e.status_code, e.response_bytes) for e in events] == [(200, 100)]


def test_closing_within_a_chunk(server: Loopback, events: Events, manager: PoolManager) -> None:
    response = manager.request("GET", server.url + "/chunked?n=1000&k=2", preload_content=False)
    stream = response.stream(100)
    assert len(next(stream)) == 100
    stream.close()  # type: ignore[attr-defined]
    response.close()
    assert [(e.status_code, e.response_bytes) for e in events] == [(200, 100)]


def test_collected_response(server: Loopback, events: Events, manager: PoolManager) -> None:
    response = manager.request("GET", server.url + "/stall?n=1000", preload_content=False)
    assert len(unfinished) == 1
    del response
    gc.collect()
    assert [e.status_code for e in events] == [200]
    assert not unfinished


def test_a_pool_that_closes_ends_its_responses(server: Loopback, events: Events) -> None:
    pool = HTTPConnectionPool(server.host, server.port)
    response = pool.urlopen("GET", "/stall?n=1000", preload_content=False, release_conn=True)
    pool.close()
    response.close()
    assert [e.status_code for e in events] == [200]


def generator() -> Iterator[bytes]:
    yield b"one"
    yield b"three"


class Pipe:
    """A readable object of unknown size without ``tell`` and ``seek``."""

    def __init__(self) -> None:
        self._data = io.BytesIO(b"p" * 40_000)

    def read(self, size: int = -1) -> bytes:
        return self._data.read(size)


def binary_file(tmp_path: Path) -> Any:
    path = tmp_path / "body"
    path.write_bytes(b"f" * 20_000)
    file = path.open("rb")
    file.seek(5_000)
    return file


BODIES: dict[str, Callable[[Path], Any]] = {
    "none": lambda _: None,
    "bytes": lambda _: b"12345",
    "bytearray": lambda _: bytearray(b"12345"),
    "memoryview": lambda _: memoryview(b"12345"),
    "array": lambda _: array.array("I", [1, 2, 3]),
    "str": lambda _: "plain text",
    "latin text": lambda _: "zwölf",
    "list": lambda _: [b"one", b"three"],
    "generator": lambda _: generator(),
    "BytesIO": lambda _: io.BytesIO(b"x" * 12_345),
    "file": binary_file,
    "pipe": lambda _: Pipe(),
}


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("chunked", [False, True])
def test_request_bytes(
    server: Loopback, events: Events, manager: PoolManager, kind: str, chunked: bool, tmp_path: Path
) -> None:
    body = BODIES[kind](tmp_path)
    if chunked and kind == "array":
        pytest.skip("urllib3 announces the number of items as the size of the chunk")
    if OLD and chunked and kind in {"bytearray", "memoryview", "pipe"}:
        pytest.skip("urllib3 1.26 iterates over it, and gets integers or nothing")
    options: dict[str, Any] = {"chunked": True} if chunked else {}
    manager.urlopen("POST", server.url + "/plain", body=body, **options)
    if hasattr(body, "close"):
        body.close()
    assert events[0].request_bytes == server.log[0].request_bytes
    assert seen(events) == truth(server)
    assert (events[0].request_bytes > 0) == (kind != "none")


@pytest.mark.parametrize("kind", [dict, HTTPHeaderDict])
def test_declared_length_of_a_file(
    server: Loopback, events: Events, manager: PoolManager, kind: Any, tmp_path: Path
) -> None:
    with binary_file(tmp_path) as file:
        manager.urlopen("PUT", server.url + "/plain", body=file, headers=kind({"content-LENGTH": "15000"}))
    assert events[0].request_bytes == server.log[0].request_bytes == 15_000


def test_multipart_and_urlencoded_fields(server: Loopback, events: Events, manager: PoolManager) -> None:
    manager.request("POST", server.url + "/plain", fields={"a": "b", "f": ("n.txt", "content")})
    manager.request("POST", server.url + "/plain", fields={"a": "b"}, encode_multipart=False)
    assert seen(events) == truth(server)
    assert all(event.request_bytes for event in events)


def test_retries_are_attempts_of_one_call(server: Loopback, events: Events, manager: PoolManager) -> None:
    path = f"/flaky?fail=2&id={os.urandom(4).hex()}&n=321"
    body = io.BytesIO(b"12345")
    manager.urlopen("POST", server.url + path, body=body, retries=Retry(5, **RETRIES_503))
    assert [s.request_bytes for s in server.log] == [5, 5, 5]
    assert [(e.status_code, e.attempts, e.request_bytes, e.response_bytes) for e in events] == [
        (200, 3, 5, 321)
    ]


@pytest.mark.parametrize("preload", [True, False])
def test_retries_that_run_out(server: Loopback, events: Events, manager: PoolManager, preload: bool) -> None:
    with pytest.raises(MaxRetryError):
        manager.request(
            "GET", server.url + "/status/503", retries=Retry(2, **RETRIES_503), preload_content=preload
        )
    assert len(server.log) == 3
    assert [(e.status_code, e.attempts, e.error) for e in events] == [(503, 3, True)]
    response = manager.request(
        "GET",
        server.url + "/status/503",
        retries=Retry(1, raise_on_status=False, **RETRIES_503),
        preload_content=preload,
    )
    assert response.status == 503
    response.close()
    assert [(e.status_code, e.attempts) for e in events[1:]] == [(503, 2)]


def test_redirect_within_the_pool_is_an_attempt(server: Loopback, events: Events) -> None:
    with HTTPConnectionPool(server.host, server.port) as pool:
        pool.urlopen("GET", f"/redirect?to={server.url}/plain?n=77")
        with pytest.raises(MaxRetryError):
            pool.urlopen("GET", "/redirect?to=/redirect", retries=Retry(redirect=1))
    assert [(e.status_code, e.attempts, e.response_bytes) for e in events] == [(200, 2, 77), (302, 2, 0)]


def test_redirects_of_the_manager_are_calls(server: Loopback, events: Events) -> None:
    with PoolManager() as manager, loopback() as other:
        manager.request("GET", f"{server.url}/redirect?to={other.url}/chunked")
        assert [(e.path, e.status_code, e.attempts) for e in events] == [
            ("/redirect", 302, 1),
            ("/chunked", 200, 1),
        ]
        assert seen(events) == truth(server) + truth(other)


@pytest.mark.parametrize("retries", [False, 2])
def test_refused(events: Events, retries: Any) -> None:
    with PoolManager() as manager, pytest.raises(HTTPError):
        manager.request(
            "POST", f"http://127.0.0.1:{refused_port()}/x?key=secret", body=generator(), retries=retries
        )
    assert [(e.status_code, e.error, e.request_bytes, e.path) for e in events] == [(0, True, 0, "/x")]
    assert events[0].attempts == (3 if retries else 1)


def test_unknown_host(events: Events, manager: PoolManager, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(HTTPError):
        manager.request("GET", "http://NoSuchHost.Invalid/")
    assert [(e.status_code, e.host) for e in events] == [(0, "nosuchhost.invalid")]


def test_reset(server: Loopback, events: Events, manager: PoolManager) -> None:
    with pytest.raises(ProtocolError):
        manager.request("GET", server.url + "/reset")
    assert [e.status_code for e in events] == [0]


def test_an_attempt_forgets_the_status_of_the_one_before(events: Events, manager: PoolManager) -> None:
    with answering_once(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") as port:
        url = f"http://127.0.0.1:{port}/"
        with pytest.raises(MaxRetryError):
            manager.request("GET", url, retries=Retry(1, **RETRIES_503))
    assert [(e.status_code, e.attempts, e.time_to_headers_ms) for e in events] == [(0, 2, None)]


@contextmanager
def answering_once(answer: bytes) -> Iterator[int]:
    """Serve one connection, then refuse."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        peer, _ = listener.accept()
        listener.close()
        with peer:
            peer.recv(65536)
            peer.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        thread.join(5)


@pytest.mark.parametrize("retries", [False, 1])
def test_a_body_that_fails_while_preloading_keeps_its_status(
    server: Loopback, events: Events, manager: PoolManager, retries: Any
) -> None:
    with pytest.raises((ProtocolError, MaxRetryError, IncompleteRead)):
        manager.request("GET", server.url + "/truncate?n=100", retries=retries)
    assert [(e.status_code, e.attempts) for e in events] == [(200, 2 if retries else 1)]


def test_a_time_out_while_preloading_keeps_its_status(
    server: Loopback, events: Events, manager: PoolManager
) -> None:
    with pytest.raises(ReadTimeoutError):
        manager.request("GET", server.url + "/stall", timeout=1)
    assert [e.status_code for e in events] == [200]


def test_a_time_out_before_the_response(server: Loopback, events: Events, manager: PoolManager) -> None:
    with pytest.raises(ReadTimeoutError):
        manager.request("GET", server.url + "/hang", timeout=0.1)
    assert [e.status_code for e in events] == [0]
    assert wait_until(lambda: server.log)  # not in the midst of the next test


def test_a_body_that_fails_while_streaming(server: Loopback, events: Events, manager: PoolManager) -> None:
    response = manager.request("GET", server.url + "/truncate?n=100", preload_content=False)
    with pytest.raises(ProtocolError):
        response.read()
    assert [(e.status_code, e.response_bytes) for e in events] == [(200, 50)]


def test_interrupted_call(server: Loopback, events: Events, manager: PoolManager) -> None:
    def body() -> Iterator[bytes]:
        yield b"abc"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        manager.urlopen("POST", server.url + "/plain", body=body(), chunked=True)
    assert [(e.status_code, e.request_bytes) for e in events] == [(0, 3)]
    assert current.get() is None


@pytest.mark.parametrize("chunked", [True, False])
def test_a_call_made_by_the_body_of_another_is_its_own(
    server: Loopback, events: Events, manager: PoolManager, chunked: bool
) -> None:
    def body() -> Iterator[bytes]:
        yield manager.request("GET", server.url + "/plain?n=5").data

    def other_client() -> Iterator[bytes]:
        connection = http.client.HTTPConnection("localhost", server.port)
        connection.request("GET", "/plain?n=6")
        yield connection.getresponse().read()
        connection.close()

    manager.urlopen("POST", server.url + "/chunked", body=body(), chunked=True)
    manager.urlopen("POST", server.url + "/chunked", body=other_client(), chunked=True)
    assert [(e.method, e.request_bytes, e.response_bytes, e.attempts) for e in events] == [
        ("GET", 0, 5, 1),
        ("POST", 5, 100, 1),
        ("GET", 0, 6, 1),
        ("POST", 6, 100, 1),
    ]


def test_a_pool_that_connects_elsewhere_is_one_call(server: Loopback, events: Events) -> None:
    class Pinned(urllib3.connection.HTTPConnection):
        def putrequest(self, *args: Any, **kwargs: Any) -> None:
            self.host = "127.0.0.1"  # as adapters that pin an address do when they connect
            super().putrequest(*args, **kwargs)

    class Pool(HTTPConnectionPool):
        ConnectionCls = Pinned

    with Pool("api.example.com", server.port) as pool:
        pool.urlopen("POST", "/plain", body=generator(), chunked=True)
    assert [(e.host, e.request_bytes) for e in events] == [("api.example.com", 8)]


def test_ipv6_and_unusual_hosts(
    server: Loopback, events: Events, manager: PoolManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    getaddrinfo = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *args: getaddrinfo(host.rstrip("."), *args))
    with loopback("::1") as six:
        manager.request("GET", f"http://[::1]:{six.port}/plain")
        manager.request("GET", f"http://LOCALHOST.:{server.port}/plain?a#b")
    assert [e.url for e in events] == [f"{six.url}/plain", f"http://localhost:{server.port}/plain"]


def test_forward_proxy_is_one_call_to_the_target(server: Loopback, events: Events) -> None:
    # The loopback server is the proxy: it responds for any host.
    with ProxyManager(server.url, proxy_headers={"Proxy-Authorization": "Basic secret"}) as manager:
        manager.request("POST", "http://user:secret@Api.Example.com:8080/v1/x?key=secret", body=b"abc")
        response = manager.request("GET", "http://api.example.com/v1/y", preload_content=False)
        response.read()
    assert [(e.url, e.request_bytes) for e in events] == [
        ("http://api.example.com:8080/v1/x", 3),
        ("http://api.example.com/v1/y", 0),
    ]
    assert len(server.log) == 2


@contextmanager
def tls(authority: trustme.CA) -> Iterator[Loopback]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with loopback() as server:
        server._server.socket = context.wrap_socket(server._server.socket, server_side=True)
        yield server


def test_tls_direct_and_through_a_tunnel(events: Events) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with tls(authority) as server, tunnel() as proxy_port:
        url = f"https://localhost:{server.port}/chunked?n=2000"
        with PoolManager(ssl_context=context) as manager:
            manager.urlopen("POST", url, body=generator(), chunked=True)
        with ProxyManager(f"http://127.0.0.1:{proxy_port}", ssl_context=context) as manager:
            for _ in range(2):
                manager.urlopen("POST", url, body=generator(), chunked=True)
        with urllib.request.urlopen(url, data=b"12345678", context=context) as response:
            response.read()
        assert seen(events) == truth(server)
        assert len(events) == 4
        assert {e.url for e in events} == {f"https://localhost:{server.port}/chunked"}


def test_a_certificate_that_is_not_trusted(events: Events) -> None:
    with tls(trustme.CA()) as server, PoolManager(retries=False) as manager:
        url = f"https://127.0.0.1:{server.port}/x"
        with pytest.raises(HTTPError):
            manager.request("POST", url, body=b"abc")
        connection = http.client.HTTPSConnection("127.0.0.1", server.port)
        with pytest.raises(ssl.SSLError):
            connection.request("GET", "/x")
        connection.close()
    assert [(e.status_code, e.url) for e in events] == [(0, url)] * 2


def test_the_pool_and_the_thread_are_as_before(server: Loopback, events: Events) -> None:
    with HTTPConnectionPool(server.host, server.port, maxsize=1) as pool:
        for kind in ("generator", "list", "bytes"):
            pool.urlopen("POST", "/plain", body=BODIES[kind](Path()), chunked=True)
        assert pool.num_connections == 1
        connection = pool._get_conn()
        assert not {"send", "getresponse", "close"} & set(vars(connection))
        pool._put_conn(connection)
    assert current.get() is None


def test_a_connection_without_pool(server: Loopback, events: Events) -> None:
    connection = urllib3.connection.HTTPConnection(server.host, server.port)
    connection.request("GET", "/chunked?n=500")
    response = connection.getresponse()
    response.read()
    connection.close()
    assert seen(events) == truth(server)


def test_responses_can_be_copied_and_pickled_as_before(server: Loopback, manager: PoolManager) -> None:
    def outcomes() -> list[Any]:
        results: list[Any] = []
        for preload in (True, False):
            response = manager.request("GET", server.url + "/plain", preload_content=preload)
            response.read()
            results.append(sorted(vars(copy.copy(response))))
            try:
                results.append(len(pickle.dumps(response)))
            except Exception as error:  # noqa: BLE001
                results.append(type(error))
        return results

    bare = outcomes()
    install(lambda event: None)
    try:
        assert outcomes() == bare
    finally:
        uninstall()


def test_suppressed(server: Loopback, events: Events, manager: PoolManager) -> None:
    current.set(SUPPRESSED)
    try:
        manager.urlopen("POST", server.url + "/plain", body=generator(), chunked=True)
    finally:
        current.set(None)
    assert events == []


def test_nothing_is_left_after_uninstall(server: Loopback, manager: PoolManager) -> None:
    methods = [
        (HTTPConnectionPool, "urlopen"),
        (urllib3.HTTPResponse, "drain_conn"),
        (http.client.HTTPConnection, "putrequest"),
    ]
    bare = [owner.__dict__[name] for owner, name in methods]
    recorded: Events = []
    install(recorded.append)
    assert all(owner.__dict__[name] is not function for (owner, name), function in zip(methods, bare))
    pending = manager.request("GET", server.url + "/plain", preload_content=False)
    uninstall()
    assert [owner.__dict__[name] for owner, name in methods] == bare
    manager.request("GET", server.url + "/plain")
    assert len(pending.read()) == 100
    assert recorded == []
    assert not unfinished


def test_own_failures_are_reported_and_the_call_goes_on(
    server: Loopback, manager: PoolManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[BaseException] = []
    recorded: list[Any] = []
    interception.add("test", recorded.append, on_error=errors.append)

    def fail(*args: Any) -> Any:
        raise RuntimeError("own")

    try:
        for name in ("_target", "follow_body"):
            with monkeypatch.context() as patch:
                patch.setattr(f"recost.interceptors.urllib3.{name}", fail)
                assert len(manager.request("GET", server.url + "/plain", preload_content=False).read()) == 100
        with monkeypatch.context() as patch:
            patch.setattr("recost.interceptors.urllib3._status_of", fail)
            with pytest.raises(HTTPError):
                manager.request("GET", f"http://127.0.0.1:{refused_port()}/")
    finally:
        interception.remove("test")
    assert [str(error) for error in errors] == ["own"] * 3
    assert [exchange.status for exchange in recorded] == [200, 200, 0]  # the first one by http.client


def outcome(server: Loopback, path: str, preload: bool) -> Any:
    with PoolManager(retries=False, timeout=patience_s(path)) as manager:
        try:
            response = manager.request(
                "POST", server.url + path, body=generator(), chunked=True, preload_content=preload
            )
            data = response.data
            return (
                response.status,
                response.headers.get("content-type"),
                data,
                response.closed,
                response.tell(),
            )
        except Exception as error:  # noqa: BLE001
            return type(error), type(error.__cause__), type(error.__context__)


@pytest.mark.parametrize("path", [*ALL, "/reset", "/truncate", "/stall", "/hang", "/redirect"])
@pytest.mark.parametrize("preload", [True, False])
def test_the_application_sees_the_same_as_without(server: Loopback, path: str, preload: bool) -> None:
    bare = outcome(server, path, preload)
    assert wait_until(lambda: server.log)
    server.log.clear()
    recorded: Events = []
    install(recorded.append)
    try:
        assert outcome(server, path, preload) == bare
    finally:
        uninstall()
    assert wait_until(lambda: len(recorded) == len(server.log))


def test_threads(server: Loopback, events: Events) -> None:
    # One body is of unknown size, each third response is streamed.
    with PoolManager(retries=False, maxsize=100, timeout=30) as manager:

        def call(index: int) -> None:
            body: Any = generator() if index % 5 == 0 else b"d" * index
            response = manager.urlopen(
                "POST",
                server.url + ALL[index % len(ALL)],
                body=body,
                chunked=index % 5 == 0,
                preload_content=index % 3 != 0,
            )
            for _ in response.stream(100, decode_content=False):
                pass
            response.release_conn()

        with ThreadPoolExecutor(100) as pool:
            list(pool.map(call, range(400)))
    assert len(events) == len(server.log) == 400
    assert seen(events) == truth(server)
    assert not unfinished


def test_one_response_read_while_another_thread_closes_it(
    server: Loopback, events: Events, manager: PoolManager
) -> None:
    for _ in range(20):
        response = manager.request("GET", server.url + "/plain?n=70000", preload_content=False)
        threads = [
            threading.Thread(target=_quietly, args=(action,)) for action in (response.read, response.close)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert len(events) == 20


def _quietly(action: Callable[[], Any]) -> None:
    try:
        action()
    except Exception:  # noqa: BLE001 - reading what is being closed fails in many ways
        return
