"""The strict API of `tests.api` in a process of its own: ``python -m tests.collector_process LOG PORT``.

It appends one line to LOG for each window that it accepts: its id, its content and its number of calls by
endpoint, as JSON. A window whose id it knows already is accepted, too, and stands there twice.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.api import Api
from tests.scripts import ROOT, calls, environment

__all__ = ["Accepted", "collector"]


class Accepted:
    """What a collector has accepted so far."""

    def __init__(self, log: Path, url: str) -> None:
        self.url = url
        self._log = log

    @property
    def ids(self) -> list[str]:
        """The ids of the windows, in order, with repeats."""
        return [line["id"] for line in self._lines()]

    def total(self, endpoint: str) -> int:
        """Return the number of calls of an endpoint, those of repeated windows once."""
        once = {line["id"]: line["calls"] for line in self._lines()}
        return sum(each.get(endpoint, 0) for each in once.values())

    def contents(self) -> dict[str, set[str]]:
        """Return the different contents of each id."""
        found: dict[str, set[str]] = {}
        for line in self._lines():
            found.setdefault(line["id"], set()).add(line["body"])
        return found

    def _lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.read_text().splitlines()]


@contextmanager
def collector(log: Path, port: int) -> Iterator[Accepted]:
    """Run a collector for the length of a block."""
    log.touch()
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(log), str(port)],
        cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield Accepted(log, f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


class _Windows(list[Any]):
    """A list of windows that is written down before anybody is told that one was accepted."""

    def __init__(self, log: Path) -> None:
        super().__init__()
        self._log = log
        self._lock = threading.Lock()

    def append(self, window: Any) -> None:
        body = json.dumps(window, sort_keys=True)
        line = json.dumps({"id": window["windowId"], "calls": calls([window]), "body": body})
        with self._lock, self._log.open("a") as log:
            log.write(f"{line}\n")


def _main(log: str, port: str) -> None:
    api = Api(hourly_limit=10**9)
    api.windows = _Windows(Path(log))
    api.port = int(port)
    with api:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()  # until the test ends


if __name__ == "__main__":
    _main(*sys.argv[1:])
