"""``recost run``: programs that know nothing of recost, their child processes, and how they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import urllib.request
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Optional

import pytest

from tests.loopback import Loopback, free_port, wait_until
from tests.scripts import ROOT, calls, environment, windows

posix = pytest.mark.skipif(os.name != "posix", reason="forks and signals")
CALL = """
import os, sys, urllib.request

def call(path):
    with urllib.request.urlopen(os.environ["UPSTREAM"] + path) as response:
        response.read()
"""


RUN = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from recost.cli import main
sys.argv[1:1] = ["run", "--"]
sys.exit(main())
"""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "recost", "run", *arguments]


class Place:
    """A folder to run in, and the server that is called."""

    def __init__(self, server: Loopback, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.env = environment(UPSTREAM=server.url, RECOST_LOCAL_DIR=str(folder / "telemetry"))

    def write(self, code: str, name: str = "app.py") -> str:
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_text(CALL + textwrap.dedent(code))
        return name

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments),
            cwd=self.folder,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def recorded(self) -> Counter[str]:
        return calls(windows(self.folder / "telemetry"))

    def served(self) -> Counter[str]:
        return Counter(served.path for served in self.server.log)


@pytest.fixture
def place(server: Loopback, tmp_path: Path) -> Place:
    return Place(server, tmp_path)


def test_a_script_its_arguments_and_its_exit_code(place: Place) -> None:
    script = place.write("call('/a'); print(sys.argv[1:]); sys.exit(7)")
    done = place.run("--project", "shop", "--env", "staging", "--", sys.executable, script, "-x", "--", "y")
    assert (done.returncode, done.stdout, done.stderr) == (7, "['-x', '--', 'y']\n", "")
    (window,) = windows(place.folder / "telemetry")
    assert window["environment"] == "staging"
    assert (place.folder / "telemetry" / "shop.jsonl").exists()
    assert place.recorded() == place.served() == {"/a": 1}


def test_a_module(place: Place) -> None:
    place.write("call('/module')", "tool.py")
    assert place.run("-m", "tool").returncode == 0
    assert place.recorded() == {"/module": 1}


def test_the_program_sees_what_it_would_see(place: Place) -> None:
    script = place.write("import json; print(json.dumps([sys.path, sys.argv, sys.flags.isolated]))")
    bare = subprocess.run(
        [sys.executable, script], cwd=place.folder, env=place.env, capture_output=True, text=True, check=True
    )
    assert place.run(sys.executable, script).stdout == bare.stdout


@pytest.mark.parametrize(
    "path", [None, "", "other", ":", "other:", ":other", "other::more", "sp ace:ü", "/x"]
)
@pytest.mark.parametrize("options", [[], ["-c", "import sys; print(sys.path)"]])
def test_the_path_of_modules_is_the_programs_own(
    path: Optional[str], options: list[str], place: Place
) -> None:
    place.write("print(sys.path)", "folder/app.py")
    arguments = [*options, *([] if "-c" in options else ["folder/app.py"])]
    env = {**place.env, "PYTHONPATH": (path or "").replace(":", os.pathsep)}
    if path is None:
        del env["PYTHONPATH"]
    bare, recorded = (
        subprocess.run(
            [*start, *arguments], cwd=place.folder, env=env, capture_output=True, text=True, check=True
        )
        for start in ([sys.executable], [sys.executable, "-c", RUN, sys.executable])
    )
    assert recorded.stdout == bare.stdout


