"""aiohttp's client.

``ClientSession._request`` is one logical call, with its redirects, reconnects and middlewares. Each request
that it sends makes one ``ClientResponse``. The call ends when the last byte of the body arrives, which a
callback on the body's stream sees. aiohttp drops its callbacks if a body is closed early, fails or is
abandoned. The callback's finaliser sees that.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Callable, Final, Optional

from recost.interceptors import _aiohttp_importlib_bootstrap as methods
from recost.interceptors._aiohttp_importlib_bootstrap import LAYER
from recost.interceptors._calls_importlib_bootstrap import before, feeding
from recost.interceptors._containment import contain
from recost.interceptors.capture import Capture, WholeCapture
from recost.interceptors.exchange import (
    NOTHING_BENEATH,
    UNLABELLED,
    CallTarget,
    Exchange,
    Wanted,
    unfinished,
)
from recost.interceptors.hub import Interception
from recost.interceptors.request_body import RequestBody, keep_body, keep_fields
from recost.interceptors.responses import remember
from recost.interceptors.targets import LONGEST_HOST, LONGEST_METHOD, shortened

__all__ = ["instrument"]

_SCHEMES: Final = frozenset({"http", "https", "ws", "wss"})

_TARGETS: Final = 256
"""Targets that are remembered by URL and method."""


def instrument(module: ModuleType, interception: Interception) -> None:
    """Patch aiohttp's client session and response."""
    calls = _Calls(module, interception)
    patches = interception.patches
    patches.replace(module.ClientSession, "_request", calls.request)
    patches.replace(module.ClientResponse, "__init__", calls.attempt)
    if not hasattr(module.StreamReader, "total_raw_bytes"):
        patches.replace(module.http_parser.DeflateBuffer, "feed_eof", _keeping_wire_size)
    if interception.metered is not None:
        patches.replace(module.StreamReader, "feed_data", _captured)


