"""urllib3-future, sync and async, and through it niquests: HTTP/1.1, HTTP/2 and HTTP/3 alike.

Its calls begin, are repeated and fail as urllib3's do. What differs is below: it doesn't use http.client. So
a body of unknown size is counted where the connection sends it, and the end of an answer is seen on the
function that the low-level response gets its data from, which it lets go of when it is closed.

``urlopen(multiplexed=True)`` may return a promise. The call waits on it, and goes on in ``get_response``;
it ends with the answer's body, or with the promise when that is thrown away.
"""

from __future__ import annotations

import weakref
from types import ModuleType
from typing import Any, Callable, Final, Optional

from recost.interceptors import Interception
from recost.interceptors.capture import Capture, Whole
from recost.interceptors.exchange import Exchange, current, remember
from recost.interceptors.urllib3 import LAYER, Calls, again

__all__ = ["instrument"]

_WAITING: Final = "recost"
"""The parameter of a promise that has the call that waits on it."""
_SOURCE: Final = "_LowLevelResponse__internal_read_st"
_ASYNC_SOURCE: Final = "_AsyncLowLevelResponse__internal_read_st"


def instrument(module: ModuleType, interception: Interception) -> None:
    """Patch ``urllib3_future``, or ``urllib3`` where that is the same."""
    calls = _Calls(interception, module)
    patches = interception.patches
    pool, async_pool = module.HTTPConnectionPool, module.AsyncHTTPConnectionPool
    patches.replace(pool, "urlopen", calls.urlopen)
    patches.replace(async_pool, "urlopen", calls.async_urlopen)
    patches.replace(pool, "get_response", calls.get_response)
    patches.replace(async_pool, "get_response", calls.async_get_response)
    patches.replace(pool.ConnectionCls, "send", calls.send)
    patches.replace(async_pool.ConnectionCls, "send", calls.async_send)
    patches.wrap(module.HTTPResponse, "drain_conn", calls.drain_conn)
    patches.wrap(module.AsyncHTTPResponse, "drain_conn", calls.drain_conn)


