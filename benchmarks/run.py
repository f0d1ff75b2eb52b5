"""Measures recost beside its peers and prints one table a part.

    python benchmarks/run.py                     everything, some minutes
    python benchmarks/run.py --quick             a rough look, under two minutes
    python benchmarks/run.py calls --clients httpx,requests
    python benchmarks/run.py --json results.json

What is measured, how, and the latest tables: README.md in this folder.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import calls
import clients
from lowest import lowest_s
from observers import OBSERVERS
from programs import HERE

sys.path.insert(0, str(HERE.parent))  # the checkout that this folder is in

PACKAGES: Final = (
    "recost", "wrapt", "httpx", "httpx2", "aiohttp", "requests", "urllib3", "opentelemetry-sdk",
    "opentelemetry-instrumentation", "sentry-sdk",
)  # fmt: skip
NETWORKS: Final = ("loopback", "memory")


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    rounds: int
    round_s: float
    restarts: int
    starts: int
    count: int
    memory_calls: int


FULL: Final = Effort(rounds=24, round_s=0.12, restarts=2, starts=20, count=50_000, memory_calls=1_000_000)
QUICK: Final = Effort(rounds=5, round_s=0.05, restarts=1, starts=5, count=20_000, memory_calls=200_000)
LEAST: Final = Effort(rounds=1, round_s=0.0, restarts=1, starts=1, count=2_000, memory_calls=5_000)

Results = dict[str, Any]


def _calls(effort: Effort, options: argparse.Namespace) -> tuple[Results, list[list[str]]]:
    chosen = tuple(options.clients.split(",")) if options.clients else clients.CLIENTS
    observers = tuple(options.observers.split(",")) if options.observers else tuple(OBSERVERS)
    absent = calls.missing((*chosen, *observers))
    for name, module in absent.items():
        print(f"{name}: skipped, {module} is not installed", file=sys.stderr)
    observers = ("bare", *(name for name in observers if name not in absent and name != "bare"))
    results = []
    for client in chosen:
        for network in options.networks.split(","):
            if client in absent:
                continue
            result = calls.measure(
                client, observers, network=network, rounds=effort.rounds, round_s=effort.round_s,
                restarts=effort.restarts,
            )  # fmt: skip
            results.append(result)
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return {"calls": [result.as_dict() for result in results]}, calls.table(results)


def _startup(effort: Effort, _: argparse.Namespace) -> tuple[Results, list[list[str]]]:
    import startup

    results = startup.measure(effort.starts)
    return {"startup": results}, startup.table(results)


def _match(effort: Effort, _: argparse.Namespace) -> tuple[Results, list[list[str]]]:
    import matching

    results = matching.measure(max(effort.rounds, 1), effort.count)
    return {"match": results}, matching.table(results)


def _throughput(effort: Effort, _: argparse.Namespace) -> tuple[Results, list[list[str]]]:
    import throughput

    results = throughput.measure(max(effort.rounds // 2, 1), effort.count)
    return {"throughput": results}, throughput.table(results)


def _memory(effort: Effort, _: argparse.Namespace) -> tuple[Results, list[list[str]]]:
    import memory

    results = memory.measure(effort.memory_calls)
    return {"memory": results}, memory.table(results)


_Part = Callable[[Effort, argparse.Namespace], tuple[Results, list[list[str]]]]
PARTS: Final[dict[str, tuple[str, _Part]]] = {
    "startup": ("Import and init()", _startup),
    "match": ("One provider match, CPU", _match),
    "throughput": ("Adding calls up, one core", _throughput),
    "memory": ("Memory, a call in each of 2,000 buckets in turn", _memory),
    "calls": ("CPU added to one call, whole process, flush included", _calls),
}


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all without")
    parser.add_argument("--clients", help=f"comma-separated, of {', '.join(clients.CLIENTS)}")
    parser.add_argument("--observers", help=f"comma-separated, of {', '.join(OBSERVERS)}")
    parser.add_argument("--networks", default=",".join(NETWORKS), help="loopback, memory or both (the default)")
    effort = parser.add_mutually_exclusive_group()
    effort.add_argument("--quick", action="store_const", dest="effort", const=QUICK, default=FULL)
    effort.add_argument("--least", action="store_const", dest="effort", const=LEAST, help="only see that it runs")
    parser.add_argument("--json", metavar="FILE", help="write the figures there, too")
    options = parser.parse_args(arguments)
    for given, known in (
        (options.parts, PARTS),
        (filter(None, (options.clients or "").split(",")), clients.CLIENTS),
        (filter(None, (options.observers or "").split(",")), OBSERVERS),
        (options.networks.split(","), NETWORKS),
    ):
        unknown = [name for name in given if name not in known]
        if unknown:
            parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    return options


def _about() -> dict[str, str]:
    about = {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }
    about["an empty function call"] = f"{_speed_ns():.0f} ns"
    if hasattr(os, "getloadavg"):
        about["load before"] = f"{os.getloadavg()[0]:.1f}"
    for package in PACKAGES:
        try:
            about[package] = version(package)
        except PackageNotFoundError:
            continue
    return about


def _speed_ns() -> float:
    """Return what calling an empty function takes here and now: a machine under load is slower."""

    def nothing() -> None:
        """Do nothing."""

    def thousand() -> None:
        for _ in range(1000):
            nothing()

    return lowest_s(lambda _: thousand(), 50) * 1e6


def _print(title: str, rows: list[list[str]]) -> None:
    print(f"\n{title}\n")
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rows = [rows[0], ["-" * width for width in widths], *rows[1:]]
    for row in rows:
        cells = [cell.rjust(width) if index else cell.ljust(width) for index, (cell, width) in enumerate(zip(row, widths))]
        print(f"| {' | '.join(cells)} |", flush=True)


def main(arguments: list[str]) -> None:
    """Measure what was asked for."""
    options = _parse(arguments)
    results: Results = {"about": _about()}
    print(", ".join(f"{name} {number}" for name, number in results["about"].items()))
    for name, (title, part) in PARTS.items():
        if options.parts and name not in options.parts:
            continue
        if name == "memory" and not sys.platform.startswith("linux"):
            print("memory: skipped, it is read from /proc", file=sys.stderr)
            continue
        found, rows = part(options.effort, options)
        results.update(found)
        _print(title, rows)
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
