"""Files as recost writes them, at random; and what they amount to, added up line by line in plain Python."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Context, Decimal
from typing import Any, Optional

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from recost import wire
from recost.events import Instance, MetricEntry, ModelEntry, TagEntry, WindowSummary

EXACT = Context(prec=200)
few = settings(
    max_examples=25,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)
"""For tests over corpora, of which each example is files; what fixtures share holds no figures."""
START = datetime(2026, 3, 27, tzinfo=timezone.utc)
"""Two days before clocks are put forward in Berlin."""

names = st.sampled_from(["openai", "stripe", "unknown", "a,b", 'q"uote', "ünï", "o'brien", "100%_!*"])
counts = st.integers(0, 10**6)
amounts = st.one_of(
    st.just(0.0),
    st.floats(0, 1e6, allow_nan=False),
    st.integers(0, 10**6).map(lambda number: number / 1e6),
)
durations = st.floats(0, 1e6, allow_nan=False)
tag_sets = st.dictionaries(
    st.sampled_from(["tenant", "route", "feature"]), st.sampled_from(["acme", "/x/{id}", "", "b"]), min_size=1
)


@st.composite
def metrics(draw: st.DrawFn, key: tuple[str, str, str]) -> MetricEntry:
    """Make one metric, of protocol 1.0 or 1.1, whose parts don't exceed the whole."""
    calls = draw(counts)
    cost = draw(amounts)
    plain = MetricEntry(
        *key, calls, draw(st.integers(0, calls)), draw(durations), draw(durations), draw(durations),
        draw(counts), draw(counts), cost,
    )  # fmt: skip
    if draw(st.booleans()):
        return plain
    unpriced = draw(st.integers(0, calls))
    halves = {"reported": cost / 2, "estimated": cost / 2}
    return MetricEntry(
        **{
            **vars(plain),
            "cost_source": draw(st.sampled_from([{}, {"computed": cost}, halves])),
            "unpriced_count": unpriced,
            "attempts": draw(st.sampled_from([calls, None])),
            "tokens": {"input": draw(counts)},
            "models": draw(st.one_of(st.none(), st.just(tuple(_models(calls, cost, unpriced))))),
            "tags": tuple(_tags(draw(st.lists(tag_sets, max_size=3)), calls, cost, unpriced)) or None,
        }
    )  # fmt: skip


