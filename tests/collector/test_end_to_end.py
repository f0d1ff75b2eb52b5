"""From a program with the SDK, over the collector, to the commands on its folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.collector.serving import collector, command, lines, make_key, report
from tests.loopback import Loopback
from tests.scripts import ROOT, environment, run_script

PROGRAM = """
import sys, urllib.error, urllib.request
import recost
key, base_url, target, calls = sys.argv[1:]
errors = []
with recost.init(api_key=key, project_id="shop", base_url=base_url, environment="test",
                 on_error=errors.append, flush_interval_ms=200, max_batch_size=7,
                 shutdown_flush_timeout_ms=60_000):
    for number in range(int(calls)):
        path = ("/plain?n=10", "/status/503", "/v1/things")[number % 3]
        try:
            urllib.request.urlopen(target + path).read()
        except urllib.error.HTTPError as error:
            error.read()
assert not errors, errors
"""
"""What a program that uses the SDK does: calls, some of which fail."""


def truth(server: Loopback) -> tuple[int, int, int]:
    return (
        len(server.log),
        sum(entry.status >= 400 for entry in server.log),
        sum(entry.response_bytes for entry in server.log),
    )


def stored(folder: Path) -> tuple[int, int, int]:
    metrics = [metric for window in lines(folder) for metric in window["metrics"]]
    names = ("requestCount", "errorCount", "totalResponseBytes")
    calls, errors, size = (sum(metric[name] for metric in metrics) for name in names)
    return calls, errors, size


def test_a_program_with_the_sdk_needs_the_url_and_a_key_only(tmp_path: Path, server: Loopback) -> None:
    key = make_key(tmp_path)
    with collector(tmp_path) as running:
        programs = [
            subprocess.Popen(
                [sys.executable, "-c", PROGRAM, key, running.url, server.url, str(calls)],
                env=environment(),
                stderr=subprocess.PIPE,
                text=True,
            )
            for calls in (31, 17)
        ]
        for program in programs:
            _, said = program.communicate(timeout=60)
            assert (program.returncode, said) == (0, "")
        assert running.metric("recost_collector_calls_total") == 48

    assert len(server.log) == 48
    assert stored(tmp_path) == truth(server)


def test_the_report_equals_the_servers_own_log(tmp_path: Path, server: Loopback) -> None:
    pytest.importorskip("duckdb")
    key = make_key(tmp_path)
    with collector(tmp_path) as running:
        done = run_script(PROGRAM, key, running.url, server.url, 40)
        assert (done.returncode, done.stderr) == (0, "")
        total = report(tmp_path)["total"]

    assert (total["calls"], total["errors"]) == truth(server)[:2]
    assert total["calls"] == 40


@pytest.mark.parametrize(
    "name", ["report", "top", "gate", "waste", "forecast", "anomalies", "export", "prune"]
)
def test_a_command_reads_the_folder(name: str, tmp_path: Path, server: Loopback) -> None:
    if name not in {"top", "prune"}:
        pytest.importorskip("duckdb")
    if name == "forecast":
        pytest.importorskip("statsmodels")
    key = make_key(tmp_path)
    with collector(tmp_path) as running:
        assert run_script(PROGRAM, key, running.url, server.url, 6).returncode == 0
    options = {"gate": ["--max-usd", "5"], "top": ["--once"], "prune": ["--older-than", "1d"]}
    done = subprocess.run(
        [sys.executable, "-m", "recost", name, *options.get(name, []), str(tmp_path)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout


def test_one_collector_for_a_folder(tmp_path: Path) -> None:
    with collector(tmp_path):
        done = subprocess.run(
            [sys.executable, "-m", "recost", "collector", "--dir", str(tmp_path), "--listen", "127.0.0.1:0"],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == f"recost: another collector uses {tmp_path}: expected one for each folder\n"


def test_what_runs_without_a_collector_imports_nothing_of_it() -> None:
    program = """
    import sys
    before = set(sys.modules)  # a tool that measures coverage may have imported some
    import recost
    apart = ("recost.collector", "starlette", "uvicorn", "sqlite3")
    with recost.init():
        assert not [name for name in set(sys.modules) - before if name.startswith(apart)]
    """
    done = run_script(program)
    assert (done.returncode, done.stderr) == (0, "")


def test_keys_are_listed_without_the_keys_themselves(tmp_path: Path) -> None:
    keys = [make_key(tmp_path, project) for project in ("shop", "blog")]
    listed = command("keys", "list", "--dir", tmp_path).stdout
    assert "shop" in listed
    assert "blog" in listed
    assert not any(key in listed or key[3:20] in listed for key in keys)
    assert "blog" not in command("keys", "list", "--project", "shop", "--dir", tmp_path).stdout
    content = (tmp_path / ".collector" / "keys.json").read_text()
    assert not any(key[3:] in content for key in keys)
