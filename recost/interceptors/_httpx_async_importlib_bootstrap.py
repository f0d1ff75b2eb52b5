"""Wrappers of the methods of httpx's async clients: those of `_httpx_importlib_bootstrap`, with ``await``.

About the name of this file, see `_calls_importlib_bootstrap`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

from recost.errors import RecostBudgetExceededError
from recost.interceptors._calls_importlib_bootstrap import close_async
from recost.interceptors._containment import contain, end
from recost.interceptors._httpx_importlib_bootstrap import LAYER, SEND, Steps
from recost.interceptors.context import (
    CostScope,
    get_cost_scope,
    get_current,
    reset_current,
    scoped,
    set_current,
)
from recost.interceptors.exchange import Exchange, now, unfinished
from recost.interceptors.same_process import same_process
from recost.interceptors.signatures import takes
from recost.interceptors.targets import DEFAULT_PORTS, LONGEST_HOST, METHODS

__all__ = ["hop", "send", "transmit"]


def send(  # noqa: C901, PLR0915
    original: Callable[..., Any], switch: list[bool], steps: Steps, bound: Optional[type]
) -> Callable[..., Any]:
    """Return the wrapper of ``AsyncClient.send``."""
    if not takes(original, ("request",), SEND):
        return steps.async_around(original, switch)
    begin, failed, returned = steps.begin, steps.failed, steps.returned
    interception, body_of, captured = steps.interception, steps.body_of, steps.captured

    async def send(  # noqa: C901, PLR0912, PLR0915
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
            return await original(
                client, request, stream=stream, auth=auth, follow_redirects=follow_redirects
            )
        response = None
        try:
            token = set_current(exchange)
            response = await original(
                client, request, stream=stream, auth=auth, follow_redirects=follow_redirects
            )
            try:
                reset_current(token)
            except ValueError:  # resumed in another context
                set_current(outer)
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
                await close_async(response)
            raise
        finally:
            del response  # a traceback may keep this frame alive

    send.__kwdefaults__ = original.__kwdefaults__
    return send


def hop(original: Callable[..., Any], switch: list[bool], steps: Steps) -> Callable[..., Any]:
    """Return the wrapper of ``AsyncClient._send_single_request``: one hop of a call that has begun."""
    slow = steps.async_around(original, switch, ends=False)
    if not takes(original, ("request",)):
        return slow
    interception, failed, returned = steps.interception, steps.failed, steps.returned

    async def hop(client: Any, request: Any) -> Any:
        exchange = get_current()
        if exchange is None or exchange.owner is not client or exchange.attempts or interception.timed:
            return await slow(client, request)
        exchange.attempts = 1
        exchange.hop = exchange.target
        exchange.active = True
        response = None
        try:
            response = await original(client, request)
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
                await close_async(response)
            raise
        finally:
            del response

    return hop


def transmit(original: Callable[..., Any], switch: list[bool], steps: Steps) -> Callable[..., Any]:
    """Return the wrapper of ``AsyncHTTPTransport.handle_async_request``: a call, or another attempt."""
    slow = steps.async_around(original, switch)
    if not takes(original, ("request",)):
        return slow

    async def handle_async_request(transport: Any, request: Any) -> Any:
        exchange = get_current()
        if exchange is None or not exchange.active or exchange.layer is not LAYER:
            return await slow(transport, request)
        # The target is not compared: a user's transport may lead the request elsewhere.
        if exchange.sent:
            exchange.attempts += 1
        exchange.sent = True
        exchange.active = False  # the transport brings its own HTTP
        return await original(transport, request)

    return handle_async_request