def _models(calls: int, cost: float, unpriced: int) -> Iterator[ModelEntry]:
    yield ModelEntry("gpt-4o", calls // 2, cost / 4, unpriced // 2, 5, 6)
    yield ModelEntry("other", calls // 4, cost / 8, 0, 5, 6)


def _tags(sets: list[dict[str, str]], calls: int, cost: float, unpriced: int) -> Iterator[TagEntry]:
    for index, tags in enumerate(sets, 2):
        share = 2**index
        told = None if index == 4 else tuple(sorted(tags.items()))
        yield TagEntry(told, calls // share, 0, cost / share, unpriced // share)


@st.composite
def windows(draw: st.DrawFn) -> WindowSummary:
    """Make one window of the days around a change of clocks, with and without an identity."""
    start = START.timestamp() * 1000 + draw(st.integers(0, 5 * 86_400_000))
    keys = draw(
        st.lists(
            st.tuples(names, names, st.sampled_from(["GET", "POST"])), unique=True, min_size=1, max_size=4
        )
    )
    entries = tuple(draw(metrics(key)) for key in keys)
    environment = draw(st.sampled_from(["production", "test"]))
    window_id = draw(st.one_of(st.none(), st.uuids(version=4).map(str)))
    instance = draw(st.sampled_from([None, Instance("9f86d081884c7d65", 7, start)]))
    return WindowSummary(
        "", environment, "python", "0.2.0", start, start + 30_000, entries,
        window_id=window_id, instance=instance,
    )  # fmt: skip


good_lines = windows().map(wire.encode_window)
bad_lines = st.one_of(
    good_lines.map(lambda line: line[: len(line) // 2]),
    st.sampled_from([b"{}", b"[1]", b'"text"', b"null", b"7", b"{", b"\xff", b'{"a":1}{"b":2}', b"x \x00"]),
    good_lines.map(lambda line: line.replace(b'"protocolVersion":"1.', b'"protocolVersion":"2.')),
    good_lines.map(lambda line: line.replace(b'"windowStart":"2', b'"windowStart":"x')),
    good_lines.map(lambda line: line.replace(b'"windowStart":"2', b'"windowStart":"infinity","was":"2')),
    good_lines.map(lambda line: line.replace(b'"windowStart":"2', b'"windowStart":"-44-03-15","was":"2')),
    good_lines.map(lambda line: line.replace(b'"metrics":[', b'"metrics":7,"others":[')),
)  # fmt: skip
foreign_lines = st.one_of(
    good_lines.map(lambda line: line.replace(b'"provider":', b'"supplier":', 1)),
    good_lines.map(lambda line: line.replace(b'"requestCount":', b'"requestCount":-1,"was":', 1)),
    good_lines.map(
        lambda line: line.replace(b'"estimatedCostCents":', b'"estimatedCostCents":"?","was":', 1)
    ),
    good_lines.map(lambda line: line.replace(b'"metrics":[', b'"metrics":[17,null,')),
    good_lines.map(
        lambda line: b'{"extra":[{}],' + line[1:].replace(b'"method":', b'"more":{"a":1},"method":')
    ),
)
blank_lines = st.sampled_from([b"", b"  ", b"\r"])
corpora = st.lists(st.one_of(good_lines, good_lines, bad_lines, foreign_lines, blank_lines), max_size=12)
"""Lines of one file."""


@dataclass
class Sums:
    """What some calls amount to."""

    calls: int = 0
    errors: int = 0
    cost_usd: Decimal = Decimal(0)
    unpriced: int = 0
    reported_usd: Decimal = Decimal(0)
    computed_usd: Decimal = Decimal(0)
    estimated_usd: Decimal = Decimal(0)
    flat_usd: Decimal = Decimal(0)
    bytes_up: int = 0
    bytes_down: int = 0
    weighted_p95: list[float] = field(default_factory=list)

    def add(self, entry: dict[str, Any], sign: int = 1) -> None:
        """Add a metric, or a part of one."""
        self.calls += sign * entry["requestCount"]
        self.errors += sign * entry.get("errorCount", 0)
        self.cost_usd = EXACT.add(self.cost_usd, sign * usd(entry["estimatedCostCents"]))
        self.unpriced += sign * entry.get("unpricedCount", 0)
        for name in ("reported", "computed", "estimated"):
            amount = usd(entry.get("costSource", {}).get(name, 0))
            setattr(self, f"{name}_usd", EXACT.add(getattr(self, f"{name}_usd"), amount))
            if name == "estimated" and "attempts" not in entry:
                self.flat_usd = EXACT.add(self.flat_usd, amount)
        self.bytes_up += entry.get("totalRequestBytes", 0)
        self.bytes_down += entry.get("totalResponseBytes", 0)
        self.weighted_p95.append(entry.get("p95LatencyMs", 0) * entry["requestCount"])

    @property
    def p95_ms(self) -> Optional[float]:
        return math.fsum(self.weighted_p95) / self.calls if self.calls else None


def usd(cents: float) -> Decimal:
    """Return cents, as written, in dollars, to 24 places of a cent."""
    exact = Decimal(repr(cents)).quantize(Decimal(1).scaleb(-24), rounding="ROUND_HALF_UP", context=EXACT)
    return EXACT.scaleb(exact, -2)


@dataclass
class Plain:
    """Everything that the lines of a file hold, read with Python's json."""

    entries: list[tuple[datetime, str, dict[str, Any]]] = field(default_factory=list)
    """When, environment, metric."""
    bad: list[int] = field(default_factory=list)
    """Numbers of the bad lines."""
    bad_metrics: int = 0

    @classmethod
    def of(cls, data: bytes) -> Plain:
        """Read a file's bytes."""
        self = cls()
        for number, line in enumerate(data.split(b"\n"), 1):
            if line.strip():
                self._line(number, line)
        return self

    def _line(self, number: int, line: bytes) -> None:
        try:
            window = json.loads(line)
            ours = window["protocolVersion"].startswith("1.") and isinstance(window["metrics"], list)
            start = datetime.fromisoformat(window["windowStart"].replace("Z", "+00:00"))
        except (ValueError, TypeError, KeyError):
            ours = False
        if not ours:
            self.bad.append(number)
            return
        for entry in window["metrics"]:
            if _usable(entry):
                self.entries.append((start, window["environment"], entry))
            else:
                self.bad_metrics += 1

    def total(self) -> Sums:
        """Add everything up."""
        return self.grouped(lambda _when, _environment, _entry: [()]).get((), Sums())

    def grouped(
        self, key: Callable[[datetime, str, dict[str, Any]], Iterable[tuple[Optional[str], ...]]]
    ) -> dict[tuple[Optional[str], ...], Sums]:
        """Add up by what ``key`` returns of each metric."""
        groups: dict[tuple[Optional[str], ...], Sums] = {}
        for when, environment, entry in self.entries:
            for names in key(when, environment, entry):
                groups.setdefault(names, Sums()).add(entry)
        return groups

    def by_part(
        self, field: str, name: Callable[[dict[str, Any]], Optional[str]]
    ) -> dict[Optional[str], Sums]:
        """Add up by a breakdown; what it leaves has the name None."""
        groups: dict[Optional[str], Sums] = {}
        for _, _, entry in self.entries:
            rest = groups.setdefault(None, Sums())
            rest.add(entry)
            for part in entry.get(field) or ():
                groups.setdefault(name(part), Sums()).add(part)
                rest.add(part, -1)
        return groups


def _usable(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and all(isinstance(entry.get(name), str) for name in ("provider", "endpoint", "method"))
        and all(
            isinstance(entry.get(name), (int, float)) and entry[name] >= 0
            for name in ("requestCount", "errorCount", "estimatedCostCents")
        )
    )
