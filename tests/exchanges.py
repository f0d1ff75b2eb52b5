"""Exchanges for tests of what receives them."""

from __future__ import annotations

from recost.interceptors.exchange import CallTarget, Exchange, Sink, begin, unfinished

__all__ = ["begun"]


def begun(sink: Sink, layer: str, target: CallTarget) -> Exchange:
    """Return an exchange that has begun, as a client's wrapper makes it."""
    exchange = Exchange()
    begin(exchange, sink, layer, target)
    unfinished[exchange] = None
    return exchange
