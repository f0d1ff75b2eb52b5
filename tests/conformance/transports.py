"""How each transport is made, and what its destination has received: `DESTINATIONS`."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Callable, NamedTuple

from recost.delivery.transports.base import Transport
from recost.delivery.transports.cloud import CloudTransport
from recost.delivery.transports.file import FileTransport
from recost.delivery.transports.memory import MemoryTransport
from recost.delivery.transports.websocket import WebSocketTransport
from recost.wire import encode_window
from tests.api import Api
from tests.delivery.test_websocket import Collector
from tests.loopback import refused_port

__all__ = ["DESTINATIONS", "UNREACHABLE", "Destination"]

KEY = "rc-conformance-key"
PROJECT = "proj-1"


class Destination(NamedTuple):
    """A transport that is open, and what has arrived."""

    transport: Transport
    received: Callable[[], list[dict[str, Any]]]


@contextmanager
def _file(folder: Path) -> Iterator[Destination]:
    transport = FileTransport(folder, PROJECT)

    def received() -> list[dict[str, Any]]:
        path = folder / f"{PROJECT}.jsonl"
        # Not splitlines(): a name may hold U+2028.
        lines = path.read_bytes().split(b"\n") if path.exists() else []
        return [json.loads(line) for line in lines if line]

    yield Destination(transport, received)
    transport.close()


@contextmanager
def _websocket(_folder: Path) -> Iterator[Destination]:
    collector = Collector()
    transport = WebSocketTransport(collector.port)
    yield Destination(transport, lambda: [json.loads(frame) for frame in collector.frames])
    transport.close()
    collector.close()


@contextmanager
def _cloud(_folder: Path) -> Iterator[Destination]:
    with Api(PROJECT, KEY) as api:
        transport = CloudTransport(api.url, PROJECT, KEY, stderr=io.StringIO())
        yield Destination(transport, lambda: api.windows)
        transport.close()
        assert not api.problems


@contextmanager
def _memory(_folder: Path) -> Iterator[Destination]:
    transport = MemoryTransport()
    yield Destination(transport, lambda: [json.loads(encode_window(each)) for each in transport.windows])
    transport.close()


DESTINATIONS: dict[str, Callable[[Path], AbstractContextManager[Destination]]] = {
    "file": _file,
    "websocket": _websocket,
    "cloud": _cloud,
    "memory": _memory,
}
"""By the name of the transport's module."""

UNREACHABLE: dict[str, Callable[[Path], Transport]] = {
    "file": lambda folder: FileTransport(_a_file(folder), PROJECT),
    "websocket": lambda _: WebSocketTransport(refused_port()),
    "cloud": lambda _: CloudTransport(
        f"http://127.0.0.1:{refused_port()}", PROJECT, KEY, stderr=io.StringIO()
    ),
}
"""Transports whose destination can't be reached."""


def _a_file(folder: Path) -> Path:
    file = folder / "no-folder"
    file.write_text("")
    return file
