"""A forward proxy on loopback: absolute-form requests and CONNECT, with Basic credentials if asked for."""

from __future__ import annotations

import base64
import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Optional
from urllib.parse import urlsplit

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "proxy-authorization", "proxy-connection"})


class Proxy:
    """The proxy. `seen` has the request lines that it let through, `refused` counts the others."""

    def __init__(self, credentials: Optional[str]) -> None:
        self.seen: list[str] = []
        self.refused = 0
        self.wanted = credentials and "Basic " + base64.b64encode(credentials.encode()).decode()
        self._server: Any = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    proxy: Proxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def _admitted(self) -> bool:
        proxy = self.server.proxy
        if proxy.wanted is None or self.headers.get("proxy-authorization") == proxy.wanted:
            proxy.seen.append(f"{self.command} {self.path}")
            return True
        proxy.refused += 1
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.close_connection = True
        self.send_response(407)
        self.send_header("Proxy-Authenticate", "Basic")
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()
        return False

    def _forward(self) -> None:
        if not self._admitted():
            return
        parts = urlsplit(self.path)
        target = parts._replace(scheme="", netloc="").geturl() or "/"
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=30)
        try:
            connection.request(self.command, target, body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
        except OSError:
            self.send_error(502)
            return
        finally:
            connection.close()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _forward  # noqa: N815

    def do_CONNECT(self) -> None:
        if not self._admitted():
            return
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host.strip("[]"), int(port)), 30) as upstream:
            self.send_response(200)
            self.end_headers()
            self.close_connection = True
            back = threading.Thread(target=_pump, args=(upstream, self.connection), daemon=True)
            back.start()
            _pump(self.connection, upstream)
            back.join(30)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Stay silent."""


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def forward_proxy(credentials: Optional[str] = None) -> Iterator[Proxy]:
    """Run a proxy that wants ``user:password``, or nothing."""
    proxy = Proxy(credentials)
    try:
        yield proxy
    finally:
        proxy.close()
