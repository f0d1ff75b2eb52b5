"""httpx-aiohttp: httpx's client over aiohttp's connections; both are seen, and one of them counts."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

from tests.integration.sdks import _web

PACKAGE = "httpx_aiohttp"
DISTRIBUTION = "httpx-aiohttp"
REQUIRES = ("httpx-aiohttp",)
TRANSPORT = "httpx / aiohttp"
HOSTS = _web.HOSTS
EXPECTED = _web.httpx_expected(sync=False)
LEFT = _web.LEFT
answer = _web.answer


def use() -> None:
    """Make every call."""
    module: Any = import_module("httpx")
    client: Any = import_module("httpx_aiohttp").HttpxAiohttpClient
    asyncio.run(_web.use_httpx_async(module, client))
