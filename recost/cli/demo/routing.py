"""The addresses of the demo's hosts: all on loopback. Other hosts are refused."""

from __future__ import annotations

import socket
from typing import Final

from recost.cli.demo.apis import APIS

__all__ = ["UNREACHABLE", "Routing"]

UNREACHABLE: Final = "billing.internal.example"
"""A host where nothing listens. The domain is reserved (RFC 2606)."""


class Routing:
    """The addresses of hosts for the clients of the demo.

    For the length of a ``with`` block it reserves a port on which nothing listens.
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
            OSError: The host is not one of the demo's. No data leaves this machine.
        """
        if host in APIS:
            return "127.0.0.1", self._port
        if host == UNREACHABLE:
            refusing: tuple[str, int] = self._refusing.getsockname()
            return refusing
        raise OSError(f"unknown host {host!r} in the demo")

    def connect(self, host: str, timeout_s: float = 10.0) -> socket.socket:
        """Open a connection to a host of the demo.

        Raises:
            OSError: As for `address`, or the connection was refused.
        """
        connection = socket.create_connection(self.address(host), timeout_s)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection
