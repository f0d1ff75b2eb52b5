"""HTTP/1.1 connections on which one deadline limits all operations of the socket.

What tracing tools wrap to see an application's requests (``putrequest``, ``request``, ``getresponse`` of
``http.client.HTTPConnection``) is not called: `Connection` itself writes the request and reads the response.
"""

from __future__ import annotations

import functools
import http.client
import io
import os
import select
import socket
import time
from typing import Any, Final, Optional

from recost._pacing import rest

__all__ = ["Connection", "Deadline", "TlsConnection", "tls_context"]

_CHUNK_BYTES: Final = 64 * 1024
_MAX_INTERIM: Final = 16
"""Interim responses before the final one. RFC 9110 sets no limit, and no server sends as many."""


class Deadline:
    """The time by which an exchange must be over."""

    def __init__(self, timeout_s: float) -> None:
        self._at = time.monotonic() + timeout_s
        self.sent = False
        """True once something was sent: the server may act on it."""

    def shorten(self, timeout_s: float) -> None:
        """Leave at most ``timeout_s`` seconds."""
        self._at = min(self._at, time.monotonic() + timeout_s)

    def remaining(self) -> float:
        """Return the seconds that are left.

        Raises:
            TimeoutError: No time is left.
        """
        remaining = self._at - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        return remaining


class _Raw(io.RawIOBase):
    """The receiving side of a socket. Each read is limited to the remaining time."""

    def __init__(self, raw: Any, sock: socket.socket, deadline: Deadline) -> None:
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
    def __init__(self, sock: socket.socket, *args: Any, deadline: Deadline, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        buffered: Any = self.fp
        self.fp = io.BufferedReader(_Raw(buffered.detach(), sock, deadline))


class Connection(http.client.HTTPConnection):
    """A connection whose `deadline` may be changed for each exchange."""

    def __init__(self, *args: Any, deadline: Deadline, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.deadline = deadline
        self._create_connection = self._dial

    def response_class(self, *args: Any, **kwargs: Any) -> _Response:  # type: ignore[override]
        """Return a response that is read within the time."""
        return _Response(*args, deadline=self.deadline, **kwargs)

    def is_idle(self) -> bool:
        """Return whether it is open and has received nothing: neither its end nor an unexpected response."""
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
        """Connect to the first address that accepts. Each one gets an equal share of the time left."""
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
        data, rest_of_body = head.encode("latin-1"), memoryview(body or b"")
        fits = max(_CHUNK_BYTES - len(data), 0)
        self.send(data + rest_of_body[:fits])  # together if they fit: one packet, or one TLS record
        if len(rest_of_body) > fits:
            self.send(rest_of_body[fits:])

    def getresponse(self) -> http.client.HTTPResponse:
        """Read the head of the final response, past interim ones such as 103."""
        response: http.client.HTTPResponse = self.response_class(self.sock, method="POST")
        try:
            _begin(response)
        except BaseException:
            response.close()
            self.close()
            raise
        return response

    def send(self, data: Any) -> None:
        """Send within the remaining time."""
        if self.sock is None:
            self.connect()
        view = memoryview(data)
        self.deadline.sent = True
        try:
            for start in range(0, len(view), _CHUNK_BYTES):
                self.sock.settimeout(self.deadline.remaining())
                self.sock.sendall(view[start : start + _CHUNK_BYTES])
                rest()
        except (BrokenPipeError, ConnectionResetError):  # the server reads no further, and may have responded
            return


def _begin(response: http.client.HTTPResponse) -> None:
    """Read the head of the final response. 101 is a final one: no upgrade was requested.

    Raises:
        HTTPException: There were too many interim responses.
    """
    for _ in range(_MAX_INTERIM):
        response.headers = response.msg = None  # type: ignore[assignment]
        response.begin()
        if response.status == 101 or not 100 <= response.status < 200:
            return
    raise http.client.HTTPException


TlsConnection: Any = None
"""The same for https. None in a Python that was built without OpenSSL."""

if hasattr(http.client, "HTTPSConnection"):

    class _TlsConnection(Connection, http.client.HTTPSConnection):
        pass

    TlsConnection = _TlsConnection


@functools.lru_cache(maxsize=2)
def tls_context(*trust: Optional[str]) -> Any:  # noqa: ARG001 - part of the key
    """Return the TLS context of all connections. It verifies, whatever the application's own default is.

    Args:
        trust: ``SSL_CERT_FILE`` and ``SSL_CERT_DIR``, which name the certificates in place of the system's.
    """
    import ssl  # noqa: PLC0415 - a Python may lack it, and http:// does not need it

    context = _trusting(ssl)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _trusting(ssl: Any) -> Any:
    """Return a new context that trusts what Python's default one does.

    Up to Python 3.10, loading the default certificates halts all threads for tens of milliseconds, and
    loading the same file by its name does not.
    """
    paths = ssl.get_default_verify_paths()
    named = os.environ.get(paths.openssl_capath_env)
    if paths.cafile is not None and (named is None or paths.capath is not None):  # else several folders
        try:
            return ssl.create_default_context(cafile=paths.cafile, capath=paths.capath)
        except OSError:  # unreadable, or without a certificate: the default ignores it
            pass
    return ssl.create_default_context()
