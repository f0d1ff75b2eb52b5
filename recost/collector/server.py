"""The server: its address, TLS, slow clients, and its end."""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Callable, Final, Optional, Protocol

import uvicorn
from starlette.types import ASGIApp

from recost.analytics.databases.url import StoreUrl
from recost.collector.application import application
from recost.collector.keys import KeyFile, Keys
from recost.collector.protocol import BoundedProtocol
from recost.collector.sessions import Sessions
from recost.collector.spend import MAX_SERIES, SCRAPED_WITHIN_S, Spend
from recost.collector.state import make_state_folder
from recost.collector.stores.opening import opened
from recost.errors import RecostError

__all__ = ["UNBOUNDED", "Address", "AddressError", "Page", "Tls", "parse_address", "serve"]

_SHUTDOWN_S: Final = 5
_EXCHANGE_S: Final = 30.0
"""The longest time of a request and its response. Also that of a head that does not end."""
_SPARE_FILES: Final = 128
_MOST_CONNECTIONS: Final = 4096


UNBOUNDED: Final = "recost.unbounded"
"""A key of the ASGI scope of a response that may take long, such as a stream of events."""


class Page(Protocol):
    """The dashboard, as the command provides it."""

    def application(self, sessions: Sessions) -> ASGIApp:
        """Return the ASGI application of what is not a route of the API."""

    def stop(self) -> None:
        """End queries and streams. May be called in a signal handler."""


class AddressError(RecostError):
    """The error of a server that cannot or must not listen at its address."""


@dataclass(frozen=True)
class Address:
    """A host name or address, and a port."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """True if other machines cannot reach it."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True)
class Tls:
    """The files of a certificate and its key, in PEM."""

    certificate: Path
    key: Path


def parse_address(text: str) -> Address:
    """Return the address of ``127.0.0.1:9849`` or ``[::1]:9849``.

    Raises:
        ValueError: The text is not an address with a port.
    """
    host, _, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    numeric = port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) <= 65_535
    if not bare or not numeric or (":" in bare) != (bare != host) or not bare.isprintable():
        raise ValueError(f"invalid address {text!r}: expected HOST:PORT, such as 127.0.0.1:9849")
    return Address(bare, int(port))


def serve(
    folder: Path,
    address: Address,
    *,
    database: Optional[StoreUrl] = None,
    tls: Optional[Tls] = None,
    behind_proxy: bool = False,
    max_series: int = MAX_SERIES,
    scraped_within_s: float = SCRAPED_WITHIN_S,
    page: Optional[Page] = None,
    announce: Callable[[str], None] = print,
) -> None:
    """Serve until interrupted. What was accepted is on the disk when it returns or raises.

    Args:
        folder: The folder of the files and the keys.
        database: The database of the windows in place of the files.
        address: Where to listen. Port 0 is any free one.
        tls: A certificate, or None for HTTP.
        behind_proxy: Whether a proxy with TLS stands in front of an address that other machines can reach.
        max_series: Maximum number of counters of windows.
        scraped_within_s: The longest time between two scrapes of ``/metrics``.
        page: The dashboard at ``/``.
        announce: Receives the URL when the server listens.

    Raises:
        AddressError: The server cannot or must not listen there.
        DatabaseError: The database cannot be used.
        FolderError: The folder cannot be used.
        KeyboardInterrupt: The server was interrupted.
    """
    if not address.is_loopback and tls is None and not behind_proxy:
        raise AddressError(
            f"recost: cannot listen on {address.host}: keys would cross the network unencrypted; "
            "expected --tls-cert and --tls-key, or --behind-proxy with a proxy that has TLS"
        )
    if tls is not None:
        _check(tls)
    state = make_state_folder(folder)
    spend = Spend(max_series, hold_s=scraped_within_s)
    with _listening(address) as listening:
        store, reader = opened(folder, database, spend)
        try:
            open_metrics = address.is_loopback and not behind_proxy
            keys = Keys(KeyFile(state))
            at_root = None if page is None else page.application(Sessions(keys))
            app = application(store, keys, reader, spend, page=at_root, open_metrics=open_metrics)
            server = _Server(app, tls, page)
            announce(_url(address, listening.getsockname()[1], secure=tls is not None))
            server.run(sockets=[listening])
        finally:
            store.close()


class _Server(uvicorn.Server):
    """A server that ends connections whose request or response makes no end."""

    def __init__(self, app: ASGIApp, tls: Optional[Tls], page: Optional[Page]) -> None:
        files: dict[str, Any] = {}
        if tls is not None:
            files = {"ssl_certfile": str(tls.certificate), "ssl_keyfile": str(tls.key)}
        super().__init__(
            uvicorn.Config(
                app,
                http=BoundedProtocol,
                ws="none",
                log_level="critical",
                access_log=False,
                lifespan="off",
                interface="asgi3",
                proxy_headers=False,
                server_header=False,
                limit_concurrency=_connections(),
                timeout_graceful_shutdown=_SHUTDOWN_S,
                **files,
            )
        )
        self._page = page
        self._seen: dict[Any, tuple[Any, bool, float]] = {}
        """By connection: the exchange at the last look, whether it was complete, and since when."""

    def handle_exit(self, sig: int, frame: Optional[FrameType]) -> None:
        """End, and the page with it."""
        super().handle_exit(sig, frame)
        if self._page is not None:
            self._page.stop()

    async def on_tick(self, counter: int) -> bool:
        """Check the connections once a second."""
        if counter % 10 == 0:
            self._end_slow_ones(time.monotonic())
        return await super().on_tick(counter)

    def _end_slow_ones(self, now: float) -> None:
        """Abort connections on which nothing has been completed for too long.

        uvicorn has a limit for connections on which nothing comes after a response, and no other.
        """
        seen: dict[Any, tuple[Any, bool, float]] = {}
        for connection in list(self.server_state.connections):
            cycle: Any = getattr(connection, "cycle", None)
            complete = cycle is None or cycle.response_complete
            if not complete and cycle.scope.get(UNBOUNDED):
                continue
            before = self._seen.get(connection)
            same = before is not None and before[0] is cycle and before[1] == complete
            since = before[2] if before is not None and same else now
            seen[connection] = (cycle, complete, since)
            if now - since > _EXCHANGE_S:
                connection.transport.abort()
        self._seen = seen


def _connections() -> int:
    """Return the most connections, which leave descriptors for the files."""
    try:
        import resource  # noqa: PLC0415 - Windows has no such module
    except ImportError:
        return _MOST_CONNECTIONS
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST_CONNECTIONS if soft < 0 else max(min(_MOST_CONNECTIONS, soft - _SPARE_FILES), 16)


def _check(tls: Tls) -> None:
    """Raise an error for files that cannot be used, which uvicorn would print a traceback for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(tls.certificate, tls.key)
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        raise AddressError(f"recost: cannot use {tls.certificate} and {tls.key}: {reason}") from None


def _listening(address: Address) -> socket.socket:
    try:
        family, *_ = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        return socket.create_server((address.host, address.port), family=family, backlog=1024)
    except OSError as error:
        unknown = isinstance(error, socket.gaierror)
        why = (str(error.strerror) if unknown else os.strerror(error.errno or 0)).lower()
        raise AddressError(f"recost: cannot listen on {address.host}, port {address.port}: {why}") from None


def _url(address: Address, port: int, *, secure: bool) -> str:
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"http{'s' * secure}://{host}:{port}"
