"""urllib3-future, sync and async, and through it niquests: HTTP/1.1, HTTP/2 and HTTP/3 alike.

Its calls begin, are retried and fail as urllib3's do, but it doesn't use http.client underneath. So a body of
unknown size is counted where the connection sends it. The end of a response is seen on the function that the
low-level response reads its data from, and releases when it is closed.

``urlopen(multiplexed=True)`` may return a promise. The call waits on it, and is resumed in ``get_response``.
It ends with the response's body, or with the promise if that is dropped.
"""

from __future__ import annotations

import weakref
from types import ModuleType
from typing import Any, Callable, Final, Optional

from recost.interceptors._calls_importlib_bootstrap import (
    after,
    async_after,
    async_around,
    async_resolving,
    resolving,
)
from recost.interceptors._containment import contain, end
from recost.interceptors.capture import Capture, WholeCapture
from recost.interceptors.context import current
from recost.interceptors.exchange import Exchange
from recost.interceptors.hub import Interception
from recost.interceptors.responses import remember
from recost.interceptors.urllib3 import LAYER, Calls

__all__ = ["instrument"]

_WAITING: Final = "recost"
"""The parameter of a promise that holds the waiting call."""
_SOURCE: Final = "_LowLevelResponse__internal_read_st"
_ASYNC_SOURCE: Final = "_AsyncLowLevelResponse__internal_read_st"


def instrument(module: ModuleType, interception: Interception) -> None:
    """Patch ``urllib3_future``, or ``urllib3`` if that is the same."""
    calls = _Calls(interception, module)
    patches = interception.patches
    pool, async_pool = module.HTTPConnectionPool, module.AsyncHTTPConnectionPool
    patches.replace(pool, "urlopen", calls.urlopen)
    patches.replace(async_pool, "urlopen", calls.async_urlopen)
    patches.replace(pool, "get_response", calls.get_response)
    patches.replace(async_pool, "get_response", calls.async_get_response)
    patches.replace(pool.ConnectionCls, "send", calls.send)
    patches.replace(async_pool.ConnectionCls, "send", calls.async_send)
    patches.replace(module.HTTPResponse, "drain_conn", calls.drain_conn)
    patches.replace(module.AsyncHTTPResponse, "drain_conn", calls.drain_conn)


