"""urllib3, and through it requests, botocore and many SDKs.

``urlopen`` of a pool is one logical call. It calls itself for retries and for redirects within the pool,
which are attempts of the same call. While it runs, the connection's calls in http.client are part of it.

If the body follows after ``urlopen`` returns, its end is seen on the file below the response. urllib3's own
counter is late by one block when it releases the connection, and does not count chunks.
"""

from __future__ import annotations

import importlib
from types import ModuleType, TracebackType
from typing import Any, Callable, Final, Optional

from recost.interceptors import _urllib3_importlib_bootstrap as methods
from recost.interceptors._body import follow_body
from recost.interceptors._calls_importlib_bootstrap import before
from recost.interceptors.capture import WholeCapture
from recost.interceptors.context import current
from recost.interceptors.exchange import NOTHING_BENEATH, UNSIZED, Exchange, status_number, unfinished
from recost.interceptors.hub import Interception
from recost.interceptors.request_body import keep_body
from recost.interceptors.responses import remember
from recost.interceptors.targets import DEFAULT_PORTS, absolute_target, ascii_host

__all__ = ["LAYER", "Calls", "again", "instrument"]

LAYER: Final = methods.LAYER


def instrument(module: ModuleType, interception: Interception) -> None:
    """Patch ``urllib3``, or urllib3-future if it has taken that name."""
    if hasattr(module, "AsyncHTTPConnectionPool"):
        importlib.import_module("recost.interceptors.urllib3_future").instrument(module, interception)
        return
    calls = Calls(interception)
    interception.patches.replace(module.HTTPConnectionPool, "urlopen", calls.urlopen)
    if hasattr(module.HTTPResponse, "drain_conn"):
        interception.patches.replace(module.HTTPResponse, "drain_conn", calls.drain_conn)


class Calls:
    """Replacements of the methods of pools and responses."""

    def __init__(self, interception: Interception) -> None:
        self._interception = interception

    def urlopen(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        """Replace the method that makes a call, or another attempt of it."""
        return methods.urlopen(
            original, switch, methods.Steps(self._interception, self._begin, self._failed, self._returned)
        )

    def drain_conn(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        """Replace the method that discards a response before a retry. The last retry raises without it."""
        return before(original, switch, self._drained)

    def _drained(self, response: Any, _args: Any) -> None:
        exchange = current.get()
        if exchange is not None and exchange.active and exchange.owner is getattr(response, "_pool", None):
            exchange.headers_received(response.status)

    def _begin(self, pool: Any, args: Any, kwargs: Any) -> Optional[Exchange]:
        outer = current.get()
        if outer is not None and outer.owner is pool and again(outer, args, kwargs):
            return None
        given = len(args)
        method = args[0] if given else kwargs["method"]
        url = args[1] if given > 1 else kwargs["url"]
        body = args[2] if given > 2 else kwargs.get("body")
        headers = args[3] if given > 3 else kwargs.get("headers")
        if headers is None:
            headers = getattr(pool, "headers", None)
        target = (*_target(pool, url), method.upper())
        exchange = self._interception.begin(LAYER, target, keep_body, body, headers)
        if exchange is not None:
            if body is not None:
                exchange.request_bytes = _body_size(body, headers)
            if isinstance(getattr(pool, "ConnectionCls", type), type):
                exchange.hop = NOTHING_BENEATH  # its connections are recognised by their class
            exchange.owner = pool
            exchange.attempts = 1
            exchange.active = True
            unfinished[exchange] = None
        return exchange

    def _failed(self, exchange: Exchange, error: BaseException, args: Any, kwargs: Any) -> None:  # noqa: ARG002
        if exchange.request_bytes < 0:
            exchange.request_bytes = ~exchange.request_bytes
        try:
            if exchange.status == 0:
                exchange.status = _status_of(error)
        finally:
            exchange.finish()

    def _returned(self, exchange: Exchange, response: Any) -> None:
        if exchange.request_bytes < 0:
            exchange.request_bytes = ~exchange.request_bytes
        if self._interception.remembering:
            remember(response, exchange)
        status = response.status
        exchange.response_bytes = _received(response) or exchange.response_bytes
        original = getattr(response, "_original_response", None)
        if getattr(original, "fp", None) is None:
            # Read to its end: the time of the headers is not known.
            exchange.status = status if type(status) is int else status_number(status)
            wanted = exchange.wanted
            if wanted is not None:
                headers = response.headers
                exchange.capture = WholeCapture(
                    wanted.headers, headers, headers.get("content-type"), getattr(response, "_body", None)
                )
            exchange.finish()
        else:
            exchange.headers_received(status)
            follow_body(exchange, original)


def _received(response: Any) -> int:
    try:
        size: int = response.tell()
    except OSError:  # a response of HTTP/2 has a body without a position
        size = len(response.data)
    return size


def _body_size(body: Any, headers: Any) -> int:
    if isinstance(body, (bytes, bytearray)):
        return len(body)
    if isinstance(body, str):
        return len(body) if body.isascii() else UNSIZED  # the versions differ in the encoding
    for name in headers or ():
        if name.lower() in ("content-length", b"content-length"):
            return int(headers[name])
    try:
        return memoryview(body).nbytes
    except TypeError:
        return UNSIZED


def again(exchange: Exchange, args: Any, kwargs: Any) -> bool:
    """Count another attempt and return True, or return False for a call made by the body being sent."""
    retries = args[4] if len(args) > 4 else kwargs.get("retries")
    if not getattr(retries, "history", None):
        return False
    exchange.attempts += 1
    exchange.status = exchange.headers_ns = 0
    if exchange.request_bytes < 0:
        exchange.request_bytes = UNSIZED
    return True


def _target(pool: Any, url: str) -> tuple[str, str, int, str]:
    """Return scheme, host, effective port and path. A forward proxy gets the whole URL."""
    if url[:1] != "/":
        absolute = absolute_target(url)
        if absolute is not None:
            return absolute
        url = f"/{url}"
    scheme = pool.scheme
    return scheme, ascii_host(pool.host), pool.port or DEFAULT_PORTS.get(scheme, 0), url


def _status_of(error: BaseException) -> int:
    """Return the status of the response whose body failed, or 0 without a response.

    ``urlopen`` discards such a response, so that it is only found in the traceback.
    """
    cause: Optional[BaseException] = error
    for _ in range(8):
        if cause is None:
            return 0
        status = _status_in(cause.__traceback__)
        if status:
            return status
        reason = getattr(cause, "reason", None)  # urllib3 1.26 does not chain it
        cause = reason if isinstance(reason, BaseException) else cause.__cause__
    return 0


def _status_in(traceback: Optional[TracebackType]) -> int:
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code.co_name in ("_error_catcher", "_raw_read", "read"):
            status = getattr(frame.f_locals.get("self"), "status", None)
            if isinstance(status, int):
                return status
        traceback = traceback.tb_next
    return 0
