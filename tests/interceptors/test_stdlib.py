from __future__ import annotations

import gc
import http.client
import io
import socket
import threading
import urllib.error
import urllib.request
import xmlrpc.client
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost.interceptors import install, interception, uninstall
from recost.interceptors._body import Dechunker
from recost.interceptors.context import SUPPRESSED, current
from recost.interceptors.exchange import unfinished
from recost.interceptors.targets import absolute_target, ascii_host
from tests.interceptors.truth import ENDINGS, Events, seen, truth
from tests.loopback import Loopback, loopback, patience_s, refused_port, wait_until
from tests.serving import serving


def connect(server: Loopback) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(server.host, server.port, timeout=10)


@pytest.mark.parametrize("path", [*ENDINGS, "/empty", "/status/304", "/status/404", "/status/503"])
def test_urlopen_is_one_call_with_the_bytes_of_its_body(server: Loopback, events: Events, path: str) -> None:
    try:
        with urllib.request.urlopen(server.url + path) as response:
            response.read()
    except urllib.error.HTTPError as error:
        error.read()
        error.close()
    if path == "/status/304":  # has no body, whatever the server sent
        assert [(e.status_code, e.response_bytes) for e in events] == [(304, 0)]
    else:
        assert seen(events) == truth(server)
    (event,) = events
    assert event.host == "127.0.0.1"
    assert event.url == server.url + path.partition("?")[0]
    assert event.attempts == 1
    assert event.time_to_headers_ms is not None
    assert event.time_to_headers_ms <= event.latency_ms


def drain(reader: Callable[[], Any]) -> bytes:
    parts: list[bytes] = []
    while True:
        part = reader()
        if not part:
            return b"".join(parts)
        parts.append(bytes(part))


def by_readinto(response: http.client.HTTPResponse) -> bytes:
    buffer = bytearray(37)
    return drain(lambda: buffer[: response.readinto(buffer)])


def by_peek(response: http.client.HTTPResponse) -> bytes:
    def piece() -> bytes:
        ahead = response.peek(10) if response.length != 0 else b""  # it would wait for more
        return response.read(len(ahead)) if ahead else response.read()

    return drain(piece)


READERS: dict[str, Callable[[http.client.HTTPResponse], bytes]] = {
    "read": lambda r: r.read(),
    "read(n)": lambda r: drain(lambda: r.read(33)),
    "read1": lambda r: drain(lambda: r.read1(50)),
    "read1()": lambda r: drain(r.read1),
    "readinto": by_readinto,
    "readline": lambda r: drain(lambda: r.readline(20)),
    "iteration": b"".join,
    "readlines": lambda r: b"".join(r.readlines()),
    "peek": by_peek,
    "BufferedReader": lambda r: io.BufferedReader(r).read(),
    "readall": lambda r: r.read(2) + r.read(),
}


@pytest.mark.parametrize("path", ENDINGS)
@pytest.mark.parametrize("how", READERS)
def test_every_way_of_reading_counts_the_same(server: Loopback, events: Events, path: str, how: str) -> None:
    with connect_closing(server) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        data = READERS[how](response)
        response.close()
    (served,) = server.log
    assert wait_until(lambda: served.complete)
    assert len(data) == served.response_bytes
    assert seen(events) == truth(server)


class connect_closing:  # noqa: N801 - reads as a function
    def __init__(self, server: Loopback) -> None:
        self.connection = connect(server)

    def __enter__(self) -> http.client.HTTPConnection:
        return self.connection

    def __exit__(self, *exc: object) -> None:
        self.connection.close()


def test_a_body_of_known_length_ends_with_its_last_byte(server: Loopback, events: Events) -> None:
    with connect_closing(server) as connection:
        connection.request("GET", "/plain?n=100")
        response = connection.getresponse()
        response.read1(60)
        assert events == []
        response.read1(40)
        assert seen(events) == truth(server)
        response.close()
    assert len(events) == 1


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_a_response_without_body_is_finished_at_once(server: Loopback, events: Events, method: str) -> None:
    with connect_closing(server) as connection:
        connection.request(method, "/plain" if method == "HEAD" else "/empty")
        response = connection.getresponse()
        assert len(events) == 1
        response.read()
    assert seen(events) == truth(server)


