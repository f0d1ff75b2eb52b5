"""Serving applications on loopback, requesting from them, and reading back whose calls were whose."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

import uvicorn
from werkzeug.serving import make_server

from tests.loopback import Loopback, wait_until
from tests.scripts import windows
from tests.serving import serving

Tags = frozenset[tuple[str, str]]


def tags(**values: str) -> Tags:
    return frozenset(values.items())


@contextmanager
def asgi_serving(app: Any, lifespan: Any = "on") -> Iterator[int]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan=lifespan, ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        assert wait_until(lambda: server.started)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(30)
    assert not thread.is_alive()


@contextmanager
def wsgi_serving(app: Any) -> Iterator[int]:
    with serving(make_server("127.0.0.1", 0, app, threaded=True)) as server:
        yield server.server_port


def ask(port: int, path: str, method: str = "GET", **headers: str) -> bytes:
    """Request over a bare socket, because this process's calls would be counted; returns all that came."""
    lines = [f"{method} {path} HTTP/1.0", "Host: x", "Content-Length: 0"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


def ask_all(port: int, requests: Iterable[tuple[str, str, dict[str, str]]], at_once: int = 16) -> None:
    """Send requests, many at a time; each must be answered 200."""

    def send(request: tuple[str, str, dict[str, str]]) -> bytes:
        method, path, headers = request
        return ask(port, path, method, **headers)

    with ThreadPoolExecutor(at_once) as pool:
        for answer in pool.map(send, requests):
            assert answer.split(b" ", 2)[1] == b"200", answer[:300]


def attributed(folder: Path) -> dict[str, Counter[Optional[Tags]]]:
    """Return how many calls of each endpoint had which tags; None: no tags at all."""
    found: dict[str, Counter[Optional[Tags]]] = {}
    for window in windows(folder):
        for metric in window["metrics"]:
            counts = found.setdefault(metric["endpoint"], Counter())
            rows = metric.get("tags", [])
            for row in rows:
                assert "other" not in row
                counts[frozenset(row["tags"].items())] += row["requestCount"]
            untagged = metric["requestCount"] - sum(row["requestCount"] for row in rows)
            if untagged:
                counts[None] += untagged
    return found


def served(server: Loopback) -> Counter[str]:
    return Counter(request.path for request in server.log)
