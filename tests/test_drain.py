"""`Pipeline.drain` adds up the same as `Pipeline.process` for each call, with fewer steps."""

from __future__ import annotations

import random
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from linecache import getline
from types import FrameType
from typing import Any, Callable, Optional

import pytest

from recost import grouping
from recost.aggregation.aggregator import UnlockedAggregator
from recost.aggregation.quantiles import Latencies
from recost.aggregation.window import TargetCounts, Window
from recost.events import MetricEntry
from recost.interceptors.context import CostScope
from recost.interceptors.exchange import Exchange
from recost.metering import Meter
from recost.pipeline import Pipeline
from recost.pricing.cost import Cost
from recost.pricing.model import PriceCase, ProviderDef
from recost.pricing.providers import BUILTIN_PROVIDERS
from recost.pricing.registry import ProviderRegistry
from recost.pricing.route import REMEMBERED, Routes
from tests.exchanges import begun

PRICED = [
    ("api.stripe.com", "/v1/charges", "POST"),
    ("api.github.com", "/repos/o/r", "GET"),
    ("api.anthropic.com", "/v1/messages", "POST"),
    ("photos.s3.us-east-1.amazonaws.com", "/a.jpg", "GET"),
]
PLAIN = [("api.example.com", "/v1/things", "GET"), ("api.openai.com", "/v1/chat/completions", "POST")]
OWN = [
    ProviderDef("flat.example", "flat", None, "c", 0.3),
    ProviderDef("billed.example", "billed", cost_per_request_cents=2.0, failed_calls_billed=True),
    ProviderDef("bytes.example", "bytes", usd_per_gb=Decimal("0.12"), usd_per_call=Decimal("0.001")),
    ProviderDef("free.example", "free", usd_per_call=Decimal("0.001"), free_units={"calls": Decimal(3)}),
    ProviderDef("least.example", "least", usage="openai", minimum_usd=Decimal("0.002")),
    ProviderDef("units.example", "units", usage="openai", usd_per_unit={"input_tokens": Decimal(1)}),
    ProviderDef("cases.example", "cases", prices=(PriceCase(path="/a", usd_per_call=Decimal("0.01")),)),
]


class Ledger:
    """A pipeline, and all windows that it closes."""

    def __init__(self, *, max_buckets: int = 2000, **options: Any) -> None:
        self.windows: list[Window] = []
        self.errors: list[BaseException] = []
        self.routes = Routes(ProviderRegistry(OWN))
        self.meter = Meter(self.routes, report=self.errors.append, reads=False)
        self.aggregator = UnlockedAggregator(max_buckets=max_buckets, clock=lambda: 1.0)
        self.pipeline = Pipeline(
            self.routes,
            self.aggregator,
            **{"meter": self.meter, **options},
            on_full=self.windows.append,
            report=self.errors.append,
        )

    def close(self) -> None:
        window = self.pipeline.take()
        if window is not None:
            self.windows.append(window)

    def metrics(self) -> list[list[MetricEntry]]:
        self.close()
        return [
            sorted(window.summary().metrics, key=lambda entry: (entry.provider, entry.endpoint, entry.method))
            for window in self.windows
        ]

    def sizes(self) -> list[int]:
        return [window.call_count for window in self.windows]


def call(target: tuple[str, str, str], status: int = 200, port: int = 443, **fields: Any) -> Exchange:
    host, path, method = target
    made = begun(lambda _: None, "httpx", ("https", host, port, path, method))
    made.status, made.request_bytes, made.response_bytes = status, 11, 22
    made.finish()
    made.ended_ns = made.started_ns + 5_000_000
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def inbox_of(*targets: tuple[str, str, str], count: int) -> deque[Exchange]:
    return deque(call(target) for _ in range(count) for target in targets)


def examples() -> list[tuple[str, str, str]]:
    """Return targets of all built-in rules, and of the rules above."""
    found: list[tuple[str, str, str]] = []
    for rule in (*BUILTIN_PROVIDERS, *OWN):
        host = rule.host_pattern.replace("*", "x")
        prefix = (rule.path_prefix or "").rstrip("/")
        paths = [prefix or "/", f"{prefix}/cus_Nff{len(found)}", f"{prefix}/a?q={len(found)}"]
        paths += [f"{prefix}/x{case.contains}" for case in rule.path_cases]
        for case in rule.prices:
            name = host if case.host is None else case.host.replace("*", "x")
            path = (case.path or prefix or "/").replace("**", "y").replace("*", "x")
            found.append((name, path, (case.method or "POST").partition("|")[0]))
        found += [(host, path, method) for path in paths for method in ("GET", "POST")]
    return found


