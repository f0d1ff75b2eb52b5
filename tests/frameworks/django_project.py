"""A Django project in one module."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import requests
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import include, path, re_path
from django.views import View

import recost

ALLOWED_HOSTS = ["*"]
DEBUG = False
ROOT_URLCONF = __name__
SECRET_KEY = "of no use"
USE_TZ = True
MIDDLEWARE = ["recost.frameworks.django.RecostMiddleware", f"{__name__}.Before"]
RECOST = json.loads(os.environ.get("RECOST_SETTINGS", "{}"))

UPSTREAM = os.environ.get("UPSTREAM", "")


def call(name: str) -> None:
    requests.get(f"{UPSTREAM}/{name}").close()


def tenant(request: HttpRequest) -> dict[str, object]:
    return {"tenant": request.headers.get("x-tenant")}


class Before:
    """A middleware that calls somebody before the route is known."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        call("before")
        return self.get_response(request)


def sync_view(request: HttpRequest, **_: object) -> HttpResponse:
    call("sync")
    return HttpResponse("")


async def async_view(request: HttpRequest, **_: object) -> HttpResponse:
    await asyncio.gather(asyncio.to_thread(call, "async"), asyncio.to_thread(call, "async"))
    return HttpResponse("")


class Order(View):  # type: ignore[misc, unused-ignore]
    def get(self, request: HttpRequest, tenant: str, order_id: int) -> HttpResponse:
        with recost.tag(feature="orders"):
            call("order")
        return HttpResponse("")


def stream(request: HttpRequest, item: str) -> StreamingHttpResponse:
    def lines() -> Iterator[bytes]:
        for _ in range(2):
            call("stream")
            yield b"line\n"

    return StreamingHttpResponse(lines())


async def async_stream(request: HttpRequest, item: str) -> StreamingHttpResponse:
    async def lines() -> AsyncIterator[bytes]:
        for _ in range(2):
            await asyncio.to_thread(call, "async-stream")
            yield b"line\n"

    return StreamingHttpResponse(lines())


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(Path(__file__).open("rb"))


orders = [path("orders/<int:order_id>/", Order.as_view())]
urlpatterns = [
    path("", sync_view),
    path("sync/<slug:item>/", sync_view),
    path("async/<slug:item>/", async_view),
    re_path(r"^years/(?P<year>[0-9]{4})/$", sync_view),
    path("v1/<slug:tenant>/", include(orders)),
    path("stream/<slug:item>/", stream),
    path("async-stream/<slug:item>/", async_stream),
    path("file/", file),
]
