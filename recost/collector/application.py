"""The routes of the cloud API, ``/health`` and ``/metrics``, as an ASGI application.

A response never repeats what was sent. Errors are ``{"error": …}``.
"""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import sys
import traceback
import uuid
from collections.abc import Awaitable
from typing import Any, Callable, Final, Optional

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recost._version import __version__
from recost.analytics.databases.url import DatabaseError
from recost.collector.keys import Key, Keys
from recost.collector.metrics import CONTENT_TYPE, Counters, spend_text
from recost.collector.posts import Posts, project_of
from recost.collector.reading import INTERVALS, MAX_RECENT, Reader, TooSlowError, WindowFilter
from recost.collector.refusals import NO_STORE, RefusedError, known_key, unavailable
from recost.collector.spend import Spend
from recost.collector.stores.base import Store
from recost.wire import parse_time

__all__ = ["application"]

_READ_AFTER_S: Final = 10
_API: Final = ("/projects", "/health", "/metrics")


def application(
    store: Store,
    keys: Keys,
    reader: Reader,
    spend: Spend,
    *,
    page: Optional[ASGIApp] = None,
    open_metrics: bool = False,
) -> ASGIApp:
    """Return the ASGI application.

    Args:
        store: Receives the windows.
        keys: The valid keys.
        reader: What ``recent`` and ``analytics`` read.
        spend: What the stored windows add up to.
        page: The application of every path that is not a route of the API.
        open_metrics: Whether ``/metrics`` needs no key from this machine.
    """
    counters = Counters()
    api = _Api(store, keys, reader, spend, counters, open_metrics=open_metrics)
    routes = [
        Route("/projects/{project}/telemetry/recent", api.recent, methods=["GET"]),
        Route("/projects/{project}/telemetry", _post_only, methods=["POST"]),
        Route("/projects/{project}/analytics", api.analytics, methods=["GET"]),
        Route("/health", api.health, methods=["GET"]),
        Route("/metrics", api.metrics, methods=["GET"]),
    ]
    handlers: dict[Any, Callable[[Request, Any], Awaitable[Response]]] = {
        HTTPException: _routed,
        RefusedError: _refused,
    }
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return _Application(app, Posts(store, keys, counters), page)


