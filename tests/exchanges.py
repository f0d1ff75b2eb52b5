"""Exchanges for tests of what receives them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from recost.interceptors.backlog import ROOM, reserve
from recost.interceptors.exchange import CallTarget, Exchange, Sink, begin, unfinished

__all__ = ["begun", "no_room"]


def begun(sink: Sink, layer: str, target: CallTarget) -> Exchange:
    """Return an exchange that has begun, as a client's wrapper makes it."""
    exchange = Exchange()
    begin(exchange, sink, layer, target)
    unfinished[exchange] = None
    return exchange


@contextmanager
def no_room() -> Iterator[None]:
    """Have long bodies skimmed as they pass, as if others waited for recost's thread."""
    held = [reserve(1) for _ in range(ROOM // 4096)]
    try:
        assert held[-1] is None
        yield
    finally:
        held.clear()
