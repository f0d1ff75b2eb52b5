"""The recost API as a real HTTP server that enforces the contract, and fails when it is told to.

    with Api() as api:
        api.script(500, "reset", answer(429, retry_after=2))
        transport = CloudTransport(api.url, api.project, api.key)
        ...
        assert api.totals() == {("openai", "chat", "POST"): (3, 1)}

Every POST takes the next step of the script; when none is left, it is answered as the deployed service does.
What the server accepted is in `Api.windows`, everything that reached it in `Api.requests`.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import struct
import threading
import time
import uuid
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Optional, Union
from urllib.parse import parse_qs, unquote, urlsplit

from tests.api_rules import COUNTS, validate

_MAX_BODY = 10 * 1024 * 1024

Step = Union[int, str, "Answer"]
"""A status; an `Answer`; or one of

    "reset"            the connection is reset before an answer
    "close"            it is closed before an answer
    "hang"             no answer until `Api.release` is set
    "trickle"          a status line that takes a byte every 50 ms, until `Api.release` is set
    "accept"           what happens without a script
    "accept, close"    the window is accepted, the answer ends in the middle of its body
    "interim, accept"  interim responses (100, 102, 103) before what happens without a script
    "only interim"     interim responses without end, until `Api.release` is set
    "switch"           101, which nobody asked for
    "accept, reset"    the window is accepted, the connection is reset before an answer
    "html"             200 with a page
    "big"              200 with 10 MB
    "garbage"          something that is not HTTP
"""


@dataclass(frozen=True)
class Answer:
    """A scripted answer."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b'{"error": "scripted"}'


def answer(
    status: int, *, retry_after: Union[int, str, None] = None, location: Optional[str] = None
) -> Answer:
    """Return an answer with the headers that matter."""
    headers = []
    if retry_after is not None:
        headers.append(("Retry-After", str(retry_after)))
    if location is not None:
        headers.append(("Location", location))
    return Answer(status, tuple(headers))


