"""urllib3 by itself."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import urllib3
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recost.cli.demo.calls import Call
    from recost.cli.demo.clients import Fetch
    from recost.cli.demo.routing import Routing

__all__ = ["routed", "session"]


@contextmanager
def session(_library: Any, routing: Routing) -> Iterator[Fetch]:
    """Yield a function that makes one call and returns its status."""
    with routed(urllib3.PoolManager(retries=False), routing) as manager:
        yield partial(_fetch, manager)


def routed(manager: Any, routing: Routing) -> Any:
    """Route the connections of a pool manager, and remove its support of https."""
    connection = type("RoutedConnection", (_Connection,), {"routing": routing})
    pool = type("RoutedPool", (urllib3.HTTPConnectionPool,), {"ConnectionCls": connection})
    manager.pool_classes_by_scheme = {"http": pool}
    return manager


def _fetch(manager: Any, call: Call) -> int:
    response = manager.request(
        call.method, call.url, body=call.body or None, headers=call.headers, preload_content=not call.streamed
    )
    if call.streamed:
        for _piece in response.stream():
            pass
        response.release_conn()
    return int(response.status)


class _Connection(HTTPConnection):
    routing: Routing

    def _new_conn(self) -> socket.socket:
        try:
            return self.routing.connect(self.host)
        except OSError as error:
            raise NewConnectionError(self, f"Failed to establish a new connection: {error}") from error
