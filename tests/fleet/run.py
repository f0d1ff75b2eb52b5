"""Run a fleet, and compare what ``recost report`` says of its folder with the server's own log."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from tests.collector.serving import Collector, make_key, report
from tests.fleet.member import BATCH, PRICE_CENTS
from tests.integration.losing_proxy import losing_proxy
from tests.loopback import Loopback, free_port, loopback, wait_until
from tests.scripts import ROOT, environment
from tests.scripts import calls as calls_in

__all__ = ["Outcome", "run"]

_KINDS: Final = ("fork", "preload", "task", "script")


@dataclass
class Outcome:
    """What came of a fleet."""

    processes: int
    expected_calls: int
    served: int = 0
    reported: int = 0
    cost_usd: Decimal = Decimal(0)
    kills: int = 0
    lost_responses: int = 0
    seconds: float = 0.0
    left: int = 0
    """Files that are left in the spool."""
    missing: dict[str, int] = field(default_factory=dict)
    """Calls that are not reported, by kind of process."""
    errors: Counter[str] = field(default_factory=Counter)
    """How often recost reported something, by message without its numbers."""

    @property
    def expected_usd(self) -> Decimal:
        return self.expected_calls * PRICE_CENTS / 100

    @property
    def is_exact(self) -> bool:
        calls = self.served == self.reported == self.expected_calls
        return calls and self.cost_usd == self.expected_usd and not self.left

    def line(self) -> str:
        """Return it in one line."""
        verdict = "exact" if self.is_exact else f"FAIL: missing {self.missing}, {self.left} spools left"
        return (
            f"{self.processes} processes, {self.served:,} calls served, {self.reported:,} reported, "
            f"${self.cost_usd} of ${self.expected_usd}; {self.kills} kills of the collector, "
            f"{self.lost_responses:,} responses lost, {self.seconds:.0f} s: "
            f"{verdict}"
        )


class _Killed:
    """A collector that is killed every few seconds, and started again."""

    def __init__(self, folder: Path, every_s: float) -> None:
        self.kills = 0
        self._folder = folder
        self._every_s = every_s
        self._listen = f"127.0.0.1:{free_port()}"
        self.url = f"http://{self._listen}"
        self._over = threading.Event()
        self._running = self._start()
        self._thread = threading.Thread(target=self._kill, daemon=True)
        self._thread.start()

    def _start(self) -> Collector:
        return Collector(self._folder, "--listen", self._listen)

    def _kill(self) -> None:
        while not self._over.wait(self._every_s):
            self._running.process.send_signal(signal.SIGKILL)
            self._running.process.communicate()
            self._running = self._start()
            self.kills += 1

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._running.stop()


@contextmanager
def _programs(
    counts: dict[str, int], variables: dict[str, str], folder: Path
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start Gunicorn twice, Celery and scripts, with so many processes of each kind that make calls."""
    env = environment(**variables)
    log = (folder / "log").open("wb")
    python = sys.executable
    tasks = str(counts["task"] * int(variables["FLEET_CALLS"]) // BATCH)
    subprocess.run([python, "-m", "tests.fleet.tasks", tasks], cwd=ROOT, env=env, check=True, timeout=300)
    gunicorn = [python, "-m", "gunicorn", "-c", "python:tests.fleet.gunicorn_settings"]
    gunicorn += ["-w", str(counts["fork"]), "--timeout", "600", "--graceful-timeout", "60"]
    gunicorn += ["tests.fleet.server:application"]
    celery = [python, "-W", "ignore", "-m", "celery", "-A", "tests.fleet.tasks", "worker"]
    celery += ["-c", str(counts["task"])]
    started: list[subprocess.Popen[bytes]] = []

    def start(command: list[str], **more: str) -> None:
        whole = {**env, **more}
        started.append(
            subprocess.Popen(command, cwd=ROOT, env=whole, stdout=log, stderr=log, start_new_session=True)
        )

    try:
        start([*gunicorn, "-b", "127.0.0.1:0"])
        start([*gunicorn, "-b", "127.0.0.1:0"], FLEET_PRELOAD="1")
        start([*celery, "--loglevel", "ERROR"])
        for _ in range(counts["script"] - 1):  # and one that runs last
            start([python, "-m", "tests.fleet.member"])
        yield started
    finally:
        for process in started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # with the workers
                process.wait()
        log.close()


def run(
    processes: int, calls: int, *, every_s: float, share: float, pause_s: float, limit_s: float
) -> Outcome:
    """Run a fleet.

    Args:
        processes: Number of processes, of four kinds.
        calls: Calls of each process.
        every_s: Seconds between two kills of the collector.
        share: Share of responses that are lost.
        pause_s: Seconds between two calls of a process.
        limit_s: Limit on the time until all calls are made, and again on that until all have arrived.

    Raises:
        TimeoutError: The calls were not made in time.
    """
    began = time.monotonic()
    outcome = Outcome(processes, processes * calls)
    quarter = processes // 4
    tasks = (processes - 2 * quarter) // 2
    counts = {"fork": quarter, "preload": quarter, "task": tasks, "script": processes - 2 * quarter - tasks}
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as scratch, loopback() as server:
        folder = Path(scratch)
        stored, marks = folder / "stored", folder / "marks"
        stored.mkdir()
        marks.mkdir()
        key = make_key(stored, "shop", "--posts-per-hour", 10_000_000)
        collector = _Killed(stored, every_s)
        try:
            with losing_proxy(collector.url, share) as proxy:
                variables = {
                    "FLEET_KEY": key, "FLEET_COLLECTOR": proxy.url, "FLEET_FOLDER": str(folder / "telemetry"),
                    "FLEET_TARGET": server.url, "FLEET_MARKS": str(marks), "FLEET_CALLS": str(calls),
                    "FLEET_QUEUE": str(folder / "queue"), "FLEET_PAUSE_S": str(pause_s),
                    "PYTHONDONTWRITEBYTECODE": "",
                }  # fmt: skip
                with _programs(counts, variables, folder) as programs:
                    wanted = {**counts, "script": counts["script"] - 1, "task": tasks * calls // BATCH}
                    if not wait_until(lambda: _made(marks) == wanted, limit_s):
                        raise TimeoutError(f"{_made(marks)}: {(folder / 'log').read_text()[-3000:]}")
                    _end(programs)
                _run_last(variables, limit_s)
                outcome.left = len(list((folder / "telemetry").glob("*.spool")))
                outcome.lost_responses = proxy.lost
        finally:
            collector.close()
        outcome.kills = collector.kills
        outcome.served = len(server.log)
        outcome.missing = _missing(server, stored)
        outcome.errors = _errors(marks)
        total: dict[str, Any] = report(stored)["total"]
        outcome.reported = total["calls"]
        outcome.cost_usd = Decimal(str(total["cost_usd"]))
    outcome.seconds = time.monotonic() - began
    return outcome


def _missing(server: Loopback, stored: Path) -> dict[str, int]:
    """Return the calls that the server has served and the collector does not have, by kind of process."""
    found = Counter(each.path.split("/")[2] for each in list(server.log))
    for file in stored.glob("shop*.jsonl"):
        with file.open("rb") as lines:
            for endpoint, count in calls_in(map(json.loads, lines)).items():
                found[endpoint.split("/")[2]] -= count
    return {kind: count for kind, count in found.items() if count}


def _errors(marks: Path) -> Counter[str]:
    file = marks / "errors"
    lines = file.read_text().splitlines() if file.exists() else []
    return Counter(re.sub(r"[0-9]+|[0-9a-f-]{20,}", "#", line)[:200] for line in lines)


def _made(marks: Path) -> dict[str, int]:
    found = dict.fromkeys(_KINDS, 0)
    for file in marks.iterdir():
        kind = file.name.partition("-")[0]
        if kind in found:
            found[kind] += 1
    return found


def _end(programs: list[subprocess.Popen[bytes]]) -> None:
    """End the servers as an operator does, and wait for all programs."""
    for process in programs[:3]:
        process.send_signal(signal.SIGTERM)
    for process in programs:
        process.wait(120)


def _run_last(variables: dict[str, str], limit_s: float) -> None:
    """Run one more script, which also sends what the others have left, and ends when all has arrived."""
    command = [sys.executable, "-m", "tests.fleet.member", "last"]
    last = subprocess.Popen(command, cwd=ROOT, env=environment(**variables))
    try:
        last.wait(limit_s)
    finally:
        last.kill()
        last.wait()
