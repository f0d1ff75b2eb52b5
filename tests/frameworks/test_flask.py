from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from flask import Flask, Response, abort

import recost
from recost.config import RecostConfig
from recost.frameworks import serving
from recost.frameworks.flask import ReCost, RecostExtension
from recost.lifecycle import current_handle
from tests.frameworks.serving import wsgi_serving
from tests.loopback import Loopback, free_port, wait_until
from tests.scripts import calls, environment, run_script, windows


def served(server: Loopback) -> Counter[str]:
    return Counter(request.path for request in server.log)


def flask_app(upstream: str) -> Flask:
    app = Flask("service")

    @app.before_request
    def hook() -> None:
        httpx.get(upstream + "/from-hook")

    @app.get("/")
    def index() -> str:
        return httpx.get(upstream + "/from-view").text

    @app.get("/stream")
    def stream() -> Response:
        return Response(httpx.get(upstream + "/from-stream").content for _ in range(3))

    @app.get("/fails")
    def fails() -> str:
        httpx.get(upstream + "/from-fails")
        raise LookupError("of the application")

    @app.get("/teapot")
    def teapot() -> str:
        abort(418)

    return app


def fetch(port: int, path: str) -> bytes:
    """Request over a bare socket, because this process's own calls would be counted."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: x\r\n\r\n".encode())
        chunks = list(iter(lambda: connection.recv(65536), b""))
    return b"".join(chunks)


def test_a_werkzeug_server(server: Loopback, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    app = flask_app(server.url)
    RecostExtension(app, local_dir=str(tmp_path))
    with wsgi_serving(app) as port:
        assert current_handle() is None
        threads = [
            threading.Thread(target=fetch, args=(port, path)) for path in ("/", "/stream", "/teapot") * 5
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert b" 500 " in fetch(port, "/fails").partition(b"\r\n")[0]
    handle = current_handle()
    assert handle is not None
    assert handle.flush_blocking()
    assert calls(windows(tmp_path)) == served(server)
    assert served(server) == {"/from-hook": 16, "/from-view": 5, "/from-stream": 15, "/from-fails": 1}


def test_what_the_test_client_calls_is_not_outbound(server: Loopback, tmp_path: Path) -> None:
    app = flask_app(server.url)
    extension = RecostExtension(app, RecostConfig(local_dir=str(tmp_path)))
    assert (current_handle(), extension.handle) == (None, None)
    assert not recost.is_installed()
    client = app.test_client()
    assert client.get("/").text == "x" * 100
    assert client.get("/teapot").status_code == 418
    app.testing = True
    with pytest.raises(LookupError, match="of the application"):
        client.get("/fails")
    handle = extension.handle
    assert handle is not None
    assert app.extensions["recost"].handle is handle is current_handle()
    assert handle.flush_blocking()
    assert calls(windows(tmp_path)) == {"/from-hook": 3, "/from-view": 1, "/from-fails": 1}


def test_called_in_process_by_httpx(server: Loopback, tmp_path: Path) -> None:
    app = flask_app(server.url)
    RecostExtension(app, local_dir=str(tmp_path))
    with httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://in-process") as client:
        client.get("/")
    serving.end()
    assert calls(windows(tmp_path)) == {"/from-hook": 1, "/from-view": 1}


def test_several_applications_of_a_factory_share_one_sdk(
    server: Loopback, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    extension = RecostExtension(local_dir=str(tmp_path))

    def create_app() -> Flask:
        app = flask_app(server.url)
        extension.init_app(app)
        return app

    first, second = create_app(), create_app()
    assert first.extensions["recost"] is second.extensions["recost"] is extension
    first.test_client().get("/")
    handle = current_handle()
    second.test_client().get("/")
    assert current_handle() is handle is not None
    assert handle.flush_blocking()
    assert calls(windows(tmp_path)) == {"/from-hook": 2, "/from-view": 2}
    assert not caplog.records


def test_an_application_that_was_prepared_twice_counts_once(server: Loopback, tmp_path: Path) -> None:
    app = flask_app(server.url)
    RecostExtension(app, local_dir=str(tmp_path)).init_app(app)
    app.test_client().get("/")
    serving.end()
    assert calls(windows(tmp_path)) == {"/from-hook": 1, "/from-view": 1}


def test_the_users_own_sdk_is_left_alone(server: Loopback, tmp_path: Path) -> None:
    app = flask_app(server.url)
    RecostExtension(app, local_dir=str(tmp_path), project_id="extension")
    with recost.init(local_dir=str(tmp_path), project_id="own") as own:
        app.test_client().get("/")
        assert current_handle() is own
    app.test_client().get("/")
    assert current_handle() is None
    assert [path.name for path in tmp_path.glob("*.jsonl")] == ["own.jsonl"]


def test_disabled_starts_nothing(server: Loopback, tmp_path: Path) -> None:
    app = flask_app(server.url)
    RecostExtension(app, local_dir=str(tmp_path), enabled=False)
    app.test_client().get("/")
    assert current_handle() is None
    assert list(tmp_path.iterdir()) == []


class TestConfiguration:
    def project(self, app: Flask) -> str:
        """Return the project as it shows in the file's name, after one request."""
        app.test_client().get("/")
        serving.end()
        (path,) = Path(app.config["FOLDER"]).glob("*.jsonl")
        return path.stem

    @pytest.fixture
    def app(self, server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
        monkeypatch.setenv("RECOST_PROJECT_ID", "environment")
        monkeypatch.setenv("RECOST_LOCAL_DIR", str(tmp_path))
        app = flask_app(server.url)
        app.config["FOLDER"] = str(tmp_path)
        return app

    def test_environment(self, app: Flask) -> None:
        RecostExtension(app)
        assert self.project(app) == "environment"

    def test_app_config_over_environment(self, app: Flask) -> None:
        app.config["RECOST_PROJECT_ID"] = "app-config"
        RecostExtension(app)
        assert self.project(app) == "app-config"

    def test_config_over_app_config(self, app: Flask) -> None:
        app.config["RECOST_PROJECT_ID"] = "app-config"
        RecostExtension(app, RecostConfig(project_id="config"))
        assert self.project(app) == "config"

    def test_option_over_config(self, app: Flask) -> None:
        RecostExtension(app, RecostConfig(project_id="config"), project_id="option")
        assert self.project(app) == "option"

    def test_init_app_over_the_extension(self, app: Flask) -> None:
        RecostExtension(project_id="extension").init_app(app, RecostConfig(project_id="init-app"))
        assert self.project(app) == "init-app"

    def test_none_in_app_config_is_not_given(self, app: Flask) -> None:
        app.config["RECOST_PROJECT_ID"] = None
        RecostExtension(app)
        assert self.project(app) == "environment"

    @pytest.mark.parametrize("where", ["option", "app-config", "unknown"])
    def test_bad_configuration_is_refused_when_the_application_is_made(self, app: Flask, where: str) -> None:
        if where == "option":
            with pytest.raises(ValueError, match="recost: max_retries: got -1"):
                RecostExtension(app, max_retries=-1)
        elif where == "app-config":
            app.config["RECOST_MAX_RETRIES"] = "3"
            with pytest.raises(ValueError, match="recost: max_retries: got '3'"):
                RecostExtension(app)
        else:
            with pytest.raises(ValueError, match=r"did you mean .max_retries."):
                RecostExtension(max_retry=3)
        assert "recost" not in app.extensions


def test_the_old_name_warns_where_it_is_used(server: Loopback, tmp_path: Path) -> None:
    app = flask_app(server.url)
    with pytest.warns(DeprecationWarning, match="now named RecostExtension") as caught:
        extension = ReCost(app, local_dir=str(tmp_path))
    assert caught[0].filename == __file__
    assert isinstance(extension, RecostExtension)
    app.test_client().get("/")
    serving.end()
    assert calls(windows(tmp_path)) == {"/from-hook": 1, "/from-view": 1}


def test_without_flask_the_error_has_the_command() -> None:
    result = run_script(
        """
import sys
import recost, recost.frameworks
sys.modules["flask"] = None
try:
    from recost.frameworks.flask import RecostExtension  # as in 0.1.x, that much works
    RecostExtension()
except ImportError as error:
    print(error)
"""
    )
    assert result.stdout.strip() == (
        'recost.frameworks.flask needs Flask, which is not installed: pip install "recost[flask]"'
    )
    assert result.stderr == ""


def test_a_flask_that_is_broken_says_so_itself(tmp_path: Path) -> None:
    (tmp_path / "flask.py").write_text("import a_module_that_is_missing")
    code = "import recost.frameworks.flask"
    path = os.pathsep.join([str(tmp_path), environment()["PYTHONPATH"]])
    result = run_script(code, env=environment(PYTHONPATH=path))
    assert "No module named 'a_module_that_is_missing'" in result.stderr
    assert "pip install" not in result.stderr


SERVICE = """
import atexit, os, signal, urllib.request
from pathlib import Path
from flask import Flask
from recost.frameworks import serving
from recost.frameworks.flask import RecostExtension

folder = Path(os.environ["FOLDER"])
app = Flask(__name__)
RecostExtension(app, max_batch_size=7)
(folder / f"made-{os.getpid()}").touch()

def note():
    if serving._handle is not None:
        (folder / f"started-{os.getpid()}").touch()

atexit.register(note)

@app.get("/")
def index():
    with urllib.request.urlopen(os.environ["UPSTREAM"] + "/from-view") as response:
        return response.read()

@app.get("/quit")
def quit():
    os.kill(os.getpid(), signal.SIGTERM)
    return "bye"

if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), use_reloader=True, debug=True)
"""


@contextmanager
def service(command: list[str], port: int, folder: Path, upstream: str) -> Iterator[subprocess.Popen[bytes]]:
    (folder / "service.py").write_text(SERVICE)
    env = environment(
        FOLDER=str(folder), PORT=str(port), UPSTREAM=upstream, RECOST_LOCAL_DIR=str(folder / "telemetry")
    )
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=folder, env=env, stdout=log, stderr=log, start_new_session=True
        )
    try:
        assert wait_until(lambda: answers(port), 30), (folder / "server.log").read_text()
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def answers(port: int) -> bool:
    try:
        return fetch(port, "/").startswith(b"HTTP/1.")
    except OSError:
        return False


