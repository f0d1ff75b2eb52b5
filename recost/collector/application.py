"""The routes of the cloud API, ``/health`` and ``/metrics``, as an ASGI application.

A POST is checked in this order: key, project, type, rate, size, content. What is refused early is not read.
A response never repeats what was sent. Errors are ``{"error": …}``.
"""

from __future__ import annotations

import asyncio
import math
import sys
import traceback
import uuid
from collections.abc import Awaitable
from typing import Any, Callable, Final, Optional

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recost._version import __version__
from recost.analytics.databases.url import DatabaseError
from recost.collector.bodies import Bodies, MemoryFullError
from recost.collector.keys import Key, KeyFileError, Keys
from recost.collector.limits import HourlyLimit
from recost.collector.metrics import CONTENT_TYPE, Counters
from recost.collector.reading import INTERVALS, MAX_RECENT, Period, Reader, TooSlowError
from recost.collector.stores.base import Store, StoreError
from recost.collector.windows import InvalidWindowError, Window, read_window
from recost.wire import parse_time

__all__ = ["application"]

_NO_STORE: Final = {"Cache-Control": "no-store"}
_LONG: Final = 256 << 10
"""Bytes of a body that is parsed in another thread, so that others don't wait for it."""
_BUSY_AFTER_S: Final = 1
_KEYS_AFTER_S: Final = 10


def application(
    store: Store,
    keys: Keys,
    reader: Reader,
    *,
    open_metrics: bool = False,
    counters: Optional[Counters] = None,
) -> ASGIApp:
    """Return the ASGI application.

    Args:
        store: Receives the windows.
        keys: The valid keys.
        reader: What ``recent`` and ``analytics`` read.
        open_metrics: Whether ``/metrics`` needs no key.
        counters: For tests.
    """
    api = _Api(store, keys, reader, counters or Counters(), open_metrics=open_metrics)
    routes = [
        Route("/projects/{project}/telemetry", api.post, methods=["POST"]),
        Route("/projects/{project}/telemetry/recent", api.recent, methods=["GET"]),
        Route("/projects/{project}/analytics", api.analytics, methods=["GET"]),
        Route("/health", api.health, methods=["GET"]),
        Route("/metrics", api.metrics, methods=["GET"]),
    ]
    handlers: dict[Any, Callable[[Request, Any], Awaitable[Response]]] = {
        HTTPException: _routed,
        _RefusedError: _refused,
    }
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return _Identified(app)


