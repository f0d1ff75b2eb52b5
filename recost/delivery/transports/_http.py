"""POSTs, bounded in time and in what is read, that follow no redirect and tell nothing.

Imported in the sending thread only: ``import recost`` imports no HTTP client.

urllib.request brings the environment's proxies and the system's trust; its timeout, however, is one for
each operation on the socket, so that a server that sends a byte now and then holds it for ever. Here every
operation gets what is left of one deadline.

The connection is kept for the next POST, and there is one TLS context for all: to make one takes tens of
milliseconds, most of which hold up the application's threads.

What tracing tools wrap to see an application's requests (``putrequest``, ``request``, ``getresponse`` of
``http.client.HTTPConnection``) is not called: `_Bounded` itself writes the request and reads the answer.
"""

from __future__ import annotations

import functools
import http.client
import io
import os
import re
import select
import socket
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from typing import Any, Final, Optional, Union

__all__ = ["Answer", "Poster", "RequestFailed", "post"]

_MAX_BODY_BYTES: Final = 64 * 1024
_BODY_TIMEOUT_S: Final = 2.0
_CHUNK_BYTES: Final = 64 * 1024
_TRUST: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_MAX_INTERIM: Final = 16
"""Interim responses before the final one; RFC 9110 sets no limit, and no server sends as many."""


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: Message
    body: bytes
    """At most its first 64 KB, and what of it came within two seconds."""


class RequestFailed(Exception):  # noqa: N818 - a failure of the network, not of the program
    """No answer came; the message says why in words that hold nothing of the request."""


def post(
    url: str, body: bytes, headers: dict[str, str], timeout_s: float, poster: Optional[Poster] = None
) -> Answer:
    """Send a POST and return the answer, whatever its status.

    Args:
        url: Where to.
        body: What.
        headers: All of them but those of the connection.
        timeout_s: For all of it, in seconds.
        poster: Keeps the connection for the next POST; None: it is closed.

    Raises:
        RequestFailed: No answer came in time.
    """
    if poster is not None:
        return poster.post(url, body, headers, timeout_s)
    poster = Poster()
    try:
        return poster.post(url, body, headers, timeout_s)
    finally:
        poster.close()


