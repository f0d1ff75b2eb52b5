from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Callable, Optional

import pytest

from recost.delivery.transports.base import Disposition, SendError
from recost.delivery.transports.websocket import WebSocketTransport
from recost.errors import RecostError
from recost.events import WindowSummary
from tests.delivery.samples import metric, window, window_of
from tests.loopback import refused_port, wait_until

pytest.importorskip("websockets.sync.server")
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

ROOT = Path(__file__).parents[2]


class Collector:
    """A real WebSocket server that keeps what it reads."""

    def __init__(self, handle: Optional[Callable[[ServerConnection], None]] = None, port: int = 0) -> None:
        self.frames: list[Any] = []
        self.connections: list[ServerConnection] = []
        self._handle = handle
        logger = logging.getLogger("tests.collector")
        logger.setLevel(logging.CRITICAL + 1)
        self._server = serve(self._serve, "127.0.0.1", port, logger=logger, max_size=2**24, close_timeout=0.5)
        self.port: int = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _serve(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        if self._handle is not None:
            self._handle(connection)
            return
        try:
            for frame in connection:
                self.frames.append(frame)
        except ConnectionClosed:
            return

    def environments(self) -> list[str]:
        return [json.loads(frame)["environment"] for frame in self.frames]

    def close(self) -> None:
        for connection in self.connections:
            connection.close()
        self._server.shutdown()
        self._thread.join(5)


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    yield server
    server.close()


@contextmanager
def transport_to(port: int) -> Iterator[WebSocketTransport]:
    transport = WebSocketTransport(port)
    try:
        yield transport
    finally:
        transport.close()


@contextmanager
def peer(act: Callable[[socket.socket], None]) -> Iterator[int]:
    """Run a plain TCP server that does one thing with each connection; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def run() -> None:
            while not stop.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    act(connection)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        stop.set()
        with socket.socket() as wake:
            wake.connect(listener.getsockname())
        thread.join(5)


def failure_of(transport: WebSocketTransport, *metrics: Any, timeout_s: float = 5.0) -> SendError:
    with pytest.raises(SendError) as caught:
        transport.send(window(*metrics), timeout_s)
    return caught.value


def test_a_window_is_one_text_frame_and_the_connection_is_kept(collector: Collector) -> None:
    with transport_to(collector.port) as transport:
        for index in range(20):
            transport.send(window(environment=str(index)), 5.0)
        transport.send(window_of(2_000_000, "large"), 5.0)
        assert wait_until(lambda: len(collector.frames) == 21)
    assert collector.environments() == [*map(str, range(20)), "large"]
    assert all(isinstance(frame, str) for frame in collector.frames)
    assert len(collector.connections) == 1


def test_a_connection_that_was_closed_meanwhile_is_replaced(collector: Collector) -> None:
    with transport_to(collector.port) as transport:
        for index in range(4):
            transport.send(window(environment=str(index)), 5.0)
            assert wait_until(lambda: len(collector.frames) == index + 1)  # noqa: B023 - evaluated at once
            collector.connections[-1].close()
    assert collector.environments() == ["0", "1", "2", "3"]
    assert len(collector.connections) == 4


def test_a_collector_that_is_restarted_gets_every_window() -> None:
    first = Collector()
    with transport_to(first.port) as transport:
        transport.send(window(environment="1"), 5.0)
        assert wait_until(lambda: first.frames)  # the pong may come before the handler has the connection
        first.close()
        assert failure_of(transport).disposition is Disposition.RETRY
        second = Collector(port=first.port)
        transport.send(window(environment="2"), 5.0)
        assert wait_until(lambda: second.frames)
        second.close()
    assert (first.environments(), second.environments()) == (["1"], ["2"])


def test_a_frame_on_a_dead_connection_is_not_taken_for_delivered(collector: Collector) -> None:
    with transport_to(collector.port) as transport:
        for index in range(5):
            assert wait_until(lambda: delivered(transport, window(environment=str(index))))  # noqa: B023
            assert wait_until(lambda: str(index) in collector.environments())  # noqa: B023
            for connection in collector.connections:  # without a word: the next frame goes nowhere
                with suppress(OSError):
                    connection.socket.shutdown(socket.SHUT_RDWR)


def delivered(transport: WebSocketTransport, summary: WindowSummary) -> bool:
    try:
        transport.send(summary, 5.0)
    except SendError as failure:
        assert failure.disposition is Disposition.RETRY  # noqa: PT017 - either outcome is right
        return False
    return True


def test_nobody_there() -> None:
    failure = failure_of(WebSocketTransport(refused_port()))
    assert failure.disposition is Disposition.RETRY
    assert isinstance(failure.error, RecostError)
    assert "ws://127.0.0.1:" in str(failure.error)
    assert "refused" in str(failure.error)


def drop(connection: socket.socket) -> None:
    connection.close()


def html(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>secret</h")


def redirect(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(
        b"HTTP/1.1 302 Found\r\nLocation: ws://me:secret@127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    )


def garbage(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"\0" * 100_000)


@pytest.mark.parametrize("act", [drop, html, redirect, garbage])
def test_a_peer_that_is_no_collector(act: Callable[[socket.socket], None]) -> None:
    with peer(act) as port, transport_to(port) as transport:
        failure = failure_of(transport)
        assert failure.disposition is Disposition.RETRY
        assert "secret" not in str(failure.error)
        assert len(str(failure.error)) < 200


def wait(event: threading.Event) -> None:
    event.wait(20)


def test_a_peer_that_never_shakes_hands() -> None:
    done = threading.Event()
    with peer(lambda connection: wait(done)) as port, transport_to(port) as transport:
        failure = failure_of(transport, timeout_s=0.3)
        done.set()
    assert failure.disposition is Disposition.RETRY
    assert "in time" in str(failure.error)


@pytest.mark.parametrize("nbytes", [100, 30_000_000])
def test_a_peer_that_stops_reading(nbytes: int) -> None:
    done = threading.Event()
    handshake = (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %s\r\n\r\n"
    )

    def half_dead(connection: socket.socket) -> None:
        request = connection.recv(4096).decode()
        key = request.partition("Sec-WebSocket-Key: ")[2].partition("\r\n")[0]
        digest = hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        connection.sendall(handshake % base64.b64encode(digest))
        done.wait(20)

    with peer(half_dead) as port, transport_to(port) as transport:
        failure = failure_of(transport, metric("e" * nbytes), timeout_s=0.5)
        assert failure.disposition is Disposition.RETRY
        done.set()


def test_a_peer_that_talks_is_not_listened_to() -> None:
    def talk(connection: ServerConnection) -> None:
        for _ in range(100):
            connection.send("x" * 100_000)
        for frame in connection:
            frames.append(frame)
            for _ in range(20):
                connection.send(b"y" * 1000)

    frames: list[Any] = []
    server = Collector(talk)
    with transport_to(server.port) as transport:
        for index in range(5):
            transport.send(window(environment=str(index)), 10.0)
        assert wait_until(lambda: len(frames) >= 5)
    server.close()
    assert [json.loads(frame)["environment"] for frame in frames] == ["0", "1", "2", "3", "4"]


def test_a_peer_that_sends_ten_megabytes_at_once() -> None:
    def shout(connection: ServerConnection) -> None:
        # A closed window of a peer that is gone would hold this side for a minute.
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 1, 0))
        with suppress(ConnectionClosed):
            connection.send("x" * 10_000_000)
        for _ in connection:
            pass

    server = Collector(shout)
    with transport_to(server.port) as transport:
        delivered(transport, window())
        assert wait_until(lambda: delivered(transport, window()) or len(server.connections) > 1)
    server.close()


def test_a_proxy_of_the_environment_is_passed_by(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "socks_proxy", "ALL_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{refused_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with transport_to(collector.port) as transport:
        transport.send(window(), 5.0)
        assert wait_until(lambda: collector.frames)


def test_a_window_that_is_no_json_is_rejected(collector: Collector) -> None:
    with transport_to(collector.port) as transport:
        failure = failure_of(transport, metric(total_latency_ms=float("nan")))
    assert failure.disposition is Disposition.REJECT
    assert collector.connections == []


def test_giving_up_names_the_way_out() -> None:
    transport = WebSocketTransport(9847, "::1")
    error = transport.gave_up()
    assert isinstance(error, RecostError)
    assert 'local_transport="file"' in str(error)
    assert "ws://[::1]:9847" in str(error)
    assert (transport.retry.retries, transport.retry.first_s, transport.retry.longest_s) == (10, 0.5, 30.0)
    assert transport.retry.exhausted is Disposition.SUSPEND
    assert (transport.spacing_s, transport.max_metrics) == (1.0, None)
    transport.close()
    transport.close()


def test_a_closed_transport_opens_again(collector: Collector) -> None:
    with transport_to(collector.port) as transport:
        transport.send(window(), 5.0)
        transport.close()
        transport.send(window(), 5.0)
        assert wait_until(lambda: len(collector.frames) == 2)
    assert len(collector.connections) == 2


def run(code: str, port: int) -> subprocess.CompletedProcess[str]:
    prelude = (
        "import os, sys\n"
        "from recost.delivery.transports.base import SendError\n"
        "from recost.delivery.transports.websocket import WebSocketTransport\n"
        "from tests.delivery.samples import window\n"
        "transport = WebSocketTransport(int(sys.argv[1]))\n"
    )
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", prelude + code, str(port)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT) + os.pathsep + os.environ.get("PYTHONPATH", "")},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )


def test_without_the_library_the_way_to_it_is_named() -> None:
    code = (
        "sys.modules['websockets'] = None\n"
        "for _ in range(2):\n"
        "    try: transport.send(window(), 1.0)\n"
        "    except SendError as failure: print(failure.disposition.value, failure.error)"
    )
    done = run(code, 1)
    assert done.stdout.splitlines()[0].startswith("suspend ")
    assert 'pip install "recost[local]"' in done.stdout


def test_an_open_connection_does_not_hinder_the_exit_and_nothing_is_printed(collector: Collector) -> None:
    done = run("transport.send(window(), 5.0)", collector.port)
    assert (done.stdout, done.stderr) == ("", "")
    assert wait_until(lambda: len(collector.frames) == 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_leaves_the_parents_connection_alone(collector: Collector) -> None:
    code = (
        "import warnings; warnings.simplefilter('ignore')  # 3.12 warns of a fork beside a thread\n"
        "transport.send(window(environment='parent'), 5.0)\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    transport.send(window(environment='child'), 5.0)\n"
        "    transport.close()\n"
        "    os._exit(0)\n"
        "assert os.waitpid(pid, 0)[1] == 0\n"
        "transport.send(window(environment='parent'), 5.0)\n"
        "transport.close()"
    )
    done = run(code, collector.port)
    assert done.stderr == ""
    assert wait_until(lambda: len(collector.frames) == 3)
    assert sorted(collector.environments()) == ["child", "parent", "parent"]
    assert len(collector.connections) == 2


def test_importing_it_imports_no_library() -> None:
    assert run("print('websockets' in sys.modules)", 1).stdout.strip() == "False"
