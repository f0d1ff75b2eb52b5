"""Usage APIs of providers on loopback, over the same made-up bills."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, NamedTuple, Optional
from urllib.parse import parse_qsl, urlsplit


class Asked(NamedTuple):
    """A request."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: Any

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.query if key == name]

    def one(self, name: str) -> Optional[str]:
        return next(iter(self.all(name)), None)


class Answer(NamedTuple):
    """A response. A body of bytes is sent as it is; ``cut`` closes the connection before its last bytes."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = {}
    cut: int = 0


Route = Callable[[Asked], Any]


@dataclass
class Api:
    """A server with one function for all requests."""

    route: Route
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    trouble: list[Answer] = field(default_factory=list)
    """Responses that come before the right ones."""

    def lines(self) -> list[tuple[str, str, tuple[tuple[str, str], ...]]]:
        """Return method, path and query of each request."""
        return [(each.method, each.path, each.query) for each in self.asked]


@contextmanager
def serving(route: Route) -> Iterator[Api]:
    """Yield a server."""
    api = Api(route)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def _serve(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            asked = Asked(
                self.command,
                parts.path,
                tuple(parse_qsl(parts.query, keep_blank_values=True)),
                {name.lower(): value for name, value in self.headers.items()},
                json.loads(data) if data else None,
            )
            api.asked.append(asked)
            found = api.trouble.pop(0) if api.trouble else api.route(asked)
            answer = found if isinstance(found, Answer) else Answer(found)
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[: len(body) - answer.cut])
            if answer.cut:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
