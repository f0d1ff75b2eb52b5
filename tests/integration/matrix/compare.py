"""What the server served against what recost recorded, call by call, and where they differ, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Optional

from tests.integration.named_hosts import NamedServed

Key = tuple[str, str, str]
"""Provider, endpoint, method: a row of recost's windows."""


class Seen(NamedTuple):
    """One request and its answer, as the server or as recost saw it."""

    host: str
    method: str
    path: str
    status: int
    request_bytes: int
    response_bytes: int

    def __str__(self) -> str:
        answer = f"{self.status}, {self.response_bytes} bytes" if self.status else "no answer"
        return f"{self.method} {self.host}{self.path}, {self.request_bytes} bytes: {answer}"


class Difference(NamedTuple):
    """One thing that is not as it should be."""

    path: str
    text: str


@dataclass(frozen=True)
class Recorded:
    """What the process under test left behind."""

    events: Sequence[Mapping[str, Any]] = ()
    windows: Sequence[Mapping[str, Any]] = ()

    @property
    def attempts(self) -> int:
        """Number of requests that recost saw leave."""
        return sum(event["attempts"] for event in self.events)


def compare_calls(
    log: Sequence[NamedServed], recorded: Recorded, left: Collection[str]
) -> Iterator[Difference]:
    """Compare call by call; the answers of the paths in ``left`` may be recorded as shorter than served."""
    pool = Counter(map(_served, log))
    unserved: Counter[Seen] = Counter()
    # The largest answers first, so that one that was left early doesn't take the match of a longer one.
    for event in sorted(recorded.events, key=lambda event: (event["attempts"], -event["response_bytes"])):
        seen = _recorded(event)
        match = _match(seen, pool, cut=seen.path in left, moved=event["attempts"] > 1)
        if match is None:
            unserved[seen] += 1
        else:
            pool[match] -= 1
    for seen, count in unserved.items():
        yield Difference(seen.path, f"recorded, not served: {seen}{_times(count)}")
    for seen, count in _unexplained(+pool, recorded).items():
        yield Difference(seen.path, f"served, not recorded: {seen}{_times(count)}")
    if recorded.attempts != len(log):
        yield Difference("", f"{len(log)} requests served, {recorded.attempts} recorded as attempts")


def compare_windows(recorded: Recorded, expected: Mapping[Key, tuple[int, int]]) -> Iterator[Difference]:
    """Compare the windows' calls and failed calls with the expected ones, and their sums with the events."""
    rows: Counter[Key] = Counter()
    failed: Counter[Key] = Counter()
    sums: Counter[str] = Counter()
    for metric in (metric for window in recorded.windows for metric in window["metrics"]):
        key = metric["provider"], metric["endpoint"], metric["method"]
        rows[key] += metric["requestCount"]
        failed[key] += metric["errorCount"]
        sums["calls"] += metric["requestCount"]
        sums["request bytes"] += metric["totalRequestBytes"]
        sums["response bytes"] += metric["totalResponseBytes"]
    for key in sorted({*rows, *expected}):
        found, wanted = (rows[key], failed[key]), expected.get(key, (0, 0))
        if found != wanted:
            text = f"{found[0]} calls, {found[1]} of them failed; expected {wanted[0]}, {wanted[1]}"
            yield Difference("", f"windows: {' '.join(key)}: {text}")
    events = recorded.events
    for name, total in (
        ("calls", len(events)),
        ("request bytes", sum(event["request_bytes"] for event in events)),
        ("response bytes", sum(event["response_bytes"] for event in events)),
    ):
        if sums[name] != total:
            yield Difference("", f"windows: {sums[name]} {name}, the calls have {total}")


def _served(entry: NamedServed) -> Seen:
    size = entry.response_bytes
    return Seen(entry.host, entry.method, entry.path, entry.status, entry.request_bytes, size)


def _recorded(event: Mapping[str, Any]) -> Seen:
    fields = ("host", "method", "path", "status_code", "request_bytes", "response_bytes")
    return Seen(*(event[name] for name in fields))


def _match(seen: Seen, pool: Counter[Seen], *, cut: bool, moved: bool) -> Optional[Seen]:
    """Return what was served of a recorded call.

    Args:
        seen: The call.
        pool: What was served and has no record yet.
        cut: The client may have left before the answer's end.
        moved: The call took several requests. A redirect leads to another path, and its answer counts.
    """
    if pool[seen]:
        return seen
    open_ = +pool
    if cut:
        longer = [other for other in open_ if other[:-1] == seen[:-1] and other[-1] >= seen[-1]]
        if longer:
            return min(longer)
    if moved:
        ends = [other for other in open_ if (other[3], other[5]) == (seen[3], seen[5])]
        return min(ends, default=None)
    return None


def _unexplained(pool: Counter[Seen], recorded: Recorded) -> Counter[Seen]:
    """Return those that are not an attempt of a call that is recorded by its last one."""
    repeats: Counter[str] = Counter()
    for event in recorded.events:
        repeats[event["path"]] += event["attempts"] - 1
    if sum(pool.values()) != sum(repeats.values()):
        return pool
    tries: Counter[str] = Counter()
    for seen, count in pool.items():
        # A redirect's further hops are made on paths of which recost tells nothing.
        tries[seen.path] += 0 if 300 <= seen.status < 400 else count
    return Counter({seen: count for seen, count in pool.items() if tries[seen.path] > repeats[seen.path]})


def _times(count: int) -> str:
    return f" ({count} times)" if count > 1 else ""