def marks(folder: Path, kind: str) -> set[str]:
    return {path.name.rpartition("-")[2] for path in folder.glob(f"{kind}-*")}


@pytest.mark.skipif(sys.platform == "win32", reason="process groups")
def test_the_reloaders_parent_does_not_start_it(server: Loopback, tmp_path: Path) -> None:
    port = free_port()
    with service(["service.py"], port, tmp_path, server.url) as process:
        for _ in range(10):
            fetch(port, "/")
        fetch(port, "/quit")
        assert process.wait(30) is not None
    started = marks(tmp_path, "started")
    assert len(started) == 1
    assert str(process.pid) not in started
    assert str(process.pid) in marks(tmp_path, "made")
    assert calls(windows(tmp_path / "telemetry")) == served(server)
    assert served(server)["/from-view"] >= 11


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_gunicorn_preloads_it_without_starting_it(server: Loopback, tmp_path: Path) -> None:
    port = free_port()
    options = f"--preload -w 2 -b 127.0.0.1:{port} --worker-tmp-dir {tmp_path}"
    with service(["-m", "gunicorn", *options.split(), "service:app"], port, tmp_path, server.url) as process:
        for _ in range(30):
            fetch(port, "/")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert marks(tmp_path, "made") == {str(process.pid)}
    started = marks(tmp_path, "started")
    assert started
    assert str(process.pid) not in started
    assert calls(windows(tmp_path / "telemetry")) == served(server)
    assert served(server)["/from-view"] >= 31
    assert "Traceback" not in (tmp_path / "server.log").read_text()


