"""Wrappers of aiohttp's methods, with the parameters of those methods and the usual case written out.

In the usual case the URL is a string, and the body of the response is complete when the client returns.
About the name of this file, see `_calls_importlib_bootstrap`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, Optional

from recost.errors import RecostBudgetExceededError
from recost.interceptors._calls_importlib_bootstrap import after, async_around, close_async
from recost.interceptors._containment import contain, end
from recost.interceptors.context import (
    CostScope,
    get_cost_scope,
    get_current,
    reset_current,
    scoped,
    set_current,
)
from recost.interceptors.exchange import NOTHING_BENEATH, CallTarget, Exchange, now, unfinished
from recost.interceptors.hub import Interception, read_body
from recost.interceptors.request_body import BodyOf
from recost.interceptors.same_process import same_process
from recost.interceptors.signatures import takes

__all__ = ["LAYER", "Steps", "initialise_response", "request"]

LAYER: Final = "aiohttp"

_REQUEST: Final = ("method", "str_or_url")
_RESPONSE: Final = ("method", "url")
_RESPONSE_KEYWORDS: Final = (
    "writer", "continue100", "timer", "request_info", "traces", "loop", "session", "stream_writer",
)  # fmt: skip


class Steps(NamedTuple):
    """The steps of a call that are taken where the case is not the usual one."""

    interception: Interception
    body_of: BodyOf
    """``body_of(kwargs, fields)``."""
    begin: Callable[[Any, Any, Any, dict[str, Any]], Optional[Exchange]]
    """``begin(session, method, url, kwargs)`` returns None for a call that is not recorded."""
    failed: Callable[[Exchange, BaseException], None]
    returned: Callable[[Exchange, Any], None]
    sent: Callable[[Exchange, Any], None]
    """``sent(exchange, response)`` is called once a request has been sent."""
    target_of: Callable[[str, str], Optional[CallTarget]]
    """Returns the target of a URL and a method."""
    decoding: Callable[[Exchange, Any, dict[str, Any]], None]
    """``decoding(exchange, session, kwargs)`` notes whether the client decodes a body that is captured."""
    captured: Callable[[Exchange, Any, Any, Any], None]
    """``captured(exchange, response, content, wanted)`` captures a body that has ended."""

    def around(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        """Return a wrapper that takes all steps."""
        return async_around(original, switch, self._begin, self._failed, self.returned)

    def _begin(self, session: Any, args: Any, kwargs: Any) -> Optional[Exchange]:
        given = {**kwargs, **dict(zip(_REQUEST, args))}
        if not given.keys() >= set(_REQUEST):
            return None  # an invalid call: the client raises its own error
        return self.begin(session, given["method"], given["str_or_url"], kwargs)

    def _failed(self, exchange: Exchange, error: BaseException, _args: Any, _kwargs: Any) -> None:
        self.failed(exchange, error)

    def note(self, response: Any, _args: Any, _kwargs: Any) -> None:
        """Take the step ``sent`` for the current exchange."""
        exchange = get_current()
        if exchange is not None and exchange.active:
            self.sent(exchange, response)


def request(  # noqa: C901, PLR0915 - a boundary around each step, without more frames
    original: Callable[..., Any],
    switch: list[bool],
    steps: Steps,
    session_class: type,
    reader: Any,
) -> Callable[..., Any]:
    """Return the wrapper of ``ClientSession._request``."""
    if not takes(original, _REQUEST, None):
        return steps.around(original, switch)
    begun, interception = _beginning(steps, session_class), steps.interception
    begin, failed, returned, captured = steps.begin, steps.failed, steps.returned, steps.captured

    async def request(  # noqa: C901, PLR0912, PLR0915
        session: Any, /, method: Any, str_or_url: Any, **kwargs: Any
    ) -> Any:
        outer = get_current()
        try:
            if not switch:
                exchange = None
            elif outer is None and same_process[0]:
                exchange = begun(session, method, str_or_url, kwargs)
                if exchange is None:
                    exchange = begin(session, method, str_or_url, kwargs)
            else:
                exchange = begin(session, method, str_or_url, kwargs)
        except RecostBudgetExceededError:
            raise
        except BaseException as error:  # noqa: BLE001 - contain() raises what is not ours
            contain(error)
            exchange = None
        if exchange is None:
            return await original(session, method, str_or_url, **kwargs)
        response = None
        try:
            token = set_current(exchange)
            response = await original(session, method, str_or_url, **kwargs)
            try:
                reset_current(token)
            except ValueError:  # resumed in another context
                set_current(outer)
            try:
                status: Any = response.status
                content: Any = response.content
                if (
                    content.__class__ is reader
                    and content._eof  # noqa: SLF001
                    and status.__class__ is int
                    and status != 101
                    and not interception.timed
                ):
                    exchange.status = status
                    exchange.response_bytes = content.total_raw_bytes
                    if exchange.wanted is not None:
                        captured(exchange, response, content, exchange.wanted)
                    if interception.remembering:
                        response._cache["_recost_exchange"] = exchange  # noqa: SLF001 - see `responses`
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
                failed(exchange, error)
            except BaseException as own:  # noqa: BLE001
                contain(own)
                end(exchange)
            if response is not None:  # Ctrl-C after the return: the application never gets the response
                await close_async(response)
            raise
        finally:
            del response  # a traceback may keep this frame alive

    return request


def _beginning(
    steps: Steps, session_class: Any
) -> Callable[[Any, Any, Any, dict[str, Any]], Optional[Exchange]]:
    """Return a function that begins an exchange, as `Interception.begin` does, with the client's fields."""
    interception, target_of = steps.interception, steps.target_of

    def begun(session: Any, method: Any, url: Any, kwargs: dict[str, Any]) -> Optional[Exchange]:
        """Return an exchange that begins now, or None if anything about it is unusual."""
        data = kwargs.get("data")
        if (
            url.__class__ is not str
            or session.__class__ is not session_class
            or session._base_url  # noqa: SLF001
            or (data is not None and data.__class__ is not bytes)
        ):
            return None
        try:
            sink = interception.ready[0]
            target = target_of(url, method)
        except Exception:  # noqa: BLE001 - not ready, or an invalid call: the client raises its own error
            return None
        if target is None:
            return None
        scope = get_cost_scope() if scoped else None
        if scope is not None and scope.collectors:
            return None
        exchange = Exchange()
        exchange.sink = sink
        exchange.layer = LAYER
        exchange.target = target
        exchange.hop = NOTHING_BENEATH  # it brings its own HTTP
        exchange.owner = exchange.capture = exchange.request = exchange.wanted = None
        exchange.route = exchange.costs = None
        exchange.scope = scope if scope is None or scope.__class__ is CostScope else scope.resolved()
        exchange.active = True
        exchange.sent = False
        exchange.attempts = exchange.status = exchange.headers_ns = 0
        exchange.request_bytes = exchange.response_bytes = 0
        exchange.started_ns = now()
        metered = interception.metered
        if metered is not None:
            exchange.route = route = metered((target[1], target[3], target[4]))
            if route.wanted is not None:
                exchange.wanted = route.wanted
                steps.decoding(exchange, session, kwargs)
            if route.fields:
                exchange.request = read_body(steps.body_of, kwargs, route.fields)
        allows = interception.allows
        if allows is not None and not allows(exchange):
            return None  # `Interception.begin` may refuse it
        unfinished[exchange] = None
        return exchange

    return begun


