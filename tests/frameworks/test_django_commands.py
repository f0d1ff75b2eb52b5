"""Management commands of a Django project: recorded, or the start of a server says that they are not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.loopback import Loopback
from tests.scripts import calls, environment, windows

pytest.importorskip("django", reason="Django is not installed")

COMMAND = """
import os, urllib.request
from django.core.management import call_command
from django.core.management.base import BaseCommand

class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("--again", action="store_true")

    def handle(self, *args, again=False, **options):
        urllib.request.urlopen(os.environ["UPSTREAM"] + "/job").read()
        if again:
            call_command("nightly")
"""
WARNING = (
    "recost: management commands (nightly, runserver_too) are not recorded: "
    'add "recost.frameworks.django" to INSTALLED_APPS, or run them by "recost run"\n'
)
SERVE = """
import warnings
from django.core.handlers.wsgi import WSGIHandler
import os, threading
import recost.frameworks.django
recost.frameworks.django._TELLING_S = 20.0  # for a busy machine
warnings.simplefilter("error")
WSGIHandler()
WSGIHandler()
assert threading.active_count() == 1, threading.enumerate()
"""


def project(folder: Path, *apps: str, commands: bool = True, **settings: object) -> None:
    """Write a project."""
    place = folder / "shop" / "management" / "commands"
    place.mkdir(parents=True)
    for package in (place, place.parent, place.parent.parent):
        (package / "__init__.py").touch()
    for name in ("nightly", "runserver_too") if commands else ():
        (place / f"{name}.py").write_text(COMMAND)
    given = {"project_id": "shop", "local_dir": str(folder / "telemetry"), **settings}
    (folder / "conf.py").write_text(
        f"""
SECRET_KEY = "of no use"
INSTALLED_APPS = {["shop", "django.contrib.staticfiles", *apps]}
MIDDLEWARE = ["recost.frameworks.django.RecostMiddleware"]
STATIC_URL = "static/"
RECOST = {given}
"""
    )


def run(folder: Path, server: Loopback, *command: str) -> subprocess.CompletedProcess[str]:
    path = environment()["PYTHONPATH"]
    env = environment(DJANGO_SETTINGS_MODULE="conf", UPSTREAM=server.url)
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**env, "PYTHONPATH": f"{folder}:{path}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("command", "made", "recorded"),
    [
        (("nightly",), 1, 1),
        (("nightly", "--again"), 2, 2),
        (("runserver_too",), 1, 0),
        (("check",), 0, 0),
        (("nightly", "--help"), 0, 0),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else str(value),
)
def test_commands_are_recorded(
    command: tuple[str, ...], made: int, recorded: int, server: Loopback, tmp_path: Path
) -> None:
    project(tmp_path, "recost.frameworks.django", environment="jobs")
    done = run(tmp_path, server, "-m", "django", *command)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(server.log) == made
    found = windows(tmp_path / "telemetry")
    assert calls(found)["/job"] == recorded
    assert {window["environment"] for window in found} <= {"jobs"}


def test_a_project_that_is_off_starts_nothing(server: Loopback, tmp_path: Path) -> None:
    project(tmp_path, "recost.frameworks.django", enabled=False)
    assert run(tmp_path, server, "-m", "django", "nightly").returncode == 0
    assert (len(server.log), windows(tmp_path / "telemetry")) == (1, [])


def test_a_setting_that_is_not_valid_ends_the_command(server: Loopback, tmp_path: Path) -> None:
    project(tmp_path, "recost.frameworks.django", flush_interval_ms=0)
    assert "recost: flush_interval_ms: got 0" in run(tmp_path, server, "-m", "django", "nightly").stderr
    assert server.log == []


@pytest.mark.parametrize(
    ("apps", "commands", "enabled", "said"),
    [
        ((), True, True, 1),
        ((), False, True, 0),
        ((), True, False, 0),
        (("recost.frameworks.django",), True, True, 0),
    ],
    ids=["not recorded", "no commands", "off", "recorded"],
)
def test_the_start_of_a_server_says_what_is_not_recorded(
    apps: tuple[str, ...], commands: bool, enabled: bool, said: int, server: Loopback, tmp_path: Path
) -> None:
    project(tmp_path, *apps, commands=commands, enabled=enabled)
    done = run(tmp_path, server, "-c", f"import django; django.setup()\n{SERVE}")
    assert done.returncode == 0, done.stderr
    assert done.stderr == WARNING * said
