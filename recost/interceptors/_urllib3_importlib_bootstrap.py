"""Wrapper of urllib3's ``urlopen``, with its parameters and the usual case written out.

It does the same as `around`. In the usual case the URL is a path, and the body is bytes. About the name of
this file, see `_calls_importlib_bootstrap`.
"""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPResponse
from typing import Any, Final, NamedTuple, Optional

from recost.errors import RecostBudgetExceededError
from recost.interceptors._body import follow_body
from recost.interceptors._calls_importlib_bootstrap import around, close
from recost.interceptors._containment import contain, end
from recost.interceptors.context import CostScope, get_cost_scope, get_current, scoped, set_current
from recost.interceptors.exchange import NOTHING_BENEATH, Exchange, now, unfinished
from recost.interceptors.hub import Interception, read_body
from recost.interceptors.request_body import keep_body
from recost.interceptors.same_process import same_process
from recost.interceptors.signatures import takes
from recost.interceptors.targets import DEFAULT_PORTS, LONGEST_HOST, LONGEST_METHOD, ascii_host

__all__ = ["LAYER", "Steps", "urlopen"]

LAYER: Final = "urllib3"

_PARAMETERS: Final = (
    "method", "url", "body", "headers", "retries", "redirect", "assert_same_host", "timeout", "pool_timeout",
    "release_conn", "chunked", "body_pos", "preload_content", "decode_content",
)  # fmt: skip
"""Parameters of ``urlopen`` in urllib3 2."""
_RESPONSE: Final[Any] = HTTPResponse


class Steps(NamedTuple):
    """The steps of a call that are taken where the case is not the usual one."""

    interception: Interception
    begin: Callable[[Any, Any, Any], Optional[Exchange]]
    """``begin(pool, args, kwargs)`` returns None for a call that is not recorded."""
    failed: Callable[[Exchange, BaseException, Any, Any], None]
    """``failed(exchange, error, args, kwargs)``."""
    returned: Callable[[Exchange, Any], None]


def urlopen(  # noqa: C901, PLR0915 - a boundary around each step, without more frames
    original: Callable[..., Any], switch: list[bool], steps: Steps
) -> Callable[..., Any]:
    """Return the wrapper of ``HTTPConnectionPool.urlopen``."""
    interception, begin, failed, returned = steps
    slow = around(original, switch, begin, failed, returned)
    if not takes(original, _PARAMETERS, None, getattr(original, "__defaults__", None)):
        return slow

    def urlopen(  # noqa: C901, PLR0912, PLR0915
        pool: Any,
        method: Any,
        url: Any,
        body: Any,
        headers: Any,
        retries: Any,
        redirect: Any,
        assert_same_host: Any,
        timeout: Any,
        pool_timeout: Any,
        release_conn: Any,
        chunked: Any,
        body_pos: Any,
        preload_content: Any,
        decode_content: Any,
        **others: Any,
    ) -> Any:
        if others:
            return slow(
                pool, method, url, body, headers, retries, redirect, assert_same_host, timeout, pool_timeout,
                release_conn, chunked, body_pos, preload_content, decode_content, **others,
            )  # fmt: skip
        outer = get_current()
        try:
            exchange = None
            if switch:
                if outer is None and interception.ready and same_process[0]:
                    exchange = _begun(interception, pool, method, url, body)
                if exchange is None:
                    exchange = begin(pool, (method, url, body, headers, retries), {})
        except RecostBudgetExceededError:
            raise
        except BaseException as error:  # noqa: BLE001 - contain() raises what is not ours
            contain(error)
            exchange = None
        if exchange is None:
            return original(
                pool, method, url, body, headers, retries, redirect, assert_same_host, timeout, pool_timeout,
                release_conn, chunked, body_pos, preload_content, decode_content,
            )  # fmt: skip
        response = None
        try:
            set_current(exchange)
            response = original(
                pool, method, url, body, headers, retries, redirect, assert_same_host, timeout, pool_timeout,
                release_conn, chunked, body_pos, preload_content, decode_content,
            )  # fmt: skip
            set_current(outer)
            try:
                status: Any = response.status
                plain: Any = response._original_response  # noqa: SLF001
                if (
                    plain.__class__ is _RESPONSE
                    and status.__class__ is int
                    and exchange.request_bytes >= 0
                    and (exchange.wanted is None or plain.fp is not None)
                    and not interception.timed
                ):
                    exchange.status = status
                    if interception.remembering:
                        plain._recost_exchange = exchange  # noqa: SLF001 - see `responses`
                    exchange.response_bytes = response._fp_bytes_read or exchange.response_bytes  # noqa: SLF001
                    if plain.fp is None:
                        exchange.finish()
                    else:
                        follow_body(exchange, plain)
                else:
                    returned(exchange, response)
            except BaseException as error:  # noqa: BLE001
                contain(error)
                end(exchange)
            return response  # noqa: TRY300 - an interruption here is handled below
        except BaseException as error:
            set_current(outer)
            try:
                failed(exchange, error, (), {})
            except BaseException as own:  # noqa: BLE001
                contain(own)
                end(exchange)
            if response is not None:  # Ctrl-C after the return: the application never gets the response
                close(response)
            raise
        finally:
            del response  # a traceback may keep this frame alive

    urlopen.__defaults__ = original.__defaults__
    return urlopen


def _begun(interception: Interception, pool: Any, method: Any, url: Any, body: Any) -> Optional[Exchange]:
    """Return an exchange that begins now, or None if anything about it is unusual.

    It does what `Interception.begin` does, and sets the client's fields at once.
    """
    try:
        sink = interception.ready[0]
        if url[0] != "/" or not (body is None or body.__class__ is bytes):
            return None
        scheme, host, method = pool.scheme, ascii_host(pool.host), method.upper()
        if len(url) > LONGEST_HOST or len(host) > LONGEST_HOST or len(method) > LONGEST_METHOD:
            return None
        target = (scheme, host, pool.port or DEFAULT_PORTS[scheme], url, method)
        scope = get_cost_scope() if scoped else None
        if not isinstance(pool.ConnectionCls, type) or (scope is not None and scope.collectors):
            return None
    except (AttributeError, TypeError, LookupError):
        return None
    exchange = Exchange()
    exchange.sink = sink
    exchange.layer = LAYER
    exchange.target = target
    exchange.owner = pool
    exchange.hop = NOTHING_BENEATH  # its connections are recognised by their class
    exchange.capture = exchange.request = exchange.wanted = None
    exchange.route = exchange.costs = None
    exchange.scope = scope if scope is None or scope.__class__ is CostScope else scope.resolved()
    exchange.active = True
    exchange.sent = False
    exchange.attempts = 1
    exchange.request_bytes = 0 if body is None else len(body)
    exchange.status = exchange.headers_ns = exchange.response_bytes = 0
    exchange.started_ns = now()
    metered = interception.metered
    if metered is not None:
        exchange.route = route = metered((host, url, method))
        exchange.wanted = route.wanted
        if route.fields:
            exchange.request = read_body(keep_body, body, route.fields)
    allows = interception.allows
    if allows is not None and not allows(exchange):
        return None  # `Interception.begin` may refuse it
    unfinished.add(exchange)
    return exchange
