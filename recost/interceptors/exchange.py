"""One outbound call while it is under way, and the rule that tells a nested call from the same call.

An Exchange is made when the application calls a client, and finishes exactly once: when the response's
body ends, is closed, is cancelled or is collected. Finishing hands it to the sink, a callable that must only
append, because a finaliser may run anywhere, also while one of recost's own locks is held by the same thread.
"""

from __future__ import annotations

import copy
import time
import weakref
from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Callable, Final, Optional

from recost.events import RawEvent
from recost.interceptors.scope import Scope

if TYPE_CHECKING:
    from recost.interceptors.sent import Sent

__all__ = [
    "DEFAULT_PORTS",
    "LONGEST_HOST",
    "LONGEST_METHOD",
    "LONGEST_PATH",
    "NOTHING_BENEATH",
    "SUPPRESSED",
    "Exchange",
    "Sink",
    "Target",
    "Wanted",
    "clean_path",
    "current",
    "exchange_of",
    "forget_all",
    "nowhere",
    "origin",
    "remember",
    "status_number",
    "streaming",
]

Sink = Callable[["Exchange"], None]
Target = tuple[str, str, str]
"""Host, path and method of a call."""

LONGEST_PATH: Final = 4096
"""Of a path with its query."""
LONGEST_HOST: Final = 255
"""Of what may be a host's name: no longer one can be reached."""
LONGEST_METHOD: Final = 64
"""Of a method; what is longer is none that is known, and is shown as ``OTHER``."""
DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
NOTHING_BENEATH: Final = ("", 0)
"""As an exchange's ``hop``: what other clients do meanwhile is the application's, in a hook or in a body that
is made while it is sent."""
_perf_counter_ns = time.perf_counter_ns


class Wanted:
    """What is read of a call besides the body of its response, which is captured. Found once for a target.

    Args:
        headers: Of the response, in lower case.
        fields: Of the request's body; none: it is not looked at.
    """

    __slots__ = ("fields", "headers")

    def __init__(self, headers: Sequence[str] = (), fields: Sequence[str] = ()) -> None:
        self.headers = headers
        self.fields = fields


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
    """The client leaves the response's body encoded. Set only by clients that have such an option."""

    def __init__(
        self, sink: Sink, layer: str, method: str, scheme: str, host: str, port: int, path: str
    ) -> None:
        self._open = True
        self.sink = sink
        self.layer = layer
        """The client that the application called: ``httpx``, ``urllib3``, ``aiohttp``, ``http.client``."""
        self.method = method
        self.scheme = scheme
        self.host = host
        """Lower case, ASCII, IPv6 without brackets."""
        self.port = port
        """The effective port: the scheme's own when the URL names none."""
        self.path = path
        """As sent; may carry a query, which goes no further than `to_event`."""
        self.hop: Optional[tuple[str, int]] = (host, port)
        """Host and port of the calls on other layers that are part of this one while it is active: those that
        the client's transport is talking to now, where it may use another client."""
        self.active = False
        """True while the client's transport is at work, and nothing of the application's in it."""
        self.owner: Optional[object] = None
        """What the client's own recursion is recognised by, while active."""
        self.attempts = 0
        self.sent = False
        """The client's transport has been at work in this hop: sending again is an attempt."""
        self.status = 0
        self.request_bytes = 0
        self.response_bytes = 0
        self.headers_ns = 0
        self.capture: Any = None
        """The `capture.Capture` of the answer's body, or the `capture.Whole`, where its usage is wanted."""
        self.request: Optional[Sent] = None
        """What the request says of its price, where that is read."""
        self.wanted: Optional[Wanted] = None
        """What is read of the call; None: its response is not captured."""
        self.scope: Optional[Scope] = None
        """What the code that made the call asks of it."""
        self.costs: Optional[dict[object, Any]] = None
        """What the call cost, by who has worked it out: listeners may have different rules."""
        self.started_ns = _perf_counter_ns()

    def covers(self, layer: str, host: str, port: int) -> bool:
        """Tell whether a call on another layer, made now, is this same call; then it is being sent."""
        if self.active and layer != self.layer and self.hop == (host, port):
            self.sent = True
            return True
        return False

    def headers_received(self, status: int) -> None:
        """Note that the response's headers arrived."""
        self.status = status if isinstance(status, int) else status_number(status)
        self.headers_ns = _perf_counter_ns()

    def body_follows(self) -> None:
        """Note that the body is still to come, after the client has returned.

        The exchange stays in `streaming`, so that `recost.init`'s last flush can count a call whose
        response nobody ever read or closed. It doesn't refer to the response.
        """
        self.active = False
        self.owner = None
        streaming[id(self)] = self

    def finish(self) -> None:
        """End the call and hand it to the sink; every further call of this method does nothing."""
        try:
            # Deleting a slot is one atomic step that succeeds once: two threads, or a thread and the garbage
            # collector, can't both finish.
            del self._open
        except AttributeError:
            return
        try:
            self.ended_ns = _perf_counter_ns()
            self.active = False
            self.owner = None
            streaming.pop(id(self), None)
            if self.request is not None:
                self._hold_request()
            if self.scope is not None:
                for collector in self.scope.collectors:
                    collector.collect(self)
        finally:  # Ctrl-C may come at any point, and the call has been made
            self.sink(self)

    def _hold_request(self) -> None:
        """Count what is held of the request as held by the capture."""
        capture, request = self.capture, self.request
        if capture is None or request is None:
            self.request = None  # nothing will be priced by it
        else:
            capture.nbytes += request.nbytes

    def cut_off(self, sink: Sink) -> Exchange:
        """Return the call as it stands, for a listener that does not wait for its end; it goes on for others.

        What was captured so far, and who sums up the call, go with the one that is cut off.
        """
        part = copy.copy(self)
        part.sink = sink
        self.capture = None
        if self.scope is not None:
            self.scope = Scope(self.scope.tags)
        return part

    def discard(self) -> None:
        """End the call without recording it: it turned out not to be an outbound one."""
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
    def is_error(self) -> bool:
        """True when no response came and for a status of 400 or more."""
        return self.status == 0 or self.status >= 400

    @property
    def latency_ms(self) -> float:
        """From the call to the end of the response's body."""
        return (self.ended_ns - self.started_ns) / 1e6

    def to_event(self) -> RawEvent:
        """Return the finished call as a value."""
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


