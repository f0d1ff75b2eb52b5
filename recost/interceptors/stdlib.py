"""http.client, and through it urllib.request, xmlrpc and the SDKs that use them.

``putrequest`` begins a call. It is the only patched method, because each patched method also slows down
clients on top of http.client. The rest is seen on the objects of the call. A `_Request` replaces three
methods of the connection until the response is there. A `_body.BodyFile` replaces the response's file until
the body has ended. Neither is made for a call that a client on top began.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from types import FrameType, MethodType, ModuleType
from typing import Any, Callable, Final, Optional

from recost.errors import RecostBudgetExceededError
from recost.interceptors._body import Dechunker, follow_body
from recost.interceptors._calls_importlib_bootstrap import after
from recost.interceptors._containment import contain, end
from recost.interceptors.context import current
from recost.interceptors.exchange import UNSIZED, Exchange, streaming
from recost.interceptors.hub import Interception, read_body
from recost.interceptors.request_body import RequestBody, keep_body
from recost.interceptors.responses import remember
from recost.interceptors.targets import DEFAULT_PORTS, absolute_target, ascii_host

__all__ = ["drives", "instrument"]

LAYER: Final = "http.client"
_REQUEST_SENT: Final = "Request-sent"
_FRAMES: Final = 6
"""Frames from the sending of a piece to ``_send_output``, and some more for wrappers."""


def instrument(module: ModuleType, interception: Interception) -> None:
    """Patch ``http.client``."""
    interception.patches.replace(module.HTTPConnection, "putrequest", _Calls(interception).putrequest)


class _Calls:
    """Replacement of the connections' method."""

    def __init__(self, interception: Interception) -> None:
        self._interception = interception

    def putrequest(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        return after(original, switch, self._begun)

    def _begun(self, connection: Any, args: Any, kwargs: Any) -> None:
        outer = current.get()
        if outer is not None and outer.active and drives(outer, connection):
            if outer.request_bytes < 0:
                self._watch(connection, outer, own=False)
            return
        method = args[0] if args else kwargs["method"]
        url = args[1] if len(args) > 1 else kwargs["url"]
        try:
            exchange = self._interception.begin(LAYER, (*_target(connection, url), method.upper()))
        except RecostBudgetExceededError:
            connection.close()  # the request has been begun and can't be undone
            raise
        if exchange is not None:
            exchange.attempts = 1
            self._watch(connection, exchange, own=True)

    def _watch(self, connection: Any, exchange: Exchange, *, own: bool) -> None:
        try:
            earlier = getattr(connection.send, "__self__", None)
            if type(earlier) is _Request:
                earlier.end()
            request = _Request(self._interception, connection, exchange, own=own)
            if own:
                streaming[id(exchange)] = exchange
            request.stand_in()
        except BaseException:
            if own:
                exchange.finish()
            raise


def drives(exchange: Exchange, connection: Any) -> bool:
    """Return True if a connection belongs to the urllib3 pool of the exchange.

    A pool may connect to another host than its name says (a Unix socket, a pinned address). A mock (vcrpy)
    replaces the connections' class, and uses urllib3's underneath.
    """
    owner: Any = exchange.owner
    kind = getattr(owner, "ConnectionCls", None)
    if not isinstance(kind, type):  # not a pool, or a pool that makes connections by a function
        return False
    if isinstance(connection, kind):
        return True
    return hasattr(connection, "_new_conn") and connection.host == getattr(owner, "host", None)


def _target(connection: Any, url: str) -> tuple[str, str, int, str]:
    """Return scheme, host, effective port and path, which are the proxied ones behind a proxy."""
    absolute = absolute_target(url)
    if absolute is not None:
        return absolute
    scheme = "https" if connection.default_port == DEFAULT_PORTS["https"] else "http"
    host, port = connection._tunnel_host, connection._tunnel_port  # noqa: SLF001 - has no public name
    if not host:
        host, port = connection.host, connection.port
    name = ascii_host(host) or "localhost"  # as the resolver does for a blank name
    return scheme, name, port or DEFAULT_PORTS[scheme], url if url[:1] == "/" else f"/{url}"


class _Request:
    """A request under way, which replaces methods of its connection until the response is there.

    It counts the body as it is sent. The connection keeps it alive, not the other way round. So the call ends
    at once if the connection is abandoned before the response.
    """

    def __init__(self, interception: Interception, connection: Any, exchange: Exchange, *, own: bool) -> None:
        self._interception = interception
        self._connection = weakref.ref(connection)
        self._exchange = exchange
        self._own = own
        """False if a client on top has begun the call, and this only counts the body for it."""
        self._connecting = False
        self._head: Optional[bytes] = None
        """The request line and headers, once sent."""
        self._chunks: Optional[Dechunker] = None
        wanted = exchange.wanted
        self._fields = wanted.fields if wanted is not None and own else ()
        """Names of the wanted fields of the body, which follows."""
        if not own:
            exchange.request_bytes = UNSIZED

    def __del__(self) -> None:
        try:
            if self._own:
                self._exchange.finish()
        except BaseException as error:  # noqa: BLE001 - contain() raises what is not ours
            contain(error)

    def stand_in(self) -> None:
        """Replace the connection's methods by this object's, which call them."""
        # Attribute by attribute: reading an object's __dict__ makes it slower from then on.
        connection: Any = self._connection()
        self._original_send = _unbound(connection.send, connection)
        self._original_getresponse = _unbound(connection.getresponse, connection)
        self._original_close = _unbound(connection.close, connection)
        connection.send = self.send
        connection.getresponse = self.getresponse
        connection.close = self.close

    def end(self) -> None:
        """Restore the methods, and end the call unless the response has taken it over."""
        self._step_aside()
        if self._own:
            self._exchange.finish()

    def send(self, data: Any) -> Any:
        connection, sent = self._connection(), None
        try:
            data, sent = self._sending(connection, data)
        except BaseException as error:  # noqa: BLE001
            contain(error)
        succeeded = False
        try:
            result = self._original_send(connection, data)
            succeeded = True
        finally:
            if sent is not None:
                try:
                    sent(succeeded=succeeded)
                except BaseException as error:  # noqa: BLE001
                    contain(error)
        return result

    def getresponse(self, *args: Any, **kwargs: Any) -> Any:
        connection, response = self._connection(), None
        try:
            self._step_aside()  # getresponse() may close the connection
        except BaseException as error:  # noqa: BLE001
            contain(error)
        try:
            response = self._original_getresponse(connection, *args, **kwargs)
            if self._own:
                try:
                    self._responded(response)
                except BaseException as error:  # noqa: BLE001
                    contain(error)
                    end(self._exchange)
                self._own = False
            return response  # noqa: TRY300 - an interruption here is handled below
        except BaseException as error:
            if response is not None:  # Ctrl-C after the return: the application never gets the response
                response.close()
            try:
                self._not_responded(error)
            except BaseException as own:  # noqa: BLE001
                contain(own)
            raise
        finally:
            del response  # a traceback may keep this frame alive

    def close(self) -> Any:
        try:
            self._step_aside()
        except BaseException as error:  # noqa: BLE001
            contain(error)
        try:
            return self._original_close(self._connection())
        finally:
            try:
                self.end()
            except BaseException as error:  # noqa: BLE001
                contain(error)

    def _step_aside(self) -> None:
        connection: Any = self._connection()
        _give_back(connection, "send", connection.send, self, self._original_send)
        _give_back(connection, "getresponse", connection.getresponse, self, self._original_getresponse)
        _give_back(connection, "close", connection.close, self, self._original_close)

    def _not_responded(self, error: BaseException) -> None:
        if isinstance(error, TypeError) or type(error).__name__ == "ResponseNotReady":
            # urllib3 1.26 tries Python 2's arguments first, or an earlier response has not been read.
            self.stand_in()
        elif self._own:
            self._exchange.finish()

    def _responded(self, response: Any) -> None:
        exchange = self._exchange
        exchange.headers_received(response.status)
        if self._interception.remembering:
            remember(response, exchange)
        # A connection of urllib3 without a pool returns urllib3's response, possibly read already.
        original = getattr(response, "_original_response", response)
        if original is not response:
            exchange.response_bytes = response.tell()
        follow_body(exchange, original)

    def _sending(self, connection: Any, data: Any) -> tuple[Any, Optional[Callable[..., None]]]:
        """Return the data to send, and a function to call with ``succeeded`` after that."""
        if self._head is None:
            state = getattr(connection, "_HTTPConnection__state", _REQUEST_SENT)
            if self._connecting or state != _REQUEST_SENT:
                return data, None  # sent to a proxy while the connection is made
            self._connecting = True
            return data, partial(self._head_sent, data, connection.sock is None)
        if hasattr(data, "read"):
            return data, partial(self._file_sent, data, _position(data))
        try:
            view = memoryview(data)
        except TypeError:
            return self._counted(data) if isinstance(data, Iterable) else data, None
        if self._fields:
            self._exchange.request = read_body(self._sent, data, self._fields)
            self._fields = ()
        return data, partial(self._data_sent, view)

    def _head_sent(self, data: Any, unconnected: bool, *, succeeded: bool) -> None:
        if succeeded:
            self._head = data
            if isinstance(data, bytes) and b"\r\ntransfer-encoding: chunked\r\n" in data.lower():
                self._chunks = Dechunker()
        elif unconnected:
            self.end()

    def _file_sent(self, file: Any, start: Optional[int], *, succeeded: bool) -> None:
        if succeeded:
            end = _position(file)
            self._count(self._declared() if start is None or end is None else end - start)

    def _data_sent(self, view: memoryview, *, succeeded: bool) -> None:
        if not succeeded:
            return
        if self._own and self._chunks is None:
            self._exchange.request_bytes += view.nbytes
        else:
            self._count_sent(view)

    def _counted(self, pieces: Iterable[Any]) -> Iterator[Any]:
        for piece in pieces:
            yield piece
            try:
                self._count_sent(memoryview(piece))
            except BaseException as error:  # noqa: BLE001
                contain(error)

    def _count_sent(self, data: memoryview) -> None:
        try:
            self._count(data.nbytes if self._chunks is None else self._chunks.feed(bytes(data)))
        except ValueError as error:
            self._chunks = None
            contain(error)

    def _count(self, size: int) -> None:
        self._exchange.request_bytes += size if self._own else -size

    def _sent(self, data: Any, names: Sequence[str]) -> Optional[RequestBody]:
        """Return a body that was given as a whole, or None."""
        whole = self._chunks is None and len(data) == self._declared() and _is_whole(data)
        return keep_body(data, names) if whole else None

    def _declared(self) -> int:
        _, _, after = (self._head or b"").lower().partition(b"\r\ncontent-length:")
        value = after.partition(b"\r\n")[0].strip()
        return int(value) if value.isdigit() else 0


def _is_whole(data: Any) -> bool:
    """Return True if ``data`` is a body as given, not a piece read from a file or an iterator."""
    frame: Optional[FrameType] = sys._getframe(1)  # noqa: SLF001 - known to http.client only
    for _ in range(_FRAMES):
        if frame is None:
            break
        if frame.f_code.co_name == "_send_output":
            return frame.f_locals.get("message_body") is data
        frame = frame.f_back
    return True


class _Foreign:
    """Another tool's replacement of a connection's method, callable like the class's function."""

    def __init__(self, method: Any) -> None:
        self.method = method

    def __call__(self, _connection: Any, *args: Any, **kwargs: Any) -> Any:
        return self.method(*args, **kwargs)


def _unbound(method: Any, connection: Any) -> Any:
    """Return the function of a connection's method, which doesn't refer to the connection."""
    return method.__func__ if getattr(method, "__self__", None) is connection else _Foreign(method)


def _give_back(connection: Any, name: str, now: Any, request: _Request, original: Any) -> None:
    """Restore one method, unless it has been replaced again meanwhile."""
    if getattr(now, "__self__", None) is not request:
        return
    delattr(connection, name)
    method = original.method if type(original) is _Foreign else MethodType(original, connection)
    if getattr(connection, name) != method:  # it was not the class's method, but the instance's own
        setattr(connection, name, method)


def _position(file: Any) -> Optional[int]:
    try:
        return int(file.tell())
    except (AttributeError, OSError, TypeError, ValueError):
        return None
