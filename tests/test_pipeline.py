from __future__ import annotations

from decimal import Decimal
from typing import Any, Optional
from urllib.request import urlopen

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost.aggregation.aggregator import Aggregator
from recost.aggregation.window import Window
from recost.events import MetricEntry, RawEvent
from recost.interceptors import interception
from recost.interceptors.exchange import Exchange
from recost.metering import Meter
from recost.pipeline import Pipeline
from recost.pricing.model import PriceCase, ProviderDef
from recost.pricing.registry import ProviderRegistry
from recost.pricing.route import REMEMBERED, Routes
from tests.exchanges import begun
from tests.loopback import Loopback


class Scene:
    """A pipeline with what comes out of it on every side."""

    def __init__(
        self, *custom: ProviderDef, max_buckets: int = 2000, routes: Optional[Routes] = None, **options: Any
    ) -> None:
        self.errors: list[BaseException] = []
        self.full: list[Window] = []
        self.events: list[RawEvent] = []
        self.aggregator = Aggregator(max_buckets=max_buckets)
        settings: dict[str, Any] = {
            "on_capture": self.events.append,
            "on_full": self.full.append,
            "report": self.errors.append,
            **options,
        }
        self.routes = routes or Routes(ProviderRegistry(custom))
        self.pipeline = Pipeline(self.routes, self.aggregator, **settings)

    def metrics(self) -> list[MetricEntry]:
        window = self.pipeline.take()
        return [] if window is None else list(window.summary().metrics)

    def metric(self) -> MetricEntry:
        (entry,) = self.metrics()
        return entry


_TARGET = ("scheme", "host", "port", "path", "method")


def replace(exchange: Exchange, name: str, odd: Any) -> None:
    """Replace one part of a call's target."""
    target: Any = [odd if part == name else kept for part, kept in zip(_TARGET, exchange.target)]
    exchange.target = tuple(target)


def call(
    host: str = "api.openai.com",
    path: str = "/v1/chat/completions",
    status: int = 200,
    method: str = "POST",
    scheme: str = "https",
    port: int = 443,
) -> Exchange:
    exchange = begun(lambda _: None, "httpx", (scheme, host, port, path, method))
    exchange.status = status
    exchange.request_bytes, exchange.response_bytes = 11, 22
    exchange.ended_ns = exchange.started_ns + 5_000_000
    return exchange


def test_a_call_is_matched_priced_and_added_up() -> None:
    scene = Scene()
    for _ in range(3):
        scene.pipeline.process(call(path="/v1/chat/completions?key=secret"))
    assert scene.pipeline.size == 3
    assert scene.metric() == MetricEntry(
        "openai",
        "chat_completions",
        "POST",
        3,
        0,
        15.0,
        5.0,
        5.0,
        33,
        66,
        6.0,
        cost_source={"estimated": 6.0},
        unpriced_count=0,
    )
    assert scene.pipeline.size == 0
    assert scene.pipeline.take() is None
    assert not scene.errors


def test_a_real_call(server: Loopback) -> None:
    scene = Scene(ProviderDef("127.0.0.1", "local", "/plain", "plain", 0.25))
    interception.add("scene", scene.pipeline.process)
    try:
        with urlopen(server.url + "/plain?n=321&token=secret") as response:
            response.read()
        with urlopen(server.url + "/chunked?n=100") as response:
            response.read()
    finally:
        interception.remove("scene")
    assert [served.status for served in server.log] == [200, 200]
    plain, chunked = scene.metrics()
    assert (plain.provider, plain.endpoint, plain.method, plain.request_count) == ("local", "plain", "GET", 1)
    assert (plain.total_response_bytes, plain.estimated_cost_cents) == (321, 0.25)
    assert (chunked.provider, chunked.endpoint, chunked.total_response_bytes) == ("unknown", "/chunked", 100)
    assert "secret" not in repr(scene.events)


@pytest.mark.parametrize("status", [0, 400, 404, 429, 500])
@pytest.mark.parametrize(("billed", "cents"), [(False, 0.0), (True, 2.0)])
def test_failed_calls_cost_only_where_the_rule_says_so(status: int, billed: bool, cents: float) -> None:
    rule = ProviderDef("h.example", "p", None, "c", cost_per_request_cents=2.0, failed_calls_billed=billed)
    scene = Scene(rule)
    scene.pipeline.process(call("h.example", status=status))
    metric = scene.metric()
    assert (metric.request_count, metric.error_count, metric.estimated_cost_cents) == (1, 1, cents)


