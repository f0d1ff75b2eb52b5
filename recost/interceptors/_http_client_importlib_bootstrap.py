"""Wrappers of ``HTTPConnection.request`` and ``putrequest``, with the usual case written out.

In the usual case a request is sent as a whole, and its body is bytes. Then the size of the body is known, and
only the response has to be seen, which a `Waiting` does. Everything else is begun by ``putrequest`` alone:
other bodies, requests that are written step by step, and the calls of clients on top of http.client.

A call that is passed on as ``*args, **kwargs`` takes a multiple of the time of one that is passed on as it
came. About the name of this file, see `_calls_importlib_bootstrap`.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from http.client import HTTPResponse
from typing import Any, Final, NamedTuple, Optional
from weakref import ref

from recost.errors import RecostBudgetExceededError
from recost.interceptors._body import BodyFile, follow_body
from recost.interceptors._calls_importlib_bootstrap import after
from recost.interceptors._containment import contain, end
from recost.interceptors.context import get_cost_scope, get_current, scoped
from recost.interceptors.exchange import Exchange, now, unfinished
from recost.interceptors.hub import Interception, read_body
from recost.interceptors.request_body import keep_body
from recost.interceptors.responses import remember
from recost.interceptors.same_process import same_process
from recost.interceptors.signatures import takes
from recost.interceptors.targets import LONGEST_HOST, LONGEST_METHOD, ascii_host

__all__ = ["LAYER", "Steps", "Waiting", "putrequest", "request", "responded"]

LAYER: Final = "http.client"

_REQUEST: Final = ("method", "url", "body", "headers")
_PUTREQUEST: Final = ("method", "url", "skip_host", "skip_accept_encoding")
"""Parameters of the two methods."""
_RESPONSE: Final[Any] = HTTPResponse


class Steps(NamedTuple):
    """Functions and objects that both wrappers use."""

    interception: Interception
    begin: Callable[[Any, Any, Any], Optional[Exchange]]
    """``begin(connection, method, url)`` returns None for a call that is not recorded."""
    begun: Callable[[Any, Optional[Exchange], Any, Any], None]
    """``begun(connection, outer, method, url)`` begins a call and watches what the connection sends.

    ``outer`` is the exchange that the running code is part of.
    """
    whole: dict[Any, Waiting]
    """Connections that are about to send a request as a whole, until the call has begun."""
    schemes: dict[type, str]
    """Classes of connections whose methods are known, with the scheme of each."""


def request(  # noqa: C901 - a boundary around each step, without more frames
    original: Callable[..., Any], switch: list[bool], steps: Steps
) -> Callable[..., Any]:
    """Return the wrapper of ``HTTPConnection.request``."""
    if not takes(original, _REQUEST, ("encode_chunked",), getattr(original, "__defaults__", None)):
        return _unchanged(original)
    interception, whole, schemes = steps.interception, steps.whole, steps.schemes

    def request(  # noqa: C901, PLR0912
        connection: Any, method: Any, url: Any, body: Any, headers: Any, *, encode_chunked: Any
    ) -> Any:
        waiting = None
        try:
            if (
                switch
                and type(connection) in schemes
                and (
                    body is None
                    or (
                        type(body) is bytes
                        and not encode_chunked
                        and "Transfer-Encoding" not in headers  # else the body may have framing
                        and "transfer-encoding" not in headers
                    )
                )
            ):
                kind, earlier = type(connection), connection._HTTPConnection__response
                if connection.getresponse.__func__ is kind.getresponse and (
                    earlier is None or earlier.isclosed()
                ):
                    waiting = Waiting()
                    waiting._exchange = waiting._file = None
                    whole[connection] = waiting
        except (AttributeError, TypeError):  # another tool's ``getresponse``, or headers that are refused
            waiting = None
        except BaseException as error:  # noqa: BLE001 - contain() raises what is not ours
            contain(error)
        if waiting is None:
            return original(connection, method, url, body, headers, encode_chunked=encode_chunked)
        try:
            result = original(connection, method, url, body, headers, encode_chunked=encode_chunked)
            try:
                exchange = waiting._exchange
                if exchange is None:
                    whole.pop(connection, None)
                else:
                    if body is not None:
                        exchange.request_bytes = len(body)
                        wanted = exchange.wanted
                        if wanted is not None and wanted.fields:
                            exchange.request = read_body(keep_body, body, wanted.fields)
                    waiting._interception = interception
                    waiting._connection = ref(connection)
                    connection._HTTPConnection__response = waiting  # the same as `stand_in`, without its call
                    connection.getresponse = waiting.getresponse
            except BaseException as error:  # noqa: BLE001
                contain(error)
            return result  # noqa: TRY300 - an interruption here is handled below
        except BaseException:
            try:
                whole.pop(connection, None)
                if waiting._exchange is not None:
                    waiting._interception = interception
                    waiting.not_sent(connection)
            except BaseException as own:  # noqa: BLE001
                contain(own)
            raise
        finally:
            del waiting  # a traceback may keep this frame alive, and the call ends with this

    request.__defaults__ = original.__defaults__
    request.__kwdefaults__ = original.__kwdefaults__
    return request


def _unchanged(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method that only calls ``original``."""

    def method(connection: Any, *args: Any, **kwargs: Any) -> Any:
        return original(connection, *args, **kwargs)

    return method


