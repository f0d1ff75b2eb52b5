"""A Django site in one module."""

from __future__ import annotations

import httpx
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path

from tests.integration.runtimes._calls import blocking_calls, httpx_calls

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="none", DEBUG=False, MIDDLEWARE=[])


def index(_request: HttpRequest) -> HttpResponse:
    blocking_calls()
    return HttpResponse("done")


async def asynchronous(_request: HttpRequest) -> HttpResponse:
    await httpx_calls(httpx)
    return HttpResponse("done")


urlpatterns = [path("", index), path("async", asynchronous)]
