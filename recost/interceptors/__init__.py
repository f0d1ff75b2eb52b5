"""Seeing a process's outbound HTTP calls: which clients there are, and switching the interception on and off.

An interceptor is one module of this package with a function ``instrument(module, interception)``, named in
`CLIENTS`. It makes an `Exchange` for each call with `Interception.begin` and finishes it when the call ends.
It knows nothing of what is behind the sink.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import ModuleType
from typing import Any, Final, NamedTuple, Optional

from recost.events import RawEvent
from recost.interceptors._containment import contain, reporters
from recost.interceptors._imports import is_half_loaded, when_imported
from recost.interceptors._listeners import Each, Fan, Metered, WantedByAny
from recost.interceptors._patching import Patches
from recost.interceptors.exchange import (
    LONGEST_HOST,
    LONGEST_METHOD,
    LONGEST_PATH,
    Exchange,
    Sink,
    current,
    streaming,
)
from recost.interceptors.scope import scope
from recost.interceptors.sent import Sent

__all__ = [
    "CLIENTS",
    "MOCKS",
    "Interception",
    "install",
    "interception",
    "is_installed",
    "kept",
    "uninstall",
]

CLIENTS: Final = {
    "httpx": "recost.interceptors.httpx",
    "httpx2": "recost.interceptors.httpx",
    "urllib3": "recost.interceptors.urllib3",
    "urllib3_future": "recost.interceptors.urllib3_future",
    "aiohttp": "recost.interceptors.aiohttp",
    "http.client": "recost.interceptors.stdlib",
}
"""Module of a client, as it is imported, and the module of this package that knows it."""

MOCKS: Final = dict.fromkeys(
    ("aioresponses", "requests_mock", "responses", "vcr"), "recost.interceptors.mocks"
)
"""Libraries that answer in a client's place, likewise."""

ErrorSink = Callable[[BaseException], None]
Gate = Callable[[Exchange], None]
BodyOf = Callable[[Any, Sequence[str]], Optional[Sent]]
"""Returns what is kept of a request's body, given the names of the fields that are read."""


class _Listener(NamedTuple):
    sink: Sink
    before_call: Optional[Callable[[], None]]
    on_error: Optional[ErrorSink]
    metered: Optional[Metered]
    gate: Optional[Gate]
    remembering: bool


