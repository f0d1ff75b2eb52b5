"""httpx and httpx2, sync and async.

``send`` is one logical call, with its redirects and auth flows. ``_send_single_request`` is one hop, and the
only time when the transport is running. A call that an auth flow makes between hops is a call of its own.

A response that is not closed on return gets a stream that counts its bytes. The stream finishes the exchange
when it has been read, is closed or collected. It refers to the exchange, never to the response.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from types import ModuleType
from typing import Any, Callable, Final, Optional

from recost.errors import RecostBudgetExceededError
from recost.interceptors import _httpx_async_importlib_bootstrap as async_methods
from recost.interceptors import _httpx_importlib_bootstrap as methods
from recost.interceptors._httpx_streams import Streams, counting_streams
from recost.interceptors.capture import Capture, WholeCapture
from recost.interceptors.context import current
from recost.interceptors.exchange import UNLABELLED, CallTarget, Exchange, Wanted, unfinished
from recost.interceptors.hub import Interception
from recost.interceptors.request_body import RequestBody, keep_body, keep_fields
from recost.interceptors.responses import remember
from recost.interceptors.targets import DEFAULT_PORTS

__all__ = ["instrument"]

LAYER: Final = methods.LAYER

_SCHEMES: Final = frozenset({"http", "https", "ws", "wss"})
_IN_PROCESS: Final = frozenset({"ASGITransport", "WSGITransport", "_TestClientTransport"})
"""Transports that call an application in this process, so that nothing leaves it."""
_MADE_AT_ONCE: Final = frozenset({"ByteStream", "MultipartStream"})
"""Bodies that are sent without running the application's code, except for reading a file."""
_SENDING: Final = ("handle_request", "handle_async_request")
_MOST_TRANSPORTS: Final = 20
"""Transports that are followed from one to another."""


def instrument(module: ModuleType, interception: Interception) -> None:
    """Patch the clients of ``httpx`` or ``httpx2``."""
    streams, async_streams = counting_streams(module)
    client = getattr(module, "_client", None)
    sync = _Calls(interception, streams, module.HTTPTransport, getattr(client, "BoundSyncStream", None))
    asynchronous = _Calls(
        interception, async_streams, module.AsyncHTTPTransport, getattr(client, "BoundAsyncStream", None)
    )
    patches = interception.patches
    patches.replace(module.Client, "send", sync.send)
    patches.replace(module.AsyncClient, "send", asynchronous.async_send)
    patches.replace(module.Client, "_send_single_request", sync.hop)
    patches.replace(module.AsyncClient, "_send_single_request", asynchronous.async_hop)
    # A user's transport may send more than once in a hop, and SDKs use one without a client.
    patches.replace(module.HTTPTransport, "handle_request", sync.transmit)
    patches.replace(module.AsyncHTTPTransport, "handle_async_request", asynchronous.async_transmit)


