"""POST requests, limited in time and in the bytes that are read, which follow no redirect.

Imported in the sending thread only: ``import recost`` imports no HTTP client.

urllib.request brings the environment's proxies and the system's trust. Its timeout, however, applies to each
operation on the socket, so a server that sends single bytes could delay it for ever. The connections of
`_connection` have one deadline instead.

The connection is kept for the next POST, and all share one TLS context. Making one takes tens of
milliseconds, and most of that time blocks the application's threads.
"""

from __future__ import annotations

import functools
import http.client
import os
import re
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from email.message import Message
from typing import Any, Final, Optional, Union

from recost.delivery.transports._connection import Connection, Deadline, TlsConnection, tls_context

__all__ = ["Poster", "RequestFailed", "Response", "post", "untraced"]

_MAX_BODY_BYTES: Final = 64 * 1024
_BODY_TIMEOUT_S: Final = 2.0
_TRUST: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_OTEL_CONSTANTS: Final = ("_SUPPRESS_INSTRUMENTATION_KEY", "_SUPPRESS_HTTP_INSTRUMENTATION_KEY")
_OTEL_PLAIN_KEY: Final = "suppress_instrumentation"
"""The key from the time before the constants, which opentelemetry.instrumentation.utils still honours."""


@dataclass(frozen=True)
class Response:
    """Status, headers and body of a response."""

    status: int
    headers: Message
    body: bytes
    """At most its first 64 KB, and only what came within two seconds."""
    sent_before: bool = False
    """True if the same request was sent before, over a connection that ended without a response."""


class RequestFailed(Exception):  # noqa: N818 - a failure of the network, not of the program
    """The error of a request without a response. Its message quotes nothing of the request.

    Args:
        reason: The message.
        sent: True if a part of the request was sent, so that the server may act on it.
    """

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent


def post(
    url: str, body: bytes, headers: dict[str, str], timeout_s: float, poster: Optional[Poster] = None
) -> Response:
    """Send a POST and return the response, whatever its status. Tracing tools do not see it.

    Args:
        url: The destination.
        body: The bytes to send.
        headers: All headers except those of the connection.
        timeout_s: The limit for all of it, in seconds.
        poster: Keeps the connection for the next POST. None: it is closed.

    Raises:
        RequestFailed: No response came in time.
    """
    kept = poster or Poster()
    try:
        with untraced():
            return kept.post(url, body, headers, timeout_s)
    finally:
        if poster is None:
            kept.close()


@contextmanager
def untraced() -> Iterator[None]:
    """Suppress OpenTelemetry's instrumentation in this context for the length of the block.

    Does nothing where the application has not imported ``opentelemetry.context`` itself. Errors of
    OpenTelemetry are contained: a superfluous trace does less harm than a lost window.
    """
    otel: Any = sys.modules.get("opentelemetry.context")
    token = _attach(otel) if otel is not None else None
    try:
        yield
    finally:
        if token is not None:
            _detach(otel, token)


def _attach(otel: Any) -> Optional[Any]:
    try:
        context = otel.set_value(_OTEL_PLAIN_KEY, True)
        for name in _OTEL_CONSTANTS:
            key = getattr(otel, name, None)
            if key is not None:
                context = otel.set_value(key, True, context)
        return otel.attach(context)
    except Exception:  # noqa: BLE001 - a foreign library, of any version
        return None


def _detach(otel: Any, token: Any) -> None:
    try:
        otel.detach(token)
    except Exception:  # noqa: BLE001 - as above, and the sending thread's context is recost's own
        return


