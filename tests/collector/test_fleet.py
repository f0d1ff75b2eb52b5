"""Many processes, two collectors that are killed, one database, and a proxy that loses responses."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

pytest.importorskip("psycopg")
from tests.collector.serving import Collector, make_key
from tests.databases.postgresql import new_database
from tests.integration.losing_proxy import Forwarded, LosingProxy, forwarded
from tests.loopback import Loopback, free_port
from tests.scripts import environment

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")

PROGRAM = """
import os, sys, time, urllib.request
import recost
key, base_url, folder, target, calls, fork = sys.argv[1:]
rule = recost.ProviderDef("127.0.0.1", "api", cost_per_request_cents=0.125)
handle = recost.init(api_key=key, project_id="shop", base_url=base_url, local_dir=folder, environment="test",
                     custom_providers=[rule], flush_interval_ms=1000, shutdown_flush_timeout_ms=20_000,
                     on_error=lambda error: None)
if fork == "yes":
    os.fork()
for number in range(int(calls)):
    urllib.request.urlopen(target + "/plain?n=1").read()
    time.sleep(0.002)
"""
TAKER = """
import pathlib, sys, time
import recost
key, base_url, folder = sys.argv[1:]
handle = recost.init(api_key=key, project_id="shop", base_url=base_url, local_dir=folder,
                     on_error=lambda error: None)
import urllib.request
urllib.request.urlopen(base_url + "/own")
"""


class TwoTargets(LosingProxy):
    """A proxy that sends each request to one of two collectors."""

    def __init__(self, ports: list[int], share: float, seed: int) -> None:
        self._targets = [f"http://127.0.0.1:{port}" for port in ports]
        self._chosen = random.Random(seed)
        super().__init__(f"http://127.0.0.1:{ports[0]}", share, seed)

    def forward(self, path: str, headers: dict[str, str], body: bytes) -> Forwarded:
        return forwarded(self._targets[self._chosen.randrange(2)], path, headers, body)


def kill_and_restart(
    running: list[Collector], again: list[list[object]], done: threading.Event, every_s: float
) -> int:
    kills = 0
    while not done.wait(every_s):
        which = kills % 2
        running[which].process.send_signal(signal.SIGKILL)
        running[which].process.communicate()
        running[which] = Collector(*again[which])  # type: ignore[arg-type]
        kills += 1
    return kills


def survive(tmp_path: Path, server: Loopback, processes: int, calls: int, every_s: float) -> None:
    database, folder, keys = new_database(), tmp_path / "spools", tmp_path / "keys"
    key = make_key(keys, "shop", "--posts-per-hour", 10_000_000)
    ports = [free_port(), free_port()]
    again: list[list[object]] = [
        [keys, "--store", database, "--listen", f"127.0.0.1:{port}"] for port in ports
    ]
    running = [Collector(*each) for each in again]  # type: ignore[arg-type]
    proxy, done, kills = TwoTargets(ports, 0.2, 7), threading.Event(), [0]

    def killing() -> None:
        kills[0] = kill_and_restart(running, again, done, every_s)

    killer = threading.Thread(target=killing)
    killer.start()

    def start(program: str, *arguments: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", program, *map(str, arguments)],
            env=environment(),
            stderr=subprocess.PIPE,
            text=True,
        )

    try:
        programs = [
            start(PROGRAM, key, proxy.url, folder, server.url, calls, "yes" if number % 3 == 0 else "no")
            for number in range(processes)
        ]
        for program in programs:
            _, said = program.communicate(timeout=1200)
            assert (program.returncode, said) == (0, "")
    finally:
        done.set()
        killer.join()
    for _ in range(20):  # what the programs could not deliver before they ended
        if not list(folder.glob("*.spool")):
            break
        start(TAKER, key, f"http://127.0.0.1:{running[0].port}", folder).communicate(timeout=100)
    assert not list(folder.glob("*.spool"))
    for each in running:
        each.stop()
    found = subprocess.run(
        [sys.executable, "-m", "recost", "report", "--json", "--store", database, "--provider", "api"],
        env=environment(), capture_output=True, text=True, timeout=100, check=True,
    )  # fmt: skip
    total = json.loads(found.stdout)["total"]
    assert len(server.log) == calls * (processes + (processes + 2) // 3)
    assert (total["calls"], total["cost_usd"]) == (len(server.log), len(server.log) * 0.00125)
    assert proxy.lost > 0
    assert kills[0] > 0
    proxy.close()


@pytest.mark.timeout(400)
def test_each_call_counts_once(tmp_path: Path, server: Loopback) -> None:
    """``RECOST_FLEET=37x2000`` has so many processes, and calls of each (half an hour)."""
    processes, calls = map(int, os.environ.get("RECOST_FLEET", "4x400").split("x"))
    survive(tmp_path, server, processes, calls, 3 if "RECOST_FLEET" in os.environ else 1.5)
