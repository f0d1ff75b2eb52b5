"""One run: the server, the collector, the processes and what befalls them, and the sums at the end."""

from __future__ import annotations

import json
import math
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Optional

from tests.chaos.accounts import Accounts, read_arrived, spooled
from tests.chaos.destination import KEY, PROJECT
from tests.chaos.plan import Plan, ProducerPlan, planned, word
from tests.chaos.producer import Said, Settings
from tests.loopback import Loopback, loopback, wait_until
from tests.scripts import NO_BYTECODE, ROOT, environment

__all__ = ["Outcome", "run"]

_LONGEST_STALL_MS: Final = 5.0
_SLACK_S: Final = 20.0
"""By how much longer than its bound a program may take to end: Python starts and ends, on a busy machine."""
_SWEEP_S: Final = 90.0


@dataclass
class Outcome:
    """What came of a seed."""

    seed: int
    figures: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def line(self) -> str:
        """Return it in one line."""
        shown = ", ".join(f"{name} {value:,}" for name, value in self.figures.items())
        return f"seed {self.seed}: {'FAIL' if self.problems else 'ok'}: {shown}"


class _Crew:
    """What all programs of a run share, and what becomes known of them."""

    def __init__(self, plan: Plan, url: str, collector: str, folder: Path) -> None:
        self.plan = plan
        self.url = url
        self.collector = collector
        self.folder = folder
        self.began = time.monotonic()
        self.until = self.began + plan.seconds
        self.said: list[Said] = []
        self.killed: set[str] = set()
        self.problems: list[str] = []
        self.ends_s: list[float] = []
        """How long programs took to end."""
        self.writing = -1

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Note what programs say while the block runs, and wait until they and their children have ended."""
        reading, self.writing = os.pipe()
        reader = threading.Thread(target=self._read, args=(reading,), daemon=True)
        reader.start()
        try:
            yield
        finally:
            os.close(self.writing)
        reader.join(30)
        if reader.is_alive():
            self.problems.append("a child has not ended 30 s after its parent")

    def _read(self, reading: int) -> None:
        with os.fdopen(reading, "rb") as lines:
            for line in lines:
                self.said.append(Said(**json.loads(line)))

    def keep_running(self, producer: ProducerPlan) -> None:
        """Run a program, and start it again when it has ended, until the time is over."""
        signals, lives = list(producer.signals), 0
        while (time.monotonic() < self.until - 0.5 or not lives) and lives < 40:
            self._live(producer, lives, signals)
            lives += 1

    def _live(self, producer: ProducerPlan, life: int, signals: list[tuple[float, str]]) -> None:
        settings = self.settings(producer, life)
        with (self.folder / f"{settings.name}.stderr").open("w+b") as errors:
            process = self.start(settings, errors, producer.most_bytes)
            ended_by = self._befall(process, settings, signals)
            asked = max(settings.until, time.monotonic()) if ended_by is None else time.monotonic()
            bound = producer.options["shutdown_flush_timeout_ms"] / 1000 + _SLACK_S
            try:
                code = process.wait(max(asked - time.monotonic(), 0) + bound)
                self.ends_s.append(max(time.monotonic() - asked, 0.0))
            except subprocess.TimeoutExpired:
                process.kill()
                self.killed.add(settings.name)
                self.problems.append(f"{settings.name}: has not ended {bound} s after it should have")
                return
            errors.seek(0)
            written = "" if producer.most_bytes else errors.read().decode(errors="replace")  # else cut short
            self._check_end(settings, ended_by, code, written)

    def _befall(
        self, process: subprocess.Popen[bytes], settings: Settings, signals: list[tuple[float, str]]
    ) -> Optional[str]:
        """Send the signals that are due until the program ends. Return the one that ends it."""
        while process.poll() is None and time.monotonic() < settings.until:
            passed = time.monotonic() - self.began
            if signals and signals[0][0] <= passed:
                name = signals.pop(0)[1]
                if name in ("KILL", "TERM"):
                    process.send_signal(signal.SIGCONT)
                if name == "KILL":
                    self.killed.add(settings.name)
                process.send_signal(getattr(signal, f"SIG{name}"))
                if name in ("KILL", "TERM"):
                    return name
            time.sleep(0.02)
        process.send_signal(signal.SIGCONT)
        return None

    def _check_end(self, settings: Settings, ended_by: Optional[str], code: int, errors: str) -> None:
        expected = {"sys.exit": 3, "exception": 1}.get(settings.end, 0)
        if ended_by is not None:  # it may have ended by itself at that moment
            expected = code if code == expected else -getattr(signal, f"SIG{ended_by}")
        lines = [each for each in errors.splitlines() if each and "genai-prices" not in each]
        strange = [each for each in lines if not each.startswith("recost: ")]
        planned_one = bool(strange) and strange[-1] == "LookupError: planned" and settings.end == "exception"
        if code != expected or (strange and not planned_one):
            self.problems.append(f"{settings.name}: ended with {code} for {expected}: {errors[-2000:]}")

    def settings(self, producer: ProducerPlan, life: int) -> Settings:
        folder = self.folder / "telemetry"
        if "no folder" in producer.traits:
            folder = self.folder / "a file" / "telemetry"
        options = {
            **producer.options,
            "api_key": KEY, "project_id": PROJECT, "base_url": self.collector, "local_dir": str(folder),
            "template_paths": False,  # the name of a process might look like an identifier
        }  # fmt: skip
        return Settings(
            name=word(self.plan.seed, producer.number, life),
            url=self.url,
            client=producer.client,
            rate=producer.rate,
            traits=sorted(producer.traits),
            end=producer.ends[life % len(producer.ends)],
            until=self.until,
            lives_s=producer.lives_s,
            seed=producer.seed + life,
            options=options,
            began=self.began,
            jumps=list(producer.jumps),
        )

    def start(self, settings: Settings, errors: Any, most_bytes: int = 0) -> subprocess.Popen[bytes]:
        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

        return subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.producer", json.dumps(asdict(settings))],
            cwd=ROOT,
            env=environment(**NO_BYTECODE) if most_bytes else environment(PYTHONDONTWRITEBYTECODE=""),
            stdin=subprocess.DEVNULL,
            stdout=self.writing,
            stderr=errors,
            preexec_fn=limit if most_bytes else None,  # noqa: PLW1509 - starts nothing and takes no lock
        )

    def sweep(self) -> None:
        """Have one more program send what is in the spool, in clear weather."""
        options = {"flush_interval_ms": 300, "shutdown_flush_timeout_ms": 3000}
        settings = self.settings(ProducerPlan(99, "urllib", frozenset(), 5.0, options, ("end",), 1), 0)
        settings.until = time.monotonic() + _SWEEP_S
        with (self.folder / "sweeper.stderr").open("w+b") as errors:
            process = self.start(settings, errors)
            wait_until(lambda: not list((self.folder / "telemetry").glob("*.spool")), _SWEEP_S - 5)
            self.killed.add(settings.name)
            process.kill()
            process.wait()


@contextmanager
def _destination(plan: Plan, log: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield the URL of a collector behind its proxy, and a function that ends the bad weather."""
    log.touch()
    command = [sys.executable, "-m", "tests.chaos.destination", str(plan.seed), str(plan.seconds), str(log)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def clear() -> None:
            process.stdin.write("clear\n")  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
            process.stdout.readline()  # type: ignore[union-attr]

        try:
            yield process.stdout.readline().strip(), clear
        finally:
            process.kill()


def run(seed: int, seconds: float, *, keep: Optional[Path] = None, timed: bool = True) -> Outcome:
    """Run a seed.

    Args:
        seed: Decides what happens.
        seconds: For how long programs make calls.
        keep: A folder for all files of the run. A temporary one without.
        timed: False: how long recost holds the interpreter is not a problem.
    """
    plan = planned(seed, seconds)
    with tempfile.TemporaryDirectory() as scratch, loopback() as server:
        folder = keep or Path(scratch)
        if keep is not None:
            shutil.rmtree(keep, ignore_errors=True)
        folder.mkdir(exist_ok=True, parents=True)
        (folder / "a file").touch()
        log = folder / "log"
        with _destination(plan, log) as (url, clear):
            crew = _Crew(plan, server.url, url, folder)
            with crew.listening():
                threads = [
                    threading.Thread(target=crew.keep_running, args=(each,)) for each in plan.producers
                ]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            at_end = _accounts(crew, server, log)
            clear()
            with crew.listening():
                crew.sweep()
            swept = _accounts(crew, server, log)
        if keep is not None:
            (folder / "said").write_text("\n".join(str(each) for each in crew.said))
    return _outcome(crew, at_end, swept, _LONGEST_STALL_MS if timed else math.inf)


def _accounts(crew: _Crew, server: Loopback, log: Path) -> Accounts:
    wait_until(server.settled, 10)
    served: Counter[str] = Counter(each.path.split("/")[2] for each in list(server.log))
    failed: Counter[str] = Counter()
    # Before the log: a window that moves is seen twice, not missed.
    found = spooled(crew.folder / "telemetry", failed)
    arrived = read_arrived(log)
    arrived.failed.update(failed)
    return Accounts(served, arrived, found, crew.killed, list(crew.said))


def _outcome(crew: _Crew, at_end: Accounts, swept: Accounts, longest_ms: float) -> Outcome:
    problems = [*crew.problems, *at_end.problems()]
    problems += [f"after the sweep: {each}" for each in swept.problems() if each not in problems]
    held = {each.name: each.held_ms for each in crew.said if each.held_ms > longest_ms}
    problems += [f"{name}: the interpreter was held for {ms:.1f} ms" for name, ms in held.items()]
    figures = at_end.figures()
    figures["left"] = sum(sum(calls.values()) for calls in swept.spooled.values())  # the pace holds it back
    figures["held ms"] = round(max((each.held_ms for each in crew.said), default=0.0), 2)
    figures["end s"] = round(max(crew.ends_s, default=0.0), 2)
    figures["processes"] = len({each.name for each in crew.said} | set(at_end.served))
    return Outcome(crew.plan.seed, figures, problems)