class _RefusedError(Exception):
    """A request that gets an error as its response."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class _Api:
    def __init__(
        self, store: Store, keys: Keys, reader: Reader, counters: Counters, *, open_metrics: bool
    ) -> None:
        self._store = store
        self._keys = keys
        self._reader = reader
        self._counters = counters
        self._open_metrics = open_metrics
        self._bodies = Bodies()
        self._limits: dict[str, HourlyLimit] = {}
        self._reading = asyncio.Semaphore(1)

    async def post(self, request: Request) -> Response:
        """Store a window."""
        key = self._admitted(request)
        try:
            window = await self._window(request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        try:
            new = await asyncio.wrap_future(self._store.add(key.project, window))
        except StoreError as error:
            self._counters.refused("store")
            raise _unavailable(str(error), error.retry_after_s) from None
        if new:
            self._counters.accepted(size=len(window.line), rows=window.metrics, calls=window.calls)
        else:
            self._counters.repeated()
        window_id = uuid.uuid4() if window.id is None else uuid.UUID(bytes=window.id)
        headers = {**_NO_STORE, "RateLimit-Policy": f'"key";q={key.posts_per_hour};w=3600'}
        return JSONResponse({"status": "accepted", "windowId": str(window_id)}, 202, headers=headers)

    def _admitted(self, request: Request) -> Key:
        """Return the key of a POST.

        Raises:
            _RefusedError: It is missing, for another project, or has reached its limit.
        """
        try:
            key = self._known(request, request.path_params["project"])
        except _RefusedError as refusal:
            self._counters.refused({401: "key", 404: "project"}.get(refusal.status, "store"))
            raise
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            self._counters.refused("type")
            raise _RefusedError(400, "invalid Content-Type: expected application/json")
        limit = self._limits.get(key.id)
        if limit is None or limit.most != key.posts_per_hour:
            limit = self._limits[key.id] = HourlyLimit(key.posts_per_hour)
        wait_s = limit.admit()
        if wait_s:
            self._counters.refused("rate")
            message = f"too many requests: expected at most {limit.most} an hour"
            raise _RefusedError(429, message, Retry_After=str(math.ceil(wait_s)))
        return key

    async def _window(self, request: Request) -> Window:
        """Return the window of a request.

        Raises:
            _RefusedError: It is not valid, or the memory for bodies is full.
            ClientDisconnect: The client has gone.
        """
        coding = request.headers.get("content-encoding", "")
        try:
            body = await self._bodies.read(request)
        except InvalidWindowError as error:
            raise self._invalid(error) from None
        except MemoryFullError:
            self._counters.refused("memory")
            raise _unavailable("too many requests at once", _BUSY_AFTER_S) from None
        try:
            if len(body) > _LONG or coding:
                return await run_in_threadpool(read_window, bytes(body), coding)
            return read_window(bytes(body))
        except InvalidWindowError as error:
            raise self._invalid(error) from None
        finally:
            self._bodies.release(body)

    def _invalid(self, error: InvalidWindowError) -> _RefusedError:
        self._counters.refused(error.reason)
        return _RefusedError(error.status, str(error))

    def _known(self, request: Request, project: Optional[str] = None) -> Key:
        """Return the key of a request.

        Raises:
            _RefusedError: It is missing, unknown, or for another project.
        """
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        try:
            key = self._keys.find(text.strip()) if scheme.lower() == "bearer" else None
        except KeyFileError:
            raise _unavailable("keys cannot be read", _KEYS_AFTER_S) from None
        if key is None:
            raise _RefusedError(401, "unknown key", WWW_Authenticate="Bearer")
        if project not in (None, key.project):
            raise _RefusedError(404, "unknown project, or another key's")
        return key

    async def recent(self, request: Request) -> Response:
        """Return the latest windows of a project."""
        key = self._known(request, request.path_params["project"])
        text = request.query_params.get("limit", "20")
        limit = int(text) if text.isdecimal() and text.isascii() and len(text) < 4 else 0
        if not 1 <= limit <= MAX_RECENT:
            raise _RefusedError(422, f"invalid limit: expected 1 to {MAX_RECENT}")
        environment = request.query_params.get("environment")
        lines = await self._read(self._reader.recent, key.project, limit, environment)
        body = b'{"data":[' + b",".join(lines) + b"]}"
        return Response(body, media_type="application/json", headers=_NO_STORE)

    async def analytics(self, request: Request) -> Response:
        """Return sums by day or by window."""
        key = self._known(request, request.path_params["project"])
        asked = request.query_params
        interval = asked.get("interval", "day")
        if interval not in INTERVALS:
            raise _RefusedError(422, f"invalid interval: expected {' or '.join(INTERVALS)}")
        try:
            since, until = (parse_time(asked[name]) if asked.get(name) else None for name in ("from", "to"))
        except ValueError:
            raise _RefusedError(422, "invalid time: expected 2026-05-14T12:00:00Z") from None
        period = Period(since, until, asked.get("environment"), asked.get("provider"))
        sums = await self._read(self._reader.analytics, key.project, interval, period)
        return JSONResponse({"data": sums}, headers=_NO_STORE)

    async def _read(self, read: Callable[..., Any], *arguments: object) -> Any:
        """Return what a function reads from the store, one at a time.

        Raises:
            _RefusedError: It failed, or takes too long.
        """
        async with self._reading:
            try:
                return await run_in_threadpool(read, *arguments)
            except TooSlowError:
                raise _RefusedError(422, "too much to read: choose a shorter period") from None
            except (OSError, DatabaseError):
                raise _unavailable("the store cannot be read", _KEYS_AFTER_S) from None

    async def health(self, _request: Request) -> Response:
        """Return whether windows are stored."""
        problem = self._store.problem()
        content = {"status": "ok" if problem is None else "failing", "version": __version__}
        return JSONResponse(content, 200 if problem is None else 503, headers=_NO_STORE)

    async def metrics(self, request: Request) -> Response:
        """Return the counters."""
        if not self._open_metrics:
            self._known(request)
        storing = 1 if self._store.problem() is None else 0
        text = self._counters.text({"storing": ("1 if windows are stored, 0 if they are refused.", storing)})
        return Response(text, headers={**_NO_STORE, "Content-Type": CONTENT_TYPE})


def _unavailable(message: str, retry_after_s: int) -> _RefusedError:
    return _RefusedError(503, message, Retry_After=str(retry_after_s))


async def _refused(_request: Request, error: Any) -> Response:
    return JSONResponse({"error": str(error)}, error.status, headers={**error.headers, **_NO_STORE})


async def _routed(_request: Request, error: Any) -> Response:
    """Return the response for an unknown path or method."""
    headers = {**(error.headers or {}), **_NO_STORE}
    message = "unknown path" if error.status_code == 404 else "invalid method"
    return JSONResponse({"error": message}, error.status_code, headers=headers)


class _Identified:
    """ASGI middleware that gives every response an ``x-request-id``, and contains failures."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        started = False

        async def identified(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)["x-request-id"] = str(uuid.uuid4())
            await send(message)

        try:
            await self._app(scope, receive, identified)
        except Exception:  # noqa: BLE001 - reported, and the client sends its window again
            traceback.print_exc(file=sys.stderr)
            if not started:
                response = PlainTextResponse("internal error\n", 500, headers=_NO_STORE)
                await response(scope, receive, identified)
