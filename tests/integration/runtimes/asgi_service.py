"""An ASGI application with recost's middleware."""

from __future__ import annotations

import httpx
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from recost.frameworks.fastapi import RecostMiddleware
from tests.integration.runtimes._calls import aiohttp_calls, blocking_calls, httpx_calls


async def index(_request: Request) -> PlainTextResponse:
    await httpx_calls(httpx)
    await aiohttp_calls()
    await run_in_threadpool(blocking_calls)
    return PlainTextResponse("done")


app = Starlette(routes=[Route("/", index)])
app.add_middleware(RecostMiddleware)
