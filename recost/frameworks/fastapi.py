"""Integration of FastAPI, Starlette, and every other ASGI application.

    app.add_middleware(RecostMiddleware, project_id="shop")

Needs neither library: the middleware speaks ASGI itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, MutableMapping
from typing import Any, Callable, Final, Optional, overload

from recost.config import RecostConfig, resolve
from recost.frameworks import serving
from recost.frameworks.tagging import RequestTags, TagFunction, Tagging, enter, is_inside, leave
from recost.frameworks.templates import asgi_template
from recost.interceptors.context import cost_scope as current_scope
from recost.lifecycle.ends import aside

__all__ = ["RecostMiddleware"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_LAST: Final = frozenset(
    {"lifespan.startup.failed", "lifespan.shutdown.complete", "lifespan.shutdown.failed"}
)
"""Last messages of an application."""


class RecostMiddleware:
    """ASGI middleware that runs recost in each process that serves the application.

    From the lifespan's startup to its shutdown. Without a lifespan, from the first request to the end of the
    process. Several in one process share one running SDK. Requests, WebSockets and streams pass
    through untouched. Outbound calls are tagged with the route and the method of the request that they are
    made for.

    Args:
        app: The ASGI application.
        config: Settings, as for `recost.init`.
        tag_routes: Whether to tag calls with route and method.
        tags: Adds tags of your own. It is called with the request, Starlette's.
        **options: The settings by name.

    Raises:
        ValueError: A setting is not valid.
        ImportError: ``tags`` needs Starlette.
    """

    # Starlette's type for a middleware takes the application by position, and early versions pass it by name.
    @overload
    def __init__(
        self,
        app: Application,
        /,
        config: Optional[RecostConfig] = None,
        *,
        tag_routes: bool = True,
        tags: Optional[TagFunction] = None,
        **options: Any,
    ) -> None: ...

    @overload
    def __init__(
        self,
        *,
        app: Application,
        config: Optional[RecostConfig] = None,
        tag_routes: bool = True,
        tags: Optional[TagFunction] = None,
        **options: Any,
    ) -> None: ...

    def __init__(  # type: ignore[misc]  # no option is named app
        self,
        app: Application,
        config: Optional[RecostConfig] = None,
        *,
        tag_routes: bool = True,
        tags: Optional[TagFunction] = None,
        **options: Any,
    ) -> None:
        self.app = app
        self.settings = resolve(config, options)
        tagging = Tagging(tag_routes, tags)
        if tags is not None:
            _starlette_request({"type": "http", "method": "GET", "path": "/", "headers": []})
        self._tagging = tagging if tagging.active and self.settings.enabled else None
        self.epoch = -1
        """The `recost.frameworks.Serving.epoch` in which this application has taken part."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection: the interface of ASGI."""
        kind = scope.get("type")
        if kind == "lifespan":
            await _Lifespan(self, receive, send).run(scope)
            return
        if kind not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        if self.epoch != serving.epoch:
            self.epoch = serving.join(self.settings)
        outer = current_scope.get()
        if self._tagging is None or is_inside(outer, scope):
            await self.app(scope, receive, send)
            return
        token = enter(_AsgiTags(scope, self._tagging, outer), outer)
        try:
            await self.app(scope, receive, send)
        finally:
            leave(token)


class _AsgiTags(RequestTags):
    """The tags of an ASGI request, carried by its scope."""

    __slots__ = ()

    def template(self) -> Optional[str]:
        return asgi_template(self.carrier, self.tagging.known)

    def method(self) -> Optional[str]:
        method: Optional[str] = self.carrier.get("method")
        return method

    def request(self) -> Any:
        return _starlette_request(self.carrier)


def _starlette_request(scope: Scope) -> Any:
    """Return Starlette's request for a scope."""
    try:
        from starlette.requests import HTTPConnection, Request  # noqa: PLC0415 - only who uses it needs it
    except ModuleNotFoundError as error:
        if error.name != "starlette":
            raise
        raise ImportError(
            'recost: tags: needs Starlette, which is not installed: pip install "recost[fastapi]"'
        ) from error
    return Request(scope) if scope["type"] == "http" else HTTPConnection(scope)


class _Lifespan:
    """The messages of one lifespan, startup and shutdown, which are passed on unchanged."""

    def __init__(self, middleware: RecostMiddleware, receive: Receive, send: Send) -> None:
        self._middleware = middleware
        self._receive = receive
        self._send = send
        self._opened = False
        self._asked = False

    async def run(self, scope: Scope) -> None:
        """Run the application until its lifespan ends."""
        try:
            await self._converse(scope)
        except GeneratorExit:
            raise  # the event loop is gone, so nothing can be awaited. The exit of the process flushes
        except BaseException:
            await self._close()
            raise
        await self._close()

    async def _converse(self, scope: Scope) -> None:
        """Run the application, or reply in its place if it fails before it receives, as Django does.

        The server would treat that as "no lifespan" and not announce the end, while Uvicorn's end leaves
        no other chance to flush.
        """
        try:
            await self._middleware.app(scope, self.receive, self.send)
        except Exception:
            if self._asked:
                raise
        else:
            return
        for kind in ("startup", "shutdown"):
            await self.receive()
            await self.send({"type": f"lifespan.{kind}.complete"})

    async def receive(self) -> Message:
        """Pass on a message of the server. The SDK starts before the application receives the startup."""
        self._asked = True
        message = await self._receive()
        if message.get("type") == "lifespan.startup" and not self._opened:
            self._opened = True
            self._middleware.epoch = serving.open(self, self._middleware.settings)
        return message

    async def send(self, message: Message) -> None:
        """Pass on a message of the application. The SDK ends before the server receives the end."""
        if message.get("type") in _LAST:
            await self._close()
        await self._send(message)

    async def _close(self) -> None:
        """End the SDK on another thread: the last flush may take ``shutdown_flush_timeout_ms``."""
        if not self._opened:
            return
        self._opened = False
        await aside(lambda: serving.close(self))
