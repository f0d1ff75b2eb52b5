"""One POST, bounded in time and in what is read, that follows no redirect and tells nothing.

Imported in the sending thread only: ``import recost`` imports no HTTP client.

urllib.request brings the environment's proxies and the system's trust; its timeout, however, is one for
each operation on the socket, so that a server that sends a byte now and then holds it for ever. Here every
operation gets what is left of one deadline.

What tracing tools wrap to see an application's requests (``putrequest``, ``request``, ``getresponse`` of
``http.client.HTTPConnection``) is not called: `_Bounded` itself writes the request and reads the answer.
"""

from __future__ import annotations

import functools
import http.client
import io
import re
import socket
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from typing import Any, Final, Union

__all__ = ["Answer", "RequestFailed", "post"]

_MAX_BODY_BYTES: Final = 64 * 1024
_BODY_TIMEOUT_S: Final = 2.0
_CHUNK_BYTES: Final = 64 * 1024
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


def post(url: str, body: bytes, headers: dict[str, str], timeout_s: float) -> Answer:
    """Send a POST and return the answer, whatever its status.

    Raises:
        RequestFailed: No answer came within ``timeout_s`` seconds. It has neither cause nor context, because
            the exceptions of the standard library quote header values.
    """
    deadline = _Deadline(timeout_s)
    opener = urllib.request.OpenerDirector()  # none of the default handlers: they follow, open files, raise
    opener.addheaders = []
    handlers = (urllib.request.ProxyHandler(), urllib.request.UnknownHandler(), _Http(deadline))
    for handler in (*handlers, *_secure(deadline)):
        opener.add_handler(handler)
    try:
        request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310 - http(s) handlers only
        return _read(opener.open(request, timeout=timeout_s), deadline)
    except Exception as error:  # noqa: BLE001 - see above: none of them may get out
        reason = _describe(error)
    raise RequestFailed(reason)


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
        self._deadline = deadline
        self._create_connection = self._dial
        self.response_class: Any = functools.partial(_Response, deadline=deadline)

    def _dial(self, address: tuple[str, int], *_: Any) -> socket.socket:
        """Connect to the first address that answers; each one gets its share of the time, no more."""
        found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)
        failure: OSError = OSError("no address")
        for index, (family, kind, protocol, _name, place) in enumerate(found):
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(self._deadline.remaining() / (len(found) - index))
                sock.connect(place)
                sock.settimeout(self._deadline.remaining())
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
                self.sock.settimeout(self._deadline.remaining())
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


class _Http(urllib.request.HTTPHandler):
    def __init__(self, deadline: _Deadline) -> None:
        super().__init__()
        self._connection: Any = functools.partial(_Bounded, deadline=deadline)

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._connection, req)


def _secure(deadline: _Deadline) -> list[urllib.request.BaseHandler]:
    """Return the handler of https, which a Python built without OpenSSL lacks."""
    if not hasattr(http.client, "HTTPSConnection"):
        return []

    class BoundedTls(_Bounded, http.client.HTTPSConnection):
        pass

    class Https(urllib.request.HTTPSHandler):
        def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(functools.partial(BoundedTls, deadline=deadline), req)

    return [Https()]


def _read(response: http.client.HTTPResponse, deadline: _Deadline) -> Answer:
    """Read as much as is allowed; an answer that ends early, or late, is an answer all the same."""
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
            return Answer(response.status, response.headers, body)
    return Answer(response.status, response.headers, body)


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
