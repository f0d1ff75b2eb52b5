"""The server's life: a port, the browser, Ctrl-C."""

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

_LAST_ANSWERS_S: Final = 5


class AddressError(RecostError):
    """The server cannot be where it was told to be."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that browsers can connect to; port 0 is any that is free.

    Raises:
        AddressError: It is in use, or not one of this machine.
    """
    if not 0 <= port <= 65535:
        raise AddressError(f"recost: port {port} is out of range: 0 to 65535")
    try:
        family, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # Elsewhere than on POSIX the option would let two servers have the same port.
        return socket.create_server((host, port), family=family, reuse_port=False)
    except OSError as error:
        unknown = isinstance(error, socket.gaierror)
        why = (str(error.strerror) if unknown else os.strerror(error.errno or 0)).lower()
        hint = "" if unknown else "; --port 0 takes any that is free"
        raise AddressError(f"recost: cannot listen on {host}, port {port}: {why}{hint}") from None


class _Server(uvicorn.Server):
    """Lets go of browsers that wait for news, and of questions, when it is interrupted."""

    def __init__(self, desk: Desk, access: Access, zone: str) -> None:
        app = application(desk, access, zone, lambda: self.should_exit)
        super().__init__(
            uvicorn.Config(
                app,
                log_level="error",
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=_LAST_ANSWERS_S,
            )
        )
        self._desk = desk

    def handle_exit(self, sig: int, frame: Optional[FrameType]) -> None:
        super().handle_exit(sig, frame)
        self._desk.stop()


def serve(desk: Desk, host: str, port: int, *, zone: str, query: str = "", browse: bool = True) -> None:
    """Serve until it is interrupted.

    Args:
        desk: Answers the questions.
        host: Where to listen.
        port: 0: any that is free.
        zone: Of times, as `parse_zone` takes it.
        query: What the page shows first, as parameters of its URL.
        browse: Whether to open a browser, where there is a screen.

    Raises:
        AddressError: It cannot listen there.
        KeyboardInterrupt: It was interrupted.
    """
    with listen(host, port) as listening:
        access = Access(host, listening.getsockname()[1])
        if not is_loopback(host):
            print(
                f"recost: warning: {host} is reachable from other machines, and nothing is encrypted: "
                "whoever sees the URL sees the figures",
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