@pytest.mark.parametrize(("method", "cents"), [("GET", 1.0), ("DELETE", 0.0), ("POST", 7.0)])
def test_a_price_of_one_method_holds_without_metering(method: str, cents: float) -> None:
    """What has no price of its own costs what the rule estimates."""
    errors: list[BaseException] = []
    cases = (
        PriceCase(method="GET", usd_per_call=Decimal("0.01")),
        PriceCase(method="DELETE", usd_per_call=Decimal(0)),
    )
    rule = ProviderDef("h.example", "p", None, "c", cost_per_request_cents=7.0, prices=cases)
    routes = Routes(ProviderRegistry([rule]))
    scene = Scene(routes=routes, meter=Meter(routes, report=errors.append), on_capture=None)
    made = call("h.example", method=method)
    made.finish()
    scene.pipeline.process(made)
    assert scene.metric().estimated_cost_cents == cents
    assert not errors
    assert not scene.errors


def test_a_rule_without_category_has_the_templated_path() -> None:
    scene = Scene()
    for number in range(3):
        scene.pipeline.process(call("api.stripe.com", f"/v1/refunds/re_3MmlqpLkdIwHu7ix{number}"))
    metric = scene.metric()
    assert (metric.provider, metric.endpoint, metric.request_count) == ("stripe", "/v1/refunds/{id}", 3)


def test_a_host_without_rule_is_unknown_and_its_cost_too() -> None:
    scene = Scene()
    scene.pipeline.process(call("localhost", "/api/generate/12345", scheme="http", port=11434))
    metric = scene.metric()
    assert (metric.provider, metric.endpoint) == ("unknown", "/api/generate/{id}")
    assert metric.estimated_cost_cents == 0


def test_object_stores_keep_their_users_names() -> None:
    scene = Scene()
    scene.pipeline.process(call("photos.s3.us-east-1.amazonaws.com", "/jane/me.jpg", method="GET"))
    metric = scene.metric()
    assert (metric.provider, metric.endpoint, metric.method) == ("aws", "/{key}", "GET")


def test_paths_can_be_left_as_they_are() -> None:
    scene = Scene(template_paths=False)
    scene.pipeline.process(call("api.stripe.com", "/v1/refunds/re_1?x=secret#y"))
    (event,) = scene.events
    assert event.url == "https://api.stripe.com/v1/refunds/re_1"
    assert scene.metric().endpoint == event.path == event.endpoint_category == "/v1/refunds/re_1"


def test_what_is_captured_has_its_labels_and_no_identifier() -> None:
    scene = Scene()
    scene.pipeline.process(call("api.stripe.com", "/v1/charges/ch_3MmlqpLkdIwHu7ix?x=secret", 402, port=8443))
    scene.pipeline.process(call("::1", "/v1/7", scheme="http", port=8000))
    stripe, local = scene.events
    assert (stripe.provider, stripe.endpoint_category, stripe.error) == ("stripe", "charges", True)
    assert (stripe.path, stripe.url) == ("/v1/charges/{id}", "https://api.stripe.com:8443/v1/charges/{id}")
    assert (stripe.latency_ms, stripe.request_bytes, stripe.response_bytes) == (5.0, 11, 22)
    assert (local.provider, local.endpoint_category) == ("unknown", "/v1/{id}")
    assert local.url == "http://[::1]:8000/v1/{id}"


