"""Integration of Django, served by WSGI or ASGI.

In the settings, add ``"recost.frameworks.django.RecostMiddleware"`` as the first one of ``MIDDLEWARE``,
``"recost.frameworks.django"`` to ``INSTALLED_APPS``, for management commands, and
``RECOST = {"project_id": "shop"}``.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from typing import Any, Callable, Final, Optional

from recost._validate import invalid_type
from recost.config import Settings, resolve
from recost.frameworks import serving
from recost.frameworks.tagging import RequestTags, TagFunction, Tagging, enter, leave
from recost.interceptors.context import CostScope
from recost.interceptors.context import cost_scope as current_scope
from recost.lifecycle.reporting import Reporter

try:
    from asgiref.sync import iscoroutinefunction, markcoroutinefunction
    from django.apps import apps as django_apps
    from django.conf import settings as django_settings
    from django.core.management import get_commands
    from django.utils.module_loading import import_string
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in ("django", "asgiref"):
        raise
    raise ImportError(
        'recost.frameworks.django needs Django, which is not installed: pip install "recost[django]"'
    ) from error

__all__ = ["RecostMiddleware", "project_settings"]

_SETTING: Final = "RECOST"
_APP: Final = __name__
_MOST_NAMES: Final = 3
_TELLING_S: Final = 0.25
_said: Final[list[str]] = []
"""Warnings shown in this process, which may load the middleware several times."""


class RecostMiddleware:
    """Django middleware that runs recost in each process that serves the project, from its first request on.

    It must be the first one of ``MIDDLEWARE``, to see the calls of the others. The setting ``RECOST`` is a
    dict of `recost.init`'s settings. Two more are the middleware's own. With ``tag_routes`` (default: True),
    outbound calls are tagged with the route and method of their request. ``tags`` is a function of the
    request, or its dotted path, that returns tags of your own.

    Raises:
        ValueError: A setting is not valid.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self._get_response = get_response
        self._settings, tagging = project_settings()
        self._tagging = tagging if tagging.active and self._settings.enabled else None
        if self._settings.enabled:
            _warn_of_unrecorded_commands()
        self._epoch = -1
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: Any) -> Any:
        """Serve one request. Return the response, or its awaitable where Django serves asynchronously."""
        if self._epoch != serving.epoch:
            self._epoch = serving.join(self._settings)
        if self._is_async:
            return self._serve_async(request)
        if self._tagging is None:
            return self._get_response(request)
        outer = current_scope.get()
        token = enter(_DjangoTags(request, self._tagging, outer), outer)
        try:
            response = self._get_response(request)
            _keep_in_stream(response, current_scope.get())
        finally:
            leave(token)
        return response

    async def _serve_async(self, request: Any) -> Any:
        response: Awaitable[Any]
        if self._tagging is None:
            return await self._get_response(request)
        outer = current_scope.get()
        token = enter(_DjangoTags(request, self._tagging, outer), outer)
        try:
            response = await self._get_response(request)
            _keep_in_stream(response, current_scope.get())
        finally:
            leave(token)
        return response


def project_settings() -> tuple[Settings, Tagging]:
    """Return recost's settings and the options on tags from the setting ``RECOST``.

    Raises:
        ValueError: A setting is not valid.
    """
    given = getattr(django_settings, _SETTING, None) or {}
    if not isinstance(given, Mapping):
        raise invalid_type(_SETTING, given, "a dict of settings")
    options = dict(given)
    tagging = Tagging(options.pop("tag_routes", True), _function(options.pop("tags", None)))
    return resolve(None, options), tagging


def _warn_of_unrecorded_commands() -> None:
    """Warn once if the project has management commands that are not recorded."""
    if _said or not django_apps.ready or django_apps.is_installed(_APP):
        return
    names = sorted(name for name, app in get_commands().items() if not _is_djangos(app))
    if not names:
        return
    shown = ", ".join(names[:_MOST_NAMES]) + (", …" if len(names) > _MOST_NAMES else "")
    message = (
        f"recost: management commands ({shown}) are not recorded: "
        f'add "{_APP}" to INSTALLED_APPS, or run them by "recost run"'
    )
    _said.append(message)
    report = Reporter(None)
    report.warn(message)
    # A server may be about to fork, and Python warns of a fork while a thread runs.
    report.notifier.close(time.monotonic() + _TELLING_S)


def _is_djangos(app: Any) -> bool:
    """Return True if an application that has commands, a name or its configuration, is part of Django."""
    return str(getattr(app, "name", app)).partition(".")[0] == "django"


class _DjangoTags(RequestTags):
    """The tags of a Django request."""

    __slots__ = ()

    def template(self) -> Optional[str]:
        match = getattr(self.carrier, "resolver_match", None)
        route = None if match is None else match.route
        if route is None:
            return None
        # Django's own has no slash in front, and for regular expressions a caret.
        return "/" + str(route).removeprefix("^")

    def method(self) -> Optional[str]:
        method: Optional[str] = self.carrier.method
        return method

    def request(self) -> Any:
        return self.carrier


def _function(given: Any) -> Optional[TagFunction]:
    function: Optional[TagFunction] = import_string(given) if isinstance(given, str) else given
    return function


def _keep_in_stream(response: Any, inside: Optional[CostScope]) -> None:
    """Keep the request's scope for a body that is made while the server sends it. Files stay as they are."""
    if not getattr(response, "streaming", False) or getattr(response, "file_to_stream", None) is not None:
        return
    content = response.streaming_content
    wrap = _AsyncStream if getattr(response, "is_async", False) else _Stream
    response.streaming_content = wrap(content, inside)


class _Stream:
    """The parts of a body, each made inside the request's scope."""

    def __init__(self, content: Iterator[bytes], inside: Optional[CostScope]) -> None:
        self._content = content
        self._inside = inside

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        token = current_scope.set(self._inside)
        try:
            return next(self._content)
        finally:
            leave(token)


class _AsyncStream:
    """Iterator of an asynchronous body."""

    def __init__(self, content: AsyncIterator[bytes], inside: Optional[CostScope]) -> None:
        self._content = content
        self._inside = inside

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        token = current_scope.set(self._inside)
        try:
            return await self._content.__anext__()
        finally:
            leave(token)