@posix
def test_children_of_every_kind(place: Place) -> None:
    script = place.write(
        """
        import multiprocessing, subprocess

        def leave():
            call("/leave")

        if __name__ == "__main__":
            call("/parent")
            for end in (sys.exit, os._exit):
                child = os.fork()
                if child == 0:
                    call("/fork")
                    end(0)
                os.waitpid(child, 0)
            for method in ("fork", "spawn", "forkserver"):
                process = multiprocessing.get_context(method).Process(target=leave)
                process.start()
                process.join()
            subprocess.run([sys.executable, "-c", "import app; app.call('/subprocess')"], check=True)
            call("/parent")
        """
    )
    done = place.run(sys.executable, script)
    assert (done.returncode, done.stderr) == (0, "")
    assert place.recorded() == place.served()
    assert place.served() == {"/parent": 2, "/fork": 2, "/leave": 3, "/subprocess": 1}


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_as_ever_after_the_last_window(number: signal.Signals, place: Place) -> None:
    script = place.write("call('/a'); print('ready', flush=True); import time; time.sleep(60)")
    process = subprocess.Popen(
        command("--", sys.executable, script),
        cwd=place.folder,
        env=place.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert process.wait(30) == -number
    process.stdout.close()
    assert place.recorded() == place.served() == {"/a": 1}


def test_the_sitecustomize_that_was_there_runs(place: Place) -> None:
    place.write("import app_settings; app_settings.seen = True", "site/sitecustomize.py")
    place.write("seen = False", "site/app_settings.py")
    script = place.write("import app_settings; print(app_settings.seen); call('/a')")
    done = place.run(sys.executable, script, PYTHONPATH=os.pathsep.join(["site", place.env["PYTHONPATH"]]))
    assert (done.stdout, done.stderr) == ("True\n", "")
    assert place.recorded() == {"/a": 1}


def test_one_that_fails_is_said_as_ever(place: Place) -> None:
    place.write("raise RuntimeError('mine')", "site/sitecustomize.py")
    script = place.write("call('/a')")
    done = place.run(sys.executable, script, PYTHONPATH=os.pathsep.join(["site", place.env["PYTHONPATH"]]))
    assert done.returncode == 0
    assert "RuntimeError: mine" in done.stderr
    assert place.recorded() == {"/a": 1}


def test_a_wrong_setting_is_said_and_the_program_runs(place: Place) -> None:
    script = place.write("call('/a'); print('done')")
    done = place.run(sys.executable, script, RECOST_MAX_RETRIES="many")
    assert (done.returncode, done.stdout) == (0, "done\n")
    assert "RECOST_MAX_RETRIES" in done.stderr
    assert done.stderr.endswith("; nothing is recorded\n")


def test_an_application_that_starts_recost_itself_is_recorded_once(place: Place) -> None:
    script = place.write("import recost; call('/before'); handle = recost.init(project_id='own'); call('/a')")
    assert place.run(sys.executable, script).returncode == 0
    assert place.recorded() == {"/before": 1, "/a": 1}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "missing command"),
        (["--"], 2, "missing command"),
        (["no-such-program"], 127, "unknown command no-such-program"),
        (["./app.py"], 126, "recost run -- python ./app.py"),
    ],
)
def test_what_is_no_command(arguments: list[str], code: int, said: str, place: Place) -> None:
    place.write("")
    done = place.run(*arguments)
    assert done.returncode == code
    assert said in done.stderr


@pytest.mark.parametrize(
    ("options", "warned"),
    [
        (["-I"], True),
        (["-W", "ignore", "-BE"], True),
        (["-Xdev", "-S"], True),
        (["-W", "ignore", "-B"], False),
    ],
)
def test_an_interpreter_that_ignores_the_path(options: list[str], warned: bool, place: Place) -> None:
    place.write("print('-I')")
    done = place.run("--", sys.executable, *options, "app.py", "-I")
    assert (done.returncode, done.stdout) == (0, "-I\n")
    message = f"recost run: {options[-1]} ignores PYTHONPATH: its calls are not recorded\n"
    assert done.stderr == (message if warned else "")


def fetch(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as response:
        return int(response.status)


def answers(port: int) -> bool:
    try:
        return fetch(port) == 200
    except OSError:
        return False


FLASK = """
from flask import Flask
app = Flask(__name__)

@app.route("/")
def index():
    call("/in-view")
    return "ok"
"""
ASGI = """
import httpx

async def app(scope, receive, send):
    assert scope["type"] == "http"
    async with httpx.AsyncClient() as client:
        await client.get(os.environ["UPSTREAM"] + "/in-view")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
"""
SERVERS: dict[str, tuple[str, list[str]]] = {
    "flask": (FLASK, ["-m", "flask", "--app", "app", "run", "-p"]),
    "gunicorn": (FLASK, ["-m", "gunicorn", "-w", "2", "app:app", "-b"]),
    "uvicorn": (ASGI, ["-m", "uvicorn", "app:app", "--port"]),
    "uvicorn-workers": (ASGI, ["-m", "uvicorn", "app:app", "--workers", "2", "--port"]),
}


@posix
@pytest.mark.parametrize("name", SERVERS)
def test_a_server(name: str, place: Place) -> None:
    if find_spec(SERVERS[name][1][1]) is None:
        pytest.skip(f"{name} is not installed")
    code, arguments = SERVERS[name]
    place.write(code)
    port = free_port()
    with (place.folder / "server.log").open("wb") as log:
        process: Any = subprocess.Popen(
            command(*arguments, f"127.0.0.1:{port}" if name == "gunicorn" else str(port)),
            cwd=place.folder,
            env=place.env,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        assert wait_until(lambda: answers(port), 30), (place.folder / "server.log").read_text()
        for _ in range(20):
            assert fetch(port) == 200
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    finally:
        process.kill()
        process.wait(10)
    assert place.served()["/in-view"] >= 21
    assert place.recorded() == place.served()


def test_a_run_of_pytest(place: Place) -> None:
    place.write("def test_it(): call('/in-test')", "test_it.py")
    options = ["-q", "-p", "no:cacheprovider", "--rootdir", str(place.folder), "test_it.py"]
    done = place.run("-m", "pytest", *options)
    assert done.returncode == 0, done.stdout
    assert place.recorded() == place.served() == {"/in-test": 1}