class _Api:
    def __init__(
        self,
        store: Store,
        keys: Keys,
        reader: Reader,
        spend: Spend,
        counters: Counters,
        *,
        open_metrics: bool,
    ) -> None:
        self._store = store
        self._keys = keys
        self._reader = reader
        self._spend = spend
        self._counters = counters
        self._open_metrics = open_metrics
        self._reading = asyncio.Semaphore(1)

    def _known(self, request: Request) -> Key:
        """Return the key of a request, which must be of the project in its path.

        Raises:
            RefusedError: It is not.
        """
        project = request.path_params.get("project")
        return known_key(self._keys, request.headers.get("authorization", ""), project)

    async def recent(self, request: Request) -> Response:
        """Return the latest windows of a project."""
        key = self._known(request)
        text = request.query_params.get("limit", "20")
        limit = int(text) if text.isdecimal() and text.isascii() and len(text) < 4 else 0
        if not 1 <= limit <= MAX_RECENT:
            raise RefusedError(422, f"invalid limit: expected 1 to {MAX_RECENT}")
        environment = request.query_params.get("environment")
        lines = await self._read(self._reader.recent, key.project, limit, environment)
        body = b'{"data":[' + b",".join(lines) + b"]}"
        return Response(body, media_type="application/json", headers=NO_STORE)

    async def analytics(self, request: Request) -> Response:
        """Return sums by day or by window."""
        key = self._known(request)
        asked = request.query_params
        interval = asked.get("interval", "day")
        if interval not in INTERVALS:
            raise RefusedError(422, f"invalid interval: expected {' or '.join(INTERVALS)}")
        try:
            since, until = (parse_time(asked[name]) if asked.get(name) else None for name in ("from", "to"))
        except ValueError:
            raise RefusedError(422, "invalid time: expected 2026-05-14T12:00:00Z") from None
        period = WindowFilter(since, until, asked.get("environment"), asked.get("provider"))
        sums = await self._read(self._reader.analytics, key.project, interval, period)
        return JSONResponse({"data": sums}, headers=NO_STORE)

    async def _read(self, read: Callable[..., Any], *arguments: object) -> Any:
        """Return what a function reads from the store, one at a time.

        Raises:
            RefusedError: It failed, or takes too long.
        """
        async with self._reading:
            try:
                return await run_in_threadpool(read, *arguments)
            except TooSlowError:
                raise RefusedError(422, "too much to read: choose a shorter period") from None
            except (OSError, DatabaseError):
                raise unavailable("the store cannot be read", _READ_AFTER_S) from None

    async def health(self, _request: Request) -> Response:
        """Return True if windows are stored."""
        problem = self._store.problem()
        content = {"status": "ok" if problem is None else "failing", "version": __version__}
        return JSONResponse(content, 200 if problem is None else 503, headers=NO_STORE)

    async def metrics(self, request: Request) -> Response:
        """Return figures for Prometheus: all of them, or those of one project for its key."""
        project = None
        if not (self._open_metrics and is_local(request.headers.get("host", ""))):
            key = self._known(request)
            project = None if key.metrics else key.project
        packed = "gzip" in request.headers.get("accept-encoding", "")
        body = await run_in_threadpool(self._exposition, project, packed=packed)
        headers = {**NO_STORE, "content-type": CONTENT_TYPE, "vary": "accept-encoding"}
        return Response(body, headers={**headers, "content-encoding": "gzip"} if packed else headers)

    def _exposition(self, project: Optional[str], *, packed: bool) -> bytes:
        text = spend_text(self._spend, project)
        if project is None:
            storing = 1 if self._store.problem() is None else 0
            text += self._counters.text(
                {
                    "storing": ("1 if windows are stored, 0 if they are refused.", storing),
                    "series": ("Series of windows, of all names.", len(self._spend)),
                    "series_limit": ("The most series. Beyond it they are labelled other.", self._spend.most),
                }
            )
        body = text.encode("utf-8", "replace")
        return gzip.compress(body, 1, mtime=0) if packed else body


def is_local(host: str) -> bool:
    """Return True if a Host header is an address of this machine: a page of another name is not let in."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


async def _post_only(_request: Request) -> Response:
    """Take the place of `Posts`, so that other methods get 405."""
    raise AssertionError("unreachable")


async def _refused(_request: Request, error: Any) -> Response:
    return JSONResponse({"error": str(error)}, error.status, headers={**error.headers, **NO_STORE})


async def _routed(_request: Request, error: Any) -> Response:
    """Return the response for an unknown path or method."""
    headers = {**(error.headers or {}), **NO_STORE}
    message = "unknown path" if error.status_code == 404 else "invalid method"
    return JSONResponse({"error": message}, error.status_code, headers=headers)


class _Application:
    """The ASGI application: POSTs of windows, the other routes, and the page. It contains failures.

    Every response has an ``x-request-id``.
    """

    def __init__(self, app: ASGIApp, posts: Posts, page: Optional[ASGIApp]) -> None:
        self._app = app
        self._page = page
        self._posts = posts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        started = False

        async def identified(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], (b"x-request-id", str(uuid.uuid4()).encode())]
            await send(message)

        project = project_of(scope)
        try:
            if project is None:
                of_api = scope["path"].startswith(_API)
                await (self._app if of_api or self._page is None else self._page)(scope, receive, identified)
                return
            status, headers, body = await self._posts.respond(project, scope, receive)
            await identified({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        except Exception:  # noqa: BLE001 - reported, and the client sends its window again
            traceback.print_exc(file=sys.stderr)
            if not started:
                response = PlainTextResponse("internal error\n", 500, headers=NO_STORE)
                await response(scope, receive, identified)
