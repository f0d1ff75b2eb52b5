"""Running the programs, and comparing what they recorded with what was served."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Callable

from tests.integration.runtimes._truth import Sums, recorded, served
from tests.loopback import Loopback, free_port, wait_until
from tests.scripts import environment

PACKAGE = "tests.integration.runtimes"


class Runtime:
    """One server to call, one folder for the telemetry, and the programs that use both."""

    def __init__(self, server: Loopback, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.log = folder / "log.txt"
        self.port = free_port()
        """Of the server under test."""
        self.env = environment(
            UPSTREAM=server.url,
            RECOST_LOCAL_DIR=str(folder / "telemetry"),
            RECOST_TEMPLATE_PATHS="false",  # an endpoint is the path that the server has logged
            HOME=str(folder),
            PYTHONFAULTHANDLER="1",  # a child that crashes says so
        )

    def run(self, *arguments: str) -> str:
        """Run a Python program to its end, which must be a good one; returns what it said on stderr."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stderr

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a Python program that ends well, in time, when it is told to with SIGTERM."""
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=self.folder,
                env=self.env,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            assert process.wait(100) in (0, -signal.SIGTERM), self.said()
        finally:
            with suppress(ProcessLookupError):  # its children, too: they would call the next test's server
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)

    @contextmanager
    def serving(self, *arguments: str) -> Iterator[None]:
        """Run a server that listens on `port`, from its first answer on."""
        with self.running(*arguments):
            assert wait_until(self._answers, 100), self.said()
            yield
        assert "Traceback" not in self.said()

    def load(self, paths: Iterable[str]) -> None:
        """Ask the server under test for all of these, six at a time."""
        with ThreadPoolExecutor(6) as pool:
            assert set(pool.map(self._ask, paths)) == {b"done"}

    def waits_for(self, condition: Callable[[], bool]) -> None:
        """Return as soon as the condition holds."""
        assert wait_until(condition, 100), self.said()

    def said(self) -> str:
        """Return what the program that runs, or has run, has printed."""
        return self.log.read_text() if self.log.exists() else ""

    def assert_all_recorded(self) -> Sums:
        """Compare; returns what was served."""
        truth, found = served(self.server), recorded(self.folder / "telemetry")
        wrong = {key: (truth.get(key), found.get(key)) for key in {*truth, *found}}
        wrong = {key: pair for key, pair in wrong.items() if pair[0] != pair[1]}
        assert not wrong, f"(served, recorded): {wrong}\n{self.said()}"
        return truth

    def _ask(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=100) as response:
            return bytes(response.read())

    def _answers(self) -> bool:
        try:
            return self._ask("/") == b"done"
        except OSError:
            return False
