"""Measures recost beside its peers and prints one table a part.

    python benchmarks/run.py                     everything, some minutes
    python benchmarks/run.py --quick             a rough look, under two minutes
    python benchmarks/run.py calls --clients httpx,requests
    python benchmarks/run.py --json results.json

What is measured, how, and the latest tables: README.md in this folder.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Optional

import calls
import clients
import instructions
import modes
import stalls
from lowest import lowest_s
from observers import OBSERVERS
from programs import HERE

sys.path.insert(0, str(HERE.parent))  # the checkout that this folder is in

PACKAGES: Final = (
    "recost", "wrapt", "httpx", "httpx2", "aiohttp", "requests", "urllib3", "opentelemetry-sdk",
    "opentelemetry-instrumentation", "sentry-sdk",
)  # fmt: skip
_OBSERVERS: Final = tuple(dict.fromkeys((*OBSERVERS, *instructions.OBSERVERS)))
NETWORKS: Final = ("loopback", "memory", "priced")


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    plan: calls.Plan
    starts: int
    rounds: int
    count: int
    memory_calls: int
    stream_mb: int
    instructions: tuple[int, int] = (200, 800)
    """Calls of the two rounds."""
    events: tuple[int, int] = (100, 300)
    """Events of the two streams."""
    stalls: tuple[int, float] = (7, 1.5)
    """Number of rounds, and their length in seconds."""
    outages_s: tuple[int, ...] = (0, 60, 3600)


FULL: Final = Effort(
    calls.Plan(36, 0.08, restarts=2),
    starts=20,
    rounds=20,
    count=50_000,
    memory_calls=1_000_000,
    stream_mb=1024,
    outages_s=(0, 60, 3600, 86_400),
)
QUICK: Final = Effort(
    calls.Plan(5, 0.05, restarts=1),
    starts=5,
    rounds=5,
    count=20_000,
    memory_calls=200_000,
    stream_mb=64,
    instructions=(100, 300),
    stalls=(3, 1.0),
)
LEAST: Final = Effort(
    calls.Plan(1, 0.0, restarts=1),
    starts=1,
    rounds=1,
    count=2_000,
    memory_calls=5_000,
    stream_mb=2,
    instructions=(5, 15),
    events=(2, 6),
    stalls=(1, 0.5),
    outages_s=(0, 60),
)


@dataclass(frozen=True)
class Part:
    """What can be measured by itself."""

    title: str
    module: str
    """Has ``measure``, and ``table`` for what it returns."""
    arguments: Callable[[Effort, argparse.Namespace], tuple[Any, ...]]
    """What ``measure`` is given."""


def _calls(effort: Effort, options: argparse.Namespace) -> tuple[Any, ...]:
    chosen = _listed(options.clients) or list(clients.CLIENTS)
    observers = _listed(options.observers) or list(OBSERVERS)
    absent = calls.missing((*chosen, *observers))
    for name, module in absent.items():
        print(f"{name}: skipped, {module} is not installed", file=sys.stderr)
    observers = ["bare", *(name for name in observers if name not in absent and name != "bare")]
    return [name for name in chosen if name not in absent], observers, _listed(options.networks), effort.plan


def _metering(effort: Effort, options: argparse.Namespace) -> tuple[Any, ...]:
    return _chosen(options), effort.rounds * 4


def _long_stream(effort: Effort, options: argparse.Namespace) -> tuple[Any, ...]:
    return _chosen(options), effort.stream_mb


def _instructions(effort: Effort, options: argparse.Namespace) -> tuple[Any, ...]:
    observers = _listed(options.observers) or list(instructions.OBSERVERS)
    absent = calls.missing(observers)
    for name, module in absent.items():
        print(f"{name}: skipped, {module} is not installed", file=sys.stderr)
    tree = Path(options.tree).resolve() if options.tree else None
    return _chosen(options), [name for name in observers if name not in absent], effort.instructions, tree


def _modes(effort: Effort, options: argparse.Namespace) -> tuple[Any, ...]:
    tree = Path(options.tree).resolve() if options.tree else None
    chosen = [name for name in _chosen(options) if options.clients or name in modes.CLIENTS]
    return chosen, _listed(options.modes) or modes.MODES, effort.instructions, effort.events, tree


def _stalls(effort: Effort, options: argparse.Namespace) -> tuple[Any, ...]:
    tree = Path(options.tree).resolve() if options.tree else None
    return (*effort.stalls, _listed(options.states, ";") or list(stalls.STATES), tree)


def _chosen(options: argparse.Namespace) -> list[str]:
    chosen = _listed(options.clients) or list(clients.CLIENTS)
    absent = calls.missing(chosen)
    return [name for name in chosen if name not in absent]


PARTS: Final = {
    "startup": Part("Import and init()", "startup", lambda effort, _: (effort.starts,)),
    "match": Part("One provider match, CPU", "matching", lambda effort, _: (effort.rounds, effort.count)),
    "new_urls": Part(
        "A URL that has never been seen, CPU", "new_urls", lambda effort, _: (effort.rounds, effort.count)
    ),
    "throughput": Part(
        "Adding calls up, one core", "throughput", lambda effort, _: (effort.rounds, effort.count)
    ),
    "memory": Part(
        "Memory and times in every failure state",
        "memory",
        lambda effort, _: (effort.memory_calls,),
    ),
    "calls": Part("CPU added to one call, flush included", "calls", _calls),
    "instructions": Part("Instructions added to one call", "instructions", _instructions),
    "modes": Part("Instructions that settings add to one call", "modes", _modes),
    "stalls": Part("Longest time that other threads stand still", "stalls", _stalls),
    "metering": Part("Metering, CPU of the calling thread", "metering", _metering),
    "outage": Part("Outage of the collector", "outage", lambda effort, _: (effort.outages_s,)),
    "long_stream": Part("Metering, memory of a long stream", "long_stream", _long_stream),
}


def _listed(names: Optional[str], separator: str = ",") -> list[str]:
    return [name.strip() for name in (names or "").split(separator) if name.strip()]


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all without")
    parser.add_argument("--clients", help=f"comma-separated, of {', '.join(clients.CLIENTS)}")
    parser.add_argument(
        "--observers", help=f"comma-separated, of {', '.join(_OBSERVERS)}; bare is always one"
    )
    parser.add_argument(
        "--networks", default=",".join(NETWORKS), help=f"comma-separated, of {', '.join(NETWORKS)}"
    )
    parser.add_argument("--states", help=f"stalls: separated by semicolons, of {'; '.join(stalls.STATES)}")
    parser.add_argument(
        "--modes", help=f"modes: comma-separated, of {', '.join(modes.MODES)}; plain is always one"
    )
    parser.add_argument(
        "--tree", metavar="FOLDER", help="instructions, modes, stalls: measure the recost of another checkout"
    )
    effort = parser.add_mutually_exclusive_group()
    effort.add_argument("--quick", action="store_const", dest="effort", const=QUICK, default=FULL)
    effort.add_argument(
        "--least", action="store_const", dest="effort", const=LEAST, help="only see that it runs"
    )
    parser.add_argument("--json", metavar="FILE", help="write the figures there, too")
    options = parser.parse_args(arguments)
    for given, known in (
        (options.parts, PARTS),
        (_listed(options.clients), clients.CLIENTS),
        (_listed(options.observers), _OBSERVERS),
        (_listed(options.networks), NETWORKS),
        (_listed(options.modes), modes.MODES),
        (_listed(options.states, ";"), stalls.STATES),
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
    installed = {package: _version(package) for package in PACKAGES}
    return {**about, **{package: number for package, number in installed.items() if number is not None}}


def _version(package: str) -> Optional[str]:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


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
        cells = [
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths))
        ]
        print(f"| {' | '.join(cells)} |", flush=True)


def main(arguments: list[str]) -> None:
    """Measure what was asked for."""
    options = _parse(arguments)
    results: dict[str, Any] = {"about": _about()}
    print(", ".join(f"{name} {number}" for name, number in results["about"].items()))
    for name, part in PARTS.items():
        if options.parts and name not in options.parts:
            continue
        if name in ("memory", "long_stream", "stalls", "outage") and not sys.platform.startswith("linux"):
            print(f"{name}: skipped, it is measured on Linux only", file=sys.stderr)
            continue
        if name == "stalls" and (package := stalls.missing()):
            print(f"{name}: skipped, {package} is not installed", file=sys.stderr)
            continue
        if name in ("instructions", "modes") and (program := instructions.missing_program()):
            print(f"{name}: skipped, {program} is not installed", file=sys.stderr)
            continue
        module = importlib.import_module(part.module)
        results[name] = module.measure(*part.arguments(options.effort, options))
        _print(part.title, module.table(results[name]))
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