def test_keep_alive_connection_with_calls_in_sequence(server: Loopback, events: Events) -> None:
    with connect_closing(server) as connection:
        for index, path in enumerate(ENDINGS * 2):
            connection.request("POST", path, body=b"b" * index)
            response = connection.getresponse()
            response.read()
            response.close()
            assert len(events) == index + 1
            assert not {"send", "getresponse", "close"} & set(vars(connection))
    assert seen(events) == truth(server)


def pieces() -> Iterator[bytes]:
    yield b"one"
    yield b""
    yield b"three"


def text_file(tmp_path: Path) -> Any:
    path = tmp_path / "body.txt"
    path.write_text("zwölf", encoding="utf-8")
    return path.open(encoding="utf-8")


def binary_file(tmp_path: Path) -> Any:
    path = tmp_path / "body"
    path.write_bytes(b"f" * 20_000)
    return path.open("rb")


BODIES: dict[str, tuple[Callable[[Path], Any], int]] = {
    "none": (lambda _: None, 0),
    "bytes": (lambda _: b"12345", 5),
    "bytearray": (lambda _: bytearray(b"12345"), 5),
    "memoryview": (lambda _: memoryview(b"12345678").cast("I"), 8),
    "str": (lambda _: "zwölf", 5),
    "list": (lambda _: [b"one", b"three"], 8),
    "generator": (lambda _: pieces(), 8),
    "BytesIO": (lambda _: io.BytesIO(b"x" * 12_345), 12_345),
    "file": (binary_file, 20_000),
    "text file": (text_file, 5),
}


@pytest.mark.parametrize("kind", BODIES)
def test_request_bytes(server: Loopback, events: Events, kind: str, tmp_path: Path) -> None:
    make, size = BODIES[kind]
    body = make(tmp_path)
    with connect_closing(server) as connection:
        connection.request("PUT", "/plain", body=body)
        connection.getresponse().read()
    if hasattr(body, "close"):
        body.close()
    assert server.log[0].request_bytes == size
    assert seen(events) == truth(server)


def test_request_bytes_sent_by_hand(server: Loopback, events: Events, tmp_path: Path) -> None:
    with binary_file(tmp_path) as file, connect_closing(server) as connection:
        connection.putrequest("POST", "/plain")
        connection.putheader("Content-Length", "20013")
        connection.endheaders(b"12345")
        connection.send(file)
        connection.send([b"678", b"9"])
        connection.send(iter([b"abcd"]))
        connection.getresponse().read()
    assert seen(events) == truth(server)
    assert events[0].request_bytes == 20_013


def test_chunks_framed_by_hand_count_without_framing(server: Loopback, events: Events) -> None:
    with connect_closing(server) as connection:
        connection.putrequest("POST", "/plain")
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()
        for part in (b"5", b"\r\n", b"hello", b"\r\n", b"3;x=y\r\nabc\r\n0\r\n\r\n"):
            connection.send(part)
        connection.getresponse().read()
    assert events[0].request_bytes == server.log[0].request_bytes == 8


def test_a_file_that_cannot_tell_counts_by_its_declared_length(server: Loopback, events: Events) -> None:
    class Pipe:
        def __init__(self) -> None:
            self._data = io.BytesIO(b"p" * 500)

        def read(self, size: int) -> bytes:
            return self._data.read(size)

    with connect_closing(server) as connection:
        connection.putrequest("POST", "/plain")
        connection.putheader("Content-Length", "500")
        connection.endheaders()
        connection.send(Pipe())  # type: ignore[arg-type]
        connection.getresponse().read()
    assert events[0].request_bytes == server.log[0].request_bytes == 500