def clean_path(raw: str) -> str:
    """Return a request target's path, without query and fragment; ``/`` when there is none."""
    return raw.partition("?")[0].partition("#")[0] or "/"


def origin(scheme: str, host: str, port: int) -> str:
    """Return ``scheme://host`` with the port where it is not the scheme's own, IPv6 in brackets."""
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}" if port == DEFAULT_PORTS.get(scheme) else f"{scheme}://{name}:{port}"


def status_number(status: Any) -> int:
    """Return the status of a response that a stand-in has made; 0 where it is none."""
    try:
        number = int(status)  # a MagicMock is 1
    except (TypeError, ValueError):
        return 0
    return number if 100 <= number <= 999 else 0


class _Suppressed(Exchange):
    """Stands in the context of recost's own traffic: whatever is called there is not the application's."""

    __slots__ = ()

    def covers(self, layer: str, host: str, port: int) -> bool:  # noqa: ARG002 - the signature of the rule
        return True


def nowhere(exchange: Exchange) -> None:
    """Take an exchange and forget it."""


SUPPRESSED: Final[Exchange] = _Suppressed(nowhere, "recost", "", "", "", 0, "")

streaming: Final[dict[int, Exchange]] = {}
"""Exchanges that have begun and not ended, by identity: most of them wait for the end of a body."""

current: ContextVar[Optional[Exchange]] = ContextVar("recost_exchange", default=None)
"""The call that the running code is part of. It is switched off when the call's transport is done, because a
task that was spawned meanwhile keeps the context for ever."""


_seen: Final[dict[weakref.ref[Any], Exchange]] = {}
"""By the response, as an attribute of it would show in copies, pickles and ``vars``. Responses compare by
identity."""
_forget: Final = _seen.pop
"""Called with the reference when a response dies; no function of ours, which would take longer."""


def remember(response: Any, exchange: Exchange) -> None:
    """Note whose answer a response is, for `exchange_of`."""
    _seen[weakref.ref(response, _forget)] = exchange


def exchange_of(response: Any) -> Optional[Exchange]:
    """Return the exchange that a response answers; None for one that was not seen."""
    try:
        return _seen.get(weakref.ref(response))
    except TypeError:  # no object that could be a response: there are no weak references to it, or no hash
        return None


def forget_all() -> None:
    """Forget every response."""
    _seen.clear()
