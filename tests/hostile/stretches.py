"""How long reading one answer takes recost's thread, and how long it holds the interpreter at a stretch.

A program. A stretch is what runs between two lines of Python (or the beginnings and ends of functions), where
another thread can have the interpreter: so no call into C is longer. What is measured is CPU time of the
thread alone, and the least of several rounds counts, so that a busy machine changes little. A call that lets
the interpreter go meanwhile (Brotli does) is none: another thread waits for it, and tells when it had it.

Prints a line for each answer: milliseconds in all, without any tracing, and of the longest stretch, on
recost's thread and on the caller's; then where each longest stretch of more than ``--over`` was.
"""

from __future__ import annotations

import argparse
import linecache
import sys
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from types import FrameType
from typing import Any, Callable, NamedTuple, Optional

from recost.aggregation.aggregator import CallRecord, UnlockedAggregator
from recost.aggregation.breakdown import Facts
from recost.interceptors.exchange import Exchange
from recost.metering import Meter
from recost.pipeline import Pipeline
from recost.pricing.registry import ProviderRegistry
from recost.pricing.route import Routes
from recost.wire import encode_window
from tests.hostile.answers import ANSWERS, Sent, exchange_of

ROUNDS = 5
_cpu_ns: Callable[[], int] = time.thread_time_ns


class Stretch(NamedTuple):
    """The longest time between two points where another thread can have the interpreter."""

    ms: float
    where: str


class Reader:
    """What recost's thread does with an answer."""

    def __init__(self) -> None:
        self._registry = ProviderRegistry()
        self._errors: list[BaseException] = []
        self.renew()

    def renew(self) -> None:
        """Forget what was remembered of earlier answers."""
        self._routes = Routes(self._registry)
        self._meter = Meter(self._routes, report=self._errors.append)
        self._pipeline = Pipeline(
            self._routes,
            UnlockedAggregator(),
            meter=self._meter,
            metered=True,
            on_full=lambda window: None,
            report=self._errors.append,
        )
        self._meter.prepare()

    def exchange_of(self, sent: Sent) -> Exchange:
        """Do what is done on the caller's thread."""
        return exchange_of(sent, self._routes.find)

    def read(self, exchange: Exchange) -> None:
        """Do what is done on recost's."""
        self._pipeline.process(exchange)


class _Waiting:
    """A thread that waits for the interpreter, and counts how often it was let go.

    Nobody is made to let it go: that is what `sys.setswitchinterval` is for.
    """

    def __init__(self) -> None:
        self.times = 0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(0.0002)
            self.times += 1


class _Tracer:
    """Notes the longest stretch of the thread that it is installed on."""

    def __init__(self, waiting: _Waiting) -> None:
        self._waiting = waiting
        self._times = 0
        self.longest_ns = 0
        self.where: Optional[tuple[str, int]] = None
        self._at: Optional[tuple[str, int]] = None
        self._since = 0

    def __call__(self, frame: FrameType, event: str, _: Any) -> Any:
        now = _cpu_ns()
        if (
            now - self._since > self.longest_ns
            and self._at is not None
            and self._times == self._waiting.times
        ):
            self.longest_ns, self.where = now - self._since, self._at
        self._at = frame.f_code.co_filename, frame.f_lineno
        self._times = self._waiting.times
        self._since = _cpu_ns()
        return self

    def run(self, function: Callable[[], Any]) -> Any:
        sys.settrace(self)
        try:
            return function()
        finally:
            sys.settrace(None)

    def found(self) -> Stretch:
        file, line = self.where or ("", 0)
        shown = "/".join(file.replace("\\", "/").split("/")[-3:])
        return Stretch(self.longest_ns / 1e6, f"{shown}:{line}  {linecache.getline(file, line).strip()}")


class Figures(NamedTuple):
    """Of one answer."""

    read_ms: float
    read: Stretch
    kept_ms: float
    kept: Stretch


