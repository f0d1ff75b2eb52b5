"""Where the hosts of the demo are: all of them on loopback, and no other host is anywhere."""

from __future__ import annotations

import socket
from typing import Final

from recost.cli.demo.apis import APIS

__all__ = ["UNREACHABLE", "Routing"]

UNREACHABLE: Final = "billing.internal.example"
"""A host at which nothing listens. The domain is reserved (RFC 2606): nobody can have it."""


class Routing:
    """Tells the demo's clients to which address a host's name leads.

    For the length of a ``with`` block it holds a port at which nothing listens, so that nothing else can.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._refusing = socket.socket()
        self._refusing.bind(("127.0.0.1", 0))

    def __enter__(self) -> Routing:  # noqa: PYI034 - Self is from Python 3.11 on
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._refusing.close()

    def address(self, host: str) -> tuple[str, int]:
        """Return the address of a host of the demo.

        Raises:
            OSError: The host is not one of the demo's; nothing is to leave this machine.
        """
        if host in APIS:
            return "127.0.0.1", self._port
        if host == UNREACHABLE:
            refusing: tuple[str, int] = self._refusing.getsockname()
            return refusing
        raise OSError(f"the demo knows no host {host!r}")

    def connect(self, host: str, timeout_s: float = 10.0) -> socket.socket:
        """Open a connection to a host of the demo.

        Raises:
            OSError: As for `address`, or the connection was refused.
        """
        connection = socket.create_connection(self.address(host), timeout_s)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection
