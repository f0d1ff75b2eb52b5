"""Is everything accounted for? What the server served, against what arrived, is spooled, and was reported."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from recost.delivery.frozen import thaw
from tests.chaos.producer import Said

__all__ = ["Accounts", "Arrived", "dropped_calls", "read_arrived", "spooled", "unsure_calls"]

_DROPS: Final = re.compile(
    r"(\d+) calls in \d+ windows (?:could not be delivered(?!: they are in)|were removed)"
    r"|oldest are dropped \(\d+ windows, (\d+) calls so far\)"
    r"|(\d+) calls were dropped because"
    r"|(\d+) calls (?:ended after|could not be added up)"
    r"|: (\d+) calls dropped"
)
_UNSURE: Final = re.compile(r"(\d+) of them were sent without a response")


def dropped_calls(error: str) -> int:
    """Return the number of calls that are dropped, as an error reports it."""
    return sum(int(next(filter(None, found))) for found in _DROPS.findall(error))


def unsure_calls(error: str) -> int:
    """Return the number of dropped calls that may have arrived, as an error reports it."""
    return sum(map(int, _UNSURE.findall(error)))


@dataclass
class Arrived:
    """What the collector's log says."""

    windows: dict[str, Counter[str]] = field(default_factory=dict)
    """Calls by name of the process, of each id."""
    failed: Counter[str] = field(default_factory=Counter)
    """Calls that ended without a response, by name of the process. The server may not have seen them."""
    repeats: int = 0
    """Windows that came again. The collector recognises them by their ids."""
    problems: list[str] = field(default_factory=list)


def read_arrived(log: Path) -> Arrived:
    """Read the log of `tests.chaos.destination`."""
    found = Arrived()
    for line in map(json.loads, log.read_text().splitlines()):
        if "problem" in line:
            found.problems.append(line["problem"])
        elif line["accepted"] in found.windows:
            found.repeats += 1
        else:
            found.windows[line["accepted"]] = by_name(line["calls"].items())
            found.failed.update(by_name(line["failed"].items()))
    return found


def spooled(folder: Path, failed: Counter[str]) -> dict[str, Counter[str]]:
    """Return the calls, by name of the process, of each window that is pending in the spool.

    Add calls without a response to ``failed``, also by name.
    """
    found = {}
    for file in folder.glob("*.spool"):
        content = file.read_bytes()
        for line in content.splitlines():
            mark, (window, _, whole) = line[:1], line[1:].partition(b"\t")
            if mark == b"*" and re.fullmatch(rb"[0-9a-f]{16}", whole):  # counts once the whole is replaced
                mark = b"+" if content[int(whole, 16) :][:1] == b"/" else b""
            summary = thaw(window) if mark in (b"+", b"?") else None
            if summary is not None and summary.window_id:
                metrics = ((each.endpoint, each.request_count) for each in summary.metrics)
                found[summary.window_id] = by_name(metrics)
                failed.update(by_name((each.endpoint, each.error_count) for each in summary.metrics))
    return found


def by_name(calls: Iterable[tuple[str, int]]) -> Counter[str]:
    """Add up calls of endpoints (``/plain/{name}/…``) by name."""
    total: Counter[str] = Counter()
    for endpoint, count in calls:
        total[endpoint.split("/")[2]] += count
    return total


@dataclass
class Accounts:
    """The sums of one run.

    Attributes:
        served: Calls that the server has served, by name of the process.
        arrived: What the collector has.
        spooled: Calls of windows in the spool, by id.
        killed: Names of processes that were killed.
        said: What the processes said.
    """

    served: Counter[str]
    arrived: Arrived
    spooled: dict[str, Counter[str]]
    killed: set[str]
    said: list[Said]

    def __post_init__(self) -> None:
        self.kept: Counter[str] = Counter()
        for calls in {**self.spooled, **self.arrived.windows}.values():
            self.kept.update(calls)
        self.missing = {name: count - self.kept[name] for name, count in self.served.items()}
        self.dropped = sum(dropped_calls(each.error) for each in self.said)
        self.unsure = sum(unsure_calls(each.error) for each in self.said)
        """Those of them that may have arrived: their processes don't know."""
        flushed: Counter[str] = Counter()
        for each in self.said:
            flushed[each.name] = max(flushed[each.name], each.flushed)
        self.in_memory = {name: self.served[name] - max(flushed[name], 0) for name in self.killed}
        """Calls that a killed process may have had in memory: those after its last flush."""

    @property
    def lost_with_killed(self) -> int:
        """Calls of killed processes that nobody has."""
        return sum(self.missing.get(name, 0) for name in self.killed)

    def problems(self) -> list[str]:
        """Return what does not add up."""
        found = list(self.arrived.problems)
        failed = self.arrived.failed
        found += [f"{name}: {-n} calls too many" for name, n in self.missing.items() if n + failed[name] < 0]
        unknown = set(self.kept) - set(self.served)
        found += [f"calls that nobody served: {sorted(unknown)}"] if unknown else []
        beyond = {
            name: count - self.in_memory.get(name, 0)
            for name, count in self.missing.items()
            if count > self.in_memory.get(name, 0)
        }
        if sum(beyond.values()) > self.dropped:
            found.append(f"lost without a word: {sum(beyond.values()) - self.dropped} calls, of {beyond}")
        missing = sum(self.missing.values())
        if self.dropped - self.unsure > missing:
            sure = self.dropped - self.unsure
            found.append(f"reported as dropped for sure: {sure} calls; missing: {missing}")
        found += [f"{each.name}: a call failed: {each.failed}" for each in self.said if each.failed]
        found += [f"{each.name}: a call waited in {each.blocked}" for each in self.said if each.blocked]
        return found

    def figures(self) -> dict[str, Any]:
        """Return the sums."""
        arrived = sum(sum(calls.values()) for calls in self.arrived.windows.values())
        waiting = {key: calls for key, calls in self.spooled.items() if key not in self.arrived.windows}
        return {
            "served": sum(self.served.values()),
            "arrived": arrived,
            "spooled": sum(sum(calls.values()) for calls in waiting.values()),
            "dropped": self.dropped,
            "unsure": self.unsure,
            "killed": self.lost_with_killed,
            "repeats": self.arrived.repeats,
        }
