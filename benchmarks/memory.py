"""Memory over the bare application after a million calls over 2,000 buckets, with the collector down.

What is left of a call here is what recost does with it: an exchange that begins and finishes. The application
waits where recost's inbox would overflow, as it would for the responses of its calls.

Run as a program, with the name of a state, it makes the calls and prints its memory. Linux only.
"""

from __future__ import annotations

import os
import random
import socket
import sys
import time
import urllib.request  # noqa: F401 - an application that makes calls has a client, and what a client imports
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, Final, Optional

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
    "ws, refused",
)


def measure(calls: int) -> list[dict[str, Any]]:
    """Return megabytes over the bare application, and what became of the calls, for each collector."""
    from programs import one_line, start  # noqa: PLC0415 - not in the processes that are measured

    results: list[dict[str, Any]] = []
    bare = 0.0
    for state in _STATES:
        count = 1 if state == "idle" else calls
        with start("memory", state, count) as process:
            now, peak, sent, waiting, dropped = map(float, one_line(process).split())
        if state == "bare":
            bare = now
            continue
        results.append(
            {
                "collector": state,
                "calls": count,
                "over_bare_mb": now - bare,
                "highest_over_bare_mb": peak - bare,
                "sent": int(sent),
                "waiting": int(waiting),
                "dropped": int(dropped),
            }
        )
    return results


def table(results: list[dict[str, Any]]) -> list[list[str]]:
    """Return the rows of the table, headings first."""
    rows = [["collector", "MB over bare", "at the highest", "calls", "sent", "waiting", "dropped"]]
    return rows + [
        [
            result["collector"],
            f"{result['over_bare_mb']:.1f}",
            f"{result['highest_over_bare_mb']:.1f}",
            *(f"{result[name]:,}" for name in ("calls", "sent", "waiting", "dropped")),
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

    def __init__(self, state: str) -> None:
        import recost  # noqa: PLC0415 - not in the bare application

        self._flushes = 50 if state.endswith("50 windows") else 0
        self._listener: Optional[socket.socket] = None
        options: dict[str, Any] = {"auto_shutdown_handlers": False}
        if state.startswith("cloud"):
            port = self._port(hanging="hanging" in state)
            options.update(api_key="rc-benchmark", project_id="p", base_url=f"http://127.0.0.1:{port}")
        elif state.startswith("ws"):
            options.update(local_transport="ws", local_port=self._port(hanging=False))
        self._handle: Any = recost.init(**options)

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


def main(state: str, calls: int) -> None:
    """Make the calls, and print what they cost."""
    account: Callable[[int], tuple[int, int, int]] = lambda _: (0, 0, 0)  # noqa: E731
    if state == "bare":
        for _ in _numbers(calls):
            pass
    else:
        application = _Application(state)
        application.run(calls)
        account = application.account
    print(megabytes("VmRSS"), megabytes("VmHWM"), *account(calls), flush=True)
    os._exit(0)  # the last flush of a collector that is down is not what is measured


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
