"""httpx and httpx2, sync and async.

``send`` is one logical call: redirects and auth flows are inside it. ``_send_single_request`` is one hop, and
the only time when the transport is at work, so what an auth flow calls in between is a call of its own.
A response that is not closed on return gets a stream that counts its bytes and finishes the exchange when
it has been read, is closed or collected; it knows the exchange, never the response.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, Callable, Final, Optional

from recost.errors import RecostBudgetExceededError
from recost.interceptors import Interception
from recost.interceptors._httpx_streams import counting_streams
from recost.interceptors.capture import Capture, Whole
from recost.interceptors.exchange import DEFAULT_PORTS, Exchange, current, remember

__all__ = ["instrument"]

LAYER: Final = "httpx"

_SCHEMES: Final = frozenset({"http", "https", "ws", "wss"})
_IN_PROCESS: Final = frozenset({"ASGITransport", "WSGITransport", "_TestClientTransport"})
"""Transports that call an application in this process: nothing leaves it."""


def instrument(module: ModuleType, interception: Interception) -> None:
    """Patch the clients of ``httpx`` or ``httpx2``."""
    stream, async_stream = counting_streams(module)
    sync, asynchronous = _Calls(interception, stream), _Calls(interception, async_stream)
    patches = interception.patches
    patches.replace(module.Client, "send", sync.send)
    patches.replace(module.AsyncClient, "send", asynchronous.async_send)
    patches.replace(module.Client, "_send_single_request", sync.hop)
    patches.replace(module.AsyncClient, "_send_single_request", asynchronous.async_hop)
    # A transport of the user's own may send more than once in a hop, and SDKs use one without a client.
    patches.replace(module.HTTPTransport, "handle_request", sync.transmit)
    patches.replace(module.AsyncHTTPTransport, "handle_async_request", asynchronous.async_transmit)


class _Calls:
    """What takes the place of a client's methods."""

    def __init__(self, interception: Interception, stream: Any) -> None:
        self._interception = interception
        self._stream = stream

    def send(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        return _recorded(original, switch, self._begin, self._returned)

    def async_send(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        return _async_recorded(original, switch, self._begin, self._returned)

    def transmit(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        return _recorded(original, switch, self._begin_transmission, self._transmitted)

    def async_transmit(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        return _async_recorded(original, switch, self._begin_transmission, self._transmitted)

    def hop(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        begins, failed, answered = self._hop_begins, self._hop_failed, self._hop_answered

        def hop(client: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
            exchange = current.get()
            if exchange is None or exchange.owner is not client or not switch:
                return original(client, request, *args, **kwargs)
            begins(exchange, request)
            try:
                response = original(client, request, *args, **kwargs)
            except BaseException:
                failed(exchange, client, request)
                raise
            answered(exchange, client, response)
            try:
                return response
            finally:
                del response  # a traceback may keep this frame

        return hop

    def async_hop(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        begins, failed, answered = self._hop_begins, self._hop_failed, self._hop_answered

        async def hop(client: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
            exchange = current.get()
            if exchange is None or exchange.owner is not client or not switch:
                return await original(client, request, *args, **kwargs)
            begins(exchange, request)
            try:
                response = await original(client, request, *args, **kwargs)
            except BaseException:
                failed(exchange, client, request)
                raise
            answered(exchange, client, response)
            try:
                return response
            finally:
                del response  # a traceback may keep this frame

        return hop

    def _begin(self, client: Any, request: Any) -> Optional[Exchange]:
        try:
            scheme, host, port, path = _target(request.url)
            if not host or scheme not in _SCHEMES:
                return None  # the client refuses it
            exchange = self._interception.begin(LAYER, request.method, scheme, host, port, path)
            if exchange is not None:
                exchange.owner = client
                try:
                    # Request.content raises instead of asking.
                    exchange.request_bytes = len(request._content)  # noqa: SLF001
                except AttributeError:
                    _size_request(exchange, request, self._stream)
        except RecostBudgetExceededError:
            if hasattr(client, "_transport_for_url") and _in_process(client, request.url):
                return None  # nothing leaves the process
            raise
        except Exception as error:  # noqa: BLE001 - the call must go on unrecorded, whatever is odd about it
            self._interception.report(error)
            return None
        return exchange

    def _begin_transmission(self, transport: Any, request: Any) -> Optional[Exchange]:
        """Begin a call that is made without a client; within a client's, count what the transport sends."""
        outer = current.get()
        if outer is not None and outer.owner is not None and outer.layer is LAYER:
            # Whereto makes no difference: a transport of the user's own may lead a request elsewhere.
            if outer.sent:
                outer.attempts += 1
            outer.sent = True
            return None
        exchange = self._begin(transport, request)
        if exchange is not None:
            exchange.attempts = 1
            exchange.active = True
        return exchange

    def _transmitted(self, exchange: Exchange, response: Any) -> None:
        exchange.active = False
        exchange.headers_received(response.status_code)
        self._returned(exchange, response)

    def _hop_begins(self, exchange: Exchange, request: Any) -> None:
        if exchange.attempts:
            # A redirect or an auth round trip: other layers must recognise this hop's target.
            try:
                _, host, port, _ = _target(request.url)
                exchange.hop = (host, port)
            except Exception as error:  # noqa: BLE001
                self._interception.report(error)
        exchange.attempts += 1
        exchange.sent = False
        exchange.status = 0
        exchange.active = True

    def _hop_answered(self, exchange: Exchange, client: Any, response: Any) -> None:
        exchange.active = False
        try:
            exchange.headers_received(response.status_code)
            if "http_version" not in response.extensions and _in_process(client, response.request.url):
                exchange.discard()
        except Exception as error:  # noqa: BLE001
            self._interception.report(error)

    def _hop_failed(self, exchange: Exchange, client: Any, request: Any) -> None:
        exchange.active = False
        try:
            if _in_process(client, request.url):
                exchange.discard()
        except Exception as error:  # noqa: BLE001
            self._interception.report(error)

    def _returned(self, exchange: Exchange, response: Any) -> None:
        try:
            if self._interception.remembering:
                remember(response, exchange)
            wanted = exchange.wanted
            if not exchange.status:  # a mock stands in the place of the hop (vcrpy before 8)
                exchange.headers_received(response.status_code)
            if response.is_closed:
                if wanted is not None:
                    headers = response.headers
                    content_type = _header(headers, b"content-type")
                    body = getattr(response, "_content", None)
                    exchange.capture = Whole(wanted, headers, content_type, body)
                # A mock's response is made with its content, and has downloaded nothing.
                exchange.response_bytes = response.num_bytes_downloaded or len(
                    getattr(response, "_content", b"")
                )
            elif exchange.status != 101 and not exchange.finished:
                if wanted is not None:
                    headers = response.headers
                    content_type = _header(headers, b"content-type")
                    encoding = _header(headers, b"content-encoding")
                    exchange.capture = Capture(wanted, headers, content_type, encoding)
                response.stream = self._stream(response.stream, exchange)
                exchange.body_follows()
                return
        except Exception as error:  # noqa: BLE001
            self._interception.report(error)
        exchange.finish()


def _recorded(
    original: Callable[..., Any],
    switch: list[bool],
    begin: Callable[[Any, Any], Optional[Exchange]],
    returned: Callable[[Exchange, Any], None],
) -> Callable[..., Any]:
    """Return what takes the place of a sync method of a client or transport that sends a request."""

    def send(client: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        exchange = begin(client, request) if switch else None
        if exchange is None:
            return original(client, request, *args, **kwargs)
        outer = current.get()
        current.set(exchange)
        try:
            response = original(client, request, *args, **kwargs)
        except BaseException:
            exchange.finish()
            raise
        finally:
            current.set(outer)
        returned(exchange, response)
        try:
            return response
        finally:
            del response  # a traceback may keep this frame

    return send


def _async_recorded(
    original: Callable[..., Any],
    switch: list[bool],
    begin: Callable[[Any, Any], Optional[Exchange]],
    returned: Callable[[Exchange, Any], None],
) -> Callable[..., Any]:
    """Do for a coroutine function what `_recorded` does for a plain one."""

    async def send(client: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        exchange = begin(client, request) if switch else None
        if exchange is None:
            return await original(client, request, *args, **kwargs)
        outer = current.get()
        current.set(exchange)
        try:
            response = await original(client, request, *args, **kwargs)
        except BaseException:
            exchange.finish()
            raise
        finally:
            current.set(outer)
        returned(exchange, response)
        try:
            return response
        finally:
            del response  # a traceback may keep this frame

    return send


def _target(url: Any) -> tuple[str, str, int, str]:
    """Return scheme, host, effective port and path; the parsed fields are read: the properties encode."""
    try:
        parts = url._uri_reference  # noqa: SLF001 - 4 times the speed of the public properties
        scheme, host, port, path = parts.scheme, parts.host, parts.port, parts.path
    except AttributeError:
        scheme, port = url.scheme, url.port
        host, path = url.raw_host.decode("ascii"), url.raw_path.decode("ascii")
    if port is None:
        port = DEFAULT_PORTS.get(scheme, 0)
    return scheme, host, port, path


def _header(headers: Any, name: bytes) -> Any:
    """Return a header's value from the list that httpx keeps: asked for one, it encodes all names."""
    try:
        for _, key, value in headers._list:  # noqa: SLF001
            if key == name:
                return value
    except Exception:  # noqa: BLE001 - they are a mock's, or kept in another way
        return headers.get(name.decode())
    return None


def _size_request(exchange: Exchange, request: Any, stream: Any) -> None:
    """Take the size that the request declares of its body, or have it counted while it is sent."""
    declared = request.headers.get("content-length")
    if declared is not None and declared.isdigit():
        exchange.request_bytes = int(declared)
    elif isinstance(request.stream, stream.kind):  # else the client refuses it
        request.stream = stream(request.stream, exchange, upload=True)


def _in_process(client: Any, url: Any) -> bool:
    transport = client._transport_for_url(url)  # noqa: SLF001 - mounts decide, per URL
    return any(base.__name__ in _IN_PROCESS for base in type(transport).__mro__)
