"""The benchmarks run, on as little as they can be given; what they measure is not looked at."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import recost
from tests.scripts import ROOT, environment

pytestmark = pytest.mark.slow
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")


def run(folder: Path, *arguments: str) -> tuple[str, dict[str, Any]]:
    """Return what the benchmarks print, and the figures."""
    file = folder / "results.json"
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "run.py"),
        "--least",
        "--json",
        str(file),
        *arguments,
    ]
    done = subprocess.run(
        command, env=environment(), capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(file.read_text())


def test_startup(tmp_path: Path) -> None:
    table, results = run(tmp_path, "startup")
    assert "import recost" in table
    assert all(step["wall_ms"] >= 0 for step in results["startup"].values())
    assert results["startup"]["init()"]["imports"] == "none"


def test_match(tmp_path: Path) -> None:
    table, results = run(tmp_path, "match")
    rules = [len(recost.BUILTIN_PROVIDERS), 1_000, 10_000]
    assert [line.split("|")[1].strip() for line in table.splitlines()[-3:]] == [f"{n:,}" for n in rules]
    assert [found["rules"] for found in results["match"]] == rules


def test_new_urls(tmp_path: Path) -> None:
    _, results = run(tmp_path, "new_urls")
    assert len({found["kind"] for found in results["new_urls"]}) == len(results["new_urls"]) > 5
    assert all(found["us"] > 0 for found in results["new_urls"])


def test_metering(tmp_path: Path) -> None:
    _, results = run(tmp_path, "metering", "--clients", "httpx")
    rows = [(found["client"], found["response"]) for found in results["metering"]]
    assert rows == [("httpx", "2 KB"), ("httpx", "events")]
    assert all(found["on_us"] > 0 for found in results["metering"])


@linux
def test_long_stream(tmp_path: Path) -> None:
    _, results = run(tmp_path, "long_stream", "--clients", "urllib3,httpx")
    assert [(found["client"], found["cost_usd"]) for found in results["long_stream"]] == [
        ("urllib3", "0.012345"), ("httpx", "0.012345")
    ]  # fmt: skip


def test_throughput(tmp_path: Path) -> None:
    _, results = run(tmp_path, "throughput")
    assert all(found["per_s"] > 0 for found in results["throughput"])


@linux
@pytest.mark.slow
def test_memory(tmp_path: Path) -> None:
    _, results = run(tmp_path, "memory")
    by_collector = {found["collector"]: found for found in results["memory"]}
    for found in by_collector.values():
        assert found["sent"] + found["waiting"] + found["dropped"] == found["calls"]
    assert by_collector["file"]["sent"] == by_collector["file"]["calls"]
    assert by_collector["cloud, refused"]["waiting"] == by_collector["cloud, refused"]["calls"]


@linux
def test_outage(tmp_path: Path) -> None:
    _, results = run(tmp_path, "outage")
    found = [(each["outage_s"], each["how"], each["calls"], each["lost"]) for each in results["outage"]]
    assert found == [
        (0, "running", 0, 0),
        (0, "ended", 0, 0),
        (60, "running", 6000, 0),
        (60, "ended", 6000, 0),
    ]
    assert all(each["posts"] <= 60 for each in results["outage"])


CLIENTS = [
    "httpx",
    "httpx async",
    "httpx2",
    "httpx2 async",
    "aiohttp",
    "requests",
    "urllib3",
    "urllib.request",
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("client", "network"), [*((client, "memory") for client in CLIENTS), ("httpx", "loopback")]
)
def test_every_call_is_seen(client: str, network: str, tmp_path: Path) -> None:
    table, results = run(
        tmp_path, "calls", "--clients", client, "--networks", network, "--observers", "recost"
    )
    if not results["calls"]:
        pytest.skip(f"{client} is not installed")
    (found,) = results["calls"]
    assert client in table
    assert found["seen"] == {"recost": 1.0}
    assert found["bare_us"] > 0


def test_an_unknown_part_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "run.py"), "cals"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "unknown: cals; there are startup, match" in done.stderr


@pytest.mark.slow
def test_forecasts() -> None:
    pytest.importorskip("statsmodels")
    command = [sys.executable, str(ROOT / "benchmarks" / "forecasts.py"), "--series", "1"]
    done = subprocess.run(
        command, env=environment(), capture_output=True, text=True, timeout=115, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split("|")[1].strip() for line in done.stdout.splitlines() if line.startswith("|")]
    assert {"week", "nile", "elec_equip", "all generated", "bursty", "sparse", "shift"} <= set(rows)


def test_instructions_are_skipped_without_valgrind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    command = [sys.executable, str(ROOT / "benchmarks" / "run.py"), "instructions"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    assert "instructions: skipped, valgrind is not installed" in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("vgdb") is None, reason="valgrind is not installed")
def test_instructions(tmp_path: Path) -> None:
    arguments = ("instructions", "--clients", "urllib3", "--observers", "recost", "--tree", str(ROOT))
    for _ in range(3):
        table, results = run(tmp_path, *arguments)
        (found,) = results["instructions"]
        assert found["client"] in table
        figures = found["instructions"]
        assert list(figures) == ["bare", "recost"]
        assert figures["recost"]["seen"] == 1.0
        # Of a few calls on a busy machine: the worker's turns, and what the allocator does, may fall into
        # either of the two counts.
        if 0 < figures["bare"]["caller"] < min(figures["recost"]["caller"], figures["recost"]["whole"]):
            return
    pytest.fail(f"a call without recost takes more: {figures}")


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(shutil.which("vgdb") is None, reason="valgrind is not installed")
def test_modes(tmp_path: Path) -> None:
    table, results = run(tmp_path, "modes", "--clients", "httpx", "--modes", "budget,tags")
    (found,) = results["modes"]
    assert (found["client"], found["response"]) == ("httpx", "2 KB, a call")
    figures = found["instructions"]
    assert list(figures) == ["plain", "budget", "tags"]
    assert "budget +k" in table
    for mode in figures.values():
        assert mode["seen"] == 1.0
        assert mode["whole"] > 0  # of a few calls, it says no more


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(shutil.which("vgdb") is None, reason="valgrind is not installed")
def test_modes_with_a_stream(tmp_path: Path) -> None:
    _, results = run(tmp_path, "modes", "--clients", "aiohttp", "--modes", "metered")
    assert [found["response"] for found in results["modes"]] == ["2 KB, a call", "events, an event"]
    for found in results["modes"]:
        assert {mode["seen"] for mode in found["instructions"].values()} == {1.0}


@linux
@pytest.mark.slow
@pytest.mark.parametrize("state", ["file", "cloud, closing", "exit"])
def test_stalls(state: str, tmp_path: Path) -> None:
    pytest.importorskip("websockets")
    table, results = run(tmp_path, "stalls", "--states", state)
    (found,) = results["stalls"]
    assert found["state"] == state
    assert state in table
    figures = [*found["held_ms"], *found["collecting_ms"]]
    assert all(0 <= held <= max(found["gap_ms"]) for held in figures)
    assert state == "file" or max(figures) > 0  # recost's threads are seen