class _Calls(Calls):
    """What takes the place of the pools' and connections' methods."""

    def __init__(self, interception: Interception, module: ModuleType) -> None:
        super().__init__(interception)
        self._promise = module.ResponsePromise

    def async_urlopen(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        begin, failed, returned = self._begin, self._failed, self._returned

        async def urlopen(pool: Any, *args: Any, **kwargs: Any) -> Any:
            outer = current.get()
            if not switch or (outer is not None and outer.owner is pool and again(outer, args, kwargs)):
                return await original(pool, *args, **kwargs)
            exchange = begin(pool, args, kwargs)
            if exchange is None:
                return await original(pool, *args, **kwargs)
            current.set(exchange)
            try:
                response = await original(pool, *args, **kwargs)
            except BaseException as error:
                failed(exchange, error)
                raise
            finally:
                current.set(outer)
            returned(exchange, response)
            try:
                return response
            finally:
                del response  # as in urllib3's

        return urlopen

    def get_response(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        resume, resolved, unresolved = self._resume, self._resolved, self._unresolved

        def get_response(pool: Any, *args: Any, **kwargs: Any) -> Any:
            outer = current.get()
            if not switch or (outer is not None and outer.owner is pool):
                return original(pool, *args, **kwargs)
            resume(kwargs.get("promise"))
            try:
                response = original(pool, *args, **kwargs)
                resolved(outer, response, kwargs.get("promise"))
            except BaseException as error:
                unresolved(outer, error)
                raise
            finally:
                current.set(outer)
            try:
                return response
            finally:
                del response

        return get_response

    def async_get_response(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        resume, resolved, unresolved = self._resume, self._resolved, self._unresolved

        async def get_response(pool: Any, *args: Any, **kwargs: Any) -> Any:
            outer = current.get()
            if not switch or (outer is not None and outer.owner is pool):
                return await original(pool, *args, **kwargs)
            resume(kwargs.get("promise"))
            try:
                response = await original(pool, *args, **kwargs)
                resolved(outer, response, kwargs.get("promise"))
            except BaseException as error:
                unresolved(outer, error)
                raise
            finally:
                current.set(outer)
            try:
                return response
            finally:
                del response

        return get_response

    def send(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        def send(connection: Any, data: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(connection, data, *args, **kwargs)
            if switch:
                _sent(data)
            return result

        return send

    def async_send(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        async def send(connection: Any, data: Any, *args: Any, **kwargs: Any) -> Any:
            result = await original(connection, data, *args, **kwargs)
            if switch:
                _sent(data)
            return result

        return send

    def drain_conn(self, wrapped: Callable[..., Any], response: Any, args: Any, kwargs: Any) -> Any:
        """An answer that is not the last one, or not returned.

        While any promise is resolved, this is the first that is seen of the one whose request is repeated.
        """
        exchange = current.get()
        try:
            if exchange is None or exchange.owner is None:
                _resume(_promise_of(response))
        except Exception as error:  # noqa: BLE001
            self._interception.report(error)
        return super().drain_conn(wrapped, response, args, kwargs)

    def _resume(self, promise: Any) -> None:
        try:
            _resume(promise)
        except Exception as error:  # noqa: BLE001
            self._interception.report(error)

    def _resolved(self, outer: Optional[Exchange], response: Any, promise: Any) -> None:
        try:
            exchange = current.get()
            if exchange is outer:  # whichever promise it was
                exchange = _take(_promise_of(response))
            if exchange is None or exchange.finished:
                return
            if response is None:
                _wait(exchange, promise)
                return
        except Exception as error:  # noqa: BLE001
            self._interception.report(error)
            return
        self._returned(exchange, response)

    def _unresolved(self, outer: Optional[Exchange], error: BaseException) -> None:
        exchange = current.get()
        if exchange is not None and exchange is not outer:
            self._failed(exchange, error)

    def _returned(self, exchange: Exchange, response: Any) -> None:
        try:
            if exchange.request_bytes < 0:
                exchange.request_bytes = ~exchange.request_bytes
            if isinstance(response, self._promise):
                _wait(exchange, response)
                return
            if self._interception.remembering:
                remember(response, exchange)
            exchange.headers_received(response.status)
            exchange.response_bytes = response.tell() or exchange.response_bytes
            if _follow_source(exchange, response):
                return
        except Exception as error:  # noqa: BLE001
            self._interception.report(error)
        exchange.finish()


class _Waiting:
    """The call that waits on a promise; it ends without an answer when the promise is thrown away."""

    __slots__ = ("exchange", "pool")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange: Optional[Exchange] = exchange
        self.pool = weakref.ref(exchange.owner)

    def __del__(self) -> None:
        if self.exchange is not None:
            self.exchange.finish()


class _Source:
    """Where a low-level response gets its data from: counts it, and ends the exchange with it."""

    __slots__ = ("_exchange", "_read")

    def __init__(self, read: Callable[..., Any], exchange: Exchange) -> None:
        self._read = read
        self._exchange = exchange

    def __call__(self, *args: Any) -> Any:
        try:
            result = self._read(*args)
        except BaseException:
            self._exchange.finish()
            raise
        self._passed(result)
        return result

    def __del__(self) -> None:
        self._exchange.finish()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self._read.__reduce_ex__(protocol)  # a copy of the response has nothing of this

    def _passed(self, result: Any) -> None:
        exchange = self._exchange
        try:
            data, ended = result[:2]
            for piece in (data,) if isinstance(data, bytes) else data:  # it was one piece, in older versions
                exchange.response_bytes += len(piece)
                if exchange.capture is not None:
                    exchange.capture.feed(bytes(piece))
        except Exception:  # noqa: BLE001 - a version of unknown shape: the data must reach the application
            exchange.finish()
            return
        if ended:
            if exchange.capture is not None:
                exchange.capture.complete = True
            exchange.finish()


class _AsyncSource(_Source):
    """The same, for an event loop."""

    __slots__ = ()

    async def __call__(self, *args: Any) -> Any:
        try:
            result = await self._read(*args)
        except BaseException:
            self._exchange.finish()
            raise
        self._passed(result)
        return result


def _follow_source(exchange: Exchange, response: Any) -> bool:
    """Let the exchange end with the response's body; False when there is nothing to come."""
    low = response._fp  # noqa: SLF001 - has no public name
    wanted, headers = exchange.wanted, response.headers
    for name, kind in ((_SOURCE, _Source), (_ASYNC_SOURCE, _AsyncSource)):
        read = getattr(low, name, None)
        if read is not None and not low.closed and response.length_remaining != 0:
            if wanted is not None:
                content_type, encoding = headers.get("content-type"), headers.get("content-encoding")
                exchange.capture = Capture(wanted, headers, content_type, encoding)
            setattr(low, name, kind(read, exchange))
            exchange.body_follows()
            return True
    if wanted is not None:
        exchange.capture = Whole(wanted, headers, headers.get("content-type"), response._body)  # noqa: SLF001
    return False


def _promise_of(response: Any) -> Any:
    return getattr(getattr(response, "_fp", None), "from_promise", None)


def _wait(exchange: Exchange, promise: Any) -> None:
    promise.set_parameter(_WAITING, _Waiting(exchange))
    exchange.body_follows()


def _take(promise: Any) -> Optional[Exchange]:
    """Return the call that waits on a promise, which is its no longer."""
    waiting = None if promise is None else promise.get_parameter(_WAITING)
    if waiting is None:
        return None
    exchange: Optional[Exchange] = waiting.exchange
    waiting.exchange = None
    return None if exchange is None or exchange.finished else exchange


def _resume(promise: Any) -> None:
    """Go on with the call that waits on a promise, if one does."""
    exchange = _take(promise)
    if exchange is not None:
        exchange.owner = promise.get_parameter(_WAITING).pool()
        exchange.active = True
        current.set(exchange)


def _sent(data: Any) -> None:
    """Count a part of a body of unknown size, see `recost.interceptors.stdlib.UNSIZED`."""
    exchange = current.get()
    if exchange is not None and exchange.request_bytes < 0 and exchange.active and exchange.layer is LAYER:
        exchange.request_bytes -= len(data)