@given(
    chunks=st.lists(st.binary(min_size=1, max_size=40), max_size=6),
    cuts=st.lists(st.integers(1, 30), min_size=1),
)
def test_dechunker_sees_the_data_however_it_is_cut(chunks: list[bytes], cuts: list[int]) -> None:
    framed = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    dechunker, total, at, turn = Dechunker(), 0, 0, 0
    while at < len(framed):
        step = cuts[turn % len(cuts)]
        total += dechunker.feed(framed[at : at + step])
        at, turn = at + step, turn + 1
    assert total == sum(map(len, chunks))


def test_dechunker_takes_linear_time() -> None:
    for piece in (b"1\r\na\r\n", b"1;" + b"x" * 100 + b"\r\na\r\n"):
        assert Dechunker().feed(piece * 200_000) == 200_000


@pytest.mark.parametrize("line", [b"-5\r\nxx\r\n", b"-1\r\n" * 99, b"x\r\n", b"1" * 70_000])
def test_dechunker_refuses_an_invalid_size(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"chunk|invalid literal"):
        Dechunker().feed(line)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("me@Bücher.Example.", "xn--bcher-kva.example"),
        ("[::1]", "::1"),
        ("a" * 1_000_000, "a" * 255),
        ("x" * 1_000_000 + "@shop.example", "shop.example"),
        ("ü" * 1_000_000, "?" * 255),
        ("ü" * 64 + ".example", "?" * 64 + ".example"),
        ("\ud800.example", "?.example"),
    ],
)
def test_hosts_of_any_kind_are_spelled_in_bounded_ascii(host: str, name: str) -> None:
    assert ascii_host(host) == name


@pytest.mark.parametrize("line", [b"not a size\r\n", b"-5\r\nxx\r\n"])
def test_what_is_not_chunked_though_announced_goes_out_unchanged(server: Loopback, line: bytes) -> None:
    errors: list[BaseException] = []
    interception.add("test", lambda exchange: None, on_error=errors.append)
    with connect_closing(server) as connection:
        connection.putrequest("POST", "/plain")
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()
        connection.send(line)
        assert wait_until(lambda: server.log)
    interception.remove("test")
    assert [type(error) for error in errors] == [ValueError]


def test_redirects_are_calls_of_their_own(server: Loopback, events: Events) -> None:
    with urllib.request.urlopen(server.url + "/redirect?to=/chunked") as response:
        response.read()
    assert [(e.path, e.status_code) for e in events] == [("/redirect", 302), ("/chunked", 200)]
    assert seen(events) == truth(server)


def test_early_close_counts_what_was_read(server: Loopback, events: Events) -> None:
    response = urllib.request.urlopen(server.url + "/stall?n=1000")
    response.read(100)
    assert events == []
    response.close()
    (event,) = events
    assert (event.status_code, event.response_bytes) == (200, 100)
    response.close()
    assert len(events) == 1


def test_a_response_that_is_dropped_is_finished_when_it_is_collected(
    server: Loopback, events: Events
) -> None:
    response = urllib.request.urlopen(server.url + "/stall?n=1000")
    assert events == []
    assert len(unfinished) == 1
    del response
    gc.collect()
    assert [e.status_code for e in events] == [200]
    assert not unfinished


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_response_in_a_cycle_is_finished_by_the_collector(server: Loopback, events: Events) -> None:
    response = urllib.request.urlopen(server.url + "/stall?n=1000")
    response.myself = response
    del response
    gc.collect()
    assert [e.status_code for e in events] == [200]


def test_replaced_file_still_finishes(server: Loopback, events: Events) -> None:
    response = urllib.request.urlopen(server.url + "/plain")
    file, response.fp = response.fp, None
    file.raw.close()
    del file
    assert [e.status_code for e in events] == [200]
    response.close()


