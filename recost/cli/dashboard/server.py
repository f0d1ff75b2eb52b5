"""The server of the dashboard: its port, the browser, and Ctrl-C."""

from __future__ import annotations

import os
import socket
import sys
import threading
import webbrowser
from types import FrameType
from typing import Final, Optional

import uvicorn

from recost.cli.dashboard.application import application
from recost.cli.dashboard.desk import Desk
from recost.cli.dashboard.guard import Access, is_loopback
from recost.errors import RecostError

__all__ = ["AddressError", "listen", "serve"]

_SHUTDOWN_S: Final = 5


class AddressError(RecostError):
    """The error of a server that cannot listen at its address."""


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket. Port 0 is any free port.

    Raises:
        AddressError: The address is in use, or not one of this machine.
    """
    try:
        family, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # Outside POSIX the option would let two servers share a port.
        return socket.create_server((host, port), family=family, reuse_port=False)
    except OSError as error:
        unknown = isinstance(error, socket.gaierror)
        why = (str(error.strerror) if unknown else os.strerror(error.errno or 0)).lower()
        hint = "" if unknown else "; --port 0 uses any free port"
        raise AddressError(f"recost: cannot listen on {host}, port {port}: {why}{hint}") from None


class _Server(uvicorn.Server):
    """A server that ends event streams and queries when it is interrupted."""

    def __init__(self, desk: Desk, access: Access, zone: str) -> None:
        app = application(desk, access, zone, lambda: self.should_exit)
        super().__init__(
            uvicorn.Config(
                app,
                log_level="error",
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=_SHUTDOWN_S,
            )
        )
        self._desk = desk

    def handle_exit(self, sig: int, frame: Optional[FrameType]) -> None:
        super().handle_exit(sig, frame)
        self._desk.stop()


def serve(desk: Desk, host: str, port: int, *, zone: str, query: str = "", browse: bool = True) -> None:
    """Serve until interrupted.

    Args:
        desk: The queries on the files.
        host: Host name or address to listen on.
        port: Port, or 0 for any free one.
        zone: Time zone, as for `parse_zone`.
        query: The first view, as parameters of the URL.
        browse: Whether to open a browser if there is a screen.

    Raises:
        AddressError: The server cannot listen there.
        KeyboardInterrupt: The server was interrupted.
    """
    with listen(host, port) as listening:
        access = Access(host, listening.getsockname()[1])
        if not is_loopback(host):
            print(
                f"recost: warning: {host} is reachable from other machines without encryption: anyone who "
                "sees the URL can see the figures",
                file=sys.stderr,
            )
        print(f"recost dashboard: {access.url(query)}\nCtrl-C ends it.", flush=True)
        if browse and _has_screen():
            url = access.url(query, once=True)
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        server = _Server(desk, access, zone)
        server.run(sockets=[listening])


def _has_screen() -> bool:
    if sys.platform in {"win32", "darwin"} or "BROWSER" in os.environ:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