class _Measure:
    def __init__(self, rounds: int) -> None:
        self._rounds = rounds
        self._waiting = _Waiting()
        self._reader = Reader()
        sys.setswitchinterval(1000)

    def answer(self, sent: Sent) -> Figures:
        """Return the least that an answer took, and its longest stretches."""
        return self._least(self._reader.renew, lambda: self._reader.exchange_of(sent), self._reader.read)

    def window(self, metrics: int) -> Figures:
        """Return the same of making a window and encoding it."""
        return self._least(lambda: None, lambda: _filled(metrics).take(), _encode)

    def _least(
        self, renew: Callable[[], Any], keep: Callable[[], Any], read: Callable[[Any], Any]
    ) -> Figures:
        read_ms = kept_ms = float("inf")
        reading = keeping = Stretch(float("inf"), "")
        for _ in range(self._rounds):
            renew()
            kept, took_ms = _timed(keep)
            kept_ms = min(kept_ms, took_ms)
            _, took_ms = _timed(partial(read, kept))
            read_ms = min(read_ms, took_ms)
            renew()
            kept, stretch = self._traced(keep)
            keeping = min(keeping, stretch)
            _, stretch = self._traced(partial(read, kept))
            reading = min(reading, stretch)
        return Figures(read_ms, reading, kept_ms, keeping)

    def _traced(self, function: Callable[[], Any]) -> tuple[Any, Stretch]:
        tracer = _Tracer(self._waiting)
        return tracer.run(function), tracer.found()


def _timed(function: Callable[[], Any]) -> tuple[Any, float]:
    began = _cpu_ns()
    returned = function()
    return returned, (_cpu_ns() - began) / 1e6


def _filled(metrics: int) -> UnlockedAggregator:
    """Return an aggregator that has so many buckets, with models and tags."""
    aggregator, call = UnlockedAggregator(), CallRecord()
    call.provider, call.method, call.latency_ms = "openai", "POST", 3.0
    for number in range(metrics):
        call.endpoint_category = f"/v1/things/{number}"
        tags = (("team", f"team {number % 90}"),)
        facts = Facts(
            Decimal(1), metered=True, source="computed", model="gpt-4o", tokens={"input": 5}, tags=tags,
            attempts=1, error=False,
        )  # fmt: skip
        aggregator.ingest(call, Decimal(1), facts)
    return aggregator


def _encode(window: Any) -> bytes:
    return encode_window(window.summary())


def _rows(names: list[str], megabytes: list[float], rounds: int) -> Iterator[tuple[str, Figures]]:
    of = _Measure(rounds)
    for name, make in ANSWERS.items():
        if names and not any(part in name for part in names):
            continue
        for size in megabytes:
            yield f"{name}, {size:g} MB", of.answer(make(int(size * (1 << 20))))
    if not names:
        for metrics in (250, 2000):
            yield f"(a window of {metrics} metrics)", of.window(metrics)


def _print(arguments: argparse.Namespace) -> None:
    print(f"{'answer':58} {'read':>8} {'stretch':>8} {'kept':>8} {'stretch':>8}   (ms of CPU)")
    rows = []
    for name, found in _rows(arguments.names, arguments.megabytes, arguments.rounds):
        rows.append((name, found))
        print(
            f"{name:58} {found.read_ms:8.2f} {found.read.ms:8.2f} {found.kept_ms:8.2f} {found.kept.ms:8.2f}",
            flush=True,
        )
    for title, of in (("recost's thread", "read"), ("the caller's thread", "kept")):
        print(f"\nLongest stretches of {title}:")
        for name, found in sorted(rows, key=lambda row: -getattr(row[1], of).ms)[:10]:
            stretch = getattr(found, of)
            print(f"{stretch.ms:8.2f} ms  {name}\n             {stretch.where}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="parts of the names of answers; all, where none is given")
    parser.add_argument("--megabytes", nargs="+", type=float, default=[0.06, 1, 10])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    thread = threading.Thread(target=_print, args=(arguments,), name="recost")
    thread.start()
    thread.join()


if __name__ == "__main__":
    main()
