"""The demo's server: three APIs on one port of loopback, with a log of requests."""

from __future__ import annotations

import itertools
import socketserver
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

from recost.cli.demo.apis import response_to

if TYPE_CHECKING:
    from recost.cli.demo.apis import Response

__all__ = ["DemoServer", "ServedRequest"]

_THINKING_S: Final = {"api.openai.com": 0.012, "api.anthropic.com": 0.016, "api.stripe.com": 0.004}
_BETWEEN_PARTS_S: Final = 0.001


@dataclass(frozen=True)
class ServedRequest:
    """One request to the server, with the status of its response."""

    host: str
    method: str
    path: str
    status: int


class DemoServer:
    """A server in a thread, for the length of a ``with`` block."""

    def __init__(self) -> None:
        self.log: list[ServedRequest] = []
        self._server: Any = _Server(("127.0.0.1", 0), _Handler)
        self._server.log = self.log
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="recost-demo-server", daemon=True
        )

    def __enter__(self) -> DemoServer:  # noqa: PYI034 - Self is from Python 3.11 on
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    log: list[ServedRequest]

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.numbers = itertools.count()

    def server_bind(self) -> None:
        """Bind without the look-up of a name that the base class makes."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that has disconnected: the demo was interrupted."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Any

    def _respond(self) -> None:
        host = self.headers.get("host", "").partition(":")[0]
        path = self.path.partition("?")[0]
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode("utf-8", "replace")
        response = response_to(host, self.command, path, body)
        self.server.log.append(ServedRequest(host, self.command, path, response.status))
        # Some calls take longer than others, as at the real APIs, and the same time in every run.
        time.sleep(_THINKING_S.get(host, 0.0) * (1 + next(self.server.numbers) * 7 % 10 / 10))
        self._send(response)

    do_GET = do_POST = _respond  # noqa: N815 - the base class's names

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        if response.retry_after:
            self.send_header("Retry-After", response.retry_after)
        if response.kind == "plain":
            self.send_header("Content-Length", str(sum(map(len, response.parts))))
        else:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in response.parts:
            self.wfile.write(part if response.kind == "plain" else b"%x\r\n%s\r\n" % (len(part), part))
            if response.kind == "sse":
                time.sleep(_BETWEEN_PARTS_S)
        if response.kind != "plain":
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Stay silent: `DemoServer.log` is the log."""
