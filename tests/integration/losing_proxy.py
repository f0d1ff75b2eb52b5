"""A proxy before a collector that loses answers after the collector has accepted the window."""

from __future__ import annotations

import http.client
import random
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

__all__ = ["Forwarded", "LosingProxy", "forwarded", "losing_proxy"]


_LIMIT: Final = "RateLimit-Policy"

Forwarded = tuple[int, bytes, dict[str, str]]
"""Status, body, and the headers that a client of the collector reads."""


def forwarded(target: str, path: str, headers: dict[str, str], body: bytes) -> Forwarded:
    """Post to the collector at ``target``, and return what it responds."""
    connection = http.client.HTTPConnection(urlsplit(target).netloc, timeout=30)
    try:
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        limit = response.headers.get(_LIMIT)
        return response.status, response.read(), {} if limit is None else {_LIMIT: limit}
    finally:
        connection.close()


class LosingProxy:
    """The proxy.

    Attributes:
        lost: Number of answers that it has lost.
        down: True: it resets connections before the collector sees anything.
    """

    def __init__(self, target: str, share: float, seed: int) -> None:
        self.lost = 0
        self.down = False
        self._target = target
        self._share = share
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._server: Any = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def forward(self, path: str, headers: dict[str, str], body: bytes) -> Forwarded:
        """Return what the collector responds."""
        return forwarded(self._target, path, headers, body)

    def loses(self) -> bool:
        """Return whether this answer is lost."""
        with self._lock:
            lost = self._random.random() < self._share
            self.lost += lost
            return lost

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@contextmanager
def losing_proxy(target: str, share: float, seed: int = 1) -> Iterator[LosingProxy]:
    """Run a proxy for the length of a block."""
    proxy = LosingProxy(target, share, seed)
    try:
        yield proxy
    finally:
        proxy.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    proxy: LosingProxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def do_POST(self) -> None:
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if not proxy.down:
            status, content, more = proxy.forward(self.path, dict(self.headers.items()), body)
        if proxy.down or proxy.loses():
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        self.send_response(status)
        for name, value in more.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Stay silent."""