CLI = """
import os, urllib.request
from flask import Blueprint, Flask
from recost.frameworks.flask import RecostExtension

jobs = Blueprint("jobs", __name__, cli_group="jobs")

@jobs.cli.command("hourly")
def hourly():
    nightly()

def nightly():
    urllib.request.urlopen(os.environ["UPSTREAM"] + "/job").read()

def create_app():
    app = Flask("shop")
    RecostExtension(app, project_id="shop")
    app.cli.command("nightly")(nightly)
    app.register_blueprint(jobs)
    return app
"""


def check_command(arguments: list[str], recorded: int, server: Loopback, folder: Path) -> None:
    """Run a command line of Flask, and see that as many calls are recorded as served."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment(UPSTREAM=server.url, RECOST_LOCAL_DIR=str(folder / "telemetry")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(server.log) == recorded
    assert sum(calls(windows(folder / "telemetry")).values()) == recorded


@pytest.mark.parametrize(
    ("command", "recorded"),
    [(["nightly"], 1), (["jobs", "hourly"], 1), (["--help"], 0), (["routes"], 0)],
    ids=lambda value: "-".join(value) if isinstance(value, list) else str(value),
)
def test_commands_of_the_application_are_recorded(
    command: list[str], recorded: int, server: Loopback, tmp_path: Path
) -> None:
    (tmp_path / "service.py").write_text(CLI)
    check_command(["-m", "flask", "--app", "service:create_app", *command], recorded, server, tmp_path)


OWN_GROUP = (
    CLI
    + """
import click
from flask.cli import FlaskGroup, with_appcontext

@click.group(cls=FlaskGroup, create_app=create_app)
def cli():
    pass

@cli.command("weekly")
@with_appcontext
def weekly():
    nightly()

cli()
"""
)


@pytest.mark.parametrize(("command", "recorded"), [("weekly", 1), ("nightly", 1), ("routes", 0)])
def test_commands_of_a_group_of_the_applications_own_are_recorded(
    command: str, recorded: int, server: Loopback, tmp_path: Path
) -> None:
    (tmp_path / "manage.py").write_text(OWN_GROUP)
    check_command(["manage.py", command], recorded, server, tmp_path)
