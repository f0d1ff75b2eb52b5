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

from recost.captured import Wanted
from recost.events import RawEvent
from recost.interceptors.targets import clean_path, origin

if TYPE_CHECKING:
    from recost.interceptors.context import CostScope
    from recost.interceptors.request_body import RequestBody

__all__ = [
    "NOTHING_BENEATH",
    "UNSIZED",
    "Exchange",
    "Routed",
    "Sink",
    "Unrouted",
    "Wanted",
    "nowhere",
    "status_number",
    "streaming",
]

Sink = Callable[["Exchange"], None]

NOTHING_BENEATH: Final = ("", 0)
"""Value of ``Exchange.hop`` for a client that never uses another one underneath.

Calls of other clients during the exchange are the application's own, made in a hook or by a body that is
generated while it is sent.
"""
UNSIZED: Final = -1
"""Value of ``Exchange.request_bytes`` that has the connection underneath count the body as it is sent.

The connection stores the count as ``~count``, which stays negative, so that another attempt is counted anew.
"""
_perf_counter_ns = time.perf_counter_ns


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
    """One logical call of the application, from the call to the end of the response's body."""

    __slots__ = (
        "_open",
        "active",
        "attempts",
        "capture",
        "costs",
        "ended_ns",
        "headers_ns",
        "hop",
        "host",
        "layer",
        "method",
        "owner",
        "path",
        "port",
        "request",
        "request_bytes",
        "response_bytes",
        "route",
        "scheme",
        "scope",
        "sent",
        "sink",
        "started_ns",
        "status",
        "undecoded",
        "wanted",
    )

    ended_ns: int
    """Set by `finish`."""
    undecoded: bool
    """True if the client doesn't decode the response's body. Set only by clients that have such an option."""

    def __init__(
        self, sink: Sink, layer: str, method: str, scheme: str, host: str, port: int, path: str
    ) -> None:
        self._open = True
        self.sink = sink
        self.layer = layer
        """The client: ``httpx``, ``urllib3``, ``aiohttp``, ``http.client``, or ``requests`` if mocked."""
        self.method = method
        self.scheme = scheme
        self.host = host
        """Lower case, ASCII, IPv6 without brackets."""
        self.port = port
        """The effective port: the scheme's default if the URL has no port."""
        self.path = path
        """Path as sent. It may have a query, which `to_event` drops."""
        self.hop: Optional[tuple[str, int]] = (host, port)
        """Host and port that the client's transport is talking to now.

        While the exchange is active, calls of other clients to it are part of this call.
        """
        self.active = False
        """True while the client's transport is running, and no code of the application inside it."""
        self.owner: Optional[object] = None
        """Object by which the client recognises its own nested calls, while active."""
        self.attempts = 0
        self.sent = False
        """True if the transport has sent something in this hop, so that sending again is another attempt."""
        self.status = 0
        self.request_bytes = 0
        self.response_bytes = 0
        self.headers_ns = 0
        self.capture: Any = None
        """The `capture.Capture` or `capture.Whole` of the response's body, if its usage is wanted."""
        self.request: Optional[RequestBody] = None
        """The request's body, if fields of it are wanted."""
        self.wanted: Optional[Wanted] = None
        """Headers and fields to read. None if the response is not captured."""
        self.route: Optional[Any] = None
        """The `Routed` of the first listener that resolved the target."""
        self.scope: Optional[CostScope] = None
        """Tags and collectors of the code that made the call."""
        self.costs: Optional[dict[object, Any]] = None
        """Costs by the key of the meter that priced them: listeners may have different rules."""
        self.started_ns = _perf_counter_ns()

    def covers(self, layer: str, host: str, port: int) -> bool:
        """Return True, and note that the call is being sent, if a call of another client is part of it."""
        if self.active and layer != self.layer and self.hop == (host, port):
            self.sent = True
            return True
        return False

    def headers_received(self, status: int) -> None:
        """Record the status and the time at which the response's headers arrived."""
        self.status = status if isinstance(status, int) else status_number(status)
        self.headers_ns = _perf_counter_ns()

    def body_follows(self) -> None:
        """Keep the call open after the client has returned, until the response's body ends.

        The exchange stays in `streaming`, so that the last flush can count a call whose response was never
        read or closed. It doesn't refer to the response.
        """
        self.active = False
        self.owner = None
        streaming[id(self)] = self

    def finish(self) -> None:
        """End the call and hand it to the sink. Calling this again does nothing."""
        try:
            # Deleting a slot is atomic and succeeds once: two threads, or a thread and the garbage collector,
            # can't both finish the call.
            del self._open
        except AttributeError:
            return
        try:
            self.ended_ns = _perf_counter_ns()
            self.active = False
            self.owner = None
            streaming.pop(id(self), None)
            if self.request is not None:
                self._count_request()
            if self.scope is not None:
                for collector in self.scope.collectors:
                    collector.collect(self)
        finally:  # Ctrl-C may come at any point, but the call has been made
            self.sink(self)

    def _count_request(self) -> None:
        """Add the memory of the request's body to that of the capture."""
        capture, request = self.capture, self.request
        if capture is None or request is None:
            self.request = None  # without a capture it isn't used
        else:
            capture.nbytes += request.nbytes

    def cut_off(self, sink: Sink) -> Exchange:
        """Return a copy of the unfinished call for ``sink``, which will not wait for its end.

        The copy gets what was captured so far, and the collectors. The call itself goes on for other sinks.
        """
        part = copy.copy(self)
        part.sink = sink
        self.capture = None
        if self.scope is not None:
            self.scope = self.scope.without_collectors()
        return part

    def discard(self) -> None:
        """End the call without recording it: it was not an outbound call."""
        self.active = False
        self.owner = None
        try:
            del self._open
        except AttributeError:
            return
        streaming.pop(id(self), None)

    @property
    def finished(self) -> bool:
        """True once the call has ended."""
        return not hasattr(self, "_open")

    @property
    def target(self) -> tuple[str, str, int, str, str]:
        """Scheme, host, port, path and method."""
        return (self.scheme, self.host, self.port, self.path, self.method)

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
        path = clean_path(self.path)
        headers_ms = (self.headers_ns - self.started_ns) / 1e6 if self.headers_ns else None
        age_ms = (_perf_counter_ns() - self.started_ns) / 1e6
        return RawEvent(
            timestamp=time.time() * 1000 - age_ms,
            method=self.method,
            url=origin(self.scheme, self.host, self.port) + path,
            host=self.host,
            path=path,
            status_code=self.status,
            latency_ms=self.latency_ms,
            request_bytes=self.request_bytes,
            response_bytes=self.response_bytes,
            error=self.is_error,
            attempts=max(self.attempts, 1),
            time_to_headers_ms=headers_ms,
        )


def status_number(status: Any) -> int:
    """Return the status of a mock's response as an integer, or 0 if it is not a valid one."""
    try:
        number = int(status)  # a MagicMock is 1
    except (TypeError, ValueError):
        return 0
    return number if 100 <= number <= 999 else 0


def nowhere(exchange: Exchange) -> None:
    """Drop an exchange."""


streaming: Final[dict[int, Exchange]] = {}
"""Exchanges that have begun and not ended, by identity. Most of them wait for the end of a body."""
