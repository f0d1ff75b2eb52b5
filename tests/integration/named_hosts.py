"""A TLS server on loopback that stands for hosts of the internet, and a process that believes so.

The server runs in the test; the program under test runs in a process of its own, where `map_names` leads the
names to the server and every other name nowhere.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Union
from urllib.parse import parse_qs, urlsplit

import trustme

from tests.loopback import Loopback, Served, _Handler, _Server


@dataclass(frozen=True)
class Answer:
    """What the server says to one request."""

    body: Union[bytes, Sequence[bytes]] = b"{}"
    """Several pieces are sent as chunks, with no length."""
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """One request that the server is to answer."""

    host: str
    method: str
    path: str
    query: dict[str, str]
    body: bytes
    headers: dict[str, str]


Answers = Callable[[Asked], Answer]


class NamedHosts(Loopback):
    """The server. `Loopback.log` has what was served."""

    def __init__(self, answers: Answers, context: ssl.SSLContext) -> None:
        super().__init__()
        self._server.RequestHandlerClass = _NamedHandler
        self._server.__class__ = _TlsServer
        self._server.context = context
        self._server.answers = answers


class _TlsServer(_Server):
    context: ssl.SSLContext
    answers: Answers

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        # The handshake is made by the connection's own thread, at its first read.
        wrapped = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return wrapped, address


class _NamedHandler(_Handler):
    """Answers what the SDK's file says."""

    def _respond(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        self._served = Served(self.command, parts.path, query, headers)
        self.server.loopback.log.append(self._served)
        self._received: list[bytes] = []
        self._served.request_bytes = self._read_body()
        host = headers["host"].partition(":")[0]
        body = b"".join(self._received)
        answer = self.server.answers(Asked(host, self.command, parts.path, query, body, headers))
        if isinstance(answer.body, bytes):
            self._whole(answer, answer.body)
        else:
            self._pieces(answer, answer.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _respond  # noqa: N815

    def _read_body(self) -> int:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                self._received.append(self.rfile.read(size))
                self.rfile.readline()
                if size == 0:
                    return sum(map(len, self._received))
        self._received.append(self.rfile.read(int(self.headers.get("content-length") or 0)))
        return len(self._received[0])

    def _whole(self, answer: Answer, body: bytes) -> None:
        headers = {"Content-Type": answer.content_type, "Content-Length": str(len(body)), **answer.headers}
        self._begin(answer.status, *headers.items())
        self._body(body)
        self._served.complete = True

    def _pieces(self, answer: Answer, pieces: Iterable[bytes]) -> None:
        headers = {"Content-Type": answer.content_type, "Transfer-Encoding": "chunked", **answer.headers}
        self._begin(answer.status, *headers.items())
        for piece in pieces:
            self._chunk(piece)
        self.wfile.write(b"0\r\n\r\n")
        self._served.complete = True


@contextmanager
def named_hosts(names: Sequence[str], answers: Answers, folder: Path) -> Iterator[tuple[NamedHosts, Path]]:
    """Run a server for these names; yields it, and a file with the only authority that vouches for it."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
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
    """Lead the names, at port 443, to a port of 127.0.0.1; every name but these and loopback's is unknown."""
    known, look_up, connect = frozenset(names), socket.getaddrinfo, socket.socket.connect

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode("ascii") if isinstance(host, bytes) else host
        if name in known:
            return look_up("127.0.0.1", *args, **kwargs)
        if name is None or name == "localhost" or name.startswith("127.") or name == "::1":
            return look_up(host, *args, **kwargs)
        raise socket.gaierror(socket.EAI_NONAME, f"no such host in this test: {name}")

    def connect_mapped(self: socket.socket, address: Any) -> None:
        # The port is mapped here: some resolvers' callers take the address only.
        mapped = ("127.0.0.1", port) if address[:2] == ("127.0.0.1", 443) else address
        connect(self, mapped)

    patched: Any = socket
    patched.getaddrinfo = getaddrinfo
    patched.socket.connect = connect_mapped