class _Calls:
    """Replacements of the methods of sessions and responses."""

    def __init__(self, module: ModuleType, interception: Interception) -> None:
        self._interception = interception
        self._session = module.ClientSession
        self._stream = module.StreamReader
        url_class = module.client.URL

        @functools.lru_cache(maxsize=_TARGETS)
        def target_of(url: str, method: str) -> Optional[CallTarget]:
            return _target(url_class(url), method)

        self._target_of = target_of
        self._steps = methods.Steps(
            interception,
            self._body_of,
            self._begin,
            self._failed,
            self._returned,
            self._sent,
            target_of,
            _note_decoding,
            self._capture,
        )
        self._payloads = module.payload.PAYLOAD_REGISTRY
        self._content_length = module.hdrs.CONTENT_LENGTH
        self._content_type = module.hdrs.CONTENT_TYPE
        self._content_encoding = module.hdrs.CONTENT_ENCODING
        self._decoded = _codings(module)
        self._iterated = module.payload.AsyncIterablePayload
        self._bytes = module.payload.BytesPayload
        self._form = module.FormData
        self._unanswered = (
            module.ClientConnectionError,
            OSError,
            asyncio.TimeoutError,
            asyncio.CancelledError,
        )

    def request(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        reader = self._stream if hasattr(self._stream, "total_raw_bytes") else None
        return methods.request(original, switch, self._steps, self._session, reader)

    def attempt(self, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
        """Replace a response's initialiser, which runs when the request has been sent."""
        return methods.initialise_response(original, switch, self._steps, self._content_length)

    def _sent(self, exchange: Exchange, response: Any) -> None:
        if exchange.layer is not LAYER or response.method == "CONNECT" != exchange.method:
            return  # another client's, or opens the tunnel through a proxy
        if exchange.owner is None and not exchange.request_bytes:
            exchange.request_bytes = int(response.request_info.headers.get(self._content_length, 0))
        if exchange.attempts == UNLABELLED:
            exchange.attempts = 0
            if self._interception.labels is not None:
                self._interception.labels.tag(exchange, response.request_info.headers)
        exchange.owner = response
        exchange.attempts += 1

    def _begin(self, session: Any, method: Any, given: Any, kwargs: dict[str, Any]) -> Optional[Exchange]:
        try:
            if type(given) is str and type(session) is self._session and not session._base_url:  # noqa: SLF001
                target = self._target_of(given, method)
            else:
                target = _target(session._build_url(given), method)  # noqa: SLF001 - adds the base_url
        except Exception:  # noqa: BLE001 - an invalid call: the client raises its own error
            return None
        if target is None:
            return None
        labels = self._interception.labels
        headers = None if labels is None else _headers(session, kwargs.get("headers"))
        exchange = self._interception.begin(LAYER, target, self._body_of, kwargs, headers)
        if exchange is not None:
            if labels is not None and not labels.tag(exchange, None):
                exchange.attempts = UNLABELLED  # the client may add it: auth, netrc, middlewares
            exchange.hop = NOTHING_BENEATH  # it brings its own HTTP
            exchange.active = True
            data = kwargs.get("data")
            if data is not None and type(data) is not bytes:
                kwargs["data"] = self._count_upload(exchange, data)
            if exchange.wanted is not None:
                _note_decoding(exchange, session, kwargs)
            unfinished[exchange] = None
        return exchange

    def _body_of(self, kwargs: Any, names: Sequence[str]) -> Optional[RequestBody]:
        """Return a body that is available: as it is sent, or as its fields."""
        given = kwargs.get("json")
        if given is not None:
            return keep_fields(names, given) if isinstance(given, dict) else None
        data = kwargs.get("data")
        if isinstance(data, self._bytes):  # also of JSON
            return keep_body(data._value, names)  # noqa: SLF001
        if isinstance(data, self._form):
            texts = {kind["name"]: value for kind, _, value in data._fields if "filename" not in kind}
            return keep_fields(names, texts)
        return keep_fields(names, data) if isinstance(data, dict) else keep_body(data, names)

    def _count_upload(self, exchange: Exchange, data: Any) -> Any:
        """Return a body that is counted while it is sent if it has no length: an async iterable."""
        if hasattr(type(data), "__aiter__"):
            payload = self._payloads.get(data, disposition=None)  # as the client will
            if type(payload) is self._iterated:
                return _CountedUpload(data, exchange)
            if isinstance(payload, self._iterated):  # another kind, which the client takes as it is
                payload._iter = _CountedIterator(payload._iter, exchange)  # noqa: SLF001
                return payload
        return data

    def _failed(self, exchange: Exchange, error: BaseException) -> None:
        response: Any = exchange.owner
        if response is not None and response.status and not isinstance(error, self._unanswered):
            exchange.headers_received(response.status)  # raise_for_status, too many redirects
        exchange.finish()

    def _returned(self, exchange: Exchange, response: Any) -> None:
        status = response.status
        exchange.headers_received(status)
        if self._interception.remembering:
            remember(response, exchange)
        content, wanted = response.content, exchange.wanted
        if status == 101:
            pass  # a WebSocket's handshake: what follows is not HTTP
        elif not hasattr(content, "is_eof"):  # the response of a mock (vcrpy before 8), with its body
            exchange.response_bytes = len(response._body or b"")  # noqa: SLF001
        else:
            ended = content.is_eof() or content.exception() is not None
            exchange.response_bytes = _wire_bytes(content) if ended else 0
            if wanted is not None:
                self._capture(exchange, response, content, wanted, ended=ended)
            if not ended:
                exchange.body_follows()
                content.on_eof(_BodyEnd(exchange, content))
                return
        exchange.finish()

    def _capture(
        self, exchange: Exchange, response: Any, content: Any, wanted: Wanted, *, ended: bool = True
    ) -> None:
        """Capture a body, or what has arrived of it."""
        headers = response.headers
        kind, encoding = headers.get(self._content_type), headers.get(self._content_encoding)
        if encoding is not None and self._decodes(exchange, encoding):
            encoding = None
        buffer = getattr(content, "_buffer", None)  # has no public name
        arrived = b"".join(buffer)[content._buffer_offset :] if buffer else b""  # noqa: SLF001
        capture: Any
        if ended and encoding is None:
            capture = WholeCapture(wanted.headers, headers, kind, arrived)
        else:
            capture = Capture(wanted.headers, headers, kind, encoding)
            if arrived:
                capture.feed(arrived)
        exchange.capture = capture
        if ended:
            capture.complete = getattr(content, "_exception", None) is None
        else:
            _captures[id(content)] = capture

    def _decodes(self, exchange: Exchange, encoding: str) -> bool:
        """Return True if aiohttp decodes a body of this coding."""
        return not getattr(exchange, "undecoded", False) and encoding.lower() in self._decoded


def _target(url: Any, method: str) -> Optional[CallTarget]:
    """Return the target of a call, or None if it is not one over HTTP."""
    scheme, host = url.scheme, url.raw_host
    if not host or scheme not in _SCHEMES:
        return None
    target = scheme, host, url.port, url.raw_path, method.upper()
    long = len(target[3]) > LONGEST_HOST or len(host) > LONGEST_HOST or len(method) > LONGEST_METHOD
    return shortened(target) if long else target


def _headers(session: Any, given: Any) -> Any:
    """Return the headers of a call, as the client merges them. An iterator could be read only once."""
    try:
        return session._prepare_headers(given) if given is None or hasattr(given, "keys") else None  # noqa: SLF001
    except Exception:  # noqa: BLE001 - invalid headers: the client raises its own error
        return None


def _note_decoding(exchange: Exchange, session: Any, kwargs: dict[str, Any]) -> None:
    """Note that the call, or else its session, doesn't decode bodies."""
    if "auto_decompress" in kwargs or not getattr(session, "_auto_decompress", True):
        decoded = kwargs.get("auto_decompress")
        exchange.undecoded = not (getattr(session, "_auto_decompress", True) if decoded is None else decoded)


def _codings(module: ModuleType) -> frozenset[str]:
    """Return the codings that this version decodes. It returns other bodies encoded."""
    codings = {"gzip", "deflate", "br"}
    if hasattr(module.http_parser, "HAS_ZSTD"):
        codings.add("zstd")
    return frozenset(codings)


class _BodyEnd:
    """Callback of a body's stream that finishes the exchange, also when it is dropped uncalled."""

    __slots__ = ("_content", "_exchange")

    def __init__(self, exchange: Exchange, content: Any) -> None:
        self._exchange = exchange
        self._content = content

    def __call__(self) -> None:
        try:
            self._ended(complete=True)
        except BaseException as error:  # noqa: BLE001 - contain() raises what is not ours
            contain(error)

    def __del__(self) -> None:
        try:
            self._ended(complete=False)
        except BaseException as error:  # noqa: BLE001
            contain(error)

    def _ended(self, *, complete: bool) -> None:
        capture = _captures.pop(id(self._content), None)
        if self._exchange.finished:
            return
        if capture is not None and complete:
            capture.complete = True
        self._exchange.response_bytes = _wire_bytes(self._content)
        self._exchange.finish()


_captures: Final[dict[int, Capture]] = {}
"""Captures of bodies that are arriving, by the identity of their stream, which allows no attributes."""


def _captured(original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
    """Replace the method that receives decoded bytes of a body, or of a WebSocket."""
    return feeding(original, switch, _captures)


class _CountedUpload:
    """An async iterable whose bytes are counted, and that can be iterated as often as the original."""

    __slots__ = ("_exchange", "_iterable")

    def __init__(self, iterable: Any, exchange: Exchange) -> None:
        self._iterable = iterable
        self._exchange = exchange

    def __aiter__(self) -> Any:
        iterator = self._iterable.__aiter__()
        try:
            return _CountedIterator(iterator, self._exchange)
        except BaseException as error:  # noqa: BLE001
            contain(error)
            return iterator

    def __getattr__(self, name: str) -> Any:
        return getattr(self._iterable, name)


class _CountedIterator:
    """Iterator over a request's body that counts its bytes."""

    __slots__ = ("_exchange", "_iterator")

    def __init__(self, iterator: Any, exchange: Exchange) -> None:
        self._iterator = iterator
        self._exchange = exchange
        exchange.request_bytes = 0

    def __aiter__(self) -> _CountedIterator:
        return self

    async def __anext__(self) -> Any:
        chunk = await self._iterator.__anext__()
        try:
            self._exchange.request_bytes += len(chunk)
        except BaseException as error:  # noqa: BLE001 - an invalid piece: the client raises its own error
            contain(error)
        return chunk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._iterator, name)


class _Decompressed(int):
    """A count of decompressed bytes that knows their size on the wire, which aiohttp before 3.13 forgets."""

    wire: int

    def __add__(self, other: int) -> int:
        total = _Decompressed(int(self) + other)
        total.wire = self.wire
        return total


def _keeping_wire_size(original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
    """Replace the method that ends a compressed body."""
    return before(original, switch, _keep_wire_size)


def _keep_wire_size(buffer: Any, _args: Any) -> None:
    count = _Decompressed(buffer.out.total_bytes)
    count.wire = buffer.size
    buffer.out.total_bytes = count


def _wire_bytes(content: Any) -> int:
    """Return the bytes of the body that have arrived, before decompression."""
    try:
        size: Any = content.total_raw_bytes
    except AttributeError:  # before 3.13, and on an empty body in some later versions
        count = getattr(content, "total_bytes", 0)
        size = getattr(count, "wire", count)
    return size if isinstance(size, int) else 0  # a mock