class _Calls:
    """Replacements of the methods of clients and transports."""

    def __init__(
        self, interception: Interception, streams: Streams, network: type, bound: Optional[type]
    ) -> None:
        self._interception = interception
        self._stream = streams.response
        self._streams = streams
        self._network = network
        """Class of the transport that sends."""
        self._bound = bound
        """Class of the stream that the client gives each response."""
        steps = partial(methods.Steps, interception, _body_of, _whole)
        self._send = steps(self._begin, _failed, self._returned)
        self._transmit = steps(self._begin_transmission, _failed, self._transmitted)
        self._hop = steps(self._begin_hop, self._hop_failed, self._hop_returned)

    def send(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        return methods.send(original, switch, self._send, self._bound)

    def async_send(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        return async_methods.send(original, switch, self._send, self._bound)

    def transmit(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        return methods.transmit(original, switch, self._transmit)

    def async_transmit(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        return async_methods.transmit(original, switch, self._transmit)

    def hop(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        return methods.hop(original, switch, self._hop)

    def async_hop(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        return async_methods.hop(original, switch, self._hop)

    def _begin(self, client: Any, request: Any) -> Optional[Exchange]:
        if request is None:
            return None  # the client will refuse it
        try:
            target = _target(request.url, request.method)
            if not target[1] or target[0] not in _SCHEMES:
                return None  # the client will refuse it
            # A budget may ask for the key now. Else it is looked for in the hop, behind the client's auth.
            headers = None if self._interception.gate is None else _headers(request)
            exchange = self._interception.begin(LAYER, target, _body_of, request, headers)
        except RecostBudgetExceededError:
            if hasattr(client, "_transport_for_url") and _in_process(client, request.url):
                return None  # nothing leaves the process
            raise
        if exchange is not None:
            exchange.owner = client
            exchange.hop = None
            if self._interception.labels is not None:
                exchange.attempts = UNLABELLED
            try:
                # Request.content raises if the body has not been read.
                exchange.request_bytes = len(request._content)  # noqa: SLF001
            except AttributeError:
                self._size_request(exchange, request)
            unfinished[exchange] = None
        return exchange

    def _begin_transmission(self, transport: Any, request: Any) -> Optional[Exchange]:
        """Begin a call made without a client. Within a client's hop, count an attempt."""
        outer = current.get()
        if (
            outer is not None
            and outer.owner is not None
            and outer.layer is LAYER
            and (outer.hop or _in_unseen_hop(outer))
        ):
            # The target is not compared: a user's transport may lead the request elsewhere.
            if outer.sent:
                outer.attempts += 1
            outer.sent = True
            outer.active = False  # it brings its own HTTP
            return None
        exchange = self._begin(transport, request)
        if exchange is not None:
            self._label(exchange, request)
            exchange.attempts = 1
        return exchange

    def _transmitted(self, exchange: Exchange, response: Any) -> None:
        exchange.headers_received(response.status_code)
        self._returned(exchange, response)

    def _begin_hop(self, client: Any, request: Any) -> Optional[Exchange]:
        exchange = current.get()
        if exchange is None or exchange.owner is not client:
            return None
        self._label(exchange, request)
        exchange.attempts += 1
        if exchange.attempts > 1:
            # A redirect or an auth round trip: other clients must recognise this hop's target.
            exchange.hop = _target(request.url, "")
            exchange.sent = False
            exchange.status = 0
        else:
            exchange.hop = exchange.target
        exchange.active = True
        return exchange

    def _label(self, exchange: Exchange, request: Any) -> None:
        """Look for the key in the headers that are about to be sent for the first time."""
        if exchange.attempts == UNLABELLED:
            exchange.attempts = 0
            if self._interception.labels is not None:
                self._interception.labels.tag(exchange, _headers(request))

    def _hop_returned(self, exchange: Exchange, response: Any) -> None:
        exchange.active = False
        exchange.hop = None
        status = response.status_code
        if self._interception.timed or type(status) is not int:
            exchange.headers_received(status)
        else:
            exchange.status = status
        if "http_version" not in response.extensions:
            self._undo_hop(exchange, response.request.url)

    def _undo_hop(self, exchange: Exchange, url: Any) -> None:
        """Undo a hop whose response came from an application in this process, or from a cache."""
        client: Any = exchange.owner
        if _in_process(client, url):
            exchange.discard()
        elif not exchange.sent and _leads_to(client._transport_for_url(url), self._network):  # noqa: SLF001
            exchange.attempts -= 1
            if not exchange.attempts:
                exchange.discard()

    def _hop_failed(self, exchange: Exchange, error: BaseException, request: Any) -> None:  # noqa: ARG002
        exchange.active = False
        exchange.hop = None
        if _in_process(exchange.owner, request.url):
            exchange.discard()

    def _returned(self, exchange: Exchange, response: Any) -> None:
        if self._interception.remembering:
            stream: Any = response.stream
            if stream.__class__ is self._bound:
                stream._recost_exchange = exchange  # type: ignore[attr-defined]  # noqa: SLF001 - see `responses`
            else:
                remember(response, exchange)
        wanted = exchange.wanted
        if not exchange.status:  # a mock has replaced the hop (vcrpy before 8)
            exchange.headers_received(response.status_code)
        if response.is_closed:
            # A mock's response has its content, but has downloaded nothing.
            exchange.response_bytes = response.num_bytes_downloaded or len(getattr(response, "_content", b""))
            if wanted is not None:
                exchange.capture = _whole(response, wanted)
        elif exchange.status != 101 and not exchange.finished:
            if wanted is not None:
                headers = response.headers
                content_type = _header(headers, b"content-type")
                encoding = _header(headers, b"content-encoding")
                exchange.capture = Capture(wanted.headers, headers, content_type, encoding)
            if self._interception.remembering:
                remember(response, exchange)
            exchange.body_follows()
            response.stream = self._stream(response.stream, exchange)
            return
        exchange.finish()

    def _size_request(self, exchange: Exchange, request: Any) -> None:
        """Record the size that the request declares of its body, or count the body while it is sent."""
        declared = request.headers.get("content-length")
        counted = declared is None or not declared.isdigit()
        if not counted:
            exchange.request_bytes = int(declared)
        stream = request.stream
        # Also if its size is known: generating the body may make calls, which are not part of this one.
        if isinstance(stream, self._streams.kind) and (counted or type(stream).__name__ not in _MADE_AT_ONCE):
            request.stream = self._streams.upload(stream, exchange, counted=counted)


def _failed(exchange: Exchange, error: BaseException, request: Any) -> None:  # noqa: ARG001
    exchange.finish()


def _whole(response: Any, wanted: Wanted) -> WholeCapture:
    headers = response.headers
    return WholeCapture(
        wanted.headers, headers, _header(headers, b"content-type"), getattr(response, "_content", None)
    )


def _body_of(request: Any, names: Sequence[str]) -> Optional[RequestBody]:
    """Return a body that is available as a whole, or the fields of a form with files."""
    body = getattr(request, "_content", None)
    if body is not None:
        return keep_body(body, names)
    stream = request.stream
    if type(stream).__name__ != "MultipartStream":
        return None
    values: dict[str, Any] = {}
    for field in stream.fields:
        file = getattr(field, "file", None)
        if not hasattr(field, "file"):
            values[field.name] = field.value
        elif field.filename is None and isinstance(file, (str, bytes)):  # a field given as a file
            values[field.name] = file
    return keep_fields(names, values)


def _in_unseen_hop(exchange: Exchange) -> bool:
    """Return True during a hop that a mock has replaced. Else a hook or an auth flow uses the transport.

    The mock calls the method that it saw first (vcrpy before 8), which is not our wrapper.
    """
    return exchange.attempts <= 0 and _is_replaced(type(exchange.owner), "_send_single_request")


def _is_replaced(kind: type, name: str) -> bool:
    """Return True if a mock has replaced our method."""
    code = getattr(getattr(kind, name, None), "__code__", None)
    return code is not None and code.co_filename not in (methods.__file__, async_methods.__file__)


def _target(url: Any, method: str) -> CallTarget:
    """Return the target of a call from the URL's parsed fields: the properties encode."""
    try:
        parts = url._uri_reference  # noqa: SLF001 - 4 times faster than the public properties
        scheme, host, port, path = parts.scheme, parts.host, parts.port, parts.path
    except AttributeError:
        scheme, port = url.scheme, url.port
        host, path = url.raw_host.decode("ascii"), url.raw_path.decode("ascii")
    if port is None:
        port = DEFAULT_PORTS.get(scheme, 0)
    return scheme, host, port, path, method


def _header(headers: Any, name: bytes) -> Any:
    """Return a header's value from httpx's list of headers. Its ``get`` encodes all names."""
    try:
        for _, key, value in headers._list:  # noqa: SLF001
            if key == name:
                return value
    except Exception:  # noqa: BLE001 - a mock's headers, or another version's
        return headers.get(name.decode())
    return None


def _headers(request: Any) -> Any:
    """Return the headers as they are sent: pairs of bytes."""
    return getattr(request.headers, "raw", None)


def _in_process(client: Any, url: Any) -> bool:
    transport = client._transport_for_url(url)  # noqa: SLF001 - mounts decide, per URL
    return any(base.__name__ in _IN_PROCESS for base in type(transport).__mro__)


def _leads_to(transport: Any, network: type) -> bool:
    """Return True if a transport may pass requests on to the network's, which would be counted."""
    if type(transport) is network or any(map(partial(_is_replaced, network), _SENDING)):
        return False
    reached, at = [transport], 0
    while at < len(reached) < _MOST_TRANSPORTS:
        if isinstance(reached[at], network):
            return True
        held = getattr(reached[at], "__dict__", {}).values()
        reached += [value for value in held if any(hasattr(value, name) for name in _SENDING)]
        at += 1
    return False
