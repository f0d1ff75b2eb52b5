"""Servers that end by SIGTERM: what was served is what is recorded, in every documented set-up."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.integration.test_servers import load, serving
from tests.loopback import Loopback, free_port
from tests.scripts import calls, windows

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="forks and signals")]

CALL = """
import os, urllib.request
import recost

def call():
    with urllib.request.urlopen(os.environ["UPSTREAM"] + "/in-worker") as response:
        return response.read()
"""
ASGI = """
import asyncio
{init}

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({{"type": "lifespan.startup.complete"}})
        await receive()
        await send({{"type": "lifespan.shutdown.complete"}})
        return
    body = await asyncio.to_thread(call)
    headers = [(b"content-length", str(len(body)).encode())]
    await send({{"type": "http.response.start", "status": 200, "headers": headers}})
    await send({{"type": "http.response.body", "body": body}})
{wrap}
"""
WSGI = """
recost.init({options})

def app(environ, start_response):
    body = call()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
"""
DJANGO = """
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.urls import path

MIDDLEWARE = {middleware}
settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="none", MIDDLEWARE=MIDDLEWARE)
urlpatterns = [path("", lambda request: HttpResponse(call()))]
app = get_asgi_application()
{init}
"""
SCRIPT = """
import sys
from wsgiref.simple_server import make_server
make_server("127.0.0.1", int(sys.argv[1]), app).serve_forever()
"""
FLASK = """
import flask
recost.init(flush_on_sigterm=True)
app = flask.Flask(__name__)
app.add_url_rule("/", view_func=call)
"""
MIDDLEWARE = "from recost.frameworks.fastapi import RecostMiddleware\napp = RecostMiddleware(app)"


def django(*middleware: str, init: str = "") -> str:
    return DJANGO.format(middleware=list(middleware), init=init)


def asgi(init: str = "", wrap: str = "") -> str:
    return ASGI.format(init=init, wrap=wrap)


class Setup(NamedTuple):
    """A service, and the command that serves it; ``PORT`` stands for the port."""

    code: str
    command: str
    status: int = -signal.SIGTERM


GUNICORN = "gunicorn service:app -w 2 -b 127.0.0.1:PORT --worker-tmp-dir ."
SETUPS = {
    "gunicorn, uvicorn's worker, init()": Setup(
        asgi("recost.init()"), GUNICORN + " -k uvicorn_worker.UvicornWorker", 0
    ),
    "gunicorn, uvicorn's worker, init(), preloaded": Setup(
        asgi("recost.init()"), GUNICORN + " --preload -k uvicorn_worker.UvicornWorker", 0
    ),
    "uvicorn, init()": Setup(asgi("recost.init()"), "uvicorn service:app --port PORT"),
    "uvicorn, init() and the middleware": Setup(
        asgi("recost.init()", MIDDLEWARE), "uvicorn service:app --port PORT"
    ),
    "uvicorn, the middleware, no lifespan": Setup(
        asgi("", MIDDLEWARE), "uvicorn service:app --port PORT --lifespan off"
    ),
    "uvicorn, init(), 2 workers": Setup(
        asgi("recost.init()"), "uvicorn service:app --port PORT --workers 2", 0
    ),
    "uvicorn, Django's init() and the wrapper": Setup(
        django(init="recost.init()\n" + MIDDLEWARE), "uvicorn service:app --port PORT"
    ),
    "uvicorn, Django's init()": Setup(django(init="recost.init()"), "uvicorn service:app --port PORT"),
    "uvicorn, Django's middleware": Setup(
        django("recost.frameworks.django.RecostMiddleware"), "uvicorn service:app --port PORT"
    ),
    "gunicorn, sync": Setup(WSGI.format(options=""), GUNICORN, 0),
    "gunicorn, gthread": Setup(WSGI.format(options=""), GUNICORN + " -k gthread --threads 4", 0),
    "gunicorn, flush_on_sigterm": Setup(WSGI.format(options="flush_on_sigterm=True"), GUNICORN, 0),
    "uvicorn, flush_on_sigterm": Setup(
        asgi("recost.init(flush_on_sigterm=True)"), "uvicorn service:app --port PORT"
    ),
    "a server that does nothing about SIGTERM": Setup(
        WSGI.format(options="flush_on_sigterm=True") + SCRIPT, "service PORT"
    ),
    "flask run": Setup(FLASK, "flask --app service run --port PORT"),
}


@pytest.mark.parametrize("name", SETUPS)
def test_every_call_is_recorded(name: str, server: Loopback, tmp_path: Path) -> None:
    setup = SETUPS[name]
    port = free_port()
    (tmp_path / "service.py").write_text(CALL + setup.code)
    command = setup.command.replace("PORT", str(port)).split()
    with serving(command, port, tmp_path, server.url) as process:
        load(port, 40)
    assert calls(windows(tmp_path / "telemetry")) == {"/in-worker": len(server.log)}
    assert len(server.log) >= 41
    assert process.returncode == setup.status
    assert "Traceback" not in (tmp_path / "server.log").read_text()