class Interception:
    """What is patched in this process, and where finished exchanges go."""

    def __init__(self) -> None:
        self.patches = Patches()
        self.broken: dict[str, str] = {}
        """Client and reason, for each client that could not be instrumented."""
        self._lock = threading.RLock()  # a signal handler or finaliser may come back to it on the same thread
        self._hooked: set[str] = set()
        self._changes = 0
        self._sinks: dict[str, _Listener] = {}
        self.sink: Optional[Sink] = None
        """Takes each finished exchange; None while nothing is installed."""
        self.before_call: Optional[Callable[[], None]] = None
        """Called on the caller's thread when a call begins."""
        self.metered: Optional[Metered] = None
        """Tells what is to be read of a call; None when nothing is, of any."""
        self.gate: Optional[Gate] = None
        """Called with each call that is about to begin; raises RecostBudgetExceededError to refuse it."""
        self.remembering = False
        """Responses are to be found again by `exchange.exchange_of`."""

    def add(
        self,
        name: str,
        sink: Sink,
        *,
        before_call: Optional[Callable[[], None]] = None,
        on_error: Optional[ErrorSink] = None,
        metered: Optional[Metered] = None,
        gate: Optional[Gate] = None,
        remembering: bool = False,
    ) -> None:
        """Send finished exchanges to ``sink`` from now on, in place of the earlier sink of the same name."""
        with self._lock:
            self._sinks[name] = _Listener(sink, before_call, on_error, metered, gate, remembering)
            self._route()
        for module in (*CLIENTS, *MOCKS):
            if module not in self._hooked:
                self._hooked.add(module)
                when_imported(module, self._imported)
                continue
            imported = sys.modules.get(module)  # None there forbids the import
            if imported is not None and not is_half_loaded(imported):  # else its hook is still to be called
                self._imported(imported)

    def remove(self, name: str, sink: Optional[Sink] = None) -> None:
        """Forget the sink of that name, and unpatch everything when it was the last one.

        With ``sink``, only if it is this one: another may have taken its place meanwhile.
        """
        with self._lock:
            if name not in self._sinks or (sink is not None and self._sinks[name].sink != sink):
                return
            del self._sinks[name]
            self._route()
            if not self._sinks:
                self.patches.remove_all()

    def end_streaming(self, sink: Sink) -> None:
        """Finish the sink's exchanges that have not ended, as they stand: nobody will record their end."""
        for exchange in list(streaming.values()):
            if exchange.sink == sink:
                exchange.finish()
            elif isinstance(exchange.sink, Fan) and sink in exchange.sink.sinks:
                fan = exchange.sink
                exchange.sink = fan.without(sink)
                exchange.cut_off(sink).finish()

    def redirect(self, sink: Sink, successor: Sink) -> None:
        """Have another sink take the exchanges that have begun for one, and not ended."""
        for exchange in list(streaming.values()):
            if exchange.sink == sink:
                exchange.sink = successor
            elif isinstance(exchange.sink, Fan) and sink in exchange.sink.sinks:
                exchange.sink = exchange.sink.replaced(sink, successor)

    def after_fork_in_child(self) -> None:
        """Forget what another thread of the parent may have held, and the parent's unfinished exchanges."""
        self._lock = threading.RLock()  # a signal handler or finaliser may come back to it on the same thread
        self.patches.after_fork_in_child()
        streaming.clear()

    def begin(
        self,
        layer: str,
        method: str,
        scheme: str,
        host: str,
        port: int,
        path: str,
        body_of: Optional[BodyOf] = None,
        source: Any = None,
    ) -> Optional[Exchange]:
        """Return the Exchange of a call that begins now; None when it is not one to record.

        Args:
            layer: The client.
            method: In upper case.
            scheme: And what follows, of the URL.
            host: As an Exchange has it.
            port: Likewise.
            path: With its query.
            body_of: Called with ``source`` where the request's body is to be read, and it is at hand by now.
            source: What that finds the body by.

        Raises:
            RecostBudgetExceededError: The call is not to be made.
        """
        outer = current.get()
        if outer is not None and outer.covers(layer, host, port):
            return None
        if self.before_call is not None:
            self.before_call()
        sink = self.sink
        if sink is None:
            return None
        if len(f"{method}{host}{path}") > LONGEST_HOST:  # one step for all three: few are as long
            method, host, path = method[:LONGEST_METHOD], host[:LONGEST_HOST], path[:LONGEST_PATH]
        exchange = Exchange(sink, layer, method, scheme, host, port, path)
        inside = scope.get()
        if inside is not None:
            exchange.scope = inside.settled()
            for collector in inside.collectors:
                collector.call_begins()
        if self.metered is not None:
            exchange.wanted = wanted = self.metered((host, path, method))
            if wanted is not None and wanted.fields and body_of is not None:
                exchange.request = kept(body_of, source, wanted.fields)
        if self.gate is not None:
            self.gate(exchange)
        return exchange

    def report(self, error: BaseException) -> None:
        """Report an error of recost's own to all who listen; `_containment.contain` is the boundary."""
        for listener in list(self._sinks.values()):
            if listener.on_error is not None:
                with suppress(Exception):
                    listener.on_error(error)

    def _route(self) -> None:
        self._changes += 1
        changes = -1
        while changes != self._changes:  # else what interrupted this has changed it again
            changes = self._changes
            self._route_once()

    def _route_once(self) -> None:
        listeners = list(self._sinks.values())
        sinks = [listener.sink for listener in listeners]
        befores = [listener.before_call for listener in listeners if listener.before_call is not None]
        metered = [listener.metered for listener in listeners if listener.metered is not None]
        gates = [listener.gate for listener in listeners if listener.gate is not None]
        self.before_call = befores[0] if len(befores) == 1 else (Each(befores) if befores else None)
        self.metered = metered[0] if len(metered) == 1 else (WantedByAny(metered) if metered else None)
        self.remembering = any(each.remembering for each in listeners)
        self.gate = gates[0] if len(gates) == 1 else (Each(gates) if gates else None)
        self.sink = sinks[0] if len(sinks) == 1 else (Fan(sinks, len(metered)) if sinks else None)

    def _imported(self, module: ModuleType) -> None:
        """Instrument a client that has been imported, unless nobody wants it any more."""
        if self.sink is None:
            return
        name = module.__name__
        try:
            client = importlib.import_module(CLIENTS.get(name) or MOCKS.get(name) or CLIENTS["httpx"])
            client.instrument(module, self)
            self.broken.pop(name, None)
        except Exception as error:  # noqa: BLE001 - a client of unknown shape must not fail the user's import
            self.broken[name] = f"{type(error).__name__}: {error}"
            self.report(error)


