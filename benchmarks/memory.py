"""Memory over the bare application after a million calls over 2,000 buckets, in every failure state.

Also threads and open files over the bare application, and the time of ``init()``, of a fork and of the end.
What is left of a call here is what recost does with it: an exchange that begins and finishes. The application
waits where recost's inbox would overflow, as it would for the responses of its calls.

Run as a program, with the name of a state, it makes the calls and prints its memory. Linux only.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import socket
import sys
import tempfile
import time
import urllib.request  # noqa: F401 - an application that makes calls has a client, and what a client imports
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Optional

__all__ = ["measure", "megabytes", "table"]

_BUCKETS: Final = 2000
_INBOX: Final = 5000
_STATES: Final = (
    "bare",
    "idle",
    "file",
    "cloud, refused",
    "cloud, hanging",
    "cloud, refused, 50 windows",
    "cloud, slow",
    "cloud, 429",
    "cloud, 5xx",
    "cloud, 401",
    "cloud, unresolvable name",
    "cloud, black hole",
    "cloud, TLS failure",
    "cloud, refused, full disk",
    "cloud, refused, no folder",
    "ws, refused",
)
_SERVED: Final = {"slow": "slow", "429": "429", "5xx": "5xx", "401": "401", "TLS failure": "accepting"}
"""Behaviour of `stalls_collector` in a state of the cloud. It is trusted, except where TLS fails."""


_COLUMNS: Final = ("over_bare_mb", "highest_over_bare_mb", "threads", "files", "init_ms", "fork_ms", "end_s")
_COUNTS: Final = ("calls", "sent", "waiting", "dropped")


def measure(calls: int) -> list[dict[str, Any]]:
    """Return figures over those of the bare application, and what became of the calls, for each state."""
    results: list[dict[str, Any]] = []
    bare: dict[str, float] = {}
    for state in _STATES:
        found = {"collector": state, **_measured(state, 1 if state == "idle" else calls)}
        if state == "bare":
            bare = found
            continue
        for column in ("over_bare_mb", "highest_over_bare_mb", "threads", "files"):
            found[column] -= bare[column]
        results.append(found)
    return results


def _measured(state: str, calls: int) -> dict[str, Any]:
    """Run the application in one state, in a process of its own."""
    from programs import one_line, start  # noqa: PLC0415 - not in the processes that are measured

    served = _SERVED.get(state.partition(", ")[2]) if state.startswith("cloud") else None
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        variables, url = {"PYTHONDONTWRITEBYTECODE": "1"} if "full disk" in state else {}, ""
        if served is not None:
            trust = Path(folder, "trust.pem")
            url = one_line(stack.enter_context(start("stalls_collector", served, trust)))
            variables = {} if "TLS" in state else {"SSL_CERT_FILE": str(trust)}
        variables["RECOST_LOCAL_DIR"] = str(Path(folder, "telemetry"))
        with start("memory", state, calls, url, variables=variables) as process:
            figures: dict[str, Any] = json.loads(one_line(process))
            return figures


def table(results: list[dict[str, Any]]) -> list[list[str]]:
    """Return the rows of the table, headings first."""
    head = [
        "collector",
        "MB over bare",
        "at the highest",
        "threads",
        "files",
        "init() ms",
        "fork ms",
        "end s",
    ]
    rows = [[*head, *_COUNTS]]
    return rows + [
        [
            result["collector"],
            *(f"{result[name]:.1f}" for name in _COLUMNS[:2]),
            *(f"{result[name]:+d}" for name in _COLUMNS[2:4]),
            *(f"{result[name]:.1f}" for name in _COLUMNS[4:]),
            *(f"{result[name]:,}" for name in _COUNTS),
        ]
        for result in results
    ]


def _targets() -> list[tuple[str, str]]:
    """Return hosts and paths that make as many buckets."""
    early, late = "abcdefghijklm", "nopqrstuvwxyz"
    words = [first + second + third for first in early for second in late for third in early]
    return [(f"api{index % 40}.example.com", f"/v1/{words[index]}") for index in range(_BUCKETS)]


def _latencies_ns() -> list[int]:
    generator = random.Random(1)
    return [int(generator.lognormvariate(5, 1) * 1e6) for _ in range(10_007)]


def _numbers(calls: int) -> Iterator[tuple[str, str, int]]:
    targets, latencies = _targets(), _latencies_ns()
    for index in range(calls):
        yield (*targets[index % _BUCKETS], latencies[index % len(latencies)])


class _Application:
    """Makes calls under recost."""

    def __init__(self, state: str, url: str) -> None:
        import recost  # noqa: PLC0415 - not in the bare application

        self._flushes = 50 if state.endswith("50 windows") else 0
        self._listener: Optional[socket.socket] = None
        self._filling: list[socket.socket] = []
        options: dict[str, Any] = {"auto_shutdown_handlers": False}
        if state.startswith("cloud"):
            options.update(api_key="rc-benchmark", project_id="p", base_url=url or self._url(state))
            if "no folder" in state:
                options["local_dir"] = "/dev/null/telemetry"
            if "full disk" in state:
                resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        elif state.startswith("ws"):
            options.update(local_transport="ws", local_port=self._port(hanging=False))
        began = time.perf_counter()
        self._handle: Any = recost.init(**options)
        self.init_ms = (time.perf_counter() - began) * 1000

    def run(self, calls: int) -> None:
        from recost.interceptors import interception  # noqa: PLC0415
        from recost.interceptors.exchange import unfinished  # noqa: PLC0415

        inbox = self._handle._runtime.worker._inbox  # noqa: SLF001 - how full it is
        every = calls // self._flushes if self._flushes else calls + 1
        for number, (host, path, latency_ns) in enumerate(_numbers(calls), 1):
            exchange = interception.begin("benchmark", ("https", host, 443, path, "POST"))
            assert exchange is not None
            unfinished[exchange] = None
            exchange.status = 200
            exchange.started_ns -= latency_ns
            exchange.request_bytes, exchange.response_bytes = 300, 900
            exchange.finish()
            while len(inbox) > _INBOX:
                time.sleep(0.001)
            if number % every == 0:
                self._handle.flush_blocking(0.02)
        self._handle.flush_blocking(5)

    def account(self, calls: int) -> tuple[int, int, int]:
        """Return how many calls were sent, are waiting, and were dropped."""
        runtime = self._handle._runtime  # noqa: SLF001
        (delivery,) = runtime.destinations
        waiting = delivery.pending_calls
        unreported = delivery._outbox.loss.calls  # noqa: SLF001
        dropped = delivery.lost.calls + unreported + runtime.worker.dropped
        return calls - waiting - dropped, waiting, dropped

    def end_s(self) -> float:
        """End recost, and return the seconds that it took."""
        began = time.perf_counter()
        self._handle.dispose()
        return time.perf_counter() - began

    def _url(self, state: str) -> str:
        if "unresolvable" in state:
            return "http://collector.invalid"
        port = self._port(hanging="hanging" in state or "black hole" in state)
        if self._listener is not None and "black hole" in state:  # a full queue ignores connections
            self._listener.listen(0)
            for _ in range(4):
                filling = socket.socket()
                filling.setblocking(False)
                filling.connect_ex(("127.0.0.1", port))
                self._filling.append(filling)
        return f"http://127.0.0.1:{port}"

    def _port(self, *, hanging: bool) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        if hanging:
            self._listener = listener
        else:
            listener.close()
        return port


def megabytes(field: str) -> float:
    """Return a field of this process's status, VmRSS or VmHWM, in megabytes. Linux only."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition(f"{field}:")[2].split()[0]) / 1024


def _forked_ms() -> float:
    """Return the time in which a child is forked, in milliseconds."""
    began = time.perf_counter()
    child = os.fork()
    if child == 0:
        os._exit(0)
    took = time.perf_counter() - began
    os.waitpid(child, 0)
    return took * 1000


def main(state: str, calls: int, url: str) -> None:
    """Make the calls, and print what they cost."""
    figures: dict[str, Any] = {"calls": calls, "init_ms": 0.0, "end_s": 0.0}
    application: Optional[_Application] = None
    counts = (0, 0, 0)
    if state == "bare":
        for _ in _numbers(calls):
            pass
    else:
        application = _Application(state, url)
        figures["init_ms"] = application.init_ms
        application.run(calls)
        counts = application.account(calls)
    figures.update(zip(_COUNTS[1:], counts))
    figures["over_bare_mb"], figures["highest_over_bare_mb"] = megabytes("VmRSS"), megabytes("VmHWM")
    figures["threads"] = len(list(Path("/proc/self/task").iterdir()))
    figures["files"] = len(list(Path("/proc/self/fd").iterdir()))
    figures["fork_ms"] = _forked_ms()
    if application is not None:
        figures["end_s"] = application.end_s()
    print(json.dumps(figures), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