def initialise_response(
    original: Callable[..., Any], switch: list[bool], steps: Steps, content_length: str
) -> Callable[..., Any]:
    """Return the wrapper of ``ClientResponse.__init__``, which runs when a request has been sent."""
    if not takes(original, _RESPONSE, _RESPONSE_KEYWORDS):
        return after(original, switch, steps.note)
    sent = steps.sent

    def initialise(
        response: Any,
        method: Any,
        url: Any,
        *,
        writer: Any,
        continue100: Any,
        timer: Any,
        request_info: Any,
        traces: Any,
        loop: Any,
        session: Any,
        stream_writer: Any,
    ) -> None:
        original(
            response,
            method,
            url,
            writer=writer,
            continue100=continue100,
            timer=timer,
            request_info=request_info,
            traces=traces,
            loop=loop,
            session=session,
            stream_writer=stream_writer,
        )
        exchange = get_current()
        if exchange is not None and exchange.active and switch:
            try:
                if exchange.attempts or exchange.layer is not LAYER or method == "CONNECT":
                    sent(exchange, response)
                else:
                    if not exchange.request_bytes:
                        exchange.request_bytes = int(request_info.headers.get(content_length, 0))
                    exchange.owner = response
                    exchange.attempts = 1
            except BaseException as error:  # noqa: BLE001
                contain(error)

    initialise.__kwdefaults__ = original.__kwdefaults__
    return initialise
