"""httpx2 over HTTP/2: one connection for all calls, sync and async."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

from tests.integration.sdks import _web

PACKAGE = "httpx2"
NEEDS = ("h2",)
DISTRIBUTION = "httpx2"
REQUIRES = ("httpx2[http2]>=2",)
TRANSPORT = "httpx2, HTTP/2"
HOSTS = _web.HOSTS
EXPECTED = _web.httpx_expected(sync=True)
LEFT = _web.LEFT
answer = _web.answer


def use() -> None:
    """Make every call."""
    module: Any = import_module("httpx2")
    _web.use_httpx(module, lambda: module.Client(http2=True), in_turn=True)
    asyncio.run(_web.use_httpx_async(module, lambda: module.AsyncClient(http2=True)))
