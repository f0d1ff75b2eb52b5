"""Real servers with several processes: what the workers record adds up to what was served."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.loopback import Loopback, free_port, wait_until
from tests.scripts import calls, environment, windows

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks")

WSGI = """
import os, urllib.request
import recost

upstream = os.environ["UPSTREAM"]

def call(path):
    with urllib.request.urlopen(upstream + path) as response:
        return response.read()

recost.init(max_batch_size=20)
call("/at-import")

def app(environ, start_response):
    body = call("/in-worker")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
"""

ASGI = """
import asyncio, os
import httpx
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from recost.frameworks.fastapi import RecostMiddleware

upstream = os.environ["UPSTREAM"]

async def index(request):
    async with httpx.AsyncClient() as client:
        answers = await asyncio.gather(*[client.get(upstream + "/in-worker") for _ in range(2)])
    return PlainTextResponse(answers[0].text)

app = Starlette(routes=[Route("/", index)])
app.add_middleware(RecostMiddleware)
"""


@contextmanager
def serving(command: list[str], port: int, folder: Path, upstream: str) -> Iterator[subprocess.Popen[bytes]]:
    env = environment(UPSTREAM=upstream, RECOST_LOCAL_DIR=str(folder / "telemetry"))
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=folder, env=env, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        assert wait_until(lambda: answers(port), 30), (folder / "server.log").read_text()
        yield process
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    finally:
        process.kill()
        process.wait(10)


def answers(port: int) -> bool:
    try:
        return fetch(port) == 100
    except OSError:
        return False


def fetch(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as response:
        return len(response.read())


def load(port: int, count: int) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: fetch(port), range(count))) == [100] * count


@pytest.mark.parametrize("preload", [True, False], ids=["preload", "no-preload"])
def test_gunicorn_with_4_workers(preload: bool, server: Loopback, tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "service.py").write_text(WSGI)
    command = [
        "gunicorn",
        "-w",
        "4",
        "-b",
        f"127.0.0.1:{port}",
        "--worker-tmp-dir",
        str(tmp_path),
        "service:app",
    ]
    with serving(command + (["--preload"] if preload else []), port, tmp_path, server.url):
        load(port, 60)
    recorded = calls(windows(tmp_path / "telemetry"))
    assert recorded["/in-worker"] == sum(request.path == "/in-worker" for request in server.log) >= 61
    assert recorded["/at-import"] == sum(request.path == "/at-import" for request in server.log)
    assert recorded["/at-import"] == (1 if preload else 4)
    assert "Traceback" not in (tmp_path / "server.log").read_text()


def test_uvicorn_with_2_workers(server: Loopback, tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "service.py").write_text(ASGI)
    command = ["uvicorn", "service:app", "--workers", "2", "--port", str(port)]
    with serving(command, port, tmp_path, server.url):
        load(port, 40)
    recorded = calls(windows(tmp_path / "telemetry"))
    assert recorded == {"/in-worker": len(server.log)}
    assert len(server.log) >= 82
    assert "Traceback" not in (tmp_path / "server.log").read_text()
