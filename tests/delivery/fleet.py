"""A fleet in simulated time: real deliveries and a real shared file, and a server that limits POSTs.

    result = Fleet(folder, processes=100).run(hours=3)

Prints the table of fleets when it is run: ``python -m tests.delivery.fleet``.
"""

from __future__ import annotations

import heapq
import random
import tempfile
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from recost.delivery.delivery import Delivery
from recost.delivery.outbox import Outbox
from recost.delivery.pace import Pace
from recost.delivery.transports.base import Disposition, RetryPolicy, SendError
from recost.errors import RecostRateLimitError
from recost.events import MetricEntry, WindowSummary

HOUR_S = 3600.0
INTERVAL_S = 30.0
START_S = 1_778_760_000.0


class Clock:
    """A clock of the simulation. The system's time may be set."""

    def __init__(self) -> None:
        self.now = 0.0
        self.set_by = 0.0

    def monotonic(self) -> float:
        return 1000.0 + self.now

    def time(self) -> float:
        return START_S + self.now + self.set_by


class Server:
    """Admits a number of POSTs in any hour, and answers the others with 429."""

    def __init__(self, clock: Clock, limit: int = 1000, retry_after_s: Optional[float] = None) -> None:
        self._clock = clock
        self._limit = limit
        self._retry_after_s = retry_after_s
        self._admitted: deque[float] = deque()
        self._recent: deque[float] = deque()
        self.posts = 0
        self.most_in_an_hour = 0
        self.refused = 0
        self.ids: Counter[str] = Counter()
        self.calls = 0
        self.delays: list[float] = []

    def post(self, summary: WindowSummary) -> None:
        now = self._clock.now
        self.posts += 1
        for times in (self._admitted, self._recent):
            while times and times[0] <= now - HOUR_S:
                times.popleft()
        self._recent.append(now)
        self.most_in_an_hour = max(self.most_in_an_hour, len(self._recent))
        if len(self._admitted) >= self._limit:
            self.refused += 1
            after_s = self._retry_after_s or 60.0
            error = RecostRateLimitError(round(after_s * 1000), "http://server")
            raise SendError(error, Disposition.DEFER, retry_after_s=after_s)
        self._admitted.append(now)
        self.ids[summary.window_id or ""] += 1
        self.calls += sum(metric.request_count for metric in summary.metrics)
        self.delays.append(now - summary.window_start / 1000)


class Calls:
    """A window that merges exactly. ``start`` and ``end`` are seconds of the simulation."""

    def __init__(self, start: float, count: int) -> None:
        self.start = start
        self.call_count = count
        self.starts = [start]
        self.bucket_count = 1
        self.nbytes = 1000

    def merge(self, other: Calls) -> None:
        self.call_count += other.call_count
        self.starts += other.starts

    def split(self, limit: int) -> list[Calls]:
        return [self]

    def summary(self) -> WindowSummary:
        metric = MetricEntry("p", "e", "GET", self.call_count, 0, 1.0, 1.0, 1.0, 0, 0, 0.0)
        return WindowSummary(
            project_id="p",
            environment="test",
            sdk_language="python",
            sdk_version="0",
            window_start=self.start * 1000,
            window_end=self.start * 1000 + 1,
            metrics=(metric,),
        )


class Link:
    """A transport to the server."""

    retry = RetryPolicy(retries=0, first_s=0.0, longest_s=0.0)
    spacing_s = 5.0
    max_metrics: Optional[int] = 2000

    def __init__(self, server: Server) -> None:
        self._server = server
        self.windows: list[Any] = []

    def send(self, summary: WindowSummary, timeout_s: float) -> None:
        self._server.post(summary)

    def gave_up(self) -> Optional[Exception]:
        return None

    def close(self) -> None:
        pass


