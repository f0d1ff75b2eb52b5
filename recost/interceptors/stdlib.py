"""http.client, and through it urllib.request, xmlrpc and the SDKs that use them.

``putrequest`` begins a call. ``request`` notes which requests are sent as a whole, so that only the
response has to be seen. No other method is patched, because each patched method also slows down clients on
top of http.client. The rest is seen on the objects of the call. A `Waiting` or, if the body is counted as it
is sent, a `_Request` replaces methods of the connection until the response is there. A `_body.BodyFile`
replaces the response's file until the body has ended. None is made for a call that a client on top began.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from types import FrameType, MethodType, ModuleType
from typing import Any, Callable, Final, Optional

from recost.errors import RecostBudgetExceededError
from recost.interceptors import _http_client_importlib_bootstrap as methods
from recost.interceptors._body import Dechunker
from recost.interceptors._containment import contain, end
from recost.interceptors._instance_methods import give_back, unbound
from recost.interceptors.exchange import UNSIZED, Exchange, unfinished
from recost.interceptors.hub import Interception, read_body
from recost.interceptors.request_body import RequestBody, keep_body
from recost.interceptors.targets import DEFAULT_PORTS, absolute_target, ascii_host

__all__ = ["drives", "instrument"]

LAYER: Final = methods.LAYER
_HTTPS_PORT: Final = DEFAULT_PORTS["https"]
_REQUEST_SENT: Final = "Request-sent"
_FRAMES: Final = 6
"""Frames from the sending of a piece to ``_send_output``, and some more for wrappers."""


def instrument(module: ModuleType, interception: Interception) -> None:
    """Patch ``http.client``."""
    schemes = {module.HTTPConnection: "http"}
    if hasattr(module, "HTTPSConnection"):  # else this Python has no ssl
        schemes[module.HTTPSConnection] = "https"
    calls = _Calls(interception, schemes)
    interception.patches.replace(module.HTTPConnection, "putrequest", calls.putrequest)
    interception.patches.replace(module.HTTPConnection, "request", calls.request)


class _Calls:
    """Replacements of the connections' methods."""

    def __init__(self, interception: Interception, schemes: dict[type, str]) -> None:
        self._interception = interception
        self._steps = methods.Steps(interception, self._begin, self._begun, {}, schemes)

    def putrequest(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        return methods.putrequest(original, switch, self._steps)

    def request(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        return methods.request(original, switch, self._steps)

    def _begin(self, connection: Any, method: str, url: str) -> Optional[Exchange]:
        """Begin a call. Return None if it is not recorded, or is watched already, because of its key."""
        try:
            exchange = self._interception.begin(LAYER, (*_target(connection, url), method.upper()))
        except RecostBudgetExceededError:
            connection.close()  # the request has been begun and can't be undone
            raise
        if exchange is not None:
            exchange.attempts = 1
            if self._interception.labels is not None:
                self._watch(connection, exchange, own=True)
                return None
        return exchange

    def _begun(self, connection: Any, outer: Optional[Exchange], method: str, url: str) -> None:
        if outer is not None and outer.active and drives(outer, connection):
            if outer.request_bytes < 0:
                self._watch(connection, outer, own=False)
            return
        exchange = self._begin(connection, method, url)
        if exchange is not None:
            self._watch(connection, exchange, own=True)

    def _watch(self, connection: Any, exchange: Exchange, *, own: bool) -> None:
        if own:
            unfinished[exchange] = None
        try:
            earlier = getattr(connection.send, "__self__", None)
            if isinstance(earlier, _Request):
                earlier.end()
            request = _KeyedRequest() if own and self._interception.labels is not None else _Request()
            request.interception = self._interception
            request.connection = weakref.ref(connection)
            request.exchange = exchange
            if own:
                wanted = exchange.wanted
                if wanted is not None:
                    request.fields = wanted.fields
            else:
                request.own = False
                exchange.request_bytes = UNSIZED
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
    if url[:1] != "/":
        absolute = absolute_target(url)
        if absolute is not None:
            return absolute
        url = f"/{url}"
    scheme = "https" if connection.default_port == _HTTPS_PORT else "http"
    host, port = connection._tunnel_host, connection._tunnel_port  # noqa: SLF001 - has no public name
    if not host:
        host, port = connection.host, connection.port
    name = ascii_host(host) or "localhost"  # as the resolver does for a blank name
    return scheme, name, port or DEFAULT_PORTS[scheme], url


class _Request:
    """A request under way, which replaces methods of its connection until the response is there.

    It counts the body as it is sent. The connection keeps it alive, not the other way round. So the call ends
    at once if the connection is abandoned before the response.
    """

    # Set by `_Calls`: an ``__init__`` would be another Python call per call of the application.
    interception: Interception
    connection: weakref.ref[Any]
    exchange: Exchange
    own = True
    """False if a client on top has begun the call, and this only counts the body for it."""
    fields: Sequence[str] = ()
    """Names of the wanted fields of the body, which follows."""
    _plain = False
    """True if the connection's methods are those of its class."""
    _connecting = False
    _head: Optional[bytes] = None
    """The request line and headers, once sent."""
    _framing_seen = False
    _chunks: Optional[Dechunker] = None
    """Parser of a body whose framing is part of what is sent, once a piece has been sent."""

    def __del__(self) -> None:
        try:
            if self.own:
                self.exchange.finish()
        except BaseException as error:  # noqa: BLE001 - contain() raises what is not ours
            contain(error)

    def stand_in(self) -> None:
        """Replace the connection's methods by this object's, which call them."""
        # Attribute by attribute: reading an object's __dict__ makes it slower from then on.
        connection: Any = self.connection()
        send, getresponse, close = connection.send, connection.getresponse, connection.close
        if type(send) is type(getresponse) is type(close) is MethodType and (
            send.__self__ is getresponse.__self__ is close.__self__ is connection
        ):
            kind: Any = type(connection)
            self._original_send = function = send.__func__
            plain = function is kind.send
            self._original_getresponse = function = getresponse.__func__
            plain = plain and function is kind.getresponse
            self._original_close = function = close.__func__
            self._plain = plain and function is kind.close
        else:
            self._plain = False
            self._original_send = unbound(send, connection)
            self._original_getresponse = unbound(getresponse, connection)
            self._original_close = unbound(close, connection)
        connection.send = self.send
        connection.getresponse = self.getresponse
        connection.close = self.close

    def end(self) -> None:
        """Restore the methods, and end the call unless the response has taken it over."""
        self._step_aside(self.connection())
        if self.own:
            self.exchange.finish()

    def send(self, data: Any) -> Any:  # noqa: C901, PLR0912 - a boundary around each step
        connection: Any = self.connection()
        head, unconnected, sent = False, False, None
        plain = type(data) is bytes and not self.fields
        try:
            if self._head is None:
                plain = False
                # Else it is sent to a proxy while the connection is made.
                if not self._connecting and (
                    getattr(connection, "_HTTPConnection__state", _REQUEST_SENT) == _REQUEST_SENT
                ):
                    self._connecting = head = True
                    unconnected = connection.sock is None
            elif not plain:
                data, sent = self._sending(data)
        except BaseException as error:  # noqa: BLE001
            contain(error)
        try:
            result = self._original_send(connection, data)
        except BaseException:
            if unconnected:
                try:
                    self.end()
                except BaseException as error:  # noqa: BLE001
                    contain(error)
            raise
        try:
            if head:
                self._head = data if isinstance(data, bytes) else b""
            elif plain:
                size = len(data)
                if self.own and b"\r\nContent-Length: %d\r\n" % size in self._head:  # type: ignore[operator]
                    self.exchange.request_bytes += size  # the whole body
                else:
                    self._see_framing()
                    self._count_sent(memoryview(data))
            elif sent is not None:
                sent()
        except BaseException as error:  # noqa: BLE001
            contain(error)
        return result

    def getresponse(self, *args: Any, **kwargs: Any) -> Any:
        connection, response = self.connection(), None
        try:
            self._step_aside(connection)  # getresponse() may close the connection
        except BaseException as error:  # noqa: BLE001
            contain(error)
        try:
            response = self._original_getresponse(connection, *args, **kwargs)
            if self.own:
                try:
                    methods.responded(self.interception, self.exchange, response)
                except BaseException as error:  # noqa: BLE001
                    contain(error)
                    end(self.exchange)
                self.own = False
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
        connection = self.connection()
        try:
            self._step_aside(connection)
        except BaseException as error:  # noqa: BLE001
            contain(error)
        try:
            return self._original_close(connection)
        finally:
            try:
                self.end()
            except BaseException as error:  # noqa: BLE001
                contain(error)

    def _step_aside(self, connection: Any) -> None:
        if self._plain:
            try:
                if (
                    connection.send.__self__ is self
                    and connection.getresponse.__self__ is self
                    and connection.close.__self__ is self
                ):
                    del connection.send, connection.getresponse, connection.close
                    return
            except AttributeError:  # another tool's function is on the instance
                pass
        give_back(connection, "send", connection.send, self, self._original_send)
        give_back(connection, "getresponse", connection.getresponse, self, self._original_getresponse)
        give_back(connection, "close", connection.close, self, self._original_close)

    def _not_responded(self, error: BaseException) -> None:
        if isinstance(error, TypeError) or type(error).__name__ == "ResponseNotReady":
            # urllib3 1.26 tries Python 2's arguments first, or an earlier response has not been read.
            connection: Any = self.connection()
            if getattr(connection.getresponse, "__self__", None) is not self:
                self.stand_in()
        elif self.own:
            self.exchange.finish()

    def _sending(self, data: Any) -> tuple[Any, Optional[Callable[[], None]]]:
        """Return a piece of the body to send, and a function to call after that."""
        self._see_framing()
        if hasattr(data, "read"):
            return data, partial(self._file_sent, data, _position(data))
        try:
            view = memoryview(data)
        except TypeError:
            return self._counted(data) if isinstance(data, Iterable) else data, None
        if self.fields:
            self.exchange.request = read_body(self._sent, data, self.fields)
            self.fields = ()
        return data, partial(self._count_sent, view)

    def _see_framing(self) -> None:
        if not self._framing_seen:
            self._framing_seen = True
            if b"\r\ntransfer-encoding: chunked\r\n" in (self._head or b"").lower():
                self._chunks = Dechunker()

    def _file_sent(self, file: Any, start: Optional[int]) -> None:
        end = _position(file)
        self._count(self._declared() if start is None or end is None else end - start)

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
        self.exchange.request_bytes += size if self.own else -size

    def _sent(self, data: Any, names: Sequence[str]) -> Optional[RequestBody]:
        """Return a body that was given as a whole, or None."""
        whole = self._chunks is None and len(data) == self._declared() and _is_whole(data)
        return keep_body(data, names) if whole else None

    def _declared(self) -> int:
        _, _, after = (self._head or b"").lower().partition(b"\r\ncontent-length:")
        value = after.partition(b"\r\n")[0].strip()
        return int(value) if value.isdigit() else 0


class _KeyedRequest(_Request):
    """A request whose key is looked for in its headers when they are sent."""

    def send(self, data: Any) -> Any:
        try:
            labels = self.interception.labels
            # A proxy gets a request of its own before that, while the connection is made.
            if labels is not None and self._head is None and not self._connecting and type(data) is bytes:
                connection = self.connection()
                if getattr(connection, "_HTTPConnection__state", _REQUEST_SENT) == _REQUEST_SENT:
                    labels.tag_sent(self.exchange, data)
                del connection
        except BaseException as error:  # noqa: BLE001
            contain(error)
        return super().send(data)


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


def _position(file: Any) -> Optional[int]:
    try:
        return int(file.tell())
    except (AttributeError, OSError, TypeError, ValueError):
        return None