class Poster:
    """Sends POSTs to one destination, one at a time, on a connection that is kept between them."""

    def __init__(self) -> None:
        self._kept: Optional[_Bounded] = None
        self._route: object = None
        """Where it leads, and of which process it is: a fork shares none."""
        self._is_used_again = False

    def post(self, url: str, body: bytes, headers: dict[str, str], timeout_s: float) -> Answer:
        """Send a POST and return the answer, whatever its status.

        Raises:
            RequestFailed: No answer came within ``timeout_s`` seconds. It has neither cause nor context,
                because the exceptions of the standard library quote header values.
        """
        deadline = _Deadline(timeout_s)
        try:
            try:
                return self._exchange(url, body, headers, deadline)
            except (OSError, http.client.HTTPException) as error:
                if not (self._is_used_again and _is_end_of_connection(error)):
                    raise
                # The server closed it while it was idle. That the request was read all the same is not known,
                # nor is it after any other failure: what fails is sent again.
                self.close()
                return self._exchange(url, body, headers, deadline)
        except Exception as error:  # noqa: BLE001 - see above: none of them may get out
            self.close()
            reason = _describe(error)
        raise RequestFailed(reason)

    def connect(self, kind: type[_Bounded], host: str, tunnel: Any, deadline: _Deadline) -> _Bounded:
        """Return the connection that was kept, or a new one."""
        route = (kind.__name__, host, tunnel, os.getpid())
        kept = self._kept
        self._is_used_again = kept is not None and self._route == route and kept.is_idle()
        if kept is None or not self._is_used_again:
            self.close()
            options = (
                {"context": _tls_context(*map(os.environ.get, _TRUST))}
                if issubclass(kind, _secure_base())
                else {}
            )
            self._kept, self._route = kept, _ = kind(host, deadline=deadline, **options), route
            if tunnel is not None:
                target, lines = tunnel
                kept.set_tunnel(target, headers=dict(lines))
        kept.deadline = deadline
        return kept

    def close(self) -> None:
        """Close what is kept; another POST may follow."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    def __del__(self) -> None:
        # Else Python warns, of a socket that the application knows nothing of, where nobody disposed.
        with suppress(Exception):
            self.close()

    def _exchange(self, url: str, body: bytes, headers: dict[str, str], deadline: _Deadline) -> Answer:
        opener = (
            urllib.request.OpenerDirector()
        )  # none of the default handlers: they follow, open files, raise
        opener.addheaders = []
        for handler in (urllib.request.ProxyHandler(), urllib.request.UnknownHandler()):
            opener.add_handler(handler)
        opener.add_handler(_Handler(self, deadline))
        request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310 - http(s) handlers only
        answer, complete = _read(opener.open(request, timeout=deadline.remaining()), deadline)
        if not complete:
            self.close()
        return answer


@functools.lru_cache(maxsize=2)
def _tls_context(*trust: Optional[str]) -> Any:  # noqa: ARG001 - part of the key
    """Return the context of all connections; it verifies whatever the application's own default is.

    Args:
        trust: ``SSL_CERT_FILE`` and ``SSL_CERT_DIR``, which name the certificates in place of the system's.
    """
    import ssl  # noqa: PLC0415 - a Python may lack it, and http:// needs none

    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _secure_base() -> Any:
    """Return what is under connections of https; a Python built without OpenSSL has none."""
    return getattr(http.client, "HTTPSConnection", ())


def _is_end_of_connection(error: BaseException) -> bool:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    return isinstance(cause, (ConnectionError, http.client.BadStatusLine))


class _Deadline:
    def __init__(self, timeout_s: float) -> None:
        self._at = time.monotonic() + timeout_s

    def shorten(self, timeout_s: float) -> None:
        self._at = min(self._at, time.monotonic() + timeout_s)

    def remaining(self) -> float:
        remaining = self._at - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        return remaining


class _Raw(io.RawIOBase):
    """The receiving side of a socket, each read with what is left of the time."""

    def __init__(self, raw: Any, sock: socket.socket, deadline: _Deadline) -> None:
        self._raw = raw
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Any:
        self._sock.settimeout(self._deadline.remaining())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, deadline: _Deadline, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        buffered: Any = self.fp
        self.fp = io.BufferedReader(_Raw(buffered.detach(), sock, deadline))


class _Bounded(http.client.HTTPConnection):
    def __init__(self, *args: Any, deadline: _Deadline, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.deadline = deadline
        """Of the POST under way."""
        self._create_connection = self._dial

    def response_class(self, *args: Any, **kwargs: Any) -> _Response:  # type: ignore[override]
        """Return a response that is read within the time."""
        return _Response(*args, deadline=self.deadline, **kwargs)

    def is_idle(self) -> bool:
        """Return whether it is open and nothing has come: that would be its end, or an answer to nothing."""
        if self.sock is None:
            return False
        try:
            if not hasattr(select, "poll"):
                return not select.select([self.sock], [], [], 0)[0]
            polled = select.poll()
            polled.register(self.sock, select.POLLIN | select.POLLPRI)
            return not polled.poll(0)
        except (OSError, ValueError):
            return False

    def _dial(self, address: tuple[str, int], *_: Any) -> socket.socket:
        """Connect to the first address that answers; each one gets its share of the time, no more."""
        found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)
        failure: OSError = OSError("no address")
        for index, (family, kind, protocol, _name, place) in enumerate(found):
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(self.deadline.remaining() / (len(found) - index))
                sock.connect(place)
                sock.settimeout(self.deadline.remaining())
            except OSError as error:
                sock.close()
                failure = error
            else:
                return sock
        raise failure

    def request(
        self, method: str, url: str, body: Any = None, headers: Any = None, *, encode_chunked: bool = False
    ) -> None:
        """Send a request whose headers are complete."""
        del encode_chunked  # the body has a length
        lines = [f"{method} {url} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        head = "\r\n".join([*lines, "Accept-Encoding: identity", "", ""])
        if len(head.splitlines()) != len(lines) + 2:
            raise ValueError
        self.send(head.encode("latin-1") + (body or b""))

    def getresponse(self) -> http.client.HTTPResponse:
        """Read the head of the response, past interim ones such as 103: the final one decides."""
        response: http.client.HTTPResponse = self.response_class(self.sock, method="POST")
        try:
            _begin(response)
        except BaseException:
            response.close()
            self.close()
            raise
        return response

    def send(self, data: Any) -> None:
        """Send within what is left of the time."""
        if self.sock is None:
            self.connect()
        view = memoryview(data)
        try:
            for start in range(0, len(view), _CHUNK_BYTES):
                self.sock.settimeout(self.deadline.remaining())
                self.sock.sendall(view[start : start + _CHUNK_BYTES])
        except (BrokenPipeError, ConnectionResetError):  # it reads no further; it may have said why
            return


def _begin(response: http.client.HTTPResponse) -> None:
    """Read the head of the final response; 101 is one itself, though nobody asked for an upgrade.

    Raises:
        HTTPException: Interim responses without end.
    """
    for _ in range(_MAX_INTERIM):
        response.headers = response.msg = None  # type: ignore[assignment]
        response.begin()
        if response.status == 101 or not 100 <= response.status < 200:
            return
    raise http.client.HTTPException


if hasattr(http.client, "HTTPSConnection"):

    class _BoundedTls(_Bounded, http.client.HTTPSConnection):
        pass


class _Lease:
    """What urllib.request takes for a new connection; behind it is the one that is kept."""

    sock = None
    """urllib.request closes what it finds here."""

    def __init__(
        self, host: str, *, poster: Poster, kind: type[_Bounded], deadline: _Deadline, **_: Any
    ) -> None:
        self._host = host
        self._poster = poster
        self._kind = kind
        self._deadline = deadline
        self._tunnel: Any = None
        self._connection: Any = None

    def set_debuglevel(self, level: int) -> None:
        """Print nothing."""

    def set_tunnel(self, host: str, port: Optional[int] = None, headers: Any = None) -> None:
        """Go through a proxy to this host."""
        del port  # it is in the host
        self._tunnel = (host, tuple((headers or {}).items()))

    def request(self, method: str, url: str, body: Any, headers: Any, **_: Any) -> None:
        """Send a request that leaves the connection open."""
        headers.pop("Connection", None)
        self._connection = self._poster.connect(self._kind, self._host, self._tunnel, self._deadline)
        self._connection.request(method, url, body, headers)

    def getresponse(self) -> http.client.HTTPResponse:
        """Read the head of the answer."""
        response: http.client.HTTPResponse = self._connection.getresponse()
        return response

    def close(self) -> None:
        """Close the connection: something went wrong."""
        self._poster.close()


class _Handler(urllib.request.AbstractHTTPHandler):
    """Opens ``http://`` and, where Python has TLS, ``https://``."""

    def __init__(self, poster: Poster, deadline: _Deadline) -> None:
        super().__init__()
        self._lease = functools.partial(_Lease, poster=poster, deadline=deadline)

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(functools.partial(self._lease, kind=_Bounded), req)  # type: ignore[arg-type]

    http_request = urllib.request.AbstractHTTPHandler.do_request_

    if hasattr(http.client, "HTTPSConnection"):

        def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(functools.partial(self._lease, kind=_BoundedTls), req)  # type: ignore[arg-type]

        https_request = urllib.request.AbstractHTTPHandler.do_request_


