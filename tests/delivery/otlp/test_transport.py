"""The transport, against a receiver that decodes what it sends."""

from __future__ import annotations

import logging
import random
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Optional

import pytest

from recost.delivery.transports.base import Disposition, SendError
from recost.delivery.transports.otlp.recorder import FinishedCall
from recost.delivery.transports.otlp.transport import OtlpTransport
from recost.events import CellEntry, WindowSummary
from tests.delivery.samples import metric, window
from tests.otlp_receiver import Receiver

TEMPORALITY = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
AGGREGATION = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"


def made(**options: Any) -> OtlpTransport:
    reported: list[BaseException] = []
    transport = OtlpTransport("shop", "test", report=reported.append, **options)
    vars(transport)["reported"] = reported
    return transport


def numbered(number: int, *metrics: Any) -> WindowSummary:
    return replace(window(*metrics), window_id=f"window-{number}")


def cell(model: Optional[str] = None, **fields: Any) -> CellEntry:
    values: dict[str, Any] = {
        "model": model,
        "tags": (),
        "request_count": 1,
        "error_count": 0,
        "unpriced_count": 0,
        "cost_cents": {},
        "tokens": {},
        **fields,
    }
    return CellEntry(**values)


def call(**fields: Any) -> FinishedCall:
    values: dict[str, Any] = {
        "host": "api.openai.com",
        "port": 443,
        "method": "POST",
        "provider": "openai",
        "endpoint": "chat_completions",
        "status": 200,
        "duration_s": 0.25,
        "model": "gpt-4o",
        "tokens": {"input": 10, "output": 3},
        **fields,
    }
    return FinishedCall(**values)


def failing(transport: OtlpTransport, summary: WindowSummary, timeout_s: float = 5.0) -> SendError:
    with pytest.raises(SendError) as caught:
        transport.send(summary, timeout_s)
    return caught.value


@pytest.mark.parametrize("temporality", ["cumulative", "delta", "lowmemory", "nonsense"])
@pytest.mark.parametrize("compression", ["none", "gzip", "deflate"])
def test_the_sums_are_those_of_the_windows(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, temporality: str, compression: str
) -> None:
    monkeypatch.setenv(TEMPORALITY, temporality)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", compression)
    transport, draw = made(), random.Random(7)
    exact = Decimal(0)
    for number in range(30):
        cents = draw.randrange(10**9) / 10**6
        exact += Decimal(repr(cents)) / 100
        transport.send(numbered(number, metric(estimated_cost_cents=cents)), 5)
    transport.close()
    assert receiver.total("recost.calls") == 90
    assert receiver.total("recost.errors") == 30
    assert abs(receiver.total("recost.cost") - Fraction(exact)) <= exact / 10**15


@pytest.mark.parametrize("temporality", ["cumulative", "delta"])
@pytest.mark.parametrize(
    "step",
    [503, (429, {"Retry-After": "2"}, b""), 404, "reset", "garbage", "hang", "trickle", (302, {}, b"")],
)
def test_a_failed_export_is_made_up_for_by_the_next(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, temporality: str, step: Any
) -> None:
    monkeypatch.setenv(TEMPORALITY, temporality)
    transport = made()
    transport.recorder.record(call())
    transport.send(numbered(1), 5)
    receiver.script(step, step)
    transport.recorder.record(call())
    failing(transport, numbered(2), 0.3)
    failing(transport, numbered(2), 0.3)
    transport.recorder.record(call())
    transport.send(numbered(2), 5)
    transport.send(numbered(3), 5)
    assert receiver.total("recost.calls") == 9
    assert receiver.total("recost.cost") == 0.0075 or temporality == "delta"
    assert float(receiver.total("recost.cost")) == pytest.approx(0.0075, rel=1e-15)
    assert receiver.histogram("http.client.request.duration").count == 3


def test_a_lost_response_doubles_nothing_in_cumulative_sums(receiver: Receiver) -> None:
    transport = made()
    receiver.script("accept, reset")
    transport.recorder.record(call())
    failing(transport, numbered(1))
    transport.send(numbered(1), 5)
    assert receiver.total("recost.calls") == 3
    assert receiver.histogram("gen_ai.client.token.usage").total == 13


