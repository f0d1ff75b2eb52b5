"""Wrapper of urllib3's ``urlopen``, with its parameters and the usual case written out.

It does the same as `around`. In the usual case the URL is a path, and the body is bytes. About the name of
this file, see `_calls_importlib_bootstrap`.
"""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPResponse
from io import BufferedReader
from typing import Any, Final, NamedTuple, Optional

from recost.errors import RecostBudgetExceededError
from recost.interceptors._body import BodyFile, follow_body
from recost.interceptors._calls_importlib_bootstrap import around, close
from recost.interceptors._containment import contain, end
from recost.interceptors.context import (
    CostScope,
    get_cost_scope,
    get_current,
    reset_current,
    scoped,
    set_current,
)
from recost.interceptors.exchange import NOTHING_BENEATH, Exchange, now, unfinished
from recost.interceptors.hub import Interception
from recost.interceptors.request_body import keep_body
from recost.interceptors.same_process import same_process
from recost.interceptors.signatures import takes
from recost.interceptors.targets import DEFAULT_PORTS, LONGEST_HOST, METHODS, hosts

__all__ = ["LAYER", "Steps", "urlopen"]

LAYER: Final = "urllib3"

_PARAMETERS: Final = (
    "method", "url", "body", "headers", "retries", "redirect", "assert_same_host", "timeout", "pool_timeout",
    "release_conn", "chunked", "body_pos", "preload_content", "decode_content",
)  # fmt: skip
"""Parameters of ``urlopen`` in urllib3 2."""


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
                and (body is None or type(body) is bytes)
            ):
                try:
                    if (
                        url[0] == "/"
                        and len(url) <= LONGEST_HOST
                        and method in METHODS
                        and type(pool.ConnectionCls) is type
                    ):
                        scheme = pool.scheme
                        target = (scheme, hosts[pool.host], pool.port or DEFAULT_PORTS[scheme], url, method)
                except (AttributeError, TypeError, LookupError):  # unusual in some other way
                    target = None
            plainly = ready is interception.plain
            if target is not None:
                # What `Interception.begin` and `urllib3.Calls` do, in this frame.
                exchange = Exchange()
                exchange.sink = ready[0]
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
                if plainly or interception.resolve(exchange, keep_body, body):
                    unfinished[exchange] = None
                else:
                    exchange = None
            if exchange is None and switch:
                plainly, target = False, None
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
            token = set_current(exchange)
            response = original(
                pool, method, url, body, headers, retries, redirect, assert_same_host, timeout, pool_timeout,
                release_conn, chunked, body_pos, preload_content, decode_content,
            )  # fmt: skip
            reset_current(token)
            try:
                try:
                    # In the dictionaries: attributes of `io`'s objects take three times as long.
                    held = response.__dict__
                    status, received = held["status"], held["_fp_bytes_read"]
                    plain = held["_original_response"]
                    below = plain.__dict__
                    file = below["fp"]
                    usual = (
                        type(plain) is HTTPResponse
                        and type(status) is int
                        and (plainly or _is_usual(interception, exchange, file))
                    )
                except (AttributeError, LookupError):  # a mock's response, or another version's
                    usual = False
                if not usual:
                    returned(exchange, response)
                else:
                    exchange.status = status
                    if interception.remembering:
                        below["_recost_exchange"] = exchange  # see `responses`
                    if received:
                        exchange.response_bytes = received
                    if file is None:
                        if plainly or (target is not None and exchange.request is None):
                            exchange.active = False  # as `Exchange.finish` does
                            exchange.owner = None
                            exchange.ended_ns = now()
                            try:
                                del unfinished[exchange]
                            except KeyError:  # it has been ended meanwhile
                                pass
                            else:
                                exchange.sink(exchange)
                        else:
                            exchange.finish()
                    elif (
                        type(file) is not BufferedReader
                        or exchange.wanted is not None
                        or below["chunked"]
                        or not below["length"]
                    ):
                        follow_body(exchange, plain)
                    else:  # as `follow_body` does
                        follower = BodyFile()
                        follower._file = file  # noqa: SLF001
                        follower._exchange = exchange  # noqa: SLF001
                        follower._left = below["length"]  # noqa: SLF001
                        follower._chunked = False  # noqa: SLF001
                        below["fp"] = follower
                        exchange.active = False
                        exchange.owner = None
            except BaseException as error:  # noqa: BLE001
                held = plain = below = file = follower = None  # the error keeps this frame alive
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


def _is_usual(interception: Interception, exchange: Exchange, file: Any) -> bool:
    """Return True if nothing more is wanted of a response than its status, its size and its end."""
    return (
        exchange.request_bytes >= 0
        and (exchange.wanted is None or file is not None)
        and not interception.timed
    )
