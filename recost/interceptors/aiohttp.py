"""aiohttp's client.

``ClientSession._request`` is one logical call: redirects, reconnects on a stale connection and middlewares
are inside it. Each request that it sends makes one ``ClientResponse``. The call ends when the last byte of
the body arrives. A callback on the body's stream sees that, and its finaliser sees the ends at which aiohttp
drops the callbacks unheard: a body closed early, one that fails, one that is abandoned.
"""

from __future__ import annotations

import asyncio
from types import ModuleType
from typing import Any, Callable, Final, Optional

from recost.errors import RecostBudgetExceededError
from recost.interceptors import Interception
from recost.interceptors.capture import Capture, Whole
from recost.interceptors.exchange import Exchange, current, remember

__all__ = ["instrument"]

LAYER: Final = "aiohttp"

_SCHEMES: Final = frozenset({"http", "https", "ws", "wss"})
_NOTHING_BENEATH: Final = ("", 0)
"""As an exchange's hop: aiohttp brings its own HTTP, so what other clients do meanwhile, in a middleware, is
theirs."""


def instrument(module: ModuleType, interception: Interception) -> None:
    """Patch aiohttp's client session and response."""
    calls = _Calls(module, interception)
    patches = interception.patches
    patches.replace(module.ClientSession, "_request", calls.request)
    patches.replace(module.ClientResponse, "__init__", calls.attempt)
    if not hasattr(module.StreamReader, "total_raw_bytes"):
        patches.wrap(module.http_parser.DeflateBuffer, "feed_eof", _keep_wire_size)
    if interception.metered is not None:
        patches.replace(module.StreamReader, "feed_data", _captured)


