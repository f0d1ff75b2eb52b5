"""The hub between the patched clients and the listeners that receive their calls."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from recost.interceptors.clients import Clients
from recost.interceptors.context import cost_scope, current
from recost.interceptors.exchange import CallTarget, Exchange, Sink, begin, unfinished
from recost.interceptors.fanout import CallAll, FanoutSink, Metered, WantedByAny
from recost.interceptors.patching import Patches
from recost.interceptors.same_process import same_process
from recost.interceptors.targets import LONGEST_HOST, LONGEST_METHOD, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recost.interceptors.keys import KeyLabels
    from recost.interceptors.request_body import BodyOf, RequestBody

__all__ = ["Interception", "read_body"]

ErrorSink = Callable[[BaseException], None]
Gate = Callable[[Exchange], object]
Allows = Callable[[Exchange], bool]


class _Listener(NamedTuple):
    sink: Sink
    before_call: Optional[Callable[[], bool]]
    on_error: Optional[ErrorSink]
    metered: Optional[Metered]
    gate: Optional[Gate]
    allows: Optional[Allows]
    remembering: bool
    timed: bool
    labels: Optional[KeyLabels]


class Interception:
    """The patches of this process, and the listeners. The public fields combine what all listeners want."""

    def __init__(self) -> None:
        self.patches = Patches()
        self._clients = Clients(self)
        self.broken = self._clients.broken
        self._lock = threading.RLock()  # a signal handler or finaliser may re-enter on the same thread
        self._listeners: dict[str, _Listener] = {}
        self._changes = 0
        self.sink: Optional[Sink] = None
        """Receives each finished exchange. None without listeners."""
        self.before_call: Optional[Callable[[], bool]] = None
        """Called on the caller's thread when a call begins, in each process until it returns True."""
        self.ready: list[Sink] = []
        """The sink, once ``before_call`` has nothing more to do. Look at `same_process`, too.

        Empty while keys are labelled, so that `begin` takes all steps of each call.
        """
        self._prepared = self.ready
        """The same, also while keys are labelled."""
        self.plain: list[Sink] = []
        """``ready`` while no listener wants more of a call than its end, or else an empty list."""
        self.metered: Optional[Metered] = None
        """Returns what to read of a call. None if nothing is read of any call."""
        self.gate: Optional[Gate] = None
        """Called with each call before it is made. Raises RecostBudgetExceededError to refuse it."""
        self.allows: Optional[Allows] = None
        """Returns True for a call that ``gate`` doesn't refuse, or False if that must decide.

        None without gates.
        """
        self.timed = False
        """True if a listener wants to know when the headers of responses arrive."""
        self.remembering = False
        """True if responses are looked up with `responses.exchange_of`."""
        self.labels: Optional[KeyLabels] = None
        """Labels of the keys that calls are made with. None if no listener wants them."""

    def add(
        self,
        name: str,
        sink: Sink,
        *,
        before_call: Optional[Callable[[], bool]] = None,
        on_error: Optional[ErrorSink] = None,
        metered: Optional[Metered] = None,
        gate: Optional[Gate] = None,
        allows: Optional[Allows] = None,
        remembering: bool = False,
        timed: bool = True,
        labels: Optional[KeyLabels] = None,
    ) -> None:
        """Send finished exchanges to ``sink`` from now on, in place of an earlier listener of this name.

        Args:
            name: Name of the listener.
            sink: Receives each finished exchange.
            before_call: Called when a call begins, in each process until it returns True.
            on_error: Receives recost's own errors.
            metered: Returns what to read of a call.
            gate: Refuses calls.
            allows: Returns True for calls that ``gate`` doesn't refuse, which takes less time.
            remembering: True if responses are looked up with `responses.exchange_of`.
            timed: True if the sink wants to know when the headers of responses arrive.
            labels: Labels of the keys that calls are made with.
        """
        with self._lock:
            self._listeners[name] = _Listener(
                sink, before_call, on_error, metered, gate, allows, remembering, timed, labels
            )
            self._combine()
        self._clients.watch()

    def remove(self, name: str, sink: Optional[Sink] = None) -> None:
        """Remove the listener of this name, and all patches if it was the last one.

        With ``sink``, do it only if the listener has this sink: another one may have taken its place.
        """
        with self._lock:
            if name not in self._listeners or (sink is not None and self._listeners[name].sink != sink):
                return
            del self._listeners[name]
            self._combine()
            if not self._listeners:
                self.patches.remove_all()

    def end_unfinished(self, sink: Sink) -> None:
        """Finish the unfinished exchanges of a sink as they are, because it will not receive them later."""
        for exchange in unfinished.copy():
            if exchange.sink == sink:
                exchange.finish()
            elif isinstance(exchange.sink, FanoutSink) and sink in exchange.sink.sinks:
                exchange.sink = exchange.sink.replaced(sink)
                exchange.cut_off(sink).finish()

    def redirect(self, sink: Sink, successor: Sink) -> None:
        """Send the unfinished exchanges of a sink to another one."""
        for exchange in unfinished.copy():
            if exchange.sink == sink:
                exchange.sink = successor
            elif isinstance(exchange.sink, FanoutSink) and sink in exchange.sink.sinks:
                exchange.sink = exchange.sink.replaced(sink, successor)

    def after_fork_in_child(self) -> None:
        """Replace locks that a thread of the parent may hold, and drop the parent's unfinished calls."""
        self._lock = threading.RLock()
        self.unready()
        self.patches.after_fork_in_child()
        unfinished.clear()

    def begin(  # noqa: C901 - in one frame, as it runs in each call
        self,
        layer: str,
        target: CallTarget,
        body_of: Optional[BodyOf] = None,
        source: Any = None,
        headers: Any = None,
    ) -> Optional[Exchange]:
        """Return the Exchange of a call that begins now, or None if it is not recorded.

        Args:
            layer: Name of the client.
            target: Scheme, host as `targets.ascii_host` returns it, effective port, path with or without
                query, and method in upper case.
            body_of: Called with ``source`` if fields of the request's body are wanted.
            source: Argument of ``body_of``.
            headers: Headers of the request that are known now, for `KeyLabels.tag`.

        Raises:
            RecostBudgetExceededError: A budget refuses the call.
        """
        _, host, port, path, method = target
        outer = current.get()
        if outer is not None and outer.covers(layer, host, port):
            return None
        if not (self.ready and same_process[0]):
            self._prepare()
        sink = self.sink
        if sink is None:
            return None
        try:
            if len(path) > LONGEST_HOST or len(host) > LONGEST_HOST or len(method) > LONGEST_METHOD:
                target = shortened(target)
        except TypeError:  # a mock's
            target = shortened(target)
        exchange = Exchange()
        begin(exchange, sink, layer, target)
        scope = cost_scope.get()
        if scope is not None:
            exchange.scope = scope.resolved()
            for collector in scope.collectors:
                collector.call_begins()
        if self.labels is not None:
            self.labels.tag(exchange, headers)
        if self.metered is not None:
            exchange.route = route = self.metered((target[1], target[3], target[4]))
            exchange.wanted = route.wanted
            if route.fields and body_of is not None:
                exchange.request = read_body(body_of, source, route.fields)
        allows, gate = self.allows, self.gate
        if gate is not None and (allows is None or not allows(exchange)):
            unfinished[exchange] = None  # else it would be priced as one that has ended
            try:
                gate(exchange)
            finally:
                unfinished.pop(exchange, None)
        return exchange

    def resolve(self, exchange: Exchange, body_of: BodyOf, source: Any) -> bool:
        """Find out what to read of a call that a client has begun. Return False if `begin` may refuse it."""
        metered = self.metered
        if metered is not None:
            _, host, _, path, method = exchange.target
            exchange.route = route = metered((host, path, method))
            exchange.wanted = route.wanted
            if route.fields:
                exchange.request = read_body(body_of, source, route.fields)
        allows = self.allows
        return allows is None or allows(exchange)

    def unready(self) -> None:
        """Call ``before_call`` at the next call."""
        ready: list[Sink] = []
        self._prepared = ready
        if self.labels is not None:
            ready = []
        self.plain = ready if self.metered is None and self.gate is None and not self.timed else []
        self.ready = ready

    def _prepare(self) -> None:
        """Call ``before_call``, until it has nothing more to do in this process."""
        ready = self._prepared  # another one once listeners change or the process forks meanwhile
        if ready and same_process[0]:
            return  # keys are labelled
        if (self.before_call is None or self.before_call()) and self.sink is not None:
            same_process[0] = 1
            ready[:] = [self.sink]

    def report(self, error: BaseException) -> None:
        """Report one of recost's own errors to all listeners. See `_containment.contain`."""
        for listener in list(self._listeners.values()):
            if listener.on_error is not None:
                with suppress(Exception):
                    listener.on_error(error)

    def _combine(self) -> None:
        self._changes += 1
        changes = -1
        while changes != self._changes:  # repeat if a signal handler changed the listeners meanwhile
            changes = self._changes
            self._combine_once()

    def _combine_once(self) -> None:
        listeners = list(self._listeners.values())
        sinks = [listener.sink for listener in listeners]
        befores = [listener.before_call for listener in listeners if listener.before_call is not None]
        metered = [listener.metered for listener in listeners if listener.metered is not None]
        gates = [listener.gate for listener in listeners if listener.gate is not None]
        allows = [listener.allows or _undecided for listener in listeners if listener.gate is not None]
        labels = [listener.labels for listener in listeners if listener.labels is not None]
        self.unready()
        self.labels = labels[0] if len(labels) == 1 else (_merged(labels) if labels else None)
        self.before_call = befores[0] if len(befores) == 1 else (CallAll(befores) if befores else None)
        self.metered = metered[0] if len(metered) == 1 else (WantedByAny(metered) if metered else None)
        self.remembering = any(each.remembering for each in listeners)
        self.timed = any(each.timed for each in listeners)
        self.allows = allows[0] if len(allows) == 1 else (CallAll(allows) if allows else None)
        self.gate = gates[0] if len(gates) == 1 else (CallAll(gates) if gates else None)
        self.sink = sinks[0] if len(sinks) == 1 else (FanoutSink(sinks, len(metered)) if sinks else None)
        self.unready()  # once more: a call that began meanwhile may have found the earlier sink


def _merged(labels: list[KeyLabels]) -> KeyLabels:
    from recost.interceptors.keys import merged  # noqa: PLC0415 - hashlib is slow to import

    return merged(labels)


def _undecided(exchange: Exchange) -> bool:  # noqa: ARG001
    """Return False, for a gate that must be asked about each call."""
    return False


def read_body(body_of: BodyOf, source: Any, names: Sequence[str]) -> Optional[RequestBody]:
    """Return the request's body as ``body_of`` finds it, or None if that fails."""
    try:
        return body_of(source, names)
    except Exception:  # noqa: BLE001 - an application's object may raise, and its text quote the body
        return None