@pytest.mark.parametrize(
    ("options", "dropped"),
    [
        ({"exclude_hosts": ["api.openai.com"]}, True),
        ({"exclude_hosts": ["API.OpenAI.com."]}, True),
        ({"exclude_hosts": ["openai.com"]}, False),
        ({"exclude_hosts": ["api.openai.co"]}, False),
        ({"exclude_patterns": ["openai"]}, True),
        ({"exclude_patterns": ["OpenAI"]}, True),
        ({"exclude_patterns": ["https://api.openai.com/v1/chat"]}, True),
        ({"exclude_patterns": ["/chat/"]}, True),
        ({"exclude_patterns": ["/CHAT/"]}, False),
        ({"exclude_patterns": ["key=1"]}, False),
        ({"exclude_patterns": [":443"]}, False),
        ({"exclude_patterns": [""]}, False),
        ({"exclude_patterns": ["nothing", "openai"]}, True),
    ],
)
def test_exclusion(options: Any, dropped: bool) -> None:
    scene = Scene(**options)
    for _ in range(2):
        scene.pipeline.process(call(path="/v1/chat/completions?key=1"))
    assert scene.pipeline.size == (0 if dropped else 2)
    assert len(scene.events) == (0 if dropped else 2)


@pytest.mark.parametrize(
    ("excluded", "host", "dropped"),
    [
        ("bücher.example", "xn--bcher-kva.example", True),
        ("[::1]", "::1", True),
        ("0:0::1", "::1", True),
        ("not a host!", "not a host!", True),
    ],
)
def test_hosts_are_excluded_in_any_spelling(excluded: str, host: str, dropped: bool) -> None:
    scene = Scene(exclude_hosts=[excluded])
    scene.pipeline.process(call(host))
    assert (scene.pipeline.size == 0) is dropped


def test_an_excluded_port_is_told_from_others() -> None:
    scene = Scene(exclude_patterns=[":8080"])
    scene.pipeline.process(call(port=8080))
    scene.pipeline.process(call(port=8081))
    scene.pipeline.process(call())
    assert scene.pipeline.size == 2


def test_a_full_window_is_closed_before_the_next_triplet() -> None:
    scene = Scene(max_buckets=2)
    for method in ("GET", "POST", "GET", "PUT", "PUT", "GET", "POST"):
        scene.pipeline.process(call(method=method))
    assert [(window.bucket_count, window.call_count) for window in scene.full] == [(2, 3), (2, 3)]
    assert scene.pipeline.size == 1
    assert sum(window.call_count for window in scene.full) + scene.pipeline.size == 7


def test_no_room_at_all_closes_a_window_per_triplet() -> None:
    scene = Scene(max_buckets=0)
    for method in ("GET", "GET", "PUT"):
        scene.pipeline.process(call(method=method))
    assert [window.call_count for window in scene.full] == [2]
    assert scene.pipeline.size == 1


def test_a_failing_consumer_of_full_windows_costs_no_call() -> None:
    def refuse(window: Window) -> None:
        raise OSError("no room")

    scene = Scene(max_buckets=1, on_full=refuse)
    scene.pipeline.process(call(method="GET"))
    scene.pipeline.process(call(method="PUT"))
    assert [type(error) for error in scene.errors] == [OSError]
    assert scene.metric().method == "PUT"


def test_a_failing_debug_log_costs_no_call() -> None:
    def fail(event: RawEvent) -> None:
        raise RuntimeError("no log")

    scene = Scene(on_capture=fail)
    scene.pipeline.process(call())
    scene.pipeline.process(call())
    assert len(scene.errors) == 2
    assert scene.metric().request_count == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"host": None},
        {"host": ["x"]},
        {"path": None},
        {"path": b"/v1"},
        {"path": 7},
        {"port": None},
        {"port": {}},
        {"scheme": None},
        {"status": None},
        {"status": "200"},
        {"method": None},
        {"method": b"GET"},
        {"request_bytes": None},
        {"response_bytes": -1},
        {"ended_ns": None},
        {"ended_ns": -(10**30)},
        {"host": None, "path": None, "port": None, "scheme": None, "status": None, "method": None},
    ],
)
@pytest.mark.parametrize("logged", [True, False])
def test_a_call_is_counted_whatever_is_odd_about_it(fields: dict[str, Any], logged: bool) -> None:
    scene = Scene() if logged else Scene(on_capture=None)
    exchange = call()
    for name, odd in fields.items():
        if name in _TARGET:
            replace(exchange, name, odd)
        else:
            setattr(exchange, name, odd)
    scene.pipeline.process(exchange)
    scene.pipeline.process(call())
    assert sum(metric.request_count for metric in scene.metrics()) == 2