def test_truncated_body_keeps_its_status(server: Loopback, events: Events) -> None:
    with (
        urllib.request.urlopen(server.url + "/truncate?n=100") as response,
        pytest.raises(http.client.IncompleteRead),
    ):
        response.read()
    assert [(e.status_code, e.response_bytes) for e in events] == [(200, 50)]


def test_refused(events: Events) -> None:
    port = refused_port()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/x", data=b"body")
    assert [(e.status_code, e.error, e.host, e.path) for e in events] == [(0, True, "127.0.0.1", "/x")]


def test_refused_is_finished_without_close(events: Events) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", refused_port())
    with pytest.raises(ConnectionRefusedError):
        connection.request("GET", "/")
    assert [e.status_code for e in events] == [0]
    assert not {"send", "getresponse", "close"} & set(vars(connection))
    connection.close()
    assert len(events) == 1


def test_unknown_host(events: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen("http://NoSuchHost.Invalid/x")
    assert [(e.status_code, e.url) for e in events] == [(0, "http://nosuchhost.invalid/x")]


def test_reset_before_a_response(server: Loopback, events: Events) -> None:
    with pytest.raises(ConnectionError):
        urllib.request.urlopen(server.url + "/reset")
    assert [e.status_code for e in events] == [0]


def test_time_out_before_a_response(server: Loopback, events: Events) -> None:
    with pytest.raises(TimeoutError if issubclass(socket.timeout, TimeoutError) else socket.timeout):
        urllib.request.urlopen(server.url + "/hang", timeout=0.05)
    assert [e.status_code for e in events] == [0]
    assert wait_until(lambda: server.log)  # not in the midst of the next test


def test_time_out_within_the_body(server: Loopback, events: Events) -> None:
    with (
        urllib.request.urlopen(server.url + "/stall?n=1000", timeout=1) as response,
        pytest.raises(socket.timeout),
    ):
        response.read()
    assert [e.status_code for e in events] == [200]


def test_closed_without_asking_for_the_response(server: Loopback, events: Events) -> None:
    connection = connect(server)
    connection.request("GET", "/plain")
    assert wait_until(lambda: server.log)
    assert events == []
    connection.close()
    assert [(e.status_code, e.attempts) for e in events] == [(0, 1)]
    connection.close()
    connection.request("GET", "/plain")
    connection.getresponse().read()
    connection.close()
    assert [e.status_code for e in events] == [0, 200]


def test_collected_without_asking_for_the_response(server: Loopback, events: Events) -> None:
    connection = connect(server)
    connection.request("GET", "/plain")
    assert wait_until(lambda: server.log)
    connection.sock.close()
    connection.sock = None
    del connection
    gc.collect()
    assert [e.status_code for e in events] == [0]


def test_a_connection_that_only_its_method_refers_to(server: Loopback, events: Events) -> None:
    def asked() -> http.client.HTTPConnection:
        connection = connect(server)
        connection.request("GET", "/close")
        return connection

    assert len(asked().getresponse().read()) == 100
    gc.collect()
    assert seen(events) == truth(server)


def test_asking_too_early_does_not_end_the_call(server: Loopback, events: Events) -> None:
    with connect_closing(server) as connection:
        connection.request("GET", "/plain?n=10")
        first = connection.getresponse()
        first.peek(10)  # now the buffer can't receive any of the next response
        connection.request("GET", "/chunked?n=20")
        with pytest.raises(http.client.ResponseNotReady):
            connection.getresponse()
        first.read()
        connection.getresponse().read()
    assert seen(events) == truth(server)


def test_an_invalid_request_is_not_a_call(server: Loopback, events: Events) -> None:
    with connect_closing(server) as connection, pytest.raises(http.client.InvalidURL):
        connection.request("GET", "/with space")
    assert events == []


def test_methods_of_the_instance_are_called_and_kept(server: Loopback, events: Events) -> None:
    sent: list[bytes] = []
    with connect_closing(server) as connection:
        original = connection.send

        def send(data: Any) -> None:
            sent.append(data)
            original(data)

        connection.send = send  # type: ignore[method-assign]
        connection.request("POST", "/plain", body=b"abc")
        connection.getresponse().read()
        assert vars(connection)["send"] is send
    assert sent[-1] == b"abc"
    assert seen(events) == truth(server)


def test_continue_is_not_the_response(events: Events) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(65536)
                peer.sendall(
                    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"
                )
                peer.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("POST", "/x", body=b"abc", headers={"Expect": "100-continue"})
        assert connection.getresponse().read() == b"ok"
        connection.close()
        thread.join(5)
    assert [(e.status_code, e.request_bytes, e.response_bytes) for e in events] == [(201, 3, 2)]


def test_xmlrpc(events: Events) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            answer = xmlrpc.client.dumps((7,), methodresponse=True).encode()
            sizes.append((int(self.headers["content-length"]), len(answer)))
            self.send_response(200)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    sizes: list[tuple[int, int]] = []
    with (
        serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as rpc,
        xmlrpc.client.ServerProxy(f"http://127.0.0.1:{rpc.server_port}/RPC2") as proxy,
    ):
        assert proxy.add(3, 4) == 7
        assert proxy.add(3, 4) == 7
    assert [(e.request_bytes, e.response_bytes) for e in events] == sizes
    assert [(e.method, e.path, e.status_code) for e in events] == [("POST", "/RPC2", 200)] * 2


def test_ipv6(events: Events) -> None:
    with loopback("::1") as server:
        with urllib.request.urlopen(server.url + "/plain") as response:
            response.read()
        assert [(e.host, e.url) for e in events] == [("::1", f"{server.url}/plain")]


def test_a_forward_proxy_is_asked_for_the_target(server: Loopback, events: Events) -> None:
    # The loopback server is the proxy: it responds for any host.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": server.url}))
    with opener.open("http://user:secret@Api.Example.com:8080/v1/x?key=secret") as response:
        response.read()
    (event,) = events
    assert event.url == "http://api.example.com:8080/v1/x"
    assert event.host == "api.example.com"


def test_a_tunnel_is_not_a_call_and_its_target_is_the_host(server: Loopback, events: Events) -> None:
    with tunnel() as port:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.set_tunnel(server.host, server.port, headers={"Proxy-Authorization": "Basic secret"})
        connection.request("POST", "/plain", body=b"abc")
        connection.getresponse().read()
        connection.close()
    assert seen(events) == truth(server)
    assert events[0].url == server.url + "/plain"


def test_a_tunnel_that_is_made_after_the_first_line(server: Loopback, events: Events) -> None:
    with tunnel() as port:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.set_tunnel(server.host, server.port)
        connection.putrequest("POST", "/plain")
        connection.connect()
        connection.putheader("Content-Length", "3")
        connection.endheaders(b"abc")
        connection.getresponse().read()
        connection.close()
    assert seen(events) == truth(server)


def test_a_refused_tunnel(events: Events) -> None:
    with tunnel() as port:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.set_tunnel("127.0.0.1", refused_port())
        with pytest.raises(OSError, match="Tunnel connection failed"):
            connection.request("GET", "/")
    assert [e.status_code for e in events] == [0]


class tunnel:  # noqa: N801 - reads as a function
    """A small CONNECT proxy. Its context manager returns the port."""

    def __enter__(self) -> int:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        port: int = self._listener.getsockname()[1]
        return port

    def __exit__(self, *exc: object) -> None:
        self._thread.join(5)
        self._listener.close()

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(65536)
            host, _, port = head.split(b" ")[1].decode().rpartition(":")
            try:
                upstream = socket.create_connection((host, int(port)))
            except OSError:
                client.sendall(b"HTTP/1.1 502 Bad gateway\r\n\r\n")
                return
            with upstream:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=_pump, args=(upstream, client))
                back.start()
                _pump(client, upstream)
                back.join(5)


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("/v1?u=http://other/", None),
        ("*", None),
        ("http:", None),
        ("HTTP://User:pw@EXAMPLE.com./a?b", ("http", "example.com", 80, "/a")),
        ("https://[::1]:8443", ("https", "::1", 8443, "/")),
        ("http://bücher.example/", ("http", "xn--bcher-kva.example", 80, "/")),
    ],
)
def test_absolute_target(url: str, target: Any) -> None:
    assert absolute_target(url) == target


