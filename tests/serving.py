"""Runs a server of the standard library in a thread, for the length of a block."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import HTTPServer
from typing import TypeVar

__all__ = ["serving"]

_Server = TypeVar("_Server", bound=HTTPServer)


@contextmanager
def serving(server: _Server) -> Iterator[_Server]:
    """Serve until the block ends; the port is free afterwards."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