class _Calls(Calls):
    """Replacements of the methods of pools, connections and responses."""

    def __init__(self, interception: Interception, module: ModuleType) -> None:
        super().__init__(interception)
        self._promise = module.ResponsePromise

    def async_urlopen(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        return async_around(original, switch, self._begin, self._failed, self._returned)

    def get_response(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        return resolving(original, switch, self._resume, self._resolved, self._unresolved)

    def async_get_response(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        return async_resolving(original, switch, self._resume, self._resolved, self._unresolved)

    def send(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        return after(original, switch, _sent)

    def async_send(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        return async_after(original, switch, _sent)

    def _drained(self, response: Any, _args: Any) -> None:
        """Record a response that is discarded before a retry.

        If any promise may be resolved, this is the first sign of the one whose request is retried.
        """
        exchange = current.get()
        if exchange is None or exchange.owner is None:
            _resume(_promise_of(response))
        super()._drained(response, _args)

    def _resume(self, pool: Any, promise: Any) -> bool:
        """Resume a call. Return False within a call of the same pool, which resumes it itself."""
        outer = current.get()
        if outer is not None and outer.owner is pool:
            return False
        _resume(promise)
        return True

    def _resolved(self, outer: Optional[Exchange], response: Any, promise: Any) -> None:
        exchange = current.get()
        if exchange is outer:  # any promise was resolved
            exchange = _take(_promise_of(response))
        if exchange is None or exchange.finished:
            return
        if response is None:
            _wait(exchange, promise)
            return
        self._returned(exchange, response)

    def _unresolved(self, outer: Optional[Exchange], error: BaseException) -> None:
        exchange = current.get()
        if exchange is not None and exchange is not outer:
            self._failed(exchange, error, (), {})

    def _returned(self, exchange: Exchange, response: Any) -> None:
        if exchange.request_bytes < 0:
            exchange.request_bytes = ~exchange.request_bytes
        if isinstance(response, self._promise):
            _wait(exchange, response)
            return
        if self._interception.remembering:
            remember(response, exchange)
        exchange.headers_received(response.status)
        exchange.response_bytes = response.tell() or exchange.response_bytes
        if not _follow_source(exchange, response):
            exchange.finish()


class _Waiting:
    """The call that waits on a promise. It ends without a response if the promise is dropped."""

    __slots__ = ("exchange", "pool")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange: Optional[Exchange] = exchange
        self.pool = weakref.ref(exchange.owner)

    def __del__(self) -> None:
        try:
            if self.exchange is not None:
                self.exchange.finish()
        except BaseException as error:  # noqa: BLE001
            contain(error)


class _Source:
    """The data source of a low-level response: counts the data, and ends the exchange."""

    __slots__ = ("_exchange", "_read")

    def __init__(self, read: Callable[..., Any], exchange: Exchange) -> None:
        self._read = read
        self._exchange = exchange

    def __call__(self, *args: Any) -> Any:
        try:
            result = self._read(*args)
        except BaseException:
            end(self._exchange)
            raise
        try:
            self._passed(result)
        except BaseException as error:  # noqa: BLE001 - also for unknown versions
            contain(error)
            end(self._exchange)
        return result

    def __del__(self) -> None:
        end(self._exchange)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self._read.__reduce_ex__(protocol)  # a copy of the response does not count

    def _passed(self, result: Any) -> None:
        exchange = self._exchange
        data, ended = result[:2]
        for piece in (data,) if isinstance(data, bytes) else data:  # one piece in older versions
            exchange.response_bytes += len(piece)
            if exchange.capture is not None:
                exchange.capture.feed(bytes(piece))
        if ended:
            if exchange.capture is not None:
                exchange.capture.complete = True
            exchange.finish()


class _AsyncSource(_Source):
    """The data source of an async response."""

    __slots__ = ()

    async def __call__(self, *args: Any) -> Any:
        try:
            result = await self._read(*args)
        except BaseException:
            end(self._exchange)
            raise
        try:
            self._passed(result)
        except BaseException as error:  # noqa: BLE001
            contain(error)
            end(self._exchange)
        return result


def _follow_source(exchange: Exchange, response: Any) -> bool:
    """End the exchange with the response's body. Return False if the body is already complete."""
    low = response._fp  # noqa: SLF001 - has no public name
    wanted, headers = exchange.wanted, response.headers
    for name, kind in ((_SOURCE, _Source), (_ASYNC_SOURCE, _AsyncSource)):
        read = getattr(low, name, None)
        if read is not None and not low.closed and response.length_remaining != 0:
            if wanted is not None:
                content_type, encoding = headers.get("content-type"), headers.get("content-encoding")
                exchange.capture = Capture(wanted.headers, headers, content_type, encoding)
            setattr(low, name, kind(read, exchange))
            exchange.body_follows()
            return True
    if wanted is not None:
        body = response._body  # noqa: SLF001
        exchange.capture = WholeCapture(wanted.headers, headers, headers.get("content-type"), body)
    return False


def _promise_of(response: Any) -> Any:
    return getattr(getattr(response, "_fp", None), "from_promise", None)


def _wait(exchange: Exchange, promise: Any) -> None:
    promise.set_parameter(_WAITING, _Waiting(exchange))
    exchange.body_follows()


def _take(promise: Any) -> Optional[Exchange]:
    """Remove and return the call that waits on a promise, or None."""
    waiting = None if promise is None else promise.get_parameter(_WAITING)
    if waiting is None:
        return None
    exchange: Optional[Exchange] = waiting.exchange
    waiting.exchange = None
    return None if exchange is None or exchange.finished else exchange


def _resume(promise: Any) -> None:
    """Resume the call that waits on a promise, if there is one."""
    exchange = _take(promise)
    if exchange is not None:
        exchange.owner = promise.get_parameter(_WAITING).pool()
        exchange.active = True
        current.set(exchange)


def _sent(connection: Any, args: Any, kwargs: Any) -> None:  # noqa: ARG001
    """Count a part of a body of unknown size. See `exchange.UNSIZED`."""
    exchange = current.get()
    if exchange is not None and exchange.request_bytes < 0 and exchange.active and exchange.layer is LAYER:
        exchange.request_bytes -= len(args[0] if args else kwargs["data"])