@pytest.mark.parametrize(
    ("step", "disposition", "after_s", "words"),
    [
        (503, Disposition.RETRY, None, "503"),
        ((503, {"Retry-After": "9"}, b""), Disposition.DEFER, 9.0, "503"),
        ((429, {"Retry-After": "99999999"}, b""), Disposition.DEFER, 3600.0, "429"),
        ((429, {"Retry-After": "soon\x1b[2J"}, b""), Disposition.RETRY, None, "429"),
        (401, Disposition.WAIT, None, "OTEL_EXPORTER_OTLP_HEADERS"),
        (404, Disposition.WAIT, None, "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ((200, {"Content-Type": "text/html"}, b"<p>log in"), Disposition.WAIT, None, "a page"),
        ((301, {"Location": "http://127.0.0.1:1/"}, b""), Disposition.WAIT, None, "redirect"),
        ("garbage", Disposition.RETRY, None, "could not be reached"),
        ("hang", Disposition.RETRY, None, "in time"),
    ],
)
def test_what_a_failure_is_called(
    receiver: Receiver, step: Any, disposition: Disposition, after_s: Optional[float], words: str
) -> None:
    receiver.script(step)
    found = failing(made(), numbered(1), 0.3)
    assert (found.disposition, found.retry_after_s, found.responded) == (disposition, after_s, False)
    assert words in str(found.error)
    assert str(found.error).isprintable()


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as gone:
        port = gone.port
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://user:secret@127.0.0.1:{port}/")
    found = failing(made(), numbered(1))
    assert found.disposition is Disposition.RETRY
    assert "secret" not in str(found.error)


def test_data_that_is_rejected_in_part_is_reported(receiver: Receiver) -> None:
    transport = made()
    receiver.script("reject")
    transport.send(numbered(1), 5)
    assert [str(error) for error in vars(transport)["reported"]] == [
        "recost: the OTLP receiver rejected 7 data points"
    ]


def test_a_body_that_claims_to_be_protobuf_may_be_anything(receiver: Receiver) -> None:
    kind = {"Content-Type": "application/x-protobuf"}
    receiver.script((200, kind, b"\xff" * 50), (200, {**kind, "Content-Encoding": "gzip"}, b"x" * 60_000))
    transport = made()
    transport.send(numbered(1), 5)
    transport.send(numbered(2), 5)
    assert vars(transport)["reported"] == []


def test_the_environment_is_that_of_the_exporter(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", f"{receiver.url}/v1/metrics")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-general=a")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "x-key=b%20c")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "gzip")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "till")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.version=7,deployment.environment.name=blue")
    made().send(numbered(1), 5)
    (headers,), (resource,) = receiver.headers, receiver.resources.values()
    assert (headers["x-key"], headers["content-encoding"], "x-general" in headers) == ("b c", "gzip", False)
    names = "service.name", "service.version", "deployment.environment.name"
    assert [resource[name] for name in names] == ["till", "7", "blue"]


def test_the_timeout_of_the_environment_ends_an_export(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.2")
    receiver.script("hang")
    assert "in time" in str(failing(made(), numbered(1), 60.0).error)  # the test's own limit is shorter


def test_the_resource_without_an_environment(receiver: Receiver) -> None:
    made().send(numbered(1), 5)
    made().send(numbered(2), 5)
    first, second = receiver.resources.values()
    assert (first["service.name"], first["deployment.environment.name"]) == ("shop", "test")
    assert first["service.instance.id"] != second["service.instance.id"]
    assert receiver.total("recost.calls") == 6


def test_an_instance_of_the_environment_is_kept(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=pod-1")
    made().send(numbered(1), 5)
    assert list(receiver.resources) == ["pod-1"]


@pytest.mark.parametrize(
    ("protocol", "words"), [("http/json", "http/json"), ("\x1b[2Jtelnet", "expected http/protobuf or grpc")]
)
def test_a_protocol_that_is_not_spoken(monkeypatch: pytest.MonkeyPatch, protocol: str, words: str) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    found = failing(made(), numbered(1))
    assert found.disposition is Disposition.SUSPEND
    assert words in str(found.error)
    assert str(found.error).isprintable()


def test_a_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        __import__("sys").modules, "opentelemetry.exporter.otlp.proto.http.metric_exporter", None
    )
    found = failing(made(), numbered(1))
    assert found.disposition is Disposition.SUSPEND
    assert 'pip install "recost[otlp]"' in str(found.error)


def test_a_variable_that_the_sdk_cannot_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "no url at all")
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in str(failing(made(), numbered(1)).error)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "soon")
    with Receiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        transport = made()
        with suppress(SendError):  # the SDK takes its default, or refuses to make an exporter
            transport.send(numbered(1), 5)
            return
        found = failing(transport, numbered(1))
        assert found.disposition is Disposition.SUSPEND
        assert "OTEL_EXPORTER_OTLP_*" in str(found.error)


