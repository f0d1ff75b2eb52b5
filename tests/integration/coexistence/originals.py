"""Which methods of the clients are what they were before anything was installed."""

from __future__ import annotations

import importlib
import sys
from types import FunctionType
from typing import Any

_CLASSES = (
    "httpx:Client",
    "httpx:AsyncClient",
    "httpx:HTTPTransport",
    "httpx:AsyncHTTPTransport",
    "httpx2:Client",
    "httpx2:AsyncClient",
    "httpx2:HTTPTransport",
    "httpx2:AsyncHTTPTransport",
    "requests:Session",
    "requests.adapters:HTTPAdapter",
    "urllib3:HTTPConnectionPool",
    "urllib3:HTTPSConnectionPool",
    "urllib3:PoolManager",
    "urllib3:HTTPResponse",
    "urllib3.connection:HTTPConnection",
    "urllib3.connection:HTTPSConnection",
    "aiohttp:ClientSession",
    "aiohttp:ClientResponse",
    "aiohttp:StreamReader",
    "http.client:HTTPConnection",
    "http.client:HTTPSConnection",
    "http.client:HTTPResponse",
    "urllib.request:OpenerDirector",
    "urllib.request:AbstractHTTPHandler",
)


def snapshot() -> dict[str, tuple[Any, Any]]:
    """Return each method of each class, and the code of those that are plain functions."""
    found: dict[str, tuple[Any, Any]] = {}
    for place in _CLASSES:
        module, _, name = place.partition(":")
        if module in sys.modules or module in {"urllib.request", "http.client"}:
            owner = getattr(importlib.import_module(module), name)
            for method, value in vars(owner).items():
                if callable(value) or isinstance(value, (staticmethod, classmethod, property)):
                    code = value.__code__ if type(value) is FunctionType else None
                    found[f"{place}.{method}"] = (value, code)
    return found


def changed(before: dict[str, tuple[Any, Any]]) -> dict[str, list[str]]:
    """Return the methods that are not what they were, with the modules of what lies on top of them."""
    after = snapshot()
    names = sorted({*before, *after})
    differ = [name for name in names if _differ(before.get(name), after.get(name))]
    return {name: layers(after[name][0]) if name in after else ["removed"] for name in differ}


def _differ(one: Any, other: Any) -> bool:
    return one is None or other is None or one[0] is not other[0] or one[1] is not other[1]


def layers(method: Any) -> list[str]:
    """Return whose functions a method consists of, from the top, as far as they tell."""
    found: list[str] = []
    while method is not None and len(found) < 20:
        wrapper = getattr(method, "_self_wrapper", None) or method
        code = getattr(getattr(wrapper, "__func__", getattr(wrapper, "func", wrapper)), "__code__", None)
        found.append(_package(code.co_filename) if code is not None else type(method).__module__)
        method = getattr(method, "__wrapped__", None)
    return found


def _package(path: str) -> str:
    for name in ("recost/interceptors", "opentelemetry", "sentry_sdk", "ddtrace"):
        if name in path:
            return name.partition("/")[0]
    return "original"
