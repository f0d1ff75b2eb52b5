"""The route of an ASGI request, read from what Starlette and FastAPI leave in the scope.

After routing, the scope has the endpoint, and in most versions the route. Its path is relative to the
application or router that declares it. ``root_path`` has the part below which those are mounted, with the
values of its parameters. The templates of that part are found by walking down from the outermost router.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, Final, Optional

__all__ = ["Known", "asgi_template"]

_MAX_WRAPPED: Final = 20
_MAX_KNOWN: Final = 1024

Known = MutableMapping[tuple[int, str, str], str]
"""Whole templates by the outermost router, what mounts took of the path, and the template below them."""


def asgi_template(scope: Mapping[str, Any], known: Known) -> Optional[str]:
    """Return the template of the route that a request took, as declared, or None before routing.

    Args:
        scope: The ASGI scope after routing.
        known: Keeps what has been found of an application's mounts.
    """
    endpoint = scope.get("endpoint")
    if endpoint is None:
        return None
    route = scope.get("route")
    # A route that is not the endpoint's was left there by a router further out.
    own = _own_path(scope, route) if getattr(route, "endpoint", None) is endpoint else None
    root: str = scope.get("root_path", "")
    base: str = scope.get("app_root_path", root)
    if own is None:
        return _walked(scope, root[len(base) :])
    return own if root == base else _below_mounts(scope, root[len(base) :], own, known)


def _own_path(scope: Mapping[str, Any], route: Any) -> Optional[str]:
    # FastAPI keeps an included router's routes as they were declared, and beside them how they are reached.
    context = scope.get("fastapi")
    context = context.get("effective_route_context") if isinstance(context, Mapping) else None
    if context is not None and getattr(context, "original_route", None) is route:
        return _text(getattr(context, "path", None))
    return _text(getattr(route, "path", None))


def _below_mounts(scope: Mapping[str, Any], mounted: str, own: str, known: Known) -> str:
    """Return the whole template, or the part below the mounts if those are not known."""
    key = (id(scope.get("router")), mounted, own)
    template = known.get(key)
    if template is None:
        if len(known) >= _MAX_KNOWN:
            known.clear()
        template = known[key] = _walked(scope, mounted) or own
    return template


def _walked(scope: Mapping[str, Any], mounted: str) -> Optional[str]:
    """Return the whole template, mounts included."""
    routes = getattr(scope.get("router"), "routes", None) or ()
    path: str = scope.get("path", "")
    base: str = scope.get("app_root_path", scope.get("root_path", ""))
    probe = {**scope, "root_path": base, "app_root_path": base}
    # Up to Starlette 0.32, a mount leaves only what is behind it in ``path``.
    for whole in (path, mounted + path) if mounted else (path,):
        found = _walk(routes, {**probe, "path": whole}, scope)
        if found is not None:
            return found
    return None


def _walk(routes: Iterable[Any], probe: Mapping[str, Any], scope: Mapping[str, Any]) -> Optional[str]:
    """Return the template, from here on, of the route among these that serves the request."""
    endpoint = scope["endpoint"]
    for route in _each(routes):
        own = getattr(route, "endpoint", None)
        if own is endpoint and probe["root_path"] == scope.get("root_path", ""):
            if _matches(route, probe) is not None:
                return _text(getattr(route, "path", None))
        elif own is None and getattr(route, "app", None) is not None:
            child = _matches(route, probe)
            if child is None:
                continue
            # The first mount that matches is the way: a router doesn't come back.
            inner = _routes_in(route)
            if inner is None:
                behind = "/{path}" if child.get("endpoint") is endpoint else None
            else:
                behind = _walk(inner, {**probe, **child}, scope)
            return None if behind is None else (_text(getattr(route, "path", None)) or "") + behind
    return None


def _each(routes: Iterable[Any]) -> Iterable[Any]:
    """Return the routes. Those of FastAPI's included routers one by one, as they are reached."""
    expand = getattr(sys.modules.get("fastapi.routing"), "iter_route_contexts", None)
    return routes if expand is None else expand(routes)


def _matches(route: Any, probe: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
    """Return what a matching route would write into the scope."""
    match, child = route.matches(probe)
    return child if match.name == "FULL" else None


def _routes_in(mount: Any) -> Optional[Iterable[Any]]:
    """Return the routes of a mounted application, inside its middleware, or None without routes."""
    app = mount
    for _ in range(_MAX_WRAPPED):
        routes = getattr(app, "routes", None)
        if routes:
            return routes  # type: ignore[no-any-return]
        app = getattr(app, "app", None)
        if app is None:
            return None
    return None


def _text(path: object) -> Optional[str]:
    return path if isinstance(path, str) and path.strip() else None
