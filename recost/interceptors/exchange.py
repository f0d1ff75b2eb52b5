"""One outbound call while it is under way.

An `Exchange` is made when the application calls a client. It finishes exactly once: when the response's body
ends, is closed, is cancelled or is collected. Finishing hands it to its sink. A sink must only append: a
finaliser may run anywhere, also while the same thread holds one of recost's own locks.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Callable, Final, Optional, Protocol

from recost.interceptors.targets import clean_path, origin
from recost.wanted import Wanted

if TYPE_CHECKING:
    from recost.events import RawEvent
    from recost.interceptors.context import CostScope
    from recost.interceptors.request_body import RequestBody

__all__ = [
    "NOTHING_BENEATH",
    "UNLABELLED",
    "UNSIZED",
    "CallTarget",
    "Exchange",
    "Routed",
    "Sink",
    "Unrouted",
    "Wanted",
    "begin",
    "now",
    "nowhere",
    "status_number",
    "unfinished",
]

Sink = Callable[["Exchange"], None]
CallTarget = tuple[str, str, int, str, str]
"""Scheme, host, effective port, path and method of a call."""

NOTHING_BENEATH: Final[CallTarget] = ("", "", 0, "", "")
"""Value of ``Exchange.hop`` for a client that never uses another one underneath.

Calls of other clients during the exchange are the application's own, made in a hook or by a body that is
generated while it is sent.
"""
UNSIZED: Final = -1
"""Value of ``Exchange.request_bytes`` that has the connection underneath count the body as it is sent.

The connection stores the count as ``~count``, which stays negative, so that another attempt is counted anew.
"""
UNLABELLED: Final = -1
"""Value of ``Exchange.attempts`` that has the first attempt look for a key in the headers that are sent."""
now: Final = time.perf_counter_ns


class Routed(Protocol):
    """A listener's knowledge of a target: a `recost.pricing.route.Route`, or an `Unrouted`."""

    wanted: Optional[Wanted]
    """Headers and fields to read. None if the response is not captured."""
    fields: Sequence[str]
    """The same fields of a request, which are looked at in each call."""


class Unrouted:
    """Parts of a call to keep, without a route. Each listener resolves its own."""

    __slots__ = ("fields", "routes", "wanted")

    def __init__(self, wanted: Optional[Wanted] = None) -> None:
        self.wanted = wanted
        self.fields: Sequence[str] = () if wanted is None else wanted.fields
        self.routes: Optional[object] = None


