"""Wrappers of clients' methods, which run the original once and contain recost's own errors.

The name of this file hides its frames from `warnings` and `logging`. Clients warn of deprecated arguments
with a ``stacklevel`` that counts frames up to the application's. Both modules skip frames of the import
system, which they recognise by ``importlib`` and ``_bootstrap`` in the file name. So every function that
calls an original is in this file.

Sync and async wrappers are written out separately, because a shared helper would be another Python call per
call of the application.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MethodType
from typing import TYPE_CHECKING, Any, Optional

from recost.errors import RecostBudgetExceededError
from recost.interceptors._containment import contain, end
from recost.interceptors.context import current
from recost.interceptors.exchange import Exchange

if TYPE_CHECKING:
    from recost.interceptors.capture import Capture

__all__ = [
    "after",
    "around",
    "async_after",
    "async_around",
    "async_resolving",
    "before",
    "calling",
    "calling_bound",
    "close",
    "close_async",
    "feeding",
    "resolving",
    "unbound",
]

Begin = Callable[[Any, Any, Any], Optional[Exchange]]
"""``begin(instance, args, kwargs)`` returns None for a call that is not recorded."""
Failed = Callable[[Exchange, BaseException, Any, Any], None]
"""``failed(exchange, error, args, kwargs)``."""
Returned = Callable[[Exchange, Any], None]


def around(  # noqa: C901 - a boundary around each step, without more frames
    original: Callable[..., Any],
    switch: list[bool],
    begin: Begin,
    failed: Failed,
    returned: Returned,
    *,
    ends: bool = True,
) -> Callable[..., Any]:
    """Return a method that begins an exchange, which is the current one while ``original`` runs.

    ``failed`` and ``returned`` see to the exchange's end, unless ``ends`` is false: then it goes on.
    """

    def call(instance: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            exchange = begin(instance, args, kwargs) if switch else None
        except RecostBudgetExceededError:
            raise
        except BaseException as error:  # noqa: BLE001 - contain() raises what is not ours
            contain(error)
            exchange = None
        if exchange is None:
            return original(instance, *args, **kwargs)
        outer, response = current.get(), None
        try:
            current.set(exchange)
            response = original(instance, *args, **kwargs)
            current.set(outer)
            try:
                returned(exchange, response)
            except BaseException as error:  # noqa: BLE001
                contain(error)
                if ends:
                    end(exchange)
            return response  # noqa: TRY300 - an interruption here is handled below
        except BaseException as error:
            current.set(outer)
            try:
                failed(exchange, error, args, kwargs)
            except BaseException as own:  # noqa: BLE001
                contain(own)
                if ends:
                    end(exchange)
            if response is not None:  # Ctrl-C after the return: the application never gets the response
                close(response)
            raise
        finally:
            del response  # a traceback may keep this frame alive

    return call


def async_around(  # noqa: C901
    original: Callable[..., Any],
    switch: list[bool],
    begin: Begin,
    failed: Failed,
    returned: Returned,
    *,
    ends: bool = True,
) -> Callable[..., Any]:
    """Return the same as `around` for a coroutine function."""

    async def call(instance: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            exchange = begin(instance, args, kwargs) if switch else None
        except RecostBudgetExceededError:
            raise
        except BaseException as error:  # noqa: BLE001
            contain(error)
            exchange = None
        if exchange is None:
            return await original(instance, *args, **kwargs)
        outer, response = current.get(), None
        try:
            current.set(exchange)
            response = await original(instance, *args, **kwargs)
            current.set(outer)
            try:
                returned(exchange, response)
            except BaseException as error:  # noqa: BLE001
                contain(error)
                if ends:
                    end(exchange)
            return response  # noqa: TRY300 - an interruption here is handled below
        except BaseException as error:
            current.set(outer)
            try:
                failed(exchange, error, args, kwargs)
            except BaseException as own:  # noqa: BLE001
                contain(own)
                if ends:
                    end(exchange)
            if response is not None:
                await close_async(response)
            raise
        finally:
            del response

    return call


def resolving(
    original: Callable[..., Any],
    switch: list[bool],
    resume: Callable[[Any, Any], bool],
    resolved: Callable[[Any, Any, Any], None],
    unresolved: Callable[[Any, BaseException], None],
) -> Callable[..., Any]:
    """Return a method that resumes the call waiting on ``promise``. See `urllib3_future`."""

    def call(pool: Any, *args: Any, **kwargs: Any) -> Any:
        outer, response = current.get(), None
        try:
            resumed = switch and resume(pool, kwargs.get("promise"))
        except BaseException as error:  # noqa: BLE001
            contain(error)
            resumed = False
        if not resumed:
            return original(pool, *args, **kwargs)
        try:
            response = original(pool, *args, **kwargs)
            try:
                resolved(outer, response, kwargs.get("promise"))
            except BaseException as error:  # noqa: BLE001
                contain(error)
            return response  # noqa: TRY300 - an interruption here is handled below
        except BaseException as error:
            try:
                unresolved(outer, error)
            except BaseException as own:  # noqa: BLE001
                contain(own)
            raise
        finally:
            current.set(outer)
            del response

    return call


def async_resolving(
    original: Callable[..., Any],
    switch: list[bool],
    resume: Callable[[Any, Any], bool],
    resolved: Callable[[Any, Any, Any], None],
    unresolved: Callable[[Any, BaseException], None],
) -> Callable[..., Any]:
    """Return the same as `resolving` for a coroutine function."""

    async def call(pool: Any, *args: Any, **kwargs: Any) -> Any:
        outer, response = current.get(), None
        try:
            resumed = switch and resume(pool, kwargs.get("promise"))
        except BaseException as error:  # noqa: BLE001
            contain(error)
            resumed = False
        if not resumed:
            return await original(pool, *args, **kwargs)
        try:
            response = await original(pool, *args, **kwargs)
            try:
                resolved(outer, response, kwargs.get("promise"))
            except BaseException as error:  # noqa: BLE001
                contain(error)
            return response  # noqa: TRY300 - an interruption here is handled below
        except BaseException as error:
            try:
                unresolved(outer, error)
            except BaseException as own:  # noqa: BLE001
                contain(own)
            raise
        finally:
            current.set(outer)
            del response

    return call


def before(
    original: Callable[..., Any], switch: list[bool], noted: Callable[[Any, Any], Any]
) -> Callable[..., Any]:
    """Return a method that calls ``noted(instance, args)`` first."""

    def call(instance: Any, *args: Any, **kwargs: Any) -> Any:
        if switch:
            try:
                noted(instance, args)
            except BaseException as error:  # noqa: BLE001
                contain(error)
        return original(instance, *args, **kwargs)

    return call


def feeding(
    original: Callable[..., Any], switch: list[bool], captures: Mapping[int, Capture]
) -> Callable[..., Any]:
    """Return a stream's method that passes each piece to the stream's capture before ``original``.

    ``captures`` are by the identity of the stream. The method runs for each piece, so it calls little.
    """
    from recost.interceptors.signatures import takes  # noqa: PLC0415 - not every client needs it

    capture_of = captures.get
    if takes(original, ("data", "size"), (), (0,)):

        def feed_data(stream: Any, data: Any, size: Any = 0) -> Any:
            if captures and switch:
                try:
                    capture = capture_of(id(stream))
                    if capture is not None:
                        capture.feed(data if data.__class__ is bytes else bytes(data))
                except BaseException as error:  # noqa: BLE001
                    contain(error)
            return original(stream, data, size)

        return feed_data

    def call(stream: Any, *args: Any, **kwargs: Any) -> Any:
        if captures and switch:
            try:
                capture = capture_of(id(stream))
                if capture is not None:
                    capture.feed(bytes(args[0]))
            except BaseException as error:  # noqa: BLE001
                contain(error)
        return original(stream, *args, **kwargs)

    return call


def after(
    original: Callable[..., Any], switch: list[bool], noted: Callable[[Any, Any, Any], Any]
) -> Callable[..., Any]:
    """Return a method that calls ``noted(instance, args, kwargs)`` after it has succeeded."""

    def call(instance: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(instance, *args, **kwargs)
        if switch:
            try:
                noted(instance, args, kwargs)
            except RecostBudgetExceededError:
                raise
            except BaseException as error:  # noqa: BLE001
                contain(error)
        return result

    return call


def async_after(
    original: Callable[..., Any], switch: list[bool], noted: Callable[[Any, Any, Any], Any]
) -> Callable[..., Any]:
    """Return the same as `after` for a coroutine function."""

    async def call(instance: Any, *args: Any, **kwargs: Any) -> Any:
        result = await original(instance, *args, **kwargs)
        if switch:
            try:
                noted(instance, args, kwargs)
            except BaseException as error:  # noqa: BLE001
                contain(error)
        return result

    return call


def calling(
    wrapper: Callable[..., Any], original: Callable[..., Any], switch: list[bool]
) -> Callable[..., Any]:
    """Return a method that calls ``wrapper(wrapped, instance, args, kwargs)``. See `patching.Wrapper`."""

    def method(instance: Any, /, *args: Any, **kwargs: Any) -> Any:
        if not switch:
            return original(instance, *args, **kwargs)
        wrapped = _Recorded(MethodType(original, instance))
        try:
            return wrapper(wrapped, instance, args, kwargs)
        except RecostBudgetExceededError:
            raise
        except BaseException as error:
            if error is wrapped.error:
                raise
            contain(error)
        if wrapped.error is not None:
            raise wrapped.error
        return wrapped.result[0] if wrapped.result else original(instance, *args, **kwargs)

    return method


def calling_bound(original: Any) -> Callable[..., Any]:
    """Return a function that binds ``original``, any kind of descriptor, and calls it."""

    def call_original(instance: Any, /, *args: Any, **kwargs: Any) -> Any:
        return original.__get__(instance, type(instance))(*args, **kwargs)

    return call_original


def unbound(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a wrapt wrapper that passes the instance to ``function``."""

    def wrapper(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:  # noqa: ARG001 - as wrapt calls it
        return function(instance, *args, **kwargs)

    return wrapper


class _Recorded:
    """A method that remembers its result or error."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method
        self.result: tuple[Any, ...] = ()
        self.error: Optional[BaseException] = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            result = self._method(*args, **kwargs)
        except BaseException as error:
            self.error = error
            raise
        self.result = (result,)
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._method, name)


def close(response: Any) -> None:
    """Close a response that the application never gets, because of an interruption."""
    try:
        response.close()
    except Exception as error:  # noqa: BLE001 - the interruption goes on
        contain(error)


async def close_async(response: Any) -> None:
    """Close a response as `close` does, if the client is async."""
    try:
        if hasattr(response, "aclose"):
            await response.aclose()
        else:
            response.close()
    except Exception as error:  # noqa: BLE001
        contain(error)
