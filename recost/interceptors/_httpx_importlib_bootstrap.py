"""Wrappers of httpx's methods, with the parameters of those methods and the usual case written out.

They do the same as `around`. In the usual case a listener wants nothing of a call but its end, and the body
is complete when the client returns. Three wrappers run in each call, where a Python function less, or
arguments that are not packed and unpacked, is felt. About the name of this file, see
`_calls_importlib_bootstrap`. Those of async clients are in `_httpx_async_importlib_bootstrap`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, Optional

from recost.errors import RecostBudgetExceededError
from recost.interceptors._calls_importlib_bootstrap import around, async_around, close
from recost.interceptors._containment import contain, end
from recost.interceptors.context import (
    CostScope,
    get_cost_scope,
    get_current,
    reset_current,
    scoped,
    set_current,
)
from recost.interceptors.exchange import Exchange, Wanted, now, unfinished
from recost.interceptors.hub import Interception
from recost.interceptors.request_body import BodyOf
from recost.interceptors.same_process import same_process
from recost.interceptors.signatures import takes
from recost.interceptors.targets import DEFAULT_PORTS, LONGEST_HOST, METHODS

__all__ = ["LAYER", "SEND", "Steps", "hop", "send", "transmit"]

LAYER: Final = "httpx"

SEND: Final = ("stream", "auth", "follow_redirects")
"""Keywords of ``send``."""


class Steps(NamedTuple):
    """The steps of a method that are taken where the case is not the usual one."""

    interception: Interception
    body_of: BodyOf
    """``body_of(request, fields)``."""
    captured: Callable[[Any, Wanted], Any]
    """``captured(response, wanted)`` returns the capture of a response that has been read."""
    begin: Callable[[Any, Any], Optional[Exchange]]
    """``begin(instance, request)`` returns None for a call that is not recorded."""
    failed: Callable[[Exchange, BaseException, Any], None]
    """``failed(exchange, error, request)``."""
    returned: Callable[[Exchange, Any], None]

    def around(
        self, original: Callable[..., Any], switch: list[bool], *, ends: bool = True
    ) -> Callable[..., Any]:
        """Return a wrapper that takes all steps."""
        return around(original, switch, self._begin, self._failed, self.returned, ends=ends)

    def async_around(
        self, original: Callable[..., Any], switch: list[bool], *, ends: bool = True
    ) -> Callable[..., Any]:
        """Return the same for a coroutine function."""
        return async_around(original, switch, self._begin, self._failed, self.returned, ends=ends)

    def _begin(self, instance: Any, args: Any, kwargs: Any) -> Optional[Exchange]:
        return self.begin(instance, args[0] if args else kwargs.get("request"))

    def _failed(self, exchange: Exchange, error: BaseException, args: Any, kwargs: Any) -> None:
        self.failed(exchange, error, args[0] if args else kwargs.get("request"))


def send(  # noqa: C901, PLR0915 - as below
    original: Callable[..., Any], switch: list[bool], steps: Steps, bound: Optional[type]
) -> Callable[..., Any]:
    """Return the wrapper of ``Client.send``."""
    if not takes(original, ("request",), SEND):
        return steps.around(original, switch)
    begin, failed, returned = steps.begin, steps.failed, steps.returned
    interception, body_of, captured = steps.interception, steps.body_of, steps.captured

    def send(  # noqa: C901, PLR0912, PLR0915 - a boundary around each step, without more frames
        client: Any, request: Any, *, stream: Any, auth: Any, follow_redirects: Any
    ) -> Any:
        outer = get_current()
        exchange = target = None
        ready = interception.ready
        try:
            scope = get_cost_scope() if scoped else None
            if (
                outer is None
                and ready
                and switch
                and same_process[0]
                and (scope is None or not scope.collectors)
            ):
                try:
                    size, method = len(request._content), request.method  # noqa: SLF001
                    scheme, _, host, port, path, _, _ = request.url._uri_reference  # noqa: SLF001
                    if port is None:
                        port = DEFAULT_PORTS[scheme]
                    elif scheme not in DEFAULT_PORTS:
                        host = None
                    if host and len(host) + len(path) <= LONGEST_HOST and method in METHODS:
                        target = scheme, host, port, path, method
                except (AttributeError, TypeError, ValueError, LookupError):  # unusual in some other way
                    target = None
            plainly = ready is interception.plain
            if target is not None:
                # What `Interception.begin` and `httpx.Calls` do, in this frame.
                exchange = Exchange()
                exchange.sink = ready[0]
                exchange.layer = LAYER
                exchange.target = target
                exchange.owner = client
                exchange.hop = exchange.capture = exchange.request = exchange.wanted = None
                exchange.route = exchange.costs = None
                exchange.scope = scope if scope is None or scope.__class__ is CostScope else scope.resolved()
                exchange.active = exchange.sent = False
                exchange.request_bytes = size
                exchange.attempts = exchange.status = exchange.headers_ns = exchange.response_bytes = 0
                exchange.started_ns = now()
                if plainly or interception.resolve(exchange, body_of, request):
                    unfinished[exchange] = None
                else:
                    exchange = None
            if exchange is None and switch:
                plainly, target = False, None
                exchange = begin(client, request)
        except RecostBudgetExceededError:
            raise
        except BaseException as error:  # noqa: BLE001 - contain() raises what is not ours
            contain(error)
            exchange = None
        if exchange is None:
            return original(client, request, stream=stream, auth=auth, follow_redirects=follow_redirects)
        response = None
        try:
            token = set_current(exchange)
            response = original(client, request, stream=stream, auth=auth, follow_redirects=follow_redirects)
            reset_current(token)
            try:
                bound_stream: Any = response.stream
                if bound_stream.__class__ is bound and response.is_closed and exchange.status:
                    bound_stream._recost_exchange = exchange  # type: ignore[attr-defined]  # noqa: SLF001 - see `responses`
                    exchange.response_bytes = response._num_bytes_downloaded or len(response._content)  # noqa: SLF001
                    if not plainly and exchange.wanted is not None:
                        exchange.capture = captured(response, exchange.wanted)
                    if plainly or (target is not None and exchange.request is None):
                        exchange.owner = None  # as `Exchange.finish` does
                        exchange.ended_ns = now()
                        try:
                            del unfinished[exchange]
                        except KeyError:  # it has been ended meanwhile
                            pass
                        else:
                            exchange.sink(exchange)
                    else:
                        exchange.finish()
                else:
                    returned(exchange, response)
            except BaseException as error:  # noqa: BLE001
                contain(error)
                end(exchange)
            return response  # noqa: TRY300 - an interruption here is handled below
        except BaseException as error:
            set_current(outer)
            try:
                failed(exchange, error, request)
            except BaseException as own:  # noqa: BLE001
                contain(own)
                end(exchange)
            if response is not None:  # Ctrl-C after the return: the application never gets the response
                close(response)
            raise
        finally:
            del response  # a traceback may keep this frame alive

    send.__kwdefaults__ = original.__kwdefaults__
    return send


def hop(original: Callable[..., Any], switch: list[bool], steps: Steps) -> Callable[..., Any]:
    """Return the wrapper of ``Client._send_single_request``: one hop of a call that has begun."""
    slow = steps.around(original, switch, ends=False)
    if not takes(original, ("request",)):
        return slow
    interception, failed, returned = steps.interception, steps.failed, steps.returned

    def hop(client: Any, request: Any) -> Any:
        exchange = get_current()
        if exchange is None or exchange.owner is not client or exchange.attempts or interception.timed:
            return slow(client, request)
        exchange.attempts = 1
        exchange.hop = exchange.target
        exchange.active = True
        response = None
        try:
            response = original(client, request)
            try:
                status = response.status_code
                if type(status) is int and "http_version" in response.extensions:
                    exchange.active = False
                    exchange.hop = None
                    exchange.status = status
                else:
                    returned(exchange, response)
            except BaseException as error:  # noqa: BLE001
                contain(error)
            return response  # noqa: TRY300
        except BaseException as error:
            set_current(exchange)
            try:
                failed(exchange, error, request)
            except BaseException as own:  # noqa: BLE001
                contain(own)
            if response is not None:
                close(response)
            raise
        finally:
            del response

    return hop


def transmit(original: Callable[..., Any], switch: list[bool], steps: Steps) -> Callable[..., Any]:
    """Return the wrapper of ``HTTPTransport.handle_request``: a call, or another attempt."""
    slow = steps.around(original, switch)
    if not takes(original, ("request",)):
        return slow

    def handle_request(transport: Any, request: Any) -> Any:
        exchange = get_current()
        if exchange is None or not exchange.active or exchange.layer is not LAYER:
            return slow(transport, request)
        # The target is not compared: a user's transport may lead the request elsewhere.
        if exchange.sent:
            exchange.attempts += 1
        exchange.sent = True
        exchange.active = False  # the transport brings its own HTTP
        return original(transport, request)

    return handle_request