@pytest.mark.parametrize(("status", "failed"), [(200, 0), (404, 1), (None, 1), ("200", 1)])
def test_an_odd_call_keeps_what_is_known_of_it(status: Any, failed: int) -> None:
    scene = Scene(on_capture=None)
    exchange = call(method="PATCH", status=status)
    replace(exchange, "path", None)
    scene.pipeline.process(exchange)
    metric = scene.metric()
    assert len(scene.errors) == 1
    assert (metric.provider, metric.endpoint, metric.method) == ("unknown", "/", "PATCH")
    assert (metric.error_count, metric.total_request_bytes) == (failed, 11)


@given(st.text(), st.text(), st.integers(-1, 70000), st.text(max_size=8))
def test_no_text_is_reported_or_lost(host: str, path: str, port: int, scheme: str) -> None:
    scene = Scene(exclude_hosts=["other.example"], exclude_patterns=["\x00no such\x00"])
    scene.pipeline.process(call(host, path, scheme=scheme, port=port))
    assert scene.metric().request_count == 1
    assert not scene.errors


def test_an_empty_path_is_the_root() -> None:
    scene = Scene()
    for path in ("", "?x=1", "#y", "/"):
        scene.pipeline.process(call("api.anthropic.com", path))
    metric = scene.metric()
    assert (metric.provider, metric.endpoint, metric.request_count) == ("anthropic", "/", 4)


def test_costs_are_exact_over_many_calls() -> None:
    scene = Scene(ProviderDef("h.example", "p", None, "c", 0.1))
    for _ in range(1000):
        scene.pipeline.process(call("h.example"))
    window = scene.pipeline.take()
    assert window is not None
    (bucket,) = window.buckets.values()
    assert bucket.cost_cents == Decimal(100)


@pytest.mark.parametrize("templated", [True, False])
def test_what_is_remembered_is_bounded(templated: bool) -> None:
    scene = Scene(template_paths=templated, on_capture=None)
    for number in range(5000):
        scene.pipeline.process(call("api.stripe.com", f"/v1/refunds/{number}"))
        scene.pipeline.process(call("api.stripe.com", f"/v1/refunds/{number}" + "x" * 1000))
    assert 0 < len(scene.routes._known) <= REMEMBERED
    assert all(len(path) < 1000 for _, path, _ in scene.routes._known), "long paths are not kept"
    assert scene.pipeline.size + sum(window.call_count for window in scene.full) == 10_000
    assert len(scene.full) == (0 if templated else 4)


def test_the_order_of_rules_decides() -> None:
    found: list[Optional[str]] = []
    for rules in (("first", "second"), ("second", "first")):
        scene = Scene(*(ProviderDef("h.example", name) for name in rules))
        scene.pipeline.process(call("h.example"))
        found.append(scene.metric().provider)
    assert found == ["first", "second"]


@pytest.mark.parametrize(
    ("method", "shown"),
    [("GET", "GET"), ("get", "get"), ("M\x1b[31m", "OTHER"), ("jane@example.com", "OTHER")],
)
def test_methods_are_data_too(method: str, shown: str) -> None:
    scene = Scene()
    scene.pipeline.process(call(method=method))
    assert scene.metric().method == shown


@pytest.mark.parametrize(
    ("deployment", "status", "models"),
    [
        ("gpt-4o", 200, ["gpt-4o"]),
        ("gpt-4o", 404, ["gpt-4o"]),
        ("acme-prod", 200, ["acme-prod"]),
        ("acme-prod", 404, []),
        ("jane.doe%40example.com", 200, []),
        ("cus_NffrFeUfNV2Hib", 200, []),
        ("3f2504e0-4f89-41d3-9a0c-0305e82c3301", 404, []),
        ("sk-abc", 200, []),
    ],
)
def test_models_that_paths_name(deployment: str, status: int, models: list[str]) -> None:
    routes = Routes(ProviderRegistry())
    scene = Scene(routes=routes, meter=Meter(routes, report=print), metered=True)
    path = f"/openai/deployments/{deployment}/chat/completions"
    made = call("acme.openai.azure.com", path, status)
    made.finish()
    scene.pipeline.process(made)
    assert [entry.model for entry in scene.metric().models or ()] == models
