"""Integration of Flask.

    RecostExtension(app, project_id="shop")

or, with an application factory, ``recost = RecostExtension()`` and ``recost.init_app(app)``.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final, Optional

from recost.config import RecostConfig, Settings, explicit, overlay, resolve, variable
from recost.frameworks import serving
from recost.frameworks.tagging import RequestTags, TagFunction, Tagging, enter, is_inside, leave
from recost.interceptors.context import CostScope, LateCostScope
from recost.interceptors.context import cost_scope as current_scope
from recost.lifecycle import RecostHandle, current_handle

try:
    from click import Group, get_current_context
    from flask import Flask, Request, request
    from flask.cli import ScriptInfo
except ModuleNotFoundError as error:  # importing this module without Flask is valid, using it is not
    if error.name != "flask":
        raise
    _IS_INSTALLED = False
else:
    _IS_INSTALLED = True

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["ReCost", "RecostExtension"]

_MAX_WRAPPED: Final = 20


class RecostExtension:
    """Flask extension that runs recost in each serving process, from its first request on.

    So neither the parent of Gunicorn's workers nor the one of Werkzeug's reloader runs it. A command of the
    application (``flask nightly``) is recorded as well. Several applications in one process share one running
    SDK, which flushes when the process ends. Settings not given here are looked for in ``app.config``
    (``RECOST_PROJECT_ID`` …), then in the environment. Outbound calls are tagged with the rule and the method
    of the request that they are made for.

    Args:
        app: The application (default: None, for the factory pattern).
        config: Settings, as for `recost.init`, for every application.
        tag_routes: Whether to tag calls with route and method.
        tags: Adds tags of your own. It is called with the request, Flask's.
        **options: The settings by name.

    Raises:
        ValueError: A setting is not valid.
        ImportError: Flask is not installed.
    """

    def __init__(
        self,
        app: Optional[Flask] = None,
        config: Optional[RecostConfig] = None,
        *,
        tag_routes: bool = True,
        tags: Optional[TagFunction] = None,
        **options: Any,
    ) -> None:
        if not _IS_INSTALLED:
            raise ImportError(
                'recost.frameworks.flask needs Flask, which is not installed: pip install "recost[flask]"'
            )
        self._given = explicit(config, options)
        self._tagging = Tagging(tag_routes, tags)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask, config: Optional[RecostConfig] = None, **options: Any) -> None:
        """Prepare an application. Settings given here override those of the extension.

        Raises:
            ValueError: A setting is not valid.
        """
        in_app = {setting.name: app.config.get(variable(setting.name)) for setting in fields(RecostConfig)}
        settings = resolve(None, overlay(in_app, self._given, explicit(config, options)))
        # Around the application, so that it comes before every hook that could make a call.
        tagging = self._tagging if self._tagging.active and settings.enabled else None
        app.wsgi_app = _Starter(app.wsgi_app, settings, tagging)  # type: ignore[method-assign]
        if tagging is not None:
            # Before all other hooks, which may make calls. Registering would put it last.
            app.before_request_funcs.setdefault(None, []).insert(0, _note_request)
        _start_for_commands(app, settings)
        if _is_in_a_command():
            serving.join(settings)
        app.extensions["recost"] = self

    @property
    def handle(self) -> Optional[RecostHandle]:
        """The running SDK of this process, or None before the first request."""
        return current_handle()


def _start_for_commands(app: Flask, settings: Settings) -> None:
    """Start the SDK when a command of the application is looked up, which Flask's own (``run``) are not.

    Listing the commands starts it as well, without effect because no call is made.
    """
    get_command = app.cli.get_command

    def start_and_get(ctx: Any, cmd_name: str) -> Any:
        command = get_command(ctx, cmd_name)
        if command is not None and not ctx.resilient_parsing:
            serving.join(settings)
        return command

    app.cli.get_command = start_and_get  # type: ignore[method-assign]


def _is_in_a_command() -> bool:
    """Return True if the application is being made for a command that a `FlaskGroup` has found itself."""
    context = get_current_context(silent=True)
    if context is None or context.find_object(ScriptInfo) is None or isinstance(context.command, Group):
        return False
    return getattr(context.command.callback, "__module__", None) != ScriptInfo.__module__


class _Starter:
    """WSGI middleware that starts the SDK at a process's first request, and tags each request's calls."""

    def __init__(self, wsgi_app: WSGIApplication, settings: Settings, tagging: Optional[Tagging]) -> None:
        self._wsgi_app = wsgi_app
        self._settings = settings
        self._tagging = tagging
        self._epoch = -1

    @property
    def app(self) -> WSGIApplication:
        """The wrapped application, under the name that middleware uses."""
        return self._wsgi_app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._epoch != serving.epoch:
            self._epoch = serving.join(self._settings)
        outer = current_scope.get()
        if self._tagging is None or is_inside(outer, environ):
            return self._wsgi_app(environ, start_response)
        tags = _WsgiTags(environ, self._tagging, outer, self._wsgi_app)
        token = enter(tags, outer)
        try:
            body = self._wsgi_app(environ, start_response)
            inside = current_scope.get()
        finally:
            leave(token)
        return _Body(body, inside) if _is_lazy(body, environ) else body


class _Body:
    """A body that is made while the server sends it: each part of it belongs to the request."""

    def __init__(self, body: Iterable[bytes], inside: Optional[CostScope]) -> None:
        self._body = body
        self._inside = inside
        self._iterator: Optional[Iterator[bytes]] = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        token = current_scope.set(self._inside)
        try:
            if self._iterator is None:
                self._iterator = iter(self._body)
            return next(self._iterator)
        finally:
            leave(token)

    def close(self) -> None:
        """Close the body. Calls made meanwhile belong to the request, too."""
        close = getattr(self._body, "close", None)
        if close is None:
            return
        token = current_scope.set(self._inside)
        try:
            close()
        finally:
            leave(token)


class _WsgiTags(RequestTags):
    """The tags of a WSGI request, carried by its environ."""

    __slots__ = ("_app", "_root", "seen")

    def __init__(
        self, environ: WSGIEnvironment, tagging: Tagging, outer: Optional[CostScope], app: WSGIApplication
    ) -> None:
        super().__init__(environ, tagging, outer)
        self.seen: Optional[Request] = None
        """Flask's request, which outlasts its context."""
        self._app = app
        self._root: str = environ.get("SCRIPT_NAME", "")

    def template(self) -> Optional[str]:
        seen = self._request()
        rule = None if seen is None else seen.url_rule
        if rule is None:
            return None
        root: str = self.carrier.get("SCRIPT_NAME", "")
        mounted = root[len(self._root) :] if root.startswith(self._root) else ""
        return mounted + rule.rule if mounted and _is_mount(self._app, mounted) else rule.rule

    def method(self) -> Optional[str]:
        method: Optional[str] = self.carrier.get("REQUEST_METHOD")
        return method

    def request(self) -> Any:
        return self._request() or Request(self.carrier, populate_request=False)

    def _request(self) -> Optional[Request]:
        if self.seen is None and request and request.environ is self.carrier:
            self.seen = request._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - documented
        return self.seen