def test_it_adds_up_what_processing_each_call_does() -> None:
    """Calls are priced one by one on the other side, because their cost is asked for before."""
    generator = random.Random(7)
    targets = examples() + PRICED + PLAIN
    drained, processed = Ledger(max_buckets=150), Ledger(max_buckets=150)
    for _ in range(12):
        inbox: deque[Exchange] = deque()
        for target in generator.sample(targets, 60):
            for _ in range(generator.choice((1, 1, 2, 2, 3, 3, 7, 7, 7, 150))):
                fields: dict[str, Any] = {
                    "status": generator.choice((200, 200, 201, 304, 0, 404, 429, 500)),
                    "port": generator.choice((443, 443, 8443)),
                    "request_bytes": generator.randrange(10**6),
                    "response_bytes": generator.randrange(10**9),
                }
                if generator.random() < 0.02:
                    fields["scope"] = CostScope((("team", generator.choice("ab")),), ())
                if generator.random() < 0.02:
                    fields[generator.choice(("request_bytes", "response_bytes"))] = -1
                inbox.append(call(target, **fields))
                # Whole milliseconds, the sum of which does not depend on the order.
                inbox[-1].ended_ns = inbox[-1].started_ns + generator.randrange(-1, 20_000) * 1_000_000
        generator.shuffle(inbox)
        for made in inbox:
            again = call((made.host, made.path, made.method), made.status, made.port)
            again.ended_ns = again.started_ns + made.ended_ns - made.started_ns
            again.request_bytes, again.response_bytes, again.scope = (
                made.request_bytes,
                made.response_bytes,
                made.scope,
            )
            if processed.routes.of(again).priced:
                processed.meter.cost_of(again)
            processed.pipeline.process(again)
        drained.pipeline.drain(inbox)
        assert not inbox
        assert drained.pipeline.size == processed.pipeline.size
        if generator.random() < 0.3:
            drained.close()
            processed.close()
    assert drained.metrics() == processed.metrics()
    assert drained.sizes() == processed.sizes()
    assert len(drained.windows) > 3
    assert not drained.errors