class Poster:
    """A client for POSTs to one destination, one at a time, on a connection that is kept between them."""

    def __init__(self) -> None:
        self._kept: Optional[Connection] = None
        self._route: object = None
        """Destination and process of the connection that is kept: a fork shares no connection."""
        self._is_used_again = False

    def post(self, url: str, body: bytes, headers: dict[str, str], timeout_s: float) -> Response:
        """Send a POST and return the response, whatever its status.

        Raises:
            RequestFailed: No response came within ``timeout_s`` seconds. It has neither cause nor context,
                because the exceptions of the standard library quote header values.
        """
        deadline = Deadline(timeout_s)
        try:
            try:
                return self._exchange(url, body, headers, deadline)
            except (OSError, http.client.HTTPException) as error:
                if not (self._is_used_again and _is_end_of_connection(error)):
                    raise
                # The server closed it while it was idle. Whether it has read the request is unknown, as after
                # any other failure: a window that fails is sent again.
                self.close()
                return replace(self._exchange(url, body, headers, deadline), sent_before=True)
        except Exception as error:  # noqa: BLE001 - see above: they quote header values
            self.close()
            reason = _describe(error)
        raise RequestFailed(reason, sent=deadline.sent)

    def connect(self, kind: type[Connection], host: str, tunnel: Any, deadline: Deadline) -> Connection:
        """Return the connection that was kept, or a new one."""
        route = (kind.__name__, host, tunnel, os.getpid())
        kept = self._kept
        self._is_used_again = kept is not None and self._route == route and kept.is_idle()
        if kept is None or not self._is_used_again:
            self.close()
            options = {"context": tls_context(*map(os.environ.get, _TRUST))} if kind is TlsConnection else {}
            self._kept, self._route = kept, _ = kind(host, deadline=deadline, **options), route
            if tunnel is not None:
                target, lines = tunnel
                kept.set_tunnel(target, headers=dict(lines))
        kept.deadline = deadline
        return kept

    def close(self) -> None:
        """Close the connection that is kept. Another POST may follow."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    def __del__(self) -> None:
        # Else Python warns of an unclosed socket that is not the application's, where nobody disposed.
        with suppress(Exception):
            self.close()

    def _exchange(self, url: str, body: bytes, headers: dict[str, str], deadline: Deadline) -> Response:
        opener = urllib.request.OpenerDirector()  # without the default handlers, which follow redirects
        opener.addheaders = []
        for handler in (urllib.request.ProxyHandler(), urllib.request.UnknownHandler()):
            opener.add_handler(handler)
        opener.add_handler(_Handler(self, deadline))
        request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310 - http(s) handlers only
        response, complete = _read(opener.open(request, timeout=deadline.remaining()), deadline)
        if not complete:
            self.close()
        return response


def _is_end_of_connection(error: BaseException) -> bool:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    return isinstance(cause, (ConnectionError, http.client.BadStatusLine))


class _Lease:
    """A stand-in that urllib.request treats as a new connection. It uses the connection that is kept."""

    sock = None
    """urllib.request closes what it finds here."""

    def __init__(
        self, host: str, *, poster: Poster, kind: type[Connection], deadline: Deadline, **_: Any
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
        """Read the head of the response."""
        response: http.client.HTTPResponse = self._connection.getresponse()
        return response

    def close(self) -> None:
        """Close the connection: the exchange failed."""
        self._poster.close()


class _Handler(urllib.request.AbstractHTTPHandler):
    """A handler of ``http://`` and, if Python has TLS, ``https://``."""

    def __init__(self, poster: Poster, deadline: Deadline) -> None:
        super().__init__()
        self._lease = functools.partial(_Lease, poster=poster, deadline=deadline)

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(functools.partial(self._lease, kind=Connection), req)  # type: ignore[arg-type]

    http_request = urllib.request.AbstractHTTPHandler.do_request_

    if TlsConnection is not None:

        def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(functools.partial(self._lease, kind=TlsConnection), req)  # type: ignore[arg-type]

        https_request = urllib.request.AbstractHTTPHandler.do_request_


def _read(response: http.client.HTTPResponse, deadline: Deadline) -> tuple[Response, bool]:
    """Return the response, and whether it is complete and the connection can be used again.

    A body that is cut short, or late, does not make it a failure.
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
            return Response(response.status, response.headers, body), False
        complete = (response.length == 0 or response.isclosed()) and not response.will_close
    return Response(response.status, response.headers, body), complete


def _describe(error: BaseException) -> str:
    """Name a failure without its message, which may quote the request or the proxy's credentials."""
    cause: Union[BaseException, str] = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, str):
        return "the URL, or the proxy's, has a scheme that is not supported"
    if isinstance(cause, (TimeoutError, socket.timeout)):
        return "no response in time"
    verification = getattr(cause, "verify_message", None)
    if verification:
        return f"the server's certificate is not trusted: {verification}"
    if isinstance(cause, http.client.RemoteDisconnected):
        return "the connection was closed without a response"
    tunnel = re.match(r"Tunnel connection failed: (\d{3})", str(cause))
    if tunnel:
        return f"the proxy responded with {tunnel[1]}"
    return getattr(cause, "strerror", None) or type(cause).__name__