def _note_request() -> None:
    """Remember Flask's request, which knows its rule, beyond its context: a stream may go on."""
    inside = current_scope.get()
    source = inside.source if isinstance(inside, LateCostScope) else None
    if isinstance(source, _WsgiTags):
        source.seen = request._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - documented


def _is_lazy(body: Iterable[bytes], environ: WSGIEnvironment) -> bool:
    """Return True if code of the application may run while a body is sent. A server knows its own files."""
    if isinstance(body, (list, tuple)) or hasattr(body, "read"):
        return False
    wrapper = environ.get("wsgi.file_wrapper")
    return not (isinstance(wrapper, type) and isinstance(body, wrapper))


def _is_mount(app: Any, taken: str) -> bool:
    """Return True if a part of the path is a mount point of a dispatcher, and not a client's choice."""
    for _ in range(_MAX_WRAPPED):
        mounts = getattr(app, "mounts", None)
        if isinstance(mounts, Mapping):
            if taken in mounts:
                return True
            inside = [at for at in mounts if at and taken.startswith(at + "/")]
            if any(_is_mount(mounts[at], taken[len(at) :]) for at in inside):
                return True
        app = getattr(app, "wsgi_app", None) or getattr(app, "app", None)
        if app is None:
            return False
    return False


class ReCost(RecostExtension):
    """The deprecated name of `RecostExtension`, from recost 0.1.x."""

    def __init__(
        self, app: Optional[Flask] = None, config: Optional[RecostConfig] = None, **options: Any
    ) -> None:
        warnings.warn(
            "recost.frameworks.flask.ReCost is now named RecostExtension", DeprecationWarning, stacklevel=2
        )
        super().__init__(app, config, **options)