def test_the_limit_of_series_keeps_the_sums(receiver: Receiver) -> None:
    transport = made(max_series=10)
    for number in range(4):
        found = [metric(f"endpoint-{number}-{each}", estimated_cost_cents=0.5) for each in range(40)]
        transport.send(numbered(number, *found), 5)
        for each in range(40):
            transport.recorder.record(call(host=f"host-{number}-{each}.example.com"))
    transport.send(numbered(9, metric("endpoint-0-1")), 5)
    series = receiver.series("recost.calls")
    assert len(series) == 11
    others = [each for each in series if each.get("otel.metric.overflow")]
    assert [each["recost.provider"] for each in others] == ["other"]
    assert receiver.total("recost.calls") == 4 * 40 * 3 + 3
    assert float(receiver.total("recost.cost")) == pytest.approx((4 * 40 * 0.5 + 0.25) / 100, rel=1e-15)
    assert len(receiver.series("http.client.request.duration")) == 11
    assert receiver.histogram("http.client.request.duration").count == 160


def test_large_exports_are_cut_into_requests(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TEMPORALITY, "delta")
    transport = made()
    receiver.script("accept", 503)
    summary = numbered(1, *(metric(f"endpoint-{each}") for each in range(700)))
    failing(transport, summary)
    transport.send(summary, 5)
    assert receiver.total("recost.calls") == 2100
    assert max(len(request.SerializeToString()) for request in receiver.requests) < 500_000


def test_cells_are_series_of_their_own(receiver: Receiver) -> None:
    cells = (
        cell(
            "gpt-4o",
            tags=(("team", "search"),),
            cost_cents={"computed": Decimal("1.5")},
            tokens={"input": 8, "cache_read": 5, "output": 2},
        ),
        cell(request_count=2, error_count=1, unpriced_count=1, cost_cents={"estimated": Decimal("0.1")}),
    )
    made().send(numbered(1, metric("chat_completions", cells=cells)), 5)
    chosen = {"gen_ai__request__model": "gpt-4o", "recost__tag__team": "search", "gen_ai__system": "openai"}
    assert receiver.total("recost.cost", **chosen) == 0.015
    assert receiver.total("recost.cost", recost__cost__source="estimated") == 0.001
    assert receiver.total("recost.tokens", gen_ai__token__type="cache_read", **chosen) == 5
    assert [receiver.total(f"recost.{name}") for name in ("calls", "errors", "unpriced")] == [3, 1, 1]


def test_the_conventions_of_token_metrics(receiver: Receiver) -> None:
    transport = made(semconv="inference")
    cells = (cell("grok-4", tokens={"input": 8, "cache_read": 5, "output": 2, "reasoning": 1}),)
    transport.send(numbered(1, metric("chat_completions", provider="xai", cells=cells)), 5)
    transport.recorder.record(call(provider="xai", model="grok-4"))
    transport.send(numbered(2, metric("embeddings", cells=(cell("e", tokens={"input": 9}),))), 5)
    usage = "gen_ai.client.inference.usage."
    names = "input_tokens", "output_tokens", "cache_read.input_tokens", "reasoning.output_tokens"
    assert [receiver.total(usage + name) for name in names] == [8, 2, 5, 1]
    (series,) = receiver.series(f"{usage}input_tokens")
    assert (series["gen_ai.provider.name"], series["gen_ai.operation.name"]) == ("x_ai", "chat")
    assert series["gen_ai.token.modality"] == "unknown"
    assert receiver.histogram("gen_ai.client.inference.operation.input_tokens").total == 10
    assert receiver.series("gen_ai.client.token.usage") == []


