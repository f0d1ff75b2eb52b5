"""A TLS server on loopback that stands for hosts of the internet, and a process that believes so.

The server runs in the test; the program under test runs in a process of its own, where `map_names` leads the
names to the server and every other name nowhere. It speaks HTTP/1.1, and HTTP/2 to a client that offers it.
"""

from __future__ import annotations

import importlib.util
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Union
from urllib.parse import parse_qs, urlsplit

from tests.loopback import Loopback, Served, _Handler, _Server


@dataclass(frozen=True)
class Answer:
    """What the server says to one request."""

    body: Union[bytes, Sequence[bytes]] = b"{}"
    """Several pieces are sent one by one, with no length."""
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    stall: bool = False
    """Nothing is ever said: the client runs into its time-out. The log has status 0."""


@dataclass(frozen=True)
class Asked:
    """One request that the server is to answer."""

    host: str
    method: str
    path: str
    query: dict[str, str]
    body: bytes
    headers: dict[str, str]
    """Lower-case names."""
    repeats: int = 0
    """How many requests with the same host, method, path, query and body the server has had before.

    An even number is the first try of a call that the SDK makes again when it fails.
    """


@dataclass
class NamedServed(Served):
    """One request that reached the server."""

    host: str = ""
    streamed: bool = False
    """The answer was sent in pieces, with no length."""


Answers = Callable[[Asked], Answer]


class NamedHosts(Loopback):
    """The server. `log` has what was served."""

    log: list[NamedServed]  # type: ignore[assignment]

    def __init__(self, answers: Answers, context: ssl.SSLContext) -> None:
        super().__init__()
        self.problems: list[BaseException] = []
        """What the SDK's file raised instead of answering."""
        self.http2 = 0
        """Number of connections that spoke HTTP/2."""
        self._answers = answers
        self._lock = threading.Lock()
        self._seen: Counter[tuple[str, str, str, bytes]] = Counter()
        self._server.RequestHandlerClass = _NamedHandler
        self._server.__class__ = _TlsServer
        self._server.context = context

    def begin(self, method: str, target: str, headers: dict[str, str]) -> NamedServed:
        """Log a request whose headers have come."""
        parts = urlsplit(target)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        host = headers["host"].partition(":")[0]
        served = NamedServed(method, parts.path, query, headers, host=host)
        self.log.append(served)
        return served

    def answer(self, served: NamedServed, target: str, body: bytes) -> Answer:
        """Ask the SDK's file what to say to a request whose body has come."""
        served.request_bytes = len(body)
        key = served.host, served.method, target, body
        with self._lock:
            repeats = self._seen[key]
            self._seen[key] += 1
        asked = Asked(served.host, served.method, served.path, served.query, body, served.headers, repeats)
        try:
            answer = self._answers(asked)
        except Exception as error:
            self.problems.append(error)
            raise
        served.streamed = not isinstance(answer.body, bytes)
        if not answer.stall:
            served.status = answer.status
        return answer


class _TlsServer(_Server):
    context: ssl.SSLContext

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        # The handshake is made by the connection's own thread.
        wrapped = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return wrapped, address


class _NamedHandler(_Handler):
    """Answers what the SDK's file says.

    What an answer has is noted before it is sent: the client may have read it all, and be gone, before this
    thread goes on.
    """

    _served: NamedServed

    def handle(self) -> None:
        self.request.do_handshake()
        if self.request.selected_alpn_protocol() == "h2":
            from tests.integration.http2 import Connection

            self.server.loopback.http2 += 1
            Connection(self.request, self.server.loopback).run()
        else:
            super().handle()

    def _respond(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        hosts: NamedHosts = self.server.loopback
        self._served = hosts.begin(self.command, self.path, headers)
        answer = hosts.answer(self._served, self.path, self._whole_body())
        if answer.stall:
            hosts.release.wait(60)
            self.close_connection = True
        elif isinstance(answer.body, bytes):
            self._whole(answer, answer.body)
        else:
            self._pieces(answer, answer.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _respond  # noqa: N815

    def _whole_body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return bytes(self.rfile.read(int(self.headers.get("content-length") or 0)))
        received: list[bytes] = []
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            received.append(self.rfile.read(size))
            self.rfile.readline()
            if size == 0:
                return b"".join(received)

    def _whole(self, answer: Answer, body: bytes) -> None:
        content = {"Content-Type": answer.content_type, "Content-Length": str(len(body))}
        headers = {**(content if answer.status not in {204, 304} else {}), **answer.headers}
        if self.command != "HEAD":
            self._served.response_bytes = len(body)
        self._served.complete = True
        self._begin(answer.status, *headers.items())
        if self.command != "HEAD":
            self.wfile.write(body)

    def _pieces(self, answer: Answer, pieces: Iterable[bytes]) -> None:
        headers = {"Content-Type": answer.content_type, "Transfer-Encoding": "chunked", **answer.headers}
        self._begin(answer.status, *headers.items())
        for piece in filter(None, pieces):
            self._served.response_bytes += len(piece)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self._served.complete = True
        self.wfile.write(b"0\r\n\r\n")


@contextmanager
def named_hosts(names: Sequence[str], answers: Answers, folder: Path) -> Iterator[tuple[NamedHosts, Path]]:
    """Run a server for these names; yields it, and a file with the only authority that vouches for it."""
    import trustme  # the SDKs' own environments, where this module is imported too, need not have it

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    http2 = importlib.util.find_spec("h2") is not None
    context.set_alpn_protocols(["h2", "http/1.1"] if http2 else ["http/1.1"])
    bundle = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    server = NamedHosts(answers, context)
    try:
        yield server, bundle
    finally:
        server.close()


def trust(bundle: Path) -> dict[str, str]:
    """Return the environment variables by which clients trust that authority."""
    names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE", "CURL_CA_BUNDLE")
    return dict.fromkeys(names, str(bundle))


def map_names(names: Iterable[str], port: int) -> None:
    """Lead the names, at port 443, to a port of 127.0.0.1; nothing but these and loopback can be reached."""
    known, look_up, connect = frozenset(names), socket.getaddrinfo, socket.socket.connect

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode("ascii") if isinstance(host, bytes) else host
        if name in known:
            return look_up("127.0.0.1", *args, **kwargs)
        if name is None or _is_loopback(name):
            return look_up(host, *args, **kwargs)
        raise socket.gaierror(socket.EAI_NONAME, f"no such host in this test: {name}")

    def connect_mapped(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_loopback(str(address[0])):
            raise ConnectionRefusedError(f"not reachable in this test: {address[0]}")
        # The port is mapped here: some resolvers' callers take the address only.
        mapped = ("127.0.0.1", port) if address[:2] == ("127.0.0.1", 443) else address
        connect(self, mapped)

    patched: Any = socket
    patched.getaddrinfo = getaddrinfo
    patched.socket.connect = connect_mapped


def _is_loopback(name: str) -> bool:
    return name in {"localhost", "::1"} or name.startswith("127.")