def test_suppressed_calls_are_not_counted(server: Loopback, events: Events) -> None:
    current.set(SUPPRESSED)
    try:
        with urllib.request.urlopen(server.url + "/plain") as response:
            response.read()
    finally:
        current.set(None)
    assert events == []


def test_nothing_is_left_after_uninstall(server: Loopback) -> None:
    bare = http.client.HTTPConnection.__dict__["putrequest"]
    recorded: Events = []
    install(recorded.append)
    assert http.client.HTTPConnection.__dict__["putrequest"] is not bare
    pending = urllib.request.urlopen(server.url + "/plain")
    uninstall()
    assert http.client.HTTPConnection.__dict__["putrequest"] is bare
    with urllib.request.urlopen(server.url + "/plain") as response:
        response.read()
        assert response.fp is None
    assert len(pending.read()) == 100
    assert recorded == []
    assert not unfinished


def test_own_failures_are_reported_and_the_call_goes_on(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[BaseException] = []
    recorded: list[Any] = []
    interception.add("test", recorded.append, on_error=errors.append)

    def fail(*args: Any) -> Any:
        raise RuntimeError("own")

    failing: list[tuple[str, Any]] = [
        ("stdlib._target", b"abc"),
        ("stdlib._Request.stand_in", io.BytesIO(b"abc")),
        ("_http_client_importlib_bootstrap.ref", b"abc"),
        ("_http_client_importlib_bootstrap.Waiting._step_aside", b"abc"),
        ("_http_client_importlib_bootstrap.follow_body", b"abc"),
    ]
    try:
        for name, data in failing:
            with monkeypatch.context() as patch:
                patch.setattr(f"recost.interceptors.{name}", fail)
                with urllib.request.urlopen(server.url + "/plain", data=data) as response:
                    assert len(response.read()) == 100
    finally:
        interception.remove("test")
    assert [str(error) for error in errors] == ["own"] * len(failing)
    assert len(recorded) == len(failing) - 1  # what begins, ends


ODD = ["/status/500", "/reset", "/truncate", "/stall", "/hang", "/redirect", "/empty"]


def outcome(server: Loopback, path: str) -> Any:
    try:
        with urllib.request.urlopen(server.url + path, data=b"x", timeout=patience_s(path)) as response:
            return response.status, response.headers.get("content-type"), response.read(), response.closed
    except Exception as error:  # noqa: BLE001
        return type(error), type(getattr(error, "reason", None))


@pytest.mark.parametrize("path", [*ENDINGS, *ODD])
def test_the_application_sees_the_same_as_without(server: Loopback, path: str) -> None:
    bare = outcome(server, path)
    recorded: Events = []
    install(recorded.append)
    try:
        assert outcome(server, path) == bare
    finally:
        uninstall()
    assert recorded
    assert wait_until(lambda: len(server.log) > 1)  # not in the midst of the next test


def test_threads(server: Loopback, events: Events) -> None:
    paths = [*ENDINGS, "/status/404", "/redirect?to=/plain"]

    def call(index: int) -> None:
        try:
            request = urllib.request.Request(
                server.url + paths[index % len(paths)], method="POST", data=b"d" * index
            )
            with urllib.request.urlopen(request) as response:
                response.read()
        except urllib.error.HTTPError as error:
            error.read()
            error.close()

    with ThreadPoolExecutor(100) as pool:
        list(pool.map(call, range(400)))
    assert len(events) == len(server.log)
    assert seen(events) == truth(server)
    assert not unfinished
