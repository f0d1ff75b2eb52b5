"""http.client, and through it urllib.request, xmlrpc and the SDKs that use them.

``putrequest`` begins a call. It is the only method that is patched, because every patched method costs
the clients on top of http.client as well. The rest is seen on the objects that belong to the one call:
a `_Request` stands in for three methods of the connection until the answer is there, and a `_body.BodyFile`
for the response's file until the body has ended. Neither is made for a call that a client on top began.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from types import ModuleType
from typing import Any, Callable, Final, Optional
from urllib.parse import urlsplit

from recost.errors import RecostBudgetExceededError
from recost.interceptors import Interception
from recost.interceptors._body import Dechunker, follow_body
from recost.interceptors.exchange import DEFAULT_PORTS, Exchange, current, remember

__all__ = ["UNSIZED", "absolute_target", "ascii_host", "instrument"]

LAYER: Final = "http.client"
UNSIZED: Final = -1
"""In ``Exchange.request_bytes`` of a client on top: its connection is to count what it sends, as ``~count``.
That stays negative, so that a further attempt is counted anew."""

_LONGEST_HOST: Final = 255
_REQUEST_SENT: Final = "Request-sent"


def instrument(module: ModuleType, interception: Interception) -> None:
    """Patch ``http.client``."""
    interception.patches.replace(module.HTTPConnection, "putrequest", _Calls(interception).putrequest)


def absolute_target(url: str) -> Optional[tuple[str, str, int, str]]:
    """Return scheme, host, effective port and path of a request target; None when it is a mere path.

    Raises:
        ValueError: The authority is malformed.
    """
    if url[:1] == "/" or url[:4].lower() != "http":
        return None
    parts = urlsplit(url)
    if not parts.hostname:
        return None
    port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    return parts.scheme, ascii_host(parts.hostname), port, parts.path or "/"


def ascii_host(host: str) -> str:
    """Return a host's name as an Exchange has it: lower case ASCII, no userinfo, brackets, trailing dot.

    Of a text that is too long for a name, or that ``idna`` refuses, only what is left of it is told: no such
    host can be reached, and the encoding of long labels takes quadratic time.
    """
    return (
        _ascii_host(host)
        if len(host) <= _LONGEST_HOST
        else _ascii_host(host.rpartition("@")[2][:_LONGEST_HOST])
    )


@lru_cache(maxsize=1024)
def _ascii_host(host: str) -> str:
    host = host.rpartition("@")[2]  # urllib.request leaves it in
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            host = host.encode("ascii", "replace").decode("ascii")
    return host.strip("[]").rstrip(".").lower()


class _Calls:
    """What takes the place of the connections' method."""

    def __init__(self, interception: Interception) -> None:
        self._interception = interception

    def putrequest(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        begin, watch = self._begin, self._watch

        def putrequest(connection: Any, *args: Any, **kwargs: Any) -> Any:
            outer = current.get()
            if outer is not None and outer.active and _drives(outer, connection):
                result = original(connection, *args, **kwargs)
                if outer.request_bytes < 0 and switch:
                    watch(connection, outer, own=False)
                return result
            result = original(connection, *args, **kwargs)
            exchange = begin(connection, args, kwargs) if switch else None
            if exchange is not None:
                watch(connection, exchange, own=True)
            return result

        return putrequest

    def _begin(self, connection: Any, args: Any, kwargs: Any) -> Optional[Exchange]:
        interception = self._interception
        try:
            method = args[0] if args else kwargs["method"]
            url = args[1] if len(args) > 1 else kwargs["url"]
            exchange = interception.begin(LAYER, method.upper(), *_target(connection, url))
            if exchange is not None:
                exchange.attempts = 1
        except RecostBudgetExceededError:
            connection.close()  # the request has been begun, and can't be taken back
            raise
        except Exception as error:  # noqa: BLE001 - the call must go on unrecorded, whatever is odd about it
            interception.report(error)
            return None
        return exchange

    def _watch(self, connection: Any, exchange: Exchange, *, own: bool) -> None:
        try:
            earlier = getattr(connection.send, "__self__", None)
            if type(earlier) is _Request:
                earlier.end()
            _Request(self._interception, connection, exchange, own=own).stand_in()
        except Exception as error:  # noqa: BLE001
            self._interception.report(error)
            if own:
                exchange.finish()


def _drives(exchange: Exchange, connection: Any) -> bool:
    """Tell whether a connection belongs to the urllib3 pool that is at work.

    A pool may connect to another host than its own name says (a Unix socket, a pinned address).
    """
    try:
        owner: Any = exchange.owner
        return isinstance(connection, owner.ConnectionCls)
    except (AttributeError, TypeError):  # no pool; or a pool that makes connections by a function
        return False


def _target(connection: Any, url: str) -> tuple[str, str, int, str]:
    """Return scheme, host, effective port and path: behind a proxy, those that the proxy is asked for."""
    absolute = absolute_target(url)
    if absolute is not None:
        return absolute
    scheme = "https" if connection.default_port == DEFAULT_PORTS["https"] else "http"
    host, port = connection._tunnel_host, connection._tunnel_port  # noqa: SLF001 - has no public name
    if not host:
        host, port = connection.host, connection.port
    name = ascii_host(host) or "localhost"  # as the resolver takes a blank one
    return scheme, name, port or DEFAULT_PORTS[scheme], url if url[:1] == "/" else f"/{url}"


class _Request:
    """A request under way: stands in for methods of its connection until the answer is there.

    It counts the body as it is sent. The connection and this refer to each other, so a connection that is
    abandoned between a request and its answer waits for the garbage collector, which ends the call.
    """

    def __init__(self, interception: Interception, connection: Any, exchange: Exchange, *, own: bool) -> None:
        self._interception = interception
        self._connection = connection
        self._exchange = exchange
        self._own = own
        """False when a client on top has begun the call, and this only counts for it."""
        self._connecting = False
        self._head: Optional[bytes] = None
        """The request line and headers, once they have been sent."""
        self._chunks: Optional[Dechunker] = None
        if not own:
            exchange.request_bytes = UNSIZED

    def __del__(self) -> None:
        if self._own:
            self._exchange.finish()

    def stand_in(self) -> None:
        """Take the place of the connection's methods, which are kept, and called."""
        # Attribute by attribute: an object whose __dict__ has been asked for is slower from then on.
        connection = self._connection
        self._original_send = connection.send
        self._original_getresponse = connection.getresponse
        self._original_close = connection.close
        connection.send = self.send
        connection.getresponse = self.getresponse
        connection.close = self.close

    def end(self) -> None:
        """Give the methods back and, unless the answer has taken it over, end the call."""
        self._step_aside()
        if self._own:
            self._exchange.finish()

    def send(self, data: Any) -> Any:
        if self._head is not None:
            return self._send_body(data)
        state = getattr(self._connection, "_HTTPConnection__state", _REQUEST_SENT)
        if self._connecting or state != _REQUEST_SENT:
            return self._original_send(data)  # what a proxy is told while the connection is made
        self._connecting = True
        unconnected = self._connection.sock is None
        try:
            result = self._original_send(data)
        except BaseException:
            if unconnected:
                self.end()
            raise
        self._head = data
        if isinstance(data, bytes) and b"\r\ntransfer-encoding: chunked\r\n" in data.lower():
            self._chunks = Dechunker()
        return result

    def getresponse(self, *args: Any, **kwargs: Any) -> Any:
        self._step_aside()  # getresponse() may itself close the connection
        try:
            response = self._original_getresponse(*args, **kwargs)
        except BaseException as error:
            if isinstance(error, TypeError) or type(error).__name__ == "ResponseNotReady":
                # urllib3 1.26 asks with Python 2's arguments first; or an earlier answer has not been read.
                self.stand_in()
            elif self._own:
                self._exchange.finish()
            raise
        if self._own:
            self._own = False
            self._answered(response)
        return response

    def close(self) -> Any:
        self._step_aside()
        try:
            return self._original_close()
        finally:
            self.end()

    def _step_aside(self) -> None:
        connection = self._connection
        _give_back(connection, "send", connection.send, self, self._original_send)
        _give_back(connection, "getresponse", connection.getresponse, self, self._original_getresponse)
        _give_back(connection, "close", connection.close, self, self._original_close)

    def _answered(self, response: Any) -> None:
        exchange = self._exchange
        try:
            exchange.headers_received(response.status)
            if self._interception.remembering:
                remember(response, exchange)
            # A connection of urllib3 that is used without a pool gives urllib3's response, maybe read by now.
            original = getattr(response, "_original_response", response)
            if original is not response:
                exchange.response_bytes = response.tell()
            follow_body(exchange, original)
        except Exception as error:  # noqa: BLE001
            self._interception.report(error)
            exchange.finish()

    def _send_body(self, data: Any) -> Any:
        if hasattr(data, "read"):
            start = _position(data)
            result = self._original_send(data)
            end = _position(data)
            self._count(self._declared() if start is None or end is None else end - start)
            return result
        try:
            view = memoryview(data)
        except TypeError:
            pieces = self._counted(data) if isinstance(data, Iterable) else data
            return self._original_send(pieces)
        result = self._original_send(data)
        self._count_sent(view)
        return result

    def _counted(self, pieces: Iterable[Any]) -> Iterator[Any]:
        for piece in pieces:
            yield piece
            self._count_sent(memoryview(piece))

    def _count_sent(self, data: memoryview) -> None:
        try:
            self._count(data.nbytes if self._chunks is None else self._chunks.feed(bytes(data)))
        except Exception as error:  # noqa: BLE001
            self._chunks = None
            self._interception.report(error)

    def _count(self, size: int) -> None:
        self._exchange.request_bytes += size if self._own else -size

    def _declared(self) -> int:
        _, _, after = (self._head or b"").lower().partition(b"\r\ncontent-length:")
        value = after.partition(b"\r\n")[0].strip()
        return int(value) if value.isdigit() else 0


def _give_back(connection: Any, name: str, now: Any, request: _Request, original: Any) -> None:
    """Undo one stand-in, unless somebody has put something else there meanwhile."""
    if getattr(now, "__self__", None) is not request:
        return
    delattr(connection, name)
    if getattr(connection, name) != original:  # not the class's, which shows again: one of the instance's own
        setattr(connection, name, original)


def _position(file: Any) -> Optional[int]:
    try:
        return int(file.tell())
    except (AttributeError, OSError, TypeError, ValueError):
        return None