def test_durations(receiver: Receiver) -> None:
    transport = made()
    for status in (200, 404, 0):
        transport.recorder.record(call(status=status, duration_s=0.3))
    transport.recorder.record(
        call(
            host="api.stripe.com", provider="stripe", endpoint="charges", model=None, tokens={}, method="brew"
        )
    )
    transport.send(numbered(1), 5)
    http = receiver.series("http.client.request.duration")
    outcomes = {(each.get("http.response.status_code"), each.get("error.type")) for each in http}
    assert outcomes == {(200, None), (404, "404"), (None, "_OTHER")}
    assert {each["http.request.method"] for each in http} == {"POST", "_OTHER"}
    genai = receiver.series("gen_ai.client.operation.duration")
    assert {each["server.address"] for each in genai} == {"api.openai.com"}
    assert {each.get("error.type") for each in genai} == {None, "404", "_OTHER"}
    found = receiver.histogram("http.client.request.duration")
    assert found.count == 4
    assert found.total == pytest.approx(1.15)
    assert found.bounds[0] == 0.005


@pytest.mark.parametrize("temporality", ["cumulative", "delta"])
def test_exponential_histograms(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, temporality: str
) -> None:
    monkeypatch.setenv(AGGREGATION, "base2_exponential_bucket_histogram")
    monkeypatch.setenv(TEMPORALITY, temporality)
    transport = made()
    for number in range(3):
        transport.recorder.record(call(duration_s=0.0))
        transport.recorder.record(call(duration_s=10.0**number))
        transport.send(numbered(number), 5)
    found = receiver.histogram("http.client.request.duration")
    assert (found.count, found.total) == (6, 111.0)


def test_text_that_protobuf_refuses(receiver: Receiver) -> None:
    tags = (("tea\udc80m", "\ud800" + "x" * 5000),)
    cells = (cell("m\udfff", tags=tags),)
    made().send(numbered(1, metric("/\udcff/é", cells=cells)), 5)
    (series,) = receiver.series("recost.calls")
    assert series["recost.endpoint"] == "/?/é"
    assert len(series["recost.tag.tea?m"]) == 1024


def test_numbers_beyond_all_bounds(receiver: Receiver) -> None:
    cells = (cell(tokens={"input": 2**70}, cost_cents={"reported": Decimal("1e400")}),)
    made().send(numbered(1, metric(cells=cells)), 5)
    assert receiver.total("recost.tokens") == 2**63 - 1
    assert receiver.total("recost.cost") == 1e300


def test_the_exporter_of_others_goes_on_logging(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.script(503, 400)
    transport = made()
    with caplog.at_level(logging.DEBUG):
        failing(transport, numbered(1))
        failing(transport, numbered(1))
    name = "opentelemetry.exporter.otlp.proto.http.metric_exporter"
    assert [record for record in caplog.records if record.name.startswith("opentelemetry")] == []
    with caplog.at_level(logging.DEBUG):
        logging.getLogger(name).error("of the application")
    assert [record.message for record in caplog.records if record.name == name] == ["of the application"]
    assert logging.getLogger(name).filters == []


def test_a_closed_transport_goes_on(receiver: Receiver) -> None:
    transport = made()
    transport.close()
    transport.send(numbered(1), 5)
    transport.close()
    transport.close()
    transport.send(numbered(2), 5)
    assert receiver.total("recost.calls") == 6
    assert len(receiver.resources) == 1


def test_a_clock_that_is_set_back(receiver: Receiver) -> None:
    times = iter([2_000_000_000_000_000_000, 2_000_000_000_500_000_000, 1_000, 2_000])
    transport = made(clock_ns=lambda: next(times))
    for number in range(3):
        transport.send(numbered(number), 5)
    # A receiver is told of times before those that it knows: no point is before its own start.
    assert all("goes back" in each for each in receiver.violations)
    receiver.violations.clear()
