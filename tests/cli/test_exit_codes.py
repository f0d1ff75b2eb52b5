"""What the exit code of a command says: 1 is what it looks for, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recost import MetricEntry, WindowSummary, wire
from recost.cli import main
from recost.ledger.model import LedgerDay, Row
from recost.ledger.store import LedgerFile
from tests.analytics.test_store import line
from tests.scripts import ROOT, environment

pytest.importorskip("duckdb")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes and /dev/full")

GATE = ("gate", "--max-usd", "0.0001")
ANOMALIES = ("anomalies", "--since", "1h", "--by", "provider", "--tz", "UTC")
RECONCILE = ("reconcile", "--min-coverage", "90")
READERS: list[tuple[str, ...]] = [
    ("report",),
    ("report", "--json"),
    ("report", "--csv"),
    ("export",),
    ("export", "--format", "jsonl"),
    ("waste",),
    GATE,
    ("gate", "--write-baseline", "-"),
    ANOMALIES,
    ("schema",),
    ("doctor",),
    ("forecast",),
    ("top", "--once"),
    ("reconcile",),
    ("reconcile", "--json"),
    ("ledger", "status"),
    ("check",),
    ("digest",),
    ("prices",),
    ("docs",),
]


def hourly(cents_of_now: float) -> bytes:
    """Return a month of hours of $1, and what the hour that runs costs."""
    now = time.time()
    whole = int(now) // 3600 * 3600
    out = []
    for back in range(24 * 30, -1, -1):
        cents = 100.0 if back else cents_of_now
        metric = MetricEntry("openai", "chat", "POST", 3, 0, 900.0, 300.0, 310.0, 9, 9, cents)
        began = (whole - back * 3600) * 1000.0
        window = WindowSummary("", "p", "python", "0", began, began + 30_000, (metric,))
        out.append(wire.encode_window(window) + b"\n")
    return b"".join(out)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A telemetry folder in which ``gate``, ``anomalies`` and ``reconcile`` find what they look for."""
    folder = tmp_path / "telemetry"
    folder.mkdir()
    (folder / "shop.jsonl").write_bytes(hourly(9000.0))
    (folder / "recost.toml").write_text(
        '[[notify]]\nname = "hook"\ntype = "webhook"\nurl = "https://hooks.test/x"\n'
        '[[alert]]\non = "budget"\nlimit_usd = 1000000\nto = ["hook"]\n'
    )
    now = datetime.now(timezone.utc)
    billed = Row("billed", model="gpt-4o", amount=Decimal(9000), currency="USD")
    day = LedgerDay((now - timedelta(days=2)).date(), (billed,))
    LedgerFile(folder, "openai", "default").add(day, final=True, now=now)
    return environment(RECOST_LOCAL_DIR=str(folder), TZ="UTC")


def recost(
    env: dict[str, str], *arguments: str, buffered: bool = True, **how: Any
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "recost", *arguments],
        cwd=env["RECOST_LOCAL_DIR"],
        env={**env, "PYTHONUNBUFFERED": "" if buffered else "1"},
        text=True,
        timeout=60,
        check=False,
        **{"stderr": subprocess.PIPE, **how},
    )


@pytest.mark.parametrize("arguments", [GATE, ANOMALIES, RECONCILE])
def test_what_is_found_is_1(env: dict[str, str], arguments: tuple[str, ...]) -> None:
    assert recost(env, *arguments, stdout=subprocess.DEVNULL).returncode == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("arguments", READERS)
@pytest.mark.parametrize("buffered", [True, False])
def test_a_full_disk_behind_stdout(env: dict[str, str], arguments: tuple[str, ...], buffered: bool) -> None:
    with Path("/dev/full").open("wb") as full:
        done = recost(env, *arguments, buffered=buffered, stdout=full)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1] == "recost: cannot write to stdout: No space left on device"


@pytest.mark.parametrize("arguments", READERS)
def test_a_reader_that_has_left(env: dict[str, str], arguments: tuple[str, ...]) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    done = recost(env, *arguments, stdout=theirs)
    os.close(theirs)
    assert done.returncode == 141
    assert "recost: " not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_head_of_an_export(env: dict[str, str], kind: str) -> None:
    Path(env["RECOST_LOCAL_DIR"], "more.jsonl").write_bytes(b"".join(map(line, range(20_000))))
    script = f"{sys.executable} -m recost export --format {kind} | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", script], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    first, code = done.stdout.splitlines()
    assert "window_start" in first
    assert code == "141"


@pytest.mark.parametrize("arguments", READERS)
def test_a_closed_stdout(env: dict[str, str], arguments: tuple[str, ...]) -> None:
    done = recost(env, *arguments, preexec_fn=lambda: os.close(1))
    assert done.returncode == 2
    assert done.stderr == "recost: stdout is closed: expected a file, a pipe or a terminal\n"


