"""Each outbound call is tagged with the task that it is made for, and none is lost: Celery's workers."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.frameworks.serving import attributed, served, tags
from tests.loopback import Loopback, wait_until
from tests.scripts import environment, run_script

pytest.importorskip("celery", reason="Celery is not installed")
pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="Celery doesn't support Windows"),
    pytest.mark.slow,
]

APP = "tests.frameworks.celery_app"


@pytest.mark.parametrize(
    "options",
    [["-c", "2"], ["-c", "2", "--max-tasks-per-child", "2"], ["-P", "solo"], ["-P", "threads", "-c", "4"]],
    ids=["prefork", "replaced-processes", "solo", "threads"],
)
def test_a_worker(options: list[str], server: Loopback, tmp_path: Path) -> None:
    env = environment(
        QUEUE=str(tmp_path / "queue"), UPSTREAM=server.url, RECOST_LOCAL_DIR=str(tmp_path / "telemetry")
    )
    times = 4
    subprocess.run([sys.executable, "-m", APP, str(times)], env=env, check=True, timeout=60)
    calls = {"/order": 2 * times, "/order-last": times, "/parcel": times, "/label": times, "/failing": times}
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "celery",
        "-A",
        APP,
        "worker",
        "--loglevel",
        "ERROR",
        *options,
    ]
    with (tmp_path / "log").open("wb") as log:
        worker = subprocess.Popen(command, env=env, cwd=tmp_path, stdout=log, stderr=log)
    try:
        assert wait_until(lambda: served(server) == calls, 60), (tmp_path / "log").read_text()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
    finally:
        if worker.poll() is None:
            worker.kill()
            worker.wait(10)
    each = times // 2

    def of(task: str, count: int, **more: str) -> dict[frozenset[tuple[str, str]], int]:
        return {tags(task=task, tenant=tenant, **more): count for tenant in ("acme", "globex")}

    assert attributed(tmp_path / "telemetry") == {
        "/order": {**of("shop.order", each), **of("shop.order", each, feature="mail")},
        "/order-last": of("shop.order", each),
        "/parcel": of("shop.parcel", each),
        "/label": of("shop.label", each),
        "/failing": of("shop.failing", each),
    }


def test_only_the_applications_own_tasks_off_and_again(server: Loopback, tmp_path: Path) -> None:
    result = run_script(
        """
        import recost, recost.frameworks.celery as integration
        from celery import Celery
        from tests.frameworks.celery_app import call
        from recost.lifecycle import current_handle

        own, other = Celery("own", set_as_current=False), Celery("other", set_as_current=False)

        @own.task(name="own.task")
        def mine(name): call(name)

        @other.task(name="other.task")
        def theirs(name): call(name)

        integration.install(own, tag_tasks=False)
        mine.apply(("off",)).get()
        assert current_handle() is None  # executed eagerly: not a worker
        integration.install(own)
        with recost.init():
            mine.apply(("mine",)).get()
            theirs.apply(("theirs",)).get()
            call("between")
        try:
            integration.install(own, tag_tasks="no")
        except ValueError as error:
            print(error)
        """,
        env=environment(
            QUEUE=str(tmp_path / "queue"), UPSTREAM=server.url, RECOST_LOCAL_DIR=str(tmp_path / "telemetry")
        ),
    )
    assert (result.stdout.strip(), result.stderr) == (
        "recost: tag_tasks: got 'no', expected True or False",
        "",
    )
    assert attributed(tmp_path / "telemetry") == {
        "/mine": {tags(task="own.task"): 1},
        "/theirs": {None: 1},
        "/between": {None: 1},
    }


def test_without_celery_the_error_has_the_command() -> None:
    result = run_script(
        """
        import sys
        sys.modules["celery"] = None
        try:
            import recost.frameworks.celery
        except ImportError as error:
            print(error)
        """
    )
    assert result.stdout.strip() == (
        'recost.frameworks.celery needs Celery, which is not installed: pip install "recost[celery]"'
    )
