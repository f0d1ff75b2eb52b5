"""A real HTTP/1.1 server on loopback whose log is the truth of what was served."""

from __future__ import annotations

import atexit
import gzip
import io
import random
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Optional
from urllib.parse import parse_qs, urlsplit

_SELDOM_USED: Final = (20_000, 32_000)
"""Ports below those that systems deal out."""


@dataclass
class Served:
    """One request that reached the server, and what it was answered."""

    method: str
    path: str
    """Without query."""
    query: dict[str, str]
    headers: dict[str, str]
    request_bytes: int = 0
    status: int = 0
    response_bytes: int = 0
    """Body only, without the framing of chunks."""
    complete: bool = False
    """The whole answer was written. Like its bytes, noted before the last of it is sent: the client may have
    read it all, and the test gone on, before the server's thread does."""


class Loopback:
    """The server. Paths choose the behaviour, see `_Handler`."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.log: list[Served] = []
        self.release = threading.Event()
        """Set by a test to let /hang and /stall go on."""
        self._accepting = False
        self._resting: dict[Any, socket.socket] = {}
        """Connections, by their peers, whose threads wait for something to come."""
        self._unread: set[Any] = set()
        """Those from which something has come that is not in the log yet."""
        self._moves = 0
        """So often a connection has been accepted, or has begun to rest."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        server = type("Server", (_Server,), {"address_family": family})
        self._server: Any = server((host, port), _Handler)
        self._server.loopback = self
        self.host = host
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """``http://host:port``, without a slash."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"

    def settled(self) -> bool:
        """Tell whether the log has every request that was sent so far, also by who has gone since."""
        moves = self._moves
        try:
            coming = select.select([self._server.socket, *self._resting.values()], [], [], 0)[0]
        except (OSError, ValueError):  # one was closed this moment
            return False
        # A connection that moves from one place to the next meanwhile may have been seen in neither.
        return not (coming or self._accepting or self._unread) and moves == self._moves

    def close(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    loopback: Loopback

    def get_request(self) -> tuple[Any, Any]:
        self.loopback._accepting = True
        try:
            connection, peer = super().get_request()
            self.loopback._unread.add(peer)
            self.loopback._moves += 1
        finally:
            self.loopback._accepting = False
        return connection, peer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is part of the tests."""


class _Incoming(socket.SocketIO):
    """What comes from a client; says so before it is taken out of the socket."""

    def __init__(self, connection: socket.socket, peer: Any, loopback: Loopback) -> None:
        super().__init__(connection, "r")
        self._connection, self._peer, self._loopback = connection, peer, loopback

    def readinto(self, buffer: Any) -> Optional[int]:
        self._loopback._resting[self._peer] = self._connection
        self._loopback._moves += 1
        self._loopback._unread.discard(self._peer)
        self._connection.recv(1, socket.MSG_PEEK)
        self._loopback._unread.add(self._peer)
        self._loopback._resting.pop(self._peer, None)
        return super().readinto(buffer)