@pytest.mark.parametrize("target", PRICED + PLAIN)
@pytest.mark.parametrize("query", ["", "?page={}"])
def test_a_call_to_a_known_target_runs_few_functions(target: tuple[str, str, str], query: str) -> None:
    """The look-up of a query is one function more than a property of the exchange."""
    ledger = Ledger()
    host, path, method = target
    ledger.pipeline.drain(inbox_of(target, count=2))
    inbox = deque(call((host, path + query.format(number), method)) for number in range(100))
    functions: list[str] = []

    def profile(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call":
            functions.append(frame.f_code.co_name)

    sys.setprofile(profile)
    try:
        ledger.pipeline.drain(inbox)
    finally:
        sys.setprofile(None)
    assert len(functions) <= (400 if query else 100) + 10, sorted(set(functions))
    assert ledger.pipeline.size == 102


def test_prices_are_dropped_when_the_list_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger()
    ledger.pipeline.drain(inbox_of(PRICED[0], count=5))
    (before,) = ledger.metrics()[0]
    monkeypatch.setattr(ledger.meter._pricer, "price", lambda _: Cost(Decimal(7), "computed", "stripe"))
    ledger.pipeline.drain(inbox_of(PRICED[0], count=5))
    monkeypatch.setattr(ledger.meter._pricer, "refresh", lambda: False)
    ledger.meter.refresh()
    ledger.pipeline.drain(inbox_of(PRICED[0], count=5))
    monkeypatch.setattr(ledger.meter._pricer, "refresh", lambda: True)
    ledger.meter.refresh()
    ledger.pipeline.drain(inbox_of(PRICED[0], count=1))
    after = ledger.metrics()[1][0]
    assert after.request_count == 11
    assert after.estimated_cost_cents == pytest.approx(before.estimated_cost_cents * 2 + 700)


def test_many_targets_take_bounded_memory() -> None:
    ledger = Ledger()
    made = 0
    for start in range(0, 3 * REMEMBERED, 100):
        inbox: deque[Exchange] = deque()
        for number in range(start, start + 100):
            inbox.extend(call((f"h{number}.example", "/a", "GET")) for _ in range(3))
        made += len(inbox)
        ledger.pipeline.drain(inbox)
        assert len(ledger.pipeline._groups) <= REMEMBERED
        assert len(ledger.aggregator.window.target_counts) <= REMEMBERED
    ledger.close()
    assert sum(window.call_count for window in ledger.windows) == made


def test_distinct_paths_take_bounded_memory() -> None:
    ledger = Ledger()
    sizes = set()
    for start in range(0, 24_000, 2_000):
        ledger.pipeline.drain(
            deque(call((PRICED[0][0], f"/v1/charges/ch_{start + number}", "POST")) for number in range(2_000))
        )
        assert len(ledger.routes._known) <= REMEMBERED
        buckets = ledger.aggregator.window.buckets
        sizes.add((len(ledger.routes._terms), len(ledger.meter._fixed), len(buckets)))
    assert len(sizes) == 1
    assert not len(ledger.pipeline._groups)
    assert ledger.pipeline.size == 24_000


@pytest.mark.parametrize("host", [*(host for host, _, _ in PRICED), "api.example.com", "cases.example"])
def test_a_call_to_a_new_path_runs_few_functions(host: str) -> None:
    """Each path is resolved and templated once. No call is added up by itself."""
    ledger = Ledger(exclude_patterns=("/healthz",), exclude_hosts=("metadata.internal",))
    ledger.pipeline.drain(deque(call((host, f"/v1/charges/{number}", "POST")) for number in range(100, 110)))
    inbox = deque(call((host, f"/v1/charges/{number}", "POST")) for number in range(1000, 1100))
    functions: list[str] = []

    def profile(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call":
            functions.append(frame.f_code.co_name)

    sys.setprofile(profile)
    try:
        ledger.pipeline.drain(inbox)
    finally:
        sys.setprofile(None)
    assert len(functions) <= 3500, sorted(set(functions))
    assert "ingest" not in functions
    assert ledger.pipeline.size == 110


def test_new_paths_are_excluded_one_by_one() -> None:
    ledger = Ledger(exclude_patterns=("/7/", "//other.example"))
    for number in range(30):
        path = f"/v1/{number % 10}/x"
        hosts = ("api.example.com", "other.example")
        ledger.pipeline.drain(deque(call((host, f"{path}/{number}", "GET")) for host in hosts))
    assert ledger.pipeline.size == 27


@pytest.mark.parametrize("error", [KeyboardInterrupt, TimeoutError])
def test_an_interruption_among_new_paths_loses_no_call_and_counts_none_twice(
    error: type[BaseException],
) -> None:
    def inbox_from(start: int) -> deque[Exchange]:
        return deque(call(("api.stripe.com", f"/v1/charges/{start + n}", "POST")) for n in range(3))

    at, raised = 0, True
    while raised:
        at, raised = at + 1, False
        ledger = Ledger()
        ledger.pipeline.drain(inbox_from(100))
        inbox = inbox_from(200)
        with interrupted(at, error) as reached:
            try:
                ledger.pipeline.drain(inbox)
            except error:
                raised = True
            raised = raised or reached() >= at
        ledger.pipeline.drain(inbox)
        (entry,) = ledger.metrics()[0]
        assert entry.request_count == 6, f"line {at}"
    assert at > 30


def test_calls_that_are_handed_over_meanwhile_are_left_alone() -> None:
    ledger = Ledger()
    inbox = inbox_of(PLAIN[0], count=10)

    class Host(str):
        __slots__ = ()

        def __hash__(self) -> int:
            inbox.clear()  # as a finaliser may, which `init` takes the inbox over from
            return super().__hash__()

    host, path, method = PLAIN[0]
    ledger.pipeline.drain(inbox_of(PLAIN[0], count=2))
    inbox.appendleft(call((Host(host), path, method)))
    ledger.pipeline.drain(inbox)
    assert ledger.pipeline.size == 3
    assert not ledger.errors


_ADDING = [
    function.__code__
    for function in (Pipeline.drain, TargetCounts.add, TargetCounts._store, Window.fold, Latencies.fold)
]


@contextmanager
def interrupted(at: int, error: type[BaseException]) -> Iterator[Callable[[], int]]:
    """Raise at a line of what adds groups, counted from the first one. Yield the number of lines reached.

    Nothing can interrupt a bare ``try``, which is no instruction.
    """
    lines = 0

    def trace(frame: FrameType, event: str, _argument: object) -> Optional[Callable[..., Any]]:
        nonlocal lines
        if frame.f_code.co_filename != grouping.__file__ and frame.f_code not in _ADDING:
            return None
        if event == "line" and getline(frame.f_code.co_filename, frame.f_lineno).strip() != "try:":
            lines += 1
            if lines == at:
                raise error
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield lambda: lines
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("error", [KeyboardInterrupt, TimeoutError])
def test_an_interruption_at_any_line_loses_no_call_and_counts_none_twice(error: type[BaseException]) -> None:
    expected = Ledger()
    expected.pipeline.drain(inbox_of(PRICED[0], PLAIN[0], count=5))
    metrics, at, raised = expected.metrics(), 0, True
    while raised:
        at, raised = at + 1, False
        ledger = Ledger()
        ledger.pipeline.drain(inbox_of(PRICED[0], PLAIN[0], count=2))
        for bucket in ledger.aggregator.window.buckets.values():
            bucket.limit = 3  # so that latencies are counted in bins, too
        inbox = inbox_of(PRICED[0], PLAIN[0], count=3)
        with interrupted(at, error) as reached:
            try:
                ledger.pipeline.drain(inbox)
            except error:
                raised = True
            raised = raised or reached() >= at
        ledger.pipeline.drain(inbox)
        assert ledger.metrics() == metrics, f"line {at}"
    assert at > 50
