"""A strict collector behind a proxy that fails: ``python -m tests.chaos.destination SEED SECONDS LOG``.

LOG gets a line of JSON for what the collector accepted, and for whatever broke the contract. A line ``clear``
on standard input ends the bad weather.
"""

from __future__ import annotations

import hashlib
import json
import random
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from tests.api import Api
from tests.chaos.plan import Plan, planned
from tests.integration.losing_proxy import Forwarded, forwarded
from tests.scripts import calls

__all__ = ["KEY", "PROJECT"]

PROJECT: Final = "proj-1"
KEY: Final = "rc-0123456789abcdef"
_HANGS_S: Final = 11.0
"""Longer than recost waits for a response."""
_STATUSES: Final[dict[str, tuple[int, dict[str, str]]]] = {
    "429": (429, {"Retry-After": "1"}),
    "429 without a time": (429, {}),
    "503 with a time": (503, {"Retry-After": "1"}),
}
_PAGE: Final = b"<!doctype html><title>Sign in</title>" + b"<p>Welcome to the hotel." * 50


class _Log:
    """The file, and the content of each window that has been sent so far."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._digests: dict[str, str] = {}

    def write(self, **line: Any) -> None:
        with self._lock, self._path.open("a") as file:
            file.write(json.dumps({**line, "at": time.monotonic()}) + "\n")

    def see(self, body: bytes) -> None:
        """Note an attempt."""
        try:
            window_id = str(json.loads(body)["windowId"])
        except (ValueError, KeyError):
            self.write(problem=f"not a window with an id: {body[:200]!r}")
            return
        digest = hashlib.sha256(body).hexdigest()
        if self._digests.setdefault(window_id, digest) != digest:
            self.write(problem=f"window {window_id} was sent with other content")


class _Windows(list[Any]):
    """A list that writes each accepted window down before anybody hears that it was accepted."""

    def __init__(self, log: _Log) -> None:
        super().__init__()
        self._log = log

    def append(self, window: Any) -> None:
        failed = {metric["endpoint"]: metric["errorCount"] for metric in window["metrics"]}
        self._log.write(accepted=window["windowId"], calls=calls([window]), failed=failed)


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, plan: Plan, target: str, log: _Log) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.log = log
        self.clear = threading.Event()
        self._plan = plan
        self._chance = random.Random(plan.seed)
        self._lock = threading.Lock()
        self._began = time.monotonic()

    def fault(self) -> str:
        """Return what happens to the next request."""
        if self.clear.is_set():
            return "pass"
        now = time.monotonic() - self._began
        phase = next((each for each in self._plan.weather if now < each.until_s), None)
        with self._lock:
            if phase is None or self._chance.random() >= phase.share:
                return "pass"
            return self._chance.choice(phase.faults)

    def between(self, least: float, most: float) -> float:
        with self._lock:
            return self._chance.uniform(least, most)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Proxy

    def do_POST(self) -> None:
        fault = self.server.fault()
        if fault == "reset":
            self._reset()
            return
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if len(body) != int(self.headers.get("content-length") or 0):
            self.close_connection = True  # killed in the middle of it
            return
        self.server.log.see(body)
        self._body = body
        action: Callable[[], None] | None = getattr(
            self, "_" + fault.replace(",", "").replace(" ", "_"), None
        )
        if action is not None:
            action()
            return
        status, headers = _STATUSES.get(
            fault, (int(fault.partition(" ")[0]) if fault[0].isdigit() else 0, {})
        )
        if status:
            self._respond(status, b'{"error": "scripted"}', headers)
            return
        self._respond(*self._forward())

    def _forward(self) -> Forwarded:
        status, content, limit = forwarded(
            self.server.target, self.path, dict(self.headers.items()), self._body
        )
        if status != 202:
            self.server.log.write(problem=f"the collector responded with {status}: {content[:300]!r}")
        return status, content, limit if self.server.clear.is_set() else {}  # the usual pace before

    def _respond(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _delay(self) -> None:
        self.server.clear.wait(self.server.between(0.02, 4))
        self._respond(*self._forward())

    def _drop(self) -> None:
        self.close_connection = True

    def _hang(self) -> None:
        self.server.clear.wait(_HANGS_S)
        self._reset()

    def _lose(self) -> None:
        self._forward()
        self._reset()

    def _lose_504(self) -> None:
        self._forward()
        self._respond(504, _PAGE)

    def _truncate_head(self) -> None:
        self._forward()
        self.wfile.write(b"HTTP/1.1 202 Acc")
        self.close_connection = True

    def _truncate_body(self) -> None:
        status, content, _ = self._forward()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])
        self.close_connection = True

    def _throttle(self) -> None:
        status, content, _ = self._forward()
        head = f"HTTP/1.1 {status} Slow\r\nContent-Length: {len(content)}\r\n\r\n".encode()
        with suppress(OSError):
            for byte in head + content:
                self.wfile.write(bytes([byte]))
                self.server.clear.wait(0.03)

    def _html(self) -> None:
        self._respond(200, _PAGE, {"Content-Type": "text/html"})

    def _garbage(self) -> None:
        self.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        self.close_connection = True

    def _reset(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Stay silent."""


def main(seed: str, seconds: str, path: str) -> None:
    log = _Log(Path(path))
    api = Api(PROJECT, KEY, hourly_limit=10**9)
    api.windows = _Windows(log)
    with api:
        proxy = _Proxy(planned(int(seed), float(seconds)), api.url, log)
        threading.Thread(target=proxy.serve_forever, args=(0.02,), daemon=True).start()
        print(f"http://127.0.0.1:{proxy.server_address[1]}", flush=True)
        for line in sys.stdin:
            if line == "clear\n":
                proxy.clear.set()
                print("cleared", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