class _Handler(BaseHTTPRequestHandler):
    """Answers by path.

    /plain?n=100          n bytes with a Content-Length
    /chunked?n=100&k=4    n bytes in k chunks
    /sse?k=3              k server-sent events, chunked, one at a time
    /status/503           that status, a body of 7 bytes
    /gzip?n=1000          n bytes, compressed
    /empty                204
    /close?n=100          n bytes, no length, ended by closing the connection
    /redirect?to=/plain   302 to a path; code=307 for another status
    /reset                the connection is reset before an answer
    /truncate?n=100       announces n bytes, sends half of them and closes
    /slow?s=0.2           /plain after s seconds
    /hang                 answers /plain when the test sets `release`
    /stall?n=100          headers and half of the body, the rest when the test sets `release`
    /flaky?fail=2&id=x    503 (code=...) for the first `fail` requests of that id, then /plain
    Anything else         /plain
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else an answer's body waits 40 ms for the client's delayed ACK
    server: Any
    _failures: dict[tuple[int, str], int] = {}  # noqa: RUF012 - shared by design: one handler per connection
    _lock = threading.Lock()

    def setup(self) -> None:
        super().setup()
        if not isinstance(self.connection, ssl.SSLSocket):  # behind which nobody sees what is coming
            self.rfile.close()
            incoming = _Incoming(self.connection, self.client_address, self.server.loopback)
            self.rfile = io.BufferedReader(incoming)

    def finish(self) -> None:
        self.server.loopback._resting.pop(self.client_address, None)
        self.server.loopback._unread.discard(self.client_address)
        super().finish()

    def _respond(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        served = Served(self.command, parts.path, query, headers)
        self._served = served
        self.server.loopback.log.append(served)
        served.request_bytes = self._read_body()
        self.server.loopback._unread.discard(self.client_address)
        name = parts.path.strip("/").split("/", 1)[0]
        getattr(self, f"_do_{name}", self._do_plain)(served)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _respond  # noqa: N815

    def _read_body(self) -> int:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            total = 0
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                self.rfile.read(size)
                self.rfile.readline()
                if size == 0:
                    return total
                total += size
        return len(self.rfile.read(int(self.headers.get("content-length") or 0)))

    def _begin(self, status: int, *headers: tuple[str, str]) -> None:
        self._served.status = status
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def _body(self, data: bytes) -> None:
        if self.command != "HEAD":
            self._served.response_bytes += len(data)
            self.wfile.write(data)
            self.wfile.flush()

    def _chunk(self, data: bytes) -> None:
        self._served.response_bytes += len(data)
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _last(self, served: Served, data: bytes, header: tuple[str, str], *, status: int = 200) -> None:
        """Send an answer in one piece."""
        served.complete = True
        if self.command != "HEAD":
            served.response_bytes = len(data)
        self._begin(status, header, ("Content-Length", str(len(data))))
        if self.command != "HEAD":
            self.wfile.write(data)

    def _do_plain(self, served: Served, status: int = 200) -> None:
        data = b"x" * int(served.query.get("n", "100"))
        self._last(served, data, ("Content-Type", "text/plain"), status=status)

    def _do_chunked(self, served: Served) -> None:
        size, count = int(served.query.get("n", "100")), int(served.query.get("k", "4"))
        self._begin(200, ("Content-Type", "text/plain"), ("Transfer-Encoding", "chunked"))
        for index in range(count):
            self._chunk(b"c" * (size // count + (size % count if index == 0 else 0)))
        served.complete = True
        self.wfile.write(b"0\r\n\r\n")

    def _do_sse(self, served: Served) -> None:
        self._begin(200, ("Content-Type", "text/event-stream"), ("Transfer-Encoding", "chunked"))
        for index in range(int(served.query.get("k", "3"))):
            self._chunk(b'data: {"delta": %d}\n\n' % index)
            time.sleep(float(served.query.get("s", "0.002")))
        self._chunk(b"data: [DONE]\n\n")
        served.complete = True
        self.wfile.write(b"0\r\n\r\n")

    def _do_status(self, served: Served) -> None:
        status = int(served.path.rsplit("/", 1)[1])
        self._last(served, b"problem", ("Content-Type", "text/plain"), status=status)

    def _do_gzip(self, served: Served) -> None:
        data = gzip.compress(b"z" * int(served.query.get("n", "1000")), mtime=0)
        self._last(served, data, ("Content-Encoding", "gzip"))

    def _do_empty(self, served: Served) -> None:
        served.complete = True
        self._begin(204)

    def _do_close(self, served: Served) -> None:
        self.close_connection = True
        self._begin(200, ("Content-Type", "text/plain"), ("Connection", "close"))
        served.complete = True
        self._body(b"e" * int(served.query.get("n", "100")))

    def _do_redirect(self, served: Served) -> None:
        code = int(served.query.get("code", "302"))
        self._last(served, b"", ("Location", served.query.get("to", "/plain")), status=code)

    def _do_reset(self, served: Served) -> None:
        served.status = 0
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _do_truncate(self, served: Served) -> None:
        size = int(served.query.get("n", "100"))
        self.close_connection = True
        self._begin(200, ("Content-Length", str(size)))
        self._body(b"t" * (size // 2))
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)

    def _do_slow(self, served: Served) -> None:
        time.sleep(float(served.query.get("s", "0.2")))
        self._do_plain(served)

    def _do_hang(self, served: Served) -> None:
        self.server.loopback.release.wait(30)
        self._do_plain(served)

    def _do_stall(self, served: Served) -> None:
        size = int(served.query.get("n", "100"))
        self._begin(200, ("Content-Type", "text/plain"), ("Content-Length", str(size)))
        self._body(b"s" * (size // 2))
        self.server.loopback.release.wait(30)
        served.complete = True
        self._body(b"s" * (size - size // 2))

    def _do_flaky(self, served: Served) -> None:
        key = (self.server.loopback.port, served.query.get("id", ""))
        with self._lock:
            seen = self._failures.get(key, 0)
            self._failures[key] = seen + 1
        failing = seen < int(served.query.get("fail", "1"))
        self._do_plain(served, int(served.query.get("code", "503")) if failing else 200)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Stay silent: `Loopback.log` is the log."""


@contextmanager
def loopback(host: str = "127.0.0.1") -> Iterator[Loopback]:
    """Run a server for the length of a block."""
    server = Loopback(host)
    try:
        yield server
    finally:
        server.close()


@cache
def _held() -> socket.socket:
    """Return a socket that has a port and does not listen: nobody else gets that port meanwhile."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    atexit.register(held.close)
    return held


def refused_port() -> int:
    """Return a port of 127.0.0.1 on which nothing listens, nor will; the same one each time."""
    port: int = _held().getsockname()[1]
    return port


def free_port() -> int:
    """Return a port of 127.0.0.1 for a server that is started next.

    It is none of those that the system deals out by itself, perhaps to a client of another test, before the
    server has it.
    """
    dealt = random.SystemRandom()
    while True:
        port = dealt.randrange(*_SELDOM_USED)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def patience_s(path: str) -> float:
    """Return how long a client may wait for an answer: as long as a busy machine takes, where one comes."""
    if path.startswith("/hang"):
        return 0.3
    return 1.0 if path.startswith("/stall") else 30.0  # half of an answer has to come first


def wait_until(condition: Any, timeout_s: float = 10.0) -> bool:
    """Return as soon as the condition holds, with True; with False when the time is over."""
    deadline = time.monotonic() + timeout_s
    result: Optional[bool] = bool(condition())
    while not result and time.monotonic() < deadline:
        time.sleep(0.005)
        result = bool(condition())
    return bool(result)
