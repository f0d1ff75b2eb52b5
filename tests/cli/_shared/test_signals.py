"""What a command leaves when it is told to end: nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.analytics.test_store import line
from tests.scripts import environment

pytest.importorskip("duckdb")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")


def begin(tmp_path: Path, *arguments: str, **how: Any) -> subprocess.Popen[bytes]:
    for name in ("tmp", "telemetry"):
        (tmp_path / name).mkdir()
    (tmp_path / "telemetry" / "shop.jsonl").write_bytes(line(1, 10))
    env = environment(TMPDIR=str(tmp_path / "tmp"), RECOST_LOCAL_DIR=str(tmp_path / "telemetry"))
    return subprocess.Popen(
        [sys.executable, "-m", "recost", *arguments], env=env, stderr=subprocess.PIPE, **how
    )


def wait_for(path: Path, pattern: str) -> None:
    deadline = time.monotonic() + 30
    while not list(path.glob(pattern)):
        assert time.monotonic() < deadline, list(path.rglob("*"))
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_the_copy_of_stdin_goes(tmp_path: Path, number: int) -> None:
    with begin(tmp_path, "export", "-", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        process.stdin.write(line(1, 10) * 1000)
        process.stdin.flush()
        wait_for(tmp_path / "tmp", "recost-*/stdin.jsonl")
        process.send_signal(number)
        code = process.wait(20)
    assert code == (130 if number == signal.SIGINT else -number)
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_an_output_that_waits_for_its_reader(tmp_path: Path, number: int) -> None:
    os.mkfifo(tmp_path / "pipe")
    with begin(tmp_path, "export", "-o", str(tmp_path / "pipe")) as process:
        wait_for(tmp_path / "tmp", "recost-*/content")
        process.send_signal(number)
        assert process.wait(20) == -number
    assert list((tmp_path / "tmp").iterdir()) == []
    left = {path.name for path in (tmp_path / "telemetry" / ".cache").iterdir()}
    assert left <= {"reports.duckdb", "reports.duckdb.wal", "reports.lock"}


def test_a_signal_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with begin(tmp_path, "export", "-o", str(tmp_path / "pipe"), preexec_fn=ignore) as process:
        wait_for(tmp_path / "tmp", "recost-*/content")
        process.send_signal(signal.SIGHUP)
        assert (tmp_path / "pipe").read_bytes().startswith(b"project,")
        assert process.wait(20) == 0


def test_a_program_under_run_has_its_own_signals(tmp_path: Path) -> None:
    code = "import signal; print(signal.getsignal(signal.SIGHUP) is signal.SIG_DFL)"
    with begin(tmp_path, "run", "--", sys.executable, "-c", code, stdout=subprocess.PIPE) as process:
        assert process.communicate(timeout=30)[0] == b"True\n"