def putrequest(original: Callable[..., Any], switch: list[bool], steps: Steps) -> Callable[..., Any]:
    """Return the wrapper of ``HTTPConnection.putrequest``, which begins a call once that has succeeded.

    It doesn't do so for a connection of the urllib3 pool whose call is the current one, unless the connection
    must count the body.
    """
    interception, begin, begun, whole, schemes = steps
    if not takes(original, _PUTREQUEST, defaults=(False, False)):
        return after(original, switch, partial(_unpack, begun))

    def putrequest(
        connection: Any, method: Any, url: Any, skip_host: Any = False, skip_accept_encoding: Any = False
    ) -> Any:
        result = original(connection, method, url, skip_host, skip_accept_encoding)
        if switch:
            try:
                outer = get_current()
                if outer is None:
                    waiting = whole.pop(connection, None)
                    if waiting is None:
                        begun(connection, None, method, url)
                    else:
                        exchange = _begun(
                            interception, schemes[type(connection)], connection, method, url
                        ) or begin(connection, method, url)
                        if exchange is not None:
                            unfinished[exchange] = None
                            waiting._exchange = exchange
                elif (
                    not outer.active
                    or outer.request_bytes < 0
                    or type(connection) is not getattr(outer.owner, "ConnectionCls", None)
                ):
                    begun(connection, outer, method, url)
            except RecostBudgetExceededError:
                raise
            except BaseException as error:  # noqa: BLE001 - contain() raises what is not ours
                contain(error)
        return result

    return putrequest


def _unpack(
    begun: Callable[[Any, Optional[Exchange], Any, Any], None], connection: Any, args: Any, kwargs: Any
) -> None:
    method = args[0] if args else kwargs["method"]
    url = args[1] if len(args) > 1 else kwargs["url"]
    begun(connection, get_current(), method, url)


def _begun(
    interception: Interception, scheme: str, connection: Any, method: Any, url: Any
) -> Optional[Exchange]:
    """Return an exchange that begins now, or None if anything about it is unusual.

    It does what `Interception.begin` does, and sets the client's fields at once.
    """
    plain = interception.plain
    if not plain or not same_process[0] or (scoped and get_cost_scope() is not None):
        return None
    try:
        if url[0] != "/":
            return None
        host = connection._tunnel_host
        if host:
            port = connection._tunnel_port
        else:
            host, port = connection.host, connection.port
        host, method = ascii_host(host), method.upper()
        if not (host and port) or len(url) > LONGEST_HOST or len(method) > LONGEST_METHOD:
            return None
    except (AttributeError, TypeError, LookupError):
        return None
    exchange = Exchange()
    exchange.sink = plain[0]
    exchange.layer = LAYER
    exchange.target = exchange.hop = (scheme, host, port, url, method)
    exchange.owner = exchange.capture = exchange.request = exchange.wanted = None
    exchange.route = exchange.scope = exchange.costs = None
    exchange.active = exchange.sent = False
    exchange.attempts = 1
    exchange.status = exchange.headers_ns = exchange.request_bytes = exchange.response_bytes = 0
    exchange.started_ns = now()
    return exchange