class Exchange:
    """One logical call of the application, from the call to the end of the response's body.

    `begin` sets the fields of a new one. A class with an ``__init__`` takes twice the time.
    """

    __slots__ = (
        "active",
        "attempts",
        "capture",
        "costs",
        "ended_ns",
        "headers_ns",
        "hop",
        "layer",
        "owner",
        "request",
        "request_bytes",
        "response_bytes",
        "route",
        "scope",
        "sent",
        "sink",
        "started_ns",
        "status",
        "target",
        "undecoded",
        "wanted",
    )

    sink: Sink
    layer: str
    """The client: ``httpx``, ``urllib3``, ``aiohttp``, ``http.client``, or ``requests`` if mocked."""
    target: CallTarget
    """Scheme, host, effective port, path and method, by which equal calls are grouped.

    The host is lower case, ASCII, IPv6 without brackets. The path is as sent. It may have a query, which
    `to_event` drops.
    """
    hop: Optional[CallTarget]
    """Target that the client's transport is talking to now. Only its host and port are looked at.

    While the exchange is active, calls of other clients to it are part of this call.
    """
    active: bool
    """True while the client's transport is running, and no code of the application inside it."""
    owner: Optional[object]
    """Object by which the client recognises its own nested calls, while active."""
    attempts: int
    sent: bool
    """True if the transport has sent something in this hop, so that sending again is another attempt."""
    status: int
    request_bytes: int
    response_bytes: int
    headers_ns: int
    """Time at which the headers arrived. 0 if unknown, or if no listener wants it."""
    started_ns: int
    ended_ns: int
    """Set by `finish`."""
    capture: Any
    """The `capture.Capture` or `capture.WholeCapture` of the response's body, if its usage is wanted."""
    request: Optional[RequestBody]
    """The request's body, if fields of it are wanted."""
    wanted: Optional[Wanted]
    """Headers and fields to read. None if the response is not captured."""
    route: Optional[Any]
    """The `Routed` of the first listener that resolved the target."""
    scope: Optional[CostScope]
    """Tags and collectors of the code that made the call."""
    costs: Optional[dict[object, Any]]
    """Costs by the key of the meter that priced them: listeners may have different rules."""
    undecoded: bool
    """True if the client doesn't decode the response's body. Set only by clients that have such an option."""

    @property
    def scheme(self) -> str:
        """Scheme of the URL."""
        return self.target[0]

    @property
    def host(self) -> str:
        """Host of the URL."""
        return self.target[1]

    @property
    def port(self) -> int:
        """Effective port: the scheme's default if the URL has no port."""
        return self.target[2]

    @property
    def path(self) -> str:
        """Path, possibly with a query."""
        return self.target[3]

    @property
    def method(self) -> str:
        """Method in upper case."""
        return self.target[4]

    def covers(self, layer: str, host: str, port: int) -> bool:
        """Return True, and note that the call is being sent, if a call of another client is part of it."""
        hop = self.hop
        if self.active and layer != self.layer and hop and (hop[1], hop[2]) == (host, port):
            self.sent = True
            return True
        return False

    def headers_received(self, status: int) -> None:
        """Record the status and the time at which the response's headers arrived."""
        self.status = status if isinstance(status, int) else status_number(status)
        self.headers_ns = now()

    def body_follows(self) -> None:
        """Keep the call open after the client has returned, until the response's body ends.

        The exchange stays in `unfinished`, so that the last flush can count a call whose response was never
        read or closed. It doesn't refer to the response.
        """
        self.active = False
        self.owner = None

    def finish(self) -> None:
        """End the call and hand it to the sink. Calling this again does nothing."""
        try:
            # Deleting a key is atomic and succeeds once: two threads, or a thread and the garbage collector,
            # can't both finish the call. Ctrl-C can't come between it and the next line, as after a call.
            del unfinished[self]
        except KeyError:
            return
        try:
            self.ended_ns = now()
            self.active = False
            self.owner = None
            if self.request is not None:
                if self.capture is not None:
                    self.capture.nbytes += self.request.nbytes
                else:
                    self.request = None  # without a capture it isn't used
            if self.scope is not None:
                for collector in self.scope.collectors:
                    collector.collect(self)
        finally:  # Ctrl-C may come at any point, but the call has been made
            self.sink(self)

    def cut_off(self, sink: Sink) -> Exchange:
        """Return a copy of the unfinished call for ``sink``, which will not wait for its end.

        The copy gets what was captured so far, and the collectors. The call itself goes on for other sinks.
        """
        part = copy.copy(self)
        part.sink = sink
        unfinished[part] = None
        self.capture = None
        if self.scope is not None:
            self.scope = self.scope.without_collectors()
        return part

    def discard(self) -> None:
        """End the call without recording it: it was not an outbound call."""
        self.active = False
        self.owner = None
        unfinished.pop(self, None)

    @property
    def finished(self) -> bool:
        """True once the call has ended."""
        return self not in unfinished

    @property
    def is_error(self) -> bool:
        """True if no response came, or its status is 400 or more."""
        return self.status == 0 or self.status >= 400

    @property
    def latency_ms(self) -> float:
        """Milliseconds from the call to the end of the response's body."""
        return (self.ended_ns - self.started_ns) / 1e6

    def to_event(self) -> RawEvent:
        """Return the finished call as a `RawEvent`."""
        from recost.events import RawEvent  # noqa: PLC0415 - slow to import

        scheme, host, port, path, method = self.target
        path = clean_path(path)
        headers_ms = (self.headers_ns - self.started_ns) / 1e6 if self.headers_ns else None
        age_ms = (now() - self.started_ns) / 1e6
        return RawEvent(
            timestamp=time.time() * 1000 - age_ms,
            method=method,
            url=origin(scheme, host, port) + path,
            host=host,
            path=path,
            status_code=self.status,
            latency_ms=self.latency_ms,
            request_bytes=self.request_bytes,
            response_bytes=self.response_bytes,
            error=self.is_error,
            attempts=max(self.attempts, 1),
            time_to_headers_ms=headers_ms,
        )


def begin(exchange: Exchange, sink: Sink, layer: str, target: CallTarget) -> None:
    """Set the fields of an exchange that begins now. The caller adds it to `unfinished`."""
    exchange.sink = sink
    exchange.layer = layer
    exchange.target = exchange.hop = target
    exchange.owner = exchange.capture = exchange.request = exchange.wanted = None
    exchange.route = exchange.scope = exchange.costs = None
    exchange.active = exchange.sent = False
    exchange.attempts = exchange.status = exchange.headers_ns = 0
    exchange.request_bytes = exchange.response_bytes = 0
    exchange.started_ns = now()


def status_number(status: Any) -> int:
    """Return the status of a mock's response as an integer, or 0 if it is not a valid one."""
    try:
        number = int(status)  # a MagicMock is 1
    except (TypeError, ValueError):
        return 0
    return number if 100 <= number <= 999 else 0


def nowhere(exchange: Exchange) -> None:
    """Drop an exchange."""


unfinished: Final[dict[Exchange, None]] = {}
"""Exchanges that have begun and not ended, as keys. They compare by identity."""
