"""How long reading one answer takes recost's thread, and how long it holds the interpreter at a stretch.

A program. A stretch is what runs between two lines of Python (or the beginnings and ends of functions), where
another thread can have the interpreter: so no call into C is longer. What is measured is CPU time of the
thread alone, and the least of several rounds counts, so that a busy machine changes little. Some calls
(zlib, Brotli, Zstandard) let the interpreter go meanwhile; they are measured like all others.

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
from types import FrameType
from typing import Any, Callable, NamedTuple, Optional

from recost.aggregation.aggregator import UnlockedAggregator
from recost.interceptors.exchange import Exchange
from recost.metering import Meter
from recost.pipeline import Pipeline
from recost.pricing.registry import ProviderRegistry
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
        self._meter = Meter(self._registry, report=self._errors.append)
        self._pipeline = Pipeline(
            self._registry,
            UnlockedAggregator(),
            meter=self._meter,
            metered=True,
            on_full=lambda window: None,
            report=self._errors.append,
        )
        self._meter.prepare()

    def exchange_of(self, sent: Sent) -> Exchange:
        """Do what is done on the caller's thread."""
        return exchange_of(sent, self._meter.wanted)

    def read(self, exchange: Exchange) -> None:
        """Do what is done on recost's."""
        self._pipeline.process(exchange)


class _Tracer:
    """Notes the longest stretch of the thread that it is installed on."""

    def __init__(self) -> None:
        self.longest_ns = 0
        self.where: Optional[tuple[str, int]] = None
        self._at: Optional[tuple[str, int]] = None
        self._since = 0

    def __call__(self, frame: FrameType, event: str, _: Any) -> Any:
        now = _cpu_ns()
        if self._at is not None and now - self._since > self.longest_ns:
            self.longest_ns, self.where = now - self._since, self._at
        self._at = frame.f_code.co_filename, frame.f_lineno
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


def measure(reader: Reader, sent: Sent, rounds: int = ROUNDS) -> Figures:
    """Return the least that an answer took, and its longest stretches."""
    read_ms = kept_ms = float("inf")
    read = kept = Stretch(float("inf"), "")
    for _ in range(rounds):
        reader.renew()
        began = _cpu_ns()
        exchange = reader.exchange_of(sent)
        kept_ms = min(kept_ms, (_cpu_ns() - began) / 1e6)
        began = _cpu_ns()
        reader.read(exchange)
        read_ms = min(read_ms, (_cpu_ns() - began) / 1e6)
        reader.renew()
        tracer = _Tracer()
        exchange = tracer.run(lambda: reader.exchange_of(sent))
        kept = min(kept, tracer.found())
        tracer = _Tracer()
        tracer.run(lambda found=exchange: reader.read(found))
        read = min(read, tracer.found())
    return Figures(read_ms, read, kept_ms, kept)


def _rows(names: list[str], megabytes: list[float], rounds: int) -> Iterator[tuple[str, Figures]]:
    reader = Reader()
    for name, make in ANSWERS.items():
        if names and not any(part in name for part in names):
            continue
        for size in megabytes:
            yield f"{name}, {size:g} MB", measure(reader, make(int(size * (1 << 20))), rounds)


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
    parser.add_argument("--megabytes", nargs="+", type=float, default=[1, 10])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    thread = threading.Thread(target=_print, args=(arguments,), name="recost")
    thread.start()
    thread.join()


if __name__ == "__main__":
    main()