def kept(body_of: BodyOf, source: Any, names: Sequence[str]) -> Optional[Sent]:
    """Return what is kept of a request's body; None where it can't be had."""
    try:
        return body_of(source, names)
    except Exception:  # noqa: BLE001 - of an object of the application's; its text might quote the body
        return None


interception = Interception()
"""Patching classes is a matter of the process, so there is one."""
reporters.append(lambda error: interception.report(error))  # noqa: PLW0108 - looked up each time


class _CallbackSink:
    """Hands each finished exchange to a user's callback, as a value.

    An exchange that a forked child inherits from its parent is the parent's to report: a child's calls get a
    sink of its own.
    """

    def __init__(self, callback: Callable[[RawEvent], None]) -> None:
        self.callback: Optional[Callable[[RawEvent], None]] = callback
        """The latest one given to `install`, for calls under way too; None after `uninstall`."""
        self._pid = os.getpid()

    def before_call(self) -> None:
        if os.getpid() != self._pid and self.callback is not None:
            global _callback_sink  # noqa: PLW0603 - see there
            interception.after_fork_in_child()
            _callback_sink = None
            install(self.callback)

    def __call__(self, exchange: Exchange) -> None:
        callback = self.callback
        if callback is None or os.getpid() != self._pid:
            return
        try:
            callback(exchange.to_event())
        except BaseException as error:  # noqa: BLE001 - the callback runs inside the application's own call
            contain(error)


_CALLBACK: Final = "callback"
_callback_sink: Optional[_CallbackSink] = None
"""Of this process, while a callback is installed."""


def install(callback: Callable[[RawEvent], None]) -> None:
    """Patch the HTTP clients and call ``callback`` with one RawEvent per call.

    It runs on the thread where the call ended, before the call returns, so it should be quick; what it raises
    is contained. A second ``install()`` replaces the callback. Works with and without ``recost.init()``.

    Raises:
        TypeError: ``callback`` is not callable.
    """
    global _callback_sink  # noqa: PLW0603 - patching is a matter of the process, and so is the callback
    if not callable(callback):
        raise TypeError(f"recost.install() takes a callable, got {type(callback).__name__}")
    if _callback_sink is None:
        _callback_sink = _CallbackSink(callback)
    _callback_sink.callback = callback
    interception.add(_CALLBACK, _callback_sink, before_call=_callback_sink.before_call)


def uninstall() -> None:
    """Forget the callback given to `install`; the clients are restored when nothing else records."""
    global _callback_sink  # noqa: PLW0603
    if _callback_sink is not None:
        _callback_sink.callback = None
        _callback_sink = None
    interception.remove(_CALLBACK)


def is_installed() -> bool:
    """Tell whether outbound calls are being recorded, by `install` or by ``recost.init()``."""
    return interception.sink is not None
