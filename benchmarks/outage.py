"""An outage of the collector, at 100 calls a second over 200 endpoints: the cost of catching up, and losses.

The aggregation, the queue and the spool are recost's. Time is simulated. The destination encodes each window
as it is sent, and counts. Run as a program, with the seconds of the outage and ``running`` or ``ended``, it
prints its figures as JSON. Linux only.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from pathlib import Path
from typing import Any, Final, Optional

__all__ = ["measure", "table"]

_RATE: Final = 100
_ENDPOINTS: Final = 200
_SPACING_S: Final = 5
"""Interval between two early windows of the cloud transport."""
_BEFORE_S: Final = 300
"""Seconds before the outage, after which memory is compared."""
_NAMES: Final = {0: "none", 60: "1 min", 3600: "1 h", 86_400: "24 h"}


def measure(lengths: tuple[int, ...]) -> list[dict[str, Any]]:
    """Return the figures of outages: of a process that goes on, and of one that ends in each."""
    from programs import one_line, start  # noqa: PLC0415 - not in the processes that are measured

    results = []
    for length in lengths:
        for how in ("running", "ended"):
            with start("outage", length, how) as process:
                results.append(json.loads(one_line(process)))
    return results


def table(results: list[dict[str, Any]]) -> list[list[str]]:
    """Return the rows of the table, headings first."""
    rows = [["outage", "the process", "calls", "lost", "POSTs to catch up", "memory MB", "disk MB"]]
    return rows + [
        [
            _NAMES.get(result["outage_s"], f"{result['outage_s']} s"),
            "goes on" if result["how"] == "running" else "ends, and another one starts",
            f"{result['calls']:,}",
            f"{result['lost']:,}",
            f"{result['posts']:,}",
            f"{result['memory_mb']:.1f}",
            f"{result['disk_mb']:.2f}",
        ]
        for result in results
    ]


class _Clock:
    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


class _Destination:
    """Accepts windows, unless it is down."""

    def __init__(self) -> None:
        from recost.delivery.transports.base import RetryPolicy  # noqa: PLC0415 - see `measure`

        self.retry = RetryPolicy(retries=0, first_s=0.0, longest_s=0.0)
        self.spacing_s = float(_SPACING_S)
        self.max_metrics: Optional[int] = 2000
        self.down = False
        self.posts = self.calls = 0

    def send(self, summary: Any, timeout_s: float) -> None:
        del timeout_s
        from recost.delivery.transports.base import Disposition, SendError, encode  # noqa: PLC0415 - as above

        encode(summary)
        if self.down:
            raise SendError(None, Disposition.WAIT)
        self.posts += 1
        self.calls += sum(metric.request_count for metric in summary.metrics)

    def gave_up(self) -> Optional[Exception]:
        return None

    def close(self) -> None:
        """Close nothing."""


class _Application:
    """Makes calls, and has a delivery."""

    def __init__(self, folder: Path, clock: _Clock, destination: _Destination) -> None:
        from recost.aggregation.aggregator import CallRecord, UnlockedAggregator  # noqa: PLC0415 - as above
        from recost.delivery.delivery import Delivery  # noqa: PLC0415
        from recost.delivery.spool import Spool  # noqa: PLC0415

        timing: dict[str, Any] = {"clock": clock, "monotonic": clock}
        spool = Spool(str(folder), "p", "cloud benchmark", report=lambda _: None, **timing)
        self.delivery = Delivery(destination, report=lambda _: None, spool=spool, **timing)
        self._clock = clock
        self._aggregator = UnlockedAggregator("p", clock=clock)
        self._record = CallRecord()
        self._record.provider, self._record.method = "openai", "POST"
        self._endpoints = [f"endpoint_{number}" for number in range(_ENDPOINTS)]
        chance = random.Random(1)
        self._latencies = [chance.lognormvariate(5, 1) for _ in range(10_007)]
        self.calls = 0

    def run(self, seconds: int) -> None:
        """Make the calls of so many seconds."""
        record, ingest = self._record, self._aggregator.ingest
        for _ in range(seconds // _SPACING_S):
            for number in range(self.calls, self.calls + _RATE * _SPACING_S):
                record.endpoint_category = self._endpoints[number % _ENDPOINTS]
                record.latency_ms = self._latencies[number % len(self._latencies)]
                ingest(record, 0.37)
            self.calls += _RATE * _SPACING_S
            self._clock.now += _SPACING_S
            window = self._aggregator.take()
            if window is not None:
                self.delivery.put(window)
            self.delivery.pump()


def main(outage_s: int, how: str) -> None:
    """Measure one outage, and print the figures."""
    from memory import megabytes  # noqa: PLC0415 - see `measure`

    clock, destination = _Clock(), _Destination()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        application = _Application(folder, clock, destination)
        application.run(_BEFORE_S)
        before = megabytes("VmRSS")
        destination.down = True
        application.run(outage_s)
        memory = megabytes("VmRSS") - before
        made = application.calls
        if how == "ended":
            application.delivery.close()
            application = _Application(folder, clock, destination)
        disk = sum(file.stat().st_size for file in folder.iterdir())
        destination.down, posts, rounds = False, destination.posts, 0
        while destination.calls < made + application.calls * (how == "ended") and rounds < 1000:
            application.run(_SPACING_S)
            rounds += 1
            clock.now += 61 * (how == "ended")  # it looks for files of other processes once a minute
            if how == "running":
                made = application.calls
        lost = made + application.calls * (how == "ended") - destination.calls
        figures = {
            "outage_s": outage_s, "how": how, "calls": outage_s * _RATE, "lost": lost,
            "posts": destination.posts - posts - rounds, "memory_mb": memory, "disk_mb": disk / 2**20,
        }  # fmt: skip
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