class Process:
    """One process: a delivery, and calls that it records."""

    def __init__(self, fleet: Fleet, folder: str, begins: float) -> None:
        self._fleet = fleet
        clock = fleet.clock
        self.begins = begins
        self.pace = Pace(
            folder,
            "project",
            "cloud http://server",
            report=fleet.errors.append,
            clock=clock.time,
            monotonic=clock.monotonic,
            random=random.Random(fleet.random.random()),
        )
        self.outbox = Outbox(max_windows=48, max_bytes=12 << 20, monotonic=clock.monotonic)
        self.delivery = Delivery(
            Link(fleet.server),
            report=fleet.errors.append,
            pace=self.pace,
            outbox=self.outbox,
            clock=clock.time,
            monotonic=clock.monotonic,
            on_sent=self._arrived,
        )
        self.waiting: deque[float] = deque()
        """When each window closed that has not arrived."""
        self._wakes_at = 0.0

    def _arrived(self, summary: WindowSummary) -> None:
        """Note how long each window that is in it took to arrive."""
        now, count = self._fleet.clock.now, summary.metrics[0].request_count
        self._fleet.delays += [now - self.waiting.popleft() for _ in range(count)]

    def close_window(self) -> None:
        self._fleet.recorded += 1
        self.waiting.append(self._fleet.clock.now)
        self.delivery.put(Calls(self._fleet.clock.now, 1))
        self.pump()

    def pump(self) -> None:
        """Do what the delivery's thread does now."""
        if self.delivery._is_due():
            self.delivery.pump()
        until = self.delivery._hold.until
        if len(self.outbox) and until > self._fleet.clock.monotonic() and until != self._wakes_at:
            self._wakes_at = until
            self._fleet.at(until - 1000.0, self.pump)
        self.delivery._kicked = False


@dataclass
class Fleet:
    folder: str
    processes: int
    interval_s: float = INTERVAL_S
    limit: int = 1000
    retry_after_s: Optional[float] = None
    seed: int = 1
    clock: Clock = field(default_factory=Clock)
    errors: list[BaseException] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    recorded: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.server = Server(self.clock, self.limit, self.retry_after_s)
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0
        self.members: list[Process] = []

    def at(self, when: float, step: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._queue, (when, self._number, step))

    def start(self, begins: float = 0.0, ends: float = 1e12) -> Process:
        process = Process(self, self.folder, begins)
        self.members.append(process)

        def tick() -> None:
            if self.clock.now >= min(ends, self.ends):
                return
            process.close_window()
            self.at(self.clock.now + self.interval_s, tick)

        self.at(begins + self.random.uniform(0, self.interval_s), tick)
        return process

    def run(self, hours: float, *, rest_hours: float = 0.0) -> Fleet:
        self.ends = hours * HOUR_S
        if not self.members:
            for _ in range(self.processes):
                self.start(self.random.uniform(0, 60))
        self.go_on(hours + rest_hours)
        return self

    def go_on(self, hours: float) -> None:
        while self._queue and self._queue[0][0] <= hours * HOUR_S:
            when, _, step = heapq.heappop(self._queue)
            self.clock.now = max(when, self.clock.now)
            step()

    @property
    def pending(self) -> int:
        return sum(process.delivery.pending_calls for process in self.members)

    def row(self) -> str:
        mean = sum(self.delays) / max(len(self.delays), 1)
        server = self.server
        return (
            f"| {self.processes:5} | {self.interval_s:g} | {server.posts / (self.clock.now / HOUR_S):6.0f} "
            f"| {server.most_in_an_hour:5} | {server.refused:4} | {mean:6.0f} | {max(self.delays):6.0f} "
            f"| {self.recorded} = {server.calls} + {self.pending} |"
        )


def main() -> None:
    print("| processes | window s | POSTs/h | most in an hour | 429s | delay mean s | max s | recorded |")
    for number, interval_s in [(1, 30), (1, 5), (20, 30), (20, 5), (100, 30), (1000, 30)]:
        with tempfile.TemporaryDirectory() as folder:
            print(Fleet(folder, number, interval_s).run(4, rest_hours=3).row(), flush=True)
    for limit in (100, 300):
        with tempfile.TemporaryDirectory() as folder:
            print(limit, Fleet(folder, 20, 30, limit=limit).run(6, rest_hours=1).row(), flush=True)


if __name__ == "__main__":
    main()