@pytest.mark.parametrize("kind", ["closed", "full", "left", "left buffered", "full buffered"])
def test_a_stderr_that_takes_nothing_changes_nothing(env: dict[str, str], kind: str) -> None:
    if kind.startswith("full") and not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    Path(env["RECOST_LOCAL_DIR"], "shop.jsonl.bak").write_bytes(b"")  # which is named on stderr
    expected = {
        ("export",): 0,
        (*GATE, "--write-baseline", "-"): 1,
        (*GATE, "--provider", "opena1"): 2,
        (*ANOMALIES, "--endpoint", "nothing"): 2,
        ("gate", "--max-usd", "much"): 2,
        ("reports",): 2,
    }
    usual = {arguments: recost(env, *arguments, stdout=subprocess.PIPE).stdout for arguments in expected}
    how: dict[str, Any] = {"stdout": subprocess.PIPE, "buffered": kind.endswith("buffered")}
    with ExitStack() as stack:
        if kind == "closed":
            how |= {"preexec_fn": lambda: os.close(2), "stderr": None}
        elif kind.startswith("full"):
            how["stderr"] = stack.enter_context(Path("/dev/full").open("wb"))
        else:
            ours, how["stderr"] = os.pipe()
            os.close(ours)
            stack.callback(os.close, how["stderr"])
        for arguments, code in expected.items():
            done = recost(env, *arguments, **how)
            assert (done.returncode, done.stdout) == (code, usual[arguments]), arguments


def test_a_fault_behind_a_closed_stderr(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import recost.cli.gate\ndef fail():\n    raise RuntimeError\nrecost.cli.gate.right_now = fail\n"
    )
    done = recost(
        {**env, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        *GATE, stdout=subprocess.PIPE, stderr=None, preexec_fn=lambda: os.close(2),
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (70, "")


def test_a_program_under_run_may_do_without_stdout(env: dict[str, str]) -> None:
    assert recost(env, "run", "--", sys.executable, "-c", "", preexec_fn=lambda: os.close(1)).returncode == 0


def test_a_closed_stdin(env: dict[str, str]) -> None:
    done = recost(env, "report", "-", stdout=subprocess.DEVNULL, preexec_fn=lambda: os.close(0))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "stdin is closed" in done.stderr


@pytest.mark.parametrize("command", ["gate", "anomalies"])
def test_a_fault_of_the_command_itself(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(f"recost.cli.{command}.right_now", fail)
    assert main([command, *(["--max-usd", "1"] if command == "gate" else [])]) == 70
    assert "RuntimeError: a fault" in capsys.readouterr().err


INVALID = {
    "RECOST_API_KEY": "rc-0123456789",
    "RECOST_MAX_BUCKETS": "lots",
    "RECOST_BASE_URL": "ftp://x",
    "RECOST_LOCAL_PORT": "0",
    "RECOST_FLUSH_INTERVAL": "often",
    "RECOST_DEBUG": "perhaps",
    "RECOST_PROVIDERS_FILE": "/nonexistent",
    "RECOST_PROJECT_ID": "shop.1",
}


@pytest.mark.parametrize("name", INVALID)
def test_local_files_are_read_whatever_else_is_set_wrong(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RECOST_LOCAL_DIR", str(tmp_path))
    monkeypatch.setenv(name, INVALID[name])
    (tmp_path / "shop.jsonl").write_bytes(line(1, 10))
    for arguments in (["report"], ["export"], ["waste"], ["gate", "--max-usd", "1"], ["prune", "--help"]):
        assert main(arguments) == 0, capsys.readouterr().err
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("command", ["tail", "top"])
def test_files_are_followed_whatever_else_is_set_wrong(env: dict[str, str], command: str) -> None:
    arguments = ["tail", "-n", "1"] if command == "tail" else ["top", "--once"]
    with subprocess.Popen(
        [sys.executable, "-m", "recost", *arguments],
        env={**env, **INVALID},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.kill()


@pytest.mark.parametrize("recorded", [True, False])
def test_the_line_for_cron_sends_a_mail_that_says_what(
    env: dict[str, str], tmp_path: Path, recorded: bool
) -> None:
    (written,) = (
        each.partition("15 * * * *")[2].strip()
        for each in (ROOT / "recost" / "cli" / "README.md").read_text().splitlines()
        if each.startswith("15 * * * *")
    )
    if not recorded:
        Path(env["RECOST_LOCAL_DIR"], "shop.jsonl").unlink()
    assert "%" not in written, "cron takes it for the end of the line"
    programs = {"mail": f'cat > "{tmp_path}/mail"', "recost": f'exec "{sys.executable}" -m recost "$@"'}
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, what in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{what}\n")
        (folder / name).chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", written],
        env={**env, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == (b"", b"")
    mail = (tmp_path / "mail").read_text()
    assert ("$90.00" if recorded else "nothing recorded in") in mail


def test_no_mail_when_there_is_nothing_to_tell(env: dict[str, str]) -> None:
    Path(env["RECOST_LOCAL_DIR"], "shop.jsonl").write_bytes(hourly(100.0))
    assert recost(env, *ANOMALIES, stdout=subprocess.DEVNULL).returncode == 0


@pytest.mark.parametrize("command", ["report", "waste", "export", "anomalies", "gate --max-usd 1"])
def test_files_without_a_window_are_not_an_empty_result(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("one\ntwo\n")
    assert main([*command.split(), "--no-cache", str(file)]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err) == (
        "",
        "recost: nothing could be read: 2 lines are malformed (-v lists them)\n",
    )