def _read(response: http.client.HTTPResponse, deadline: _Deadline) -> tuple[Answer, bool]:
    """Return as much as is allowed, and whether that is all and the connection can go on.

    An answer that ends early, or late, is an answer all the same.
    """
    deadline.shorten(_BODY_TIMEOUT_S)
    body = b""
    with response:
        try:
            while len(body) < _MAX_BODY_BYTES:
                chunk = response.read1(_MAX_BODY_BYTES - len(body))
                if not chunk:
                    break
                body += chunk
        except (OSError, ValueError, http.client.HTTPException):
            return Answer(response.status, response.headers, body), False
        complete = (response.length == 0 or response.isclosed()) and not response.will_close
    return Answer(response.status, response.headers, body), complete


def _describe(error: BaseException) -> str:
    """Name a failure without repeating its message, which may hold the request or the proxy's credentials."""
    cause: Union[BaseException, str] = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, str):
        return "the URL, or the proxy's, has a scheme that is not supported"
    if isinstance(cause, (TimeoutError, socket.timeout)):
        return "no answer in time"
    verification = getattr(cause, "verify_message", None)
    if verification:
        return f"the server's certificate is not trusted: {verification}"
    if isinstance(cause, http.client.RemoteDisconnected):
        return "the connection was closed without an answer"
    tunnel = re.match(r"Tunnel connection failed: (\d{3})", str(cause))
    if tunnel:
        return f"the proxy answered {tunnel[1]}"
    return getattr(cause, "strerror", None) or type(cause).__name__