class _Calls:
    """The wrappers."""

    def __init__(self, module: ModuleType, interception: Interception) -> None:
        self._interception = interception
        self._payloads = module.payload.PAYLOAD_REGISTRY
        self._content_length = module.hdrs.CONTENT_LENGTH
        self._iterated = module.payload.AsyncIterablePayload
        self._unanswered = (
            module.ClientConnectionError,
            OSError,
            asyncio.TimeoutError,
            asyncio.CancelledError,
        )

    def request(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        begin, failed, answered = self._begin, self._failed, self._answered

        async def request(session: Any, *args: Any, **kwargs: Any) -> Any:
            exchange = begin(session, args, kwargs) if switch else None
            if exchange is None:
                return await original(session, *args, **kwargs)
            if kwargs.get("data") is not None:
                kwargs = self._count_upload(exchange, kwargs)
            outer = current.get()
            current.set(exchange)
            try:
                response = await original(session, *args, **kwargs)
            except BaseException as error:
                failed(exchange, error)
                raise
            finally:
                current.set(outer)
            answered(exchange, response)
            try:
                return response
            finally:
                del response  # a traceback may keep this frame

        return request

    def attempt(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        """Make what runs when a request has been sent: ``original`` initialises the response it will have."""
        sent = self._sent

        def attempt(response: Any, *args: Any, **kwargs: Any) -> None:
            original(response, *args, **kwargs)
            exchange = current.get()
            if exchange is not None and exchange.active and exchange.layer is LAYER and switch:
                sent(exchange, response)

        return attempt

    def _sent(self, exchange: Exchange, response: Any) -> None:
        try:
            if response.method == "CONNECT" != exchange.method:
                return  # what opens the tunnel through a proxy
            if exchange.owner is None and not exchange.request_bytes:
                exchange.request_bytes = int(response.request_info.headers.get(self._content_length, 0))
            exchange.owner = response
            exchange.attempts += 1
        except Exception as error:  # noqa: BLE001
            self._interception.report(error)

    def _begin(self, session: Any, args: Any, kwargs: Any) -> Optional[Exchange]:
        try:
            method = args[0] if args else kwargs["method"]
            given = args[1] if len(args) > 1 else kwargs["str_or_url"]
            url = session._build_url(given)  # noqa: SLF001 - with the session's base_url; parsed URLs are cached
            scheme, host, port = url.scheme, url.raw_host, url.port
            if not host or scheme not in _SCHEMES:
                return None
            method = method.upper()
        except Exception:  # noqa: BLE001 - no valid call: the client raises what it always raises
            return None
        try:
            exchange = self._interception.begin(LAYER, method, scheme, host, port, url.raw_path)
            if exchange is not None:
                exchange.hop = _NOTHING_BENEATH
                exchange.active = True
        except RecostBudgetExceededError:
            raise
        except Exception as error:  # noqa: BLE001 - the call must go on unrecorded
            self._interception.report(error)
            return None
        return exchange

    def _count_upload(self, exchange: Exchange, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Have a body counted while it is sent, where it has no length: an async iterable."""
        try:
            if hasattr(type(kwargs["data"]), "__aiter__"):
                payload = self._payloads.get(kwargs["data"], disposition=None)  # as the client will
                if type(payload) is self._iterated:
                    return {**kwargs, "data": _CountedUpload(kwargs["data"], exchange)}
                if isinstance(payload, self._iterated):  # of another kind, which the client takes as it is
                    payload._iter = _CountedIterator(payload._iter, exchange)  # noqa: SLF001
                    return {**kwargs, "data": payload}
        except Exception as error:  # noqa: BLE001
            self._interception.report(error)
        return kwargs

    def _failed(self, exchange: Exchange, error: BaseException) -> None:
        response: Any = exchange.owner
        if response is not None and response.status and not isinstance(error, self._unanswered):
            exchange.headers_received(response.status)  # raise_for_status, too many redirects
        exchange.finish()

    def _answered(self, exchange: Exchange, response: Any) -> None:
        try:
            status = response.status
            exchange.headers_received(status)
            if self._interception.remembering:
                remember(response, exchange)
            content, wanted = response.content, exchange.wanted
            if status == 101:
                pass  # a WebSocket's handshake; what follows is no HTTP
            elif not hasattr(content, "is_eof"):  # the response of a mock (vcrpy before 8), with its body
                exchange.response_bytes = len(response._body or b"")  # noqa: SLF001
            elif content.is_eof() or content.exception() is not None:
                exchange.response_bytes = _wire_bytes(content)
                if wanted is not None:
                    headers = response.headers
                    whole = Whole(wanted, headers, headers.get("content-type"), _arrived(content))
                    whole.complete = content.exception() is None
                    exchange.capture = whole
            else:
                if wanted is not None:
                    headers = response.headers
                    exchange.capture = capture = Capture(wanted, headers, headers.get("content-type"))
                    capture.feed(_arrived(content))
                    _captures[id(content)] = capture
                exchange.body_follows()
                content.on_eof(_BodyEnd(exchange, content))
                return
        except Exception as error:  # noqa: BLE001
            self._interception.report(error)
        exchange.finish()


class _BodyEnd:
    """Finishes an exchange when the body's stream calls it at its end, or lets go of it before."""

    __slots__ = ("_content", "_exchange")

    def __init__(self, exchange: Exchange, content: Any) -> None:
        self._exchange = exchange
        self._content = content

    def __call__(self) -> None:
        capture = _captures.pop(id(self._content), None)
        if capture is not None:
            capture.complete = True
        self._exchange.response_bytes = _wire_bytes(self._content)
        self._exchange.finish()

    def __del__(self) -> None:
        _captures.pop(id(self._content), None)
        if not self._exchange.finished:
            self()


_captures: Final[dict[int, Capture]] = {}
"""Of bodies that are still to arrive, by the identity of their stream, which has no room for attributes."""


def _captured(original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
    """Make what runs when decoded bytes of a body arrive, or a WebSocket's."""

    def feed_data(content: Any, data: Any, *args: Any, **kwargs: Any) -> Any:
        if switch and _captures:
            capture = _captures.get(id(content))
            if capture is not None:
                capture.feed(bytes(data))
        return original(content, data, *args, **kwargs)

    return feed_data


def _arrived(content: Any) -> bytes:
    """Return what has arrived of a body by now, decoded, and has not been read."""
    return b"".join(getattr(content, "_buffer", ()))[getattr(content, "_buffer_offset", 0) :]


class _CountedUpload:
    """An async iterable whose bytes are counted; as often iterable as what it stands for."""

    __slots__ = ("_exchange", "_iterable")

    def __init__(self, iterable: Any, exchange: Exchange) -> None:
        self._iterable = iterable
        self._exchange = exchange

    def __aiter__(self) -> _CountedIterator:
        return _CountedIterator(self._iterable.__aiter__(), self._exchange)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._iterable, name)


class _CountedIterator:
    """Counts what one round over a request's body takes."""

    __slots__ = ("_exchange", "_iterator")

    def __init__(self, iterator: Any, exchange: Exchange) -> None:
        self._iterator = iterator
        self._exchange = exchange
        exchange.request_bytes = 0

    def __aiter__(self) -> _CountedIterator:
        return self

    async def __anext__(self) -> Any:
        chunk = await self._iterator.__anext__()
        self._exchange.request_bytes += len(chunk)
        return chunk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._iterator, name)


class _Decompressed(int):
    """A count of decompressed bytes that knows what they were on the wire; aiohttp forgets before 3.13."""

    wire: int

    def __add__(self, other: int) -> int:
        total = _Decompressed(int(self) + other)
        total.wire = self.wire
        return total


def _keep_wire_size(wrapped: Callable[..., Any], buffer: Any, args: Any, kwargs: Any) -> Any:
    count = _Decompressed(buffer.out.total_bytes)
    count.wire = buffer.size
    buffer.out.total_bytes = count
    return wrapped(*args, **kwargs)


def _wire_bytes(content: Any) -> int:
    """Return how many bytes of the body have arrived, before decompression."""
    try:
        size: Any = content.total_raw_bytes
    except AttributeError:  # before 3.13, and on an empty body in some later versions
        count = getattr(content, "total_bytes", 0)
        size = getattr(count, "wire", count)
    return size if isinstance(size, int) else 0  # of a mock