class Waiting(BodyFile):
    """A call whose request is sent as a whole.

    First it waits for the response. It replaces the ``getresponse`` of its connection, and takes the place of
    the response that the connection closes with itself. Then it is the file of the response.

    The connection keeps it alive, not the other way round. So the call ends at once if the connection is
    closed or abandoned before the response.
    """

    __slots__ = ("_connection", "_interception")

    # Set by `request`: an ``__init__`` would be another Python call per call of the application.
    _connection: ref[Any]
    _interception: Interception

    def stand_in(self, connection: Any) -> None:
        """Wait for the response."""
        self._connection = ref(connection)
        connection._HTTPConnection__response = self
        connection.getresponse = self.getresponse

    def not_sent(self, connection: Any) -> None:
        """Wait for a response that came before the whole request was sent, or end the call."""
        try:
            connected = connection.sock is not None and connection.sock.fileno() >= 0
        except Exception:  # noqa: BLE001 - any kind of socket
            connected = False
        if connected:
            self.stand_in(connection)
        else:
            self._ended()

    def isclosed(self) -> bool:
        """Return True: http.client forgets a closed response before it makes a request or gets a response."""
        return True

    def close(self) -> None:
        """Close the file, or end the call because its connection is being closed."""
        file = self._file
        try:
            if file is not None:
                file.close()
        finally:
            if self._exchange is not None:
                try:
                    if file is None:
                        self._step_aside(self._connection())
                    self._ended()
                except BaseException as error:  # noqa: BLE001 - contain() raises what is not ours
                    contain(error)

    def getresponse(self) -> Any:
        """Return the response, and follow its body."""
        connection: Any = self._connection()
        exchange, response = self._exchange, None
        if exchange is None or self._file is not None:  # another tool has kept this method
            return type(connection).getresponse(connection)
        try:
            try:
                connection._HTTPConnection__response = None
                self._step_aside(connection)
            except BaseException as error:  # noqa: BLE001
                contain(error)
            response = type(connection).getresponse(connection)
            try:
                file, interception = response.fp, self._interception
                if (
                    type(file) is not io.BufferedReader
                    or type(response) is not _RESPONSE
                    or exchange.wanted is not None
                    or interception.timed
                ):
                    self._exchange = None
                    responded(interception, exchange, response)
                else:
                    exchange.status = response.status
                    if interception.remembering:
                        remember(response, exchange)
                    self._chunked = chunked = response.chunked
                    self._left = 0 if chunked else response.length
                    self._file = file
                    response.fp = self
            except BaseException as error:  # noqa: BLE001
                contain(error)
                end(exchange)
            return response  # noqa: TRY300 - an interruption here is handled below
        except BaseException:
            if response is not None:  # Ctrl-C after the return: the application never gets the response
                response.close()
            try:
                exchange.finish()
            except BaseException as own:  # noqa: BLE001
                contain(own)
            raise
        finally:
            del response  # a traceback may keep this frame alive

    def _step_aside(self, connection: Any) -> None:
        try:
            if connection.getresponse.__self__ is self:
                del connection.getresponse
        except AttributeError:  # another tool's function is on the connection
            return


def responded(interception: Interception, exchange: Exchange, response: Any) -> None:
    """Record that the response has come, and follow its body."""
    status = response.status
    if interception.timed or type(status) is not int:
        exchange.headers_received(status)
    else:
        exchange.status = status
    if interception.remembering:
        remember(response, exchange)
    # A connection of urllib3 without a pool returns urllib3's response, possibly read already.
    original = getattr(response, "_original_response", response)
    if original is not response:
        exchange.response_bytes = response.tell()
    follow_body(exchange, original)
