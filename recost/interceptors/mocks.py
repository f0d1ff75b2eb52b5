"""Mock libraries that respond above the client that would have recorded the call.

A mocked call is counted as the application made it. Most mocks respond beneath the patched methods, and need
nothing. The others are patched here once they are imported. They have to be known by name, because a cache
looks the same, but its responses are not calls.

responses, requests-mock   respond in place of requests' adapters, above urllib3
vcrpy                      plays back in place of http.client's connections, and of aiohttp's session
aioresponses               replaces ``ClientSession._request``
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any, Callable, Final, Optional
from urllib.parse import urlsplit

from recost.errors import RecostBudgetExceededError
from recost.interceptors._containment import contain, end
from recost.interceptors.context import current
from recost.interceptors.exchange import NOTHING_BENEATH, Exchange, begin, nowhere, unfinished
from recost.interceptors.hub import Interception
from recost.interceptors.stdlib import drives
from recost.interceptors.targets import DEFAULT_PORTS, ascii_host

__all__ = ["instrument"]


def instrument(module: ModuleType, interception: Interception) -> None:
    """Patch a mock library."""
    patches, name = interception.patches, module.__name__
    if name == "responses":
        patches.wrap(module.RequestsMock, "_on_request", _Mocked(interception, "requests").on_request)
    elif name == "requests_mock":
        patches.wrap(module.adapter.Adapter, "send", _Mocked(interception, "requests").adapter_send)
    elif name == "aioresponses":
        session = _Session(interception)
        patches.wrap(module.aioresponses, "start", session.begins)
        patches.wrap(module.aioresponses, "stop", session.ends)
    elif name == "vcr":
        # Not by attributes: a package that is imported again lacks its modules.
        cassette, stubs = (importlib.import_module(f"vcr.{part}") for part in ("cassette", "stubs"))
        session, context = _Session(interception), cassette.CassetteContextDecorator
        patches.wrap(context, "__enter__", session.begins)
        patches.wrap(context, "__exit__", session.ends)
        connection = stubs.VCRConnection
        patches.wrap(connection, "getresponse", _Mocked(interception, "http.client").getresponse)


class _Session:
    """Patches that keep aiohttp's wrapper on top of a mock that replaces the wrapped method."""

    def __init__(self, interception: Interception) -> None:
        self._patches = interception.patches

    def begins(self, wrapped: Callable[..., Any], _mock: Any, args: Any, kwargs: Any) -> Any:
        result = wrapped(*args, **kwargs)
        aiohttp = sys.modules.get("aiohttp")
        if aiohttp is not None:
            self._patches.cover(aiohttp.ClientSession, "_request")
        return result

    def ends(self, wrapped: Callable[..., Any], _mock: Any, args: Any, kwargs: Any) -> Any:
        aiohttp = sys.modules.get("aiohttp")
        if aiohttp is None:
            return wrapped(*args, **kwargs)
        self._patches.uncover(aiohttp.ClientSession, "_request")
        try:
            return wrapped(*args, **kwargs)
        finally:
            self._patches.reactivate(aiohttp.ClientSession, "_request")


class _UndecidedExchange(Exchange):
    """The current exchange while a mock decides. Notices the client that the mock passes a call on to."""

    __slots__ = ("asked",)

    def covers(self, layer: str, host: str, port: int) -> bool:  # noqa: ARG002 - the signature of the rule
        self.asked = True
        return False


class _Mocked:
    """Wrappers of a mock's methods. A call that the mock passes on is recorded by the client."""

    def __init__(self, interception: Interception, layer: str) -> None:
        self._interception = interception
        self._layer = layer

    def on_request(self, wrapped: Callable[..., Any], mock: Any, args: Any, kwargs: Any) -> Any:
        if kwargs.get("retries") is not None:  # it calls itself for a retry of the adapter
            outer = current.get()
            if isinstance(outer, _UndecidedExchange) and outer.owner is mock:
                outer.attempts += 1
            return wrapped(*args, **kwargs)
        request = args[1] if len(args) > 1 else kwargs["request"]
        return self._record(wrapped, args, kwargs, mock, request, request.url, _requests_size)

    def adapter_send(self, wrapped: Callable[..., Any], adapter: Any, args: Any, kwargs: Any) -> Any:
        request = args[0] if args else kwargs["request"]
        return self._record(wrapped, args, kwargs, adapter, request, request.url, _requests_size)

    def getresponse(self, wrapped: Callable[..., Any], connection: Any, args: Any, kwargs: Any) -> Any:
        outer = current.get()
        if outer is not None and outer.active and drives(outer, connection):  # it does not see the body
            response = wrapped(*args, **kwargs)
            outer.response_bytes = _vcr_size(response)[2]
            return response
        request = connection._vcr_request  # noqa: SLF001
        return self._record(wrapped, args, kwargs, connection, request, request.uri, _vcr_size)

    def _record(
        self,
        wrapped: Callable[..., Any],
        args: Any,
        kwargs: Any,
        mock: Any,
        request: Any,
        url: str,
        size: Callable[[Any], tuple[int, int, int]],
    ) -> Any:
        exchange = self._begin(request, url)
        if exchange is None:
            return wrapped(*args, **kwargs)
        outer = current.get()
        beneath = _UndecidedExchange()
        begin(beneath, nowhere, self._layer, NOTHING_BENEATH)
        beneath.asked, beneath.owner, beneath.attempts = False, mock, 1
        current.set(beneath)
        try:
            response = wrapped(*args, **kwargs)
        except BaseException as error:
            if beneath.asked or type(error).__name__ in _PASSED_ON:
                exchange.discard()
            raise
        else:
            if beneath.asked:
                exchange.discard()
            else:
                self._responded(exchange, response, size)
            return response
        finally:
            current.set(outer)
            exchange.attempts = beneath.attempts
            end(exchange)

    def _begin(self, request: Any, url: str) -> Optional[Exchange]:
        try:
            parts = urlsplit(url)
            port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
            if not parts.hostname or not port:
                return None
            target = parts.scheme, ascii_host(parts.hostname), port, parts.path or "/", request.method.upper()
            exchange = self._interception.begin(self._layer, target, headers=request.headers)
            if exchange is not None:
                unfinished[exchange] = None
            return exchange  # noqa: TRY300
        except RecostBudgetExceededError:
            raise
        except BaseException as error:  # noqa: BLE001 - an unusual call goes on unrecorded
            contain(error)
            return None

    def _responded(
        self, exchange: Exchange, response: Any, size: Callable[[Any], tuple[int, int, int]]
    ) -> None:
        try:
            status, exchange.request_bytes, exchange.response_bytes = size(response)
            exchange.headers_received(status)
        except BaseException as error:  # noqa: BLE001
            contain(error)


_PASSED_ON: Final = frozenset({"NoMockAddress", "_RunRealHTTP"})
"""Errors by which requests-mock's adapter passes a call on to another one, or the network."""


def _requests_size(response: Any) -> tuple[int, int, int]:
    body = response.request.body or b""
    sent = len(body.encode() if isinstance(body, str) else body) if hasattr(body, "__len__") else 0
    file: Any = getattr(response.raw, "_fp", None)
    received = len(file.getbuffer()) if hasattr(file, "getbuffer") else 0
    return response.status_code, sent, received


def _vcr_size(response: Any) -> tuple[int, int, int]:
    return response.status, 0, len(response.recorded_response["body"]["string"] or b"")
