"""Runs the same programs bare and recorded, each against a server of its own, and compares."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.loopback import loopback, refused_port, wait_until
from tests.random_programs.programs import program
from tests.scripts import environment

__all__ = ["Result", "compare"]

_BATCH = 100
"""Programs in one process."""
_AGAIN = 12
"""Runs that a difference has to survive: time-outs and resets race on a busy machine."""


@dataclass
class Result:
    """What was found."""

    programs: int = 0
    calls: int = 0
    recorded: int = 0
    unsteady: int = 0
    differences: list[str] = field(default_factory=list)


def compare(first: int, count: int, *, progress: bool = False) -> Result:
    """Compare ``count`` programs from the number ``first`` on."""
    result = Result()
    for begin in range(first, first + count, _BATCH):
        _compare_batch(begin, min(begin + _BATCH, first + count), result)
        if progress:
            print(f"{result.programs:,} of {count:,}", end="\r", file=sys.stderr, flush=True)
    return result


def _compare_batch(first: int, last: int, result: Result) -> None:
    with ThreadPoolExecutor(2) as pool:
        bare, recorded = pool.map(lambda mode: _run(first, last, mode), ("bare", "recorded"))
    for seed in range(first, last):
        result.programs += 1
        seen = recorded[seed]
        if _differs(bare[seed], seen):
            seen = _look_again(seed, result)
        result.calls += seen["served"]
        result.recorded += seen["attempts"]


def _differs(bare: dict[str, Any], recorded: dict[str, Any]) -> bool:
    return bool(bare["seen"] != recorded["seen"] or recorded["served"] != recorded["attempts"])


def _look_again(seed: int, result: Result) -> dict[str, Any]:
    """Report a difference that is there each time, unless bare runs differ from one another as well.

    Returns:
        The recorded run that counts.
    """
    bare: list[dict[str, Any]] = []
    recorded: list[dict[str, Any]] = []
    for _ in range(_AGAIN):
        bare.append(_run(seed, seed + 1, "bare")[seed])
        recorded.append(_run(seed, seed + 1, "recorded")[seed])
        for other in recorded:
            if any(not _differs(one, other) for one in bare):
                return other
    if any(one["seen"] != bare[0]["seen"] for one in bare):
        result.unsteady += 1
        return next((other for other in recorded if other["served"] == other["attempts"]), recorded[0])
    one, other = bare[0], recorded[0]
    told = [f"program {seed}: {program(seed)}"]
    told += [f"  bare     {a}\n  recorded {b}" for a, b in _unlike(one["seen"], other["seen"])]
    if other["served"] != other["attempts"]:
        told.append(f"  served {other['served']}, recorded {other['attempts']}")
    result.differences.append("\n".join(told))
    return other


def _unlike(one: dict[str, Any], other: dict[str, Any]) -> list[tuple[Any, Any]]:
    pairs = list(zip(one["outcomes"], other["outcomes"]))
    return [(a, b) for a, b in [*pairs, (one["warnings"], other["warnings"])] if a != b]


def _run(first: int, last: int, mode: str) -> dict[int, dict[str, Any]]:
    """Return, by number, what each program saw, and how many requests of it the server saw."""
    with loopback() as server:
        arguments = [server.port, refused_port(), first, last, mode]
        done = subprocess.run(
            [sys.executable, "-m", "tests.random_programs.execute", *map(str, arguments)],
            env=environment(PYTHONHASHSEED="0"), capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        if done.returncode:
            raise AssertionError(
                f"{mode} programs {first} to {last - 1}: exit code {done.returncode}\n{done.stderr}"
            )
        found = {line["seed"]: line for line in map(json.loads, done.stdout.splitlines())}
        wait_until(server.settled)  # what was cancelled last may still be on its way to the log
        served = Counter(int(at[1]) for each in list(server.log) if (at := re.search(r"/p(\d+)/", each.path)))
    return {seed: {**line, "served": served[seed]} for seed, line in found.items()}