@dataclass
class ApiRequest:
    """One request that reached the server, and what it was answered."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""
    status: int = 0
    request_id: str = field(default_factory=lambda: f"req-{uuid.uuid4()}")
    problem: str = ""
    """Why it was not accepted."""


class Api:
    """The server.

    Attributes:
        windows: The accepted windows, as they came, in order.
        requests: Everything that reached the server.
        connections: How many were made.
        release: Set by a test to let "hang" and "trickle" end.
        hourly_limit: POSTs per hour; the next ones are answered 429. One above 1000 is announced.
        retry_after: Of those 429s; None: no such header, as the deployed service often does.
        delay_s: How long an answer takes.
        most_metrics: A window with more is answered 413.
    """

    def __init__(
        self,
        project: str = "proj-1",
        key: str = "rc-0123456789abcdef",
        *,
        hourly_limit: int = 1000,
        retry_after: Union[int, str, None] = None,
        clock: Callable[[], float] = time.time,
        tls: Optional[ssl.SSLContext] = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.project = project
        self.key = key
        self.hourly_limit = hourly_limit
        self.retry_after = retry_after
        self.delay_s = 0.0
        self.most_metrics = 10**9
        self.windows: list[dict[str, Any]] = []
        self.requests: list[ApiRequest] = []
        self.connections = 0
        self.open: set[socket.socket] = set()
        self.release = threading.Event()
        self.host = host
        self.port = 0
        self._clock = clock
        self._tls = tls
        self._steps: deque[Step] = deque()
        self._lock = threading.Lock()
        self._hour: deque[float] = deque()
        self._server: Any = None
        self._thread: Optional[threading.Thread] = None

    @property
    def url(self) -> str:
        """The base URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    def start(self) -> Api:
        """Listen; after a `stop`, on the same port again."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        server = type("Server", (_Server,), {"address_family": family})
        self._server = server((self.host, self.port), _Handler)
        self._server.api = self
        self._server.tls = self._tls
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening; what was accepted stays."""
        self.release.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        if self._thread is not None:
            self._thread.join(5)

    def __enter__(self) -> Api:  # noqa: PYI034 - not made to be inherited from
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def hang_up(self) -> None:
        """Close the connections that are open, as a server does with those that are idle for long."""
        for connection in list(self.open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def script(self, *steps: Step) -> None:
        """Have the next POSTs answered so, one step each."""
        with self._lock:
            self._steps.extend(steps)

    def forget_steps(self) -> int:
        """Answer from now on as without a script. Return the number of steps that were left."""
        with self._lock:
            left = len(self._steps)
            self._steps.clear()
            return left

    @property
    def steps_left(self) -> int:
        """Number of steps that no POST has taken yet."""
        return len(self._steps)

    @property
    def posts(self) -> list[ApiRequest]:
        """The POSTs that reached the server."""
        return [request for request in self.requests if request.method == "POST"]

    @property
    def problems(self) -> list[str]:
        """Why requests were not accepted, other than by the script."""
        return [request.problem for request in self.requests if request.problem]

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """The metrics of all accepted windows."""
        return [metric for window in list(self.windows) for metric in window["metrics"]]

    def total(self, name: str) -> Any:
        """Return the sum of one field of all accepted metrics: ``total("requestCount")``."""
        return sum(metric[name] for metric in self.metrics)

    def totals(self) -> dict[tuple[str, str, str], tuple[int, int]]:
        """Return (calls, errors) by (provider, endpoint, method) over all accepted windows."""
        calls: Counter[tuple[str, str, str]] = Counter()
        errors: Counter[tuple[str, str, str]] = Counter()
        for metric in self.metrics:
            key = (metric["provider"], metric["endpoint"], metric["method"])
            calls[key] += metric["requestCount"]
            errors[key] += metric["errorCount"]
        return {key: (calls[key], errors[key]) for key in calls}

    def next_step(self) -> Step:
        """Return the step that the current POST takes."""
        with self._lock:
            return self._steps.popleft() if self._steps else "accept"

    def admit(self) -> bool:
        """Count one POST against the hourly limit; False when it is used up."""
        now = self._clock()
        with self._lock:
            while self._hour and self._hour[0] <= now - 3600:
                self._hour.popleft()
            if len(self._hour) >= self.hourly_limit:
                return False
            self._hour.append(now)
            return True


class _Refused(Exception):  # noqa: N818 - an answer, not a failure
    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status
        self.problem = problem


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    api: Api
    tls: Optional[ssl.SSLContext] = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Wrap the connection in its own thread: a client that refuses the certificate holds nobody up."""
        if self.tls is None:
            super().finish_request(request, client_address)
            return
        with self.tls.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def setup(self) -> None:
        super().setup()
        self._api: Api = self.server.api
        self._api.connections += 1
        self._api.open.add(self.connection)

    def finish(self) -> None:
        self._api.open.discard(self.connection)
        super().finish()

    def do_POST(self) -> None:
        self._begin()
        step = self._api.next_step()
        if self._api.delay_s:
            self._api.release.wait(self._api.delay_s)
        if isinstance(step, int):
            step = Answer(step)
        if isinstance(step, Answer):
            self._write(step.status, step.body, *step.headers)
        else:
            getattr(self, "_" + re.sub(r"\W+", "_", step))()

    def do_GET(self) -> None:
        self._begin()
        try:
            self._authorize()
            name = self.path.partition("?")[0].removeprefix(f"/projects/{self._api.project}/")
            reader = {"telemetry/recent": self._recent, "analytics": self._analytics}.get(name)
            if reader is None:
                self._refuse(_Refused(404, f"no such path: {self.path}"))
            else:
                self._json(200, {"data": reader(self._request.query)})
        except _Refused as refusal:
            self._refuse(refusal)

    def do_PUT(self) -> None:
        self._begin()
        self._refuse(_Refused(405, f"{self.command} is not allowed"))

    do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_PUT  # noqa: N815 - the base class's names

    def _begin(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._request = ApiRequest(self.command, parts.path, query, headers)
        self._api.requests.append(self._request)
        length = int(self.headers.get("content-length") or 0)
        self._request.body = self.rfile.read(min(length, _MAX_BODY + 1))

    def _accept(self) -> None:
        try:
            window_id = self._take()
        except _Refused as refusal:
            self._refuse(refusal)
        else:
            self._json(202, {"status": "accepted", "windowId": window_id})

    def _take(self) -> str:
        """Check the request and keep its window."""
        self._authorize()
        request = self._request
        if unquote(request.path) != f"/projects/{self._api.project}/telemetry":
            raise _Refused(404, f"no such path: {request.path}")
        if request.headers.get("content-type") != "application/json":
            raise _Refused(400, f"Content-Type is {request.headers.get('content-type')}")
        if "content-length" not in request.headers:
            raise _Refused(411, "no Content-Length")
        if not self._api.admit():
            raise _Refused(429, "hourly limit")
        if len(request.body) > _MAX_BODY:
            raise _Refused(413, "too large")
        if request.body.count(b'"requestCount"') > self._api.most_metrics:
            raise _Refused(413, "too large")
        try:
            window = validate(request.body)
        except ValueError as error:
            raise _Refused(422, str(error)) from None
        self._api.windows.append(window)
        return str(uuid.uuid4())

    def _authorize(self) -> None:
        if self._request.headers.get("authorization") != f"Bearer {self._api.key}":
            raise _Refused(401, "unknown key")
        if not unquote(self._request.path).startswith(f"/projects/{self._api.project}/"):
            raise _Refused(404, f"no such project: {self._request.path}")

    def _recent(self, query: dict[str, str]) -> list[dict[str, Any]]:
        limit = query.get("limit", "20")
        if not limit.isdigit() or not 1 <= int(limit) <= 50:
            raise _Refused(422, f"limit is {limit}")
        wanted = query.get("environment")
        found = [w for w in self._api.windows if wanted is None or w["environment"] == wanted]
        return found[::-1][: int(limit)]

    def _analytics(self, query: dict[str, str]) -> list[dict[str, Any]]:
        interval = query.get("interval", "day")
        if interval not in {"day", "window"}:
            raise _Refused(422, f"interval is {interval}")
        begin, end = query.get("from", ""), query.get("to", "9999")
        groups: dict[str, Counter[str]] = {}
        for window in self._api.windows:
            start = window["windowStart"]
            if (
                not begin <= start < end
                or query.get("environment", window["environment"]) != window["environment"]
            ):
                continue
            for metric in window["metrics"]:
                if query.get("provider", metric["provider"]) != metric["provider"]:
                    continue
                group = groups.setdefault(start[:10] if interval == "day" else start, Counter())
                group.update({name: metric[name] for name in (*COUNTS, "estimatedCostCents")})
        return [{"interval": key, **group} for key, group in sorted(groups.items())]

    def _interim_accept(self) -> None:
        for line in (b"100 Continue", b"102 Processing", b"103 Early Hints\r\nLink: </x>; rel=preload"):
            self.wfile.write(b"HTTP/1.1 " + line + b"\r\n\r\n")
        self._accept()

    def _only_interim(self) -> None:
        with suppress(OSError):
            while not self._api.release.wait(0.005):
                self.wfile.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        self._close()

    def _switch(self) -> None:
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")
        self._close()

    def _accept_close(self) -> None:
        self._take()
        self._write(202, b'{"status": "acc', announced=200)
        self.close_connection = True

    def _accept_reset(self) -> None:
        self._take()
        self._reset()

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._close()

    def _close(self) -> None:
        self.close_connection = True
        self.connection.close()

    def _hang(self) -> None:
        self._api.release.wait(60)
        self._close()

    def _trickle(self) -> None:
        with suppress(OSError):
            for byte in b"HTTP/1.1 202 " + b"A" * 2000:
                if self._api.release.wait(0.05):
                    break
                self.wfile.write(bytes([byte]))
        self._close()

    def _html(self) -> None:
        page = b"<!doctype html><title>Sign in</title>" + b"<p>Welcome to the hotel." * 100
        self._write(200, page, ("Content-Type", "text/html"))

    def _big(self) -> None:
        with suppress(OSError):
            self._write(200, b'{"status": "' + b"x" * 10 * 1024 * 1024 + b'"}')

    def _garbage(self) -> None:
        self.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        self._close()

    def _refuse(self, refusal: _Refused) -> None:
        self._request.problem = f"{refusal.status}: {refusal.problem}"
        headers = []
        if refusal.status == 429 and self._api.retry_after is not None:
            headers.append(("Retry-After", str(self._api.retry_after)))
        self._json(refusal.status, {"error": refusal.problem}, *headers)

    def _json(self, status: int, body: Any, *headers: tuple[str, str]) -> None:
        self._write(status, json.dumps(body).encode(), *headers)

    def _write(
        self, status: int, body: bytes, *headers: tuple[str, str], announced: Optional[int] = None
    ) -> None:
        self._request.status = status
        self.send_response(status)
        self.send_header("x-request-id", self._request.request_id)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-type" for name, _ in headers):
            self.send_header("Content-Type", "application/json")
        if self._api.hourly_limit > 1000:  # more than is expected of a server that says nothing
            self.send_header("RateLimit-Policy", f'"key";q={self._api.hourly_limit};w=3600')
        self.send_header("Content-Length", str(len(body) if announced is None else announced))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Stay silent: `Api.requests` is the log."""
