"""``transports=["otlp"]`` in programs of their own, against a receiver that decodes what they send."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.loopback import Loopback
from tests.otlp_receiver import Receiver
from tests.scripts import complaints, environment, run_script, windows

SETUP = """
    import os, sys, time
    import requests
    import recost
    from recost import ProviderDef

    url, folder = sys.argv[1:3]
    rule = ProviderDef("127.0.0.1", "house", "/", cost_per_request_cents=0.0123)

    def start(*kinds, **options):
        return recost.init(
            project_id="shop", local_dir=folder, custom_providers=[rule],
            transports=["file", "otlp", *kinds], **{"max_batch_size": 7, **options},
        )

    def call(path="/ok", **options):
        return requests.get(url + path, **options).status_code
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as found:
        yield found
    assert found.violations == []


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    server = Loopback()
    yield server
    server.close()


def indented(code: str) -> str:
    return SETUP + "\n".join("    " + line for line in code.strip().splitlines())


def run(
    code: str, loopback: Loopback, folder: Path, receiver: Receiver, **env: str
) -> subprocess.CompletedProcess[str]:
    variables = environment(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, **env)
    done = run_script(indented(code), loopback.url, folder, env=variables)
    assert done.returncode == 0, done.stderr
    return done


def recorded(folder: Path) -> tuple[int, int, Fraction]:
    """Return calls, errors and US dollars of the local files, as reports add them up."""
    metrics = [metric for window in windows(folder) for metric in window["metrics"]]
    cents = sum((Decimal(repr(metric["estimatedCostCents"])) for metric in metrics), Decimal(0))
    calls, errors = (sum(metric[name] for metric in metrics) for name in ("requestCount", "errorCount"))
    return calls, errors, Fraction(cents) / 100


def check_sums(receiver: Receiver, folder: Path, served: int) -> None:
    calls, errors, usd = recorded(folder)
    assert calls == served
    assert receiver.total("recost.calls") == served
    assert receiver.total("recost.errors") == errors
    assert abs(receiver.total("recost.cost") - usd) <= Fraction(1, 10**9)
    assert receiver.histogram("http.client.request.duration").count == served


@pytest.mark.parametrize("temporality", ["cumulative", "delta", "lowmemory"])
def test_the_sums_are_those_of_the_files(
    loopback: Loopback, receiver: Receiver, tmp_path: Path, temporality: str
) -> None:
    code = """
handle = start()
for number in range(40):
    call("/status/404" if number % 8 == 0 else "/ok")
    if number % 10 == 0:
        assert handle.flush_blocking(20)
"""
    done = run(
        code, loopback, tmp_path, receiver, OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=temporality
    )
    assert complaints(done) == []
    assert len(loopback.log) == 40
    assert len(receiver.requests) >= 4
    check_sums(receiver, tmp_path, 40)
    (resource,) = receiver.resources.values()
    assert resource["service.name"] == "shop"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX")
@pytest.mark.parametrize("temporality", ["cumulative", "delta"])
def test_forked_processes_have_series_of_their_own(
    loopback: Loopback, receiver: Receiver, tmp_path: Path, temporality: str
) -> None:
    code = """
handle = start()
for number in range(5):
    call()
handle.flush_blocking(20)
children = []
for number in range(3):
    call()
    child = os.fork()
    if not child:
        for number in range(10):
            call()
        sys.exit()  # atexit flushes
    children.append(child)
for child in children:
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
call()
"""
    done = run(
        code, loopback, tmp_path, receiver, OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=temporality
    )
    assert complaints(done) == []
    check_sums(receiver, tmp_path, 5 + 3 * 11 + 1)
    assert len(receiver.resources) == 4
    assert len({resource["recost.instance.id"] for resource in receiver.resources.values()}) == 4


def test_after_dispose_and_another_init(loopback: Loopback, receiver: Receiver, tmp_path: Path) -> None:
    code = """
for number in range(3):
    handle = start()
    call()
    if number:
        handle.dispose()
        call()  # not recorded
"""
    run(code, loopback, tmp_path, receiver)
    check_sums(receiver, tmp_path, 3)
    assert len(receiver.resources) == 3


def test_a_receiver_that_is_down_and_comes_back(loopback: Loopback, tmp_path: Path) -> None:
    with Receiver() as gone:
        port = gone.port
    code = """
import json, time
errors = []
handle = start(on_error=errors.append, flush_interval_ms=100, max_batch_size=3)
for number in range(200):
    call()
assert not handle.flush_blocking(0.5)
while not errors:  # the exporter is imported on recost's own thread
    time.sleep(0.05)
print(json.dumps([str(error) for error in errors]), flush=True)
sys.stdin.readline()
call()
assert handle.flush_blocking(30)
"""
    variables = environment(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}")
    program = subprocess.Popen(
        [sys.executable, "-c", _dedented(indented(code)), loopback.url, str(tmp_path)],
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    errors = json.loads(program.stdout.readline())
    assert errors
    assert all("could not be reached" in error for error in errors)
    with Receiver(port) as back:
        program.communicate("\n", timeout=60)
        assert program.returncode == 0
        check_sums(back, tmp_path, 201)
        assert back.violations == []


@pytest.mark.parametrize("step", ["hang", "trickle", 503, (429, {"Retry-After": "3600"}, b""), "garbage"])
def test_a_receiver_that_fails_holds_up_neither_calls_nor_the_end(
    loopback: Loopback, receiver: Receiver, tmp_path: Path, step: Any
) -> None:
    receiver.script(*[step] * 500)
    code = """
errors = []
start(on_error=errors.append, shutdown_flush_timeout_ms=2500, flush_interval_ms=50)
for number in range(30):
    assert call() == 200
"""
    run(code, loopback, tmp_path, receiver)
    assert recorded(tmp_path)[0] == 30  # the other destination has them
    assert receiver.total("recost.calls") == 0


def test_a_program_that_ends_before_the_first_export(
    loopback: Loopback, receiver: Receiver, tmp_path: Path
) -> None:
    code = """
start(on_error=print, shutdown_flush_timeout_ms=20_000)
call()
"""
    done = run(code, loopback, tmp_path, receiver, OTEL_SERVICE_NAME="till")
    assert (done.stdout, complaints(done)) == ("", [])
    check_sums(receiver, tmp_path, 1)
    (resource,) = receiver.resources.values()
    assert resource["service.name"] == "till"


def test_what_is_lost_at_the_end_is_reported(loopback: Loopback, receiver: Receiver, tmp_path: Path) -> None:
    receiver.script(*[404] * 50)
    code = """
start(on_error=lambda error: print(error, flush=True), shutdown_flush_timeout_ms=2500)
for number in range(5):
    call()
"""
    done = run(code, loopback, tmp_path, receiver)
    assert "the OTLP receiver: it responded with 404" in done.stdout
    assert "5 calls" in done.stdout


@pytest.mark.skipif(not hasattr(signal, "SIGTERM") or os.name != "posix", reason="POSIX")
def test_a_last_export_before_sigterm(loopback: Loopback, receiver: Receiver, tmp_path: Path) -> None:
    code = """
import signal
start(flush_on_sigterm=True)
for number in range(5):
    call()
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(30)
"""
    variables = environment(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
    done = run_script(indented(code), loopback.url, tmp_path, env=variables)
    assert done.returncode == -signal.SIGTERM
    check_sums(receiver, tmp_path, 5)


def test_the_metrics_and_traces_of_the_application_are_its_own(
    loopback: Loopback, receiver: Receiver, tmp_path: Path
) -> None:
    code = """
import httpx
from opentelemetry import metrics, trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

os.environ["OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED"] = "true"
handle = start()
reader, spans = InMemoryMetricReader(), InMemorySpanExporter()
provider = MeterProvider([reader])
metrics.set_meter_provider(provider)
tracing = TracerProvider()
tracing.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(tracing)
for instrumentor in (HTTPXClientInstrumentor, RequestsInstrumentor, URLLib3Instrumentor):
    instrumentor().instrument(tracer_provider=tracing, meter_provider=MeterProvider())
metrics.get_meter("app").create_counter("app.orders").add(3)
for number in range(5):
    call()
    httpx.get(url + "/ok")
    assert handle.flush_blocking(20)
addresses = {str(value) for span in spans.get_finished_spans() for value in span.attributes.values()}
assert not [each for each in addresses if "/v1/metrics" in each], addresses
assert len([each for each in spans.get_finished_spans() if each.name == "GET"]) >= 10
assert metrics.get_meter_provider() is provider
names = {
    metric.name
    for resource in reader.get_metrics_data().resource_metrics
    for scope in resource.scope_metrics
    for metric in scope.metrics
}
foreign = [name for name in names if name.startswith(("recost", "http", "gen_ai", "otel.sdk.exporter"))]
assert "app.orders" in names and not foreign, names
"""
    run(code, loopback, tmp_path, receiver)
    check_sums(receiver, tmp_path, 10)
    assert receiver.series("app.orders") == []
    assert {window["metrics"][0]["provider"] for window in windows(tmp_path)} == {"house"}


def test_tags_models_and_tokens_are_attributes(
    loopback: Loopback, receiver: Receiver, tmp_path: Path
) -> None:
    code = """
from tests.metered import metered_server, MODEL
with metered_server() as server:
    start(capture_usage=True, otlp_tags=["team"], otlp_semconv="inference", custom_providers=server.rules())
    for number in range(6):
        with recost.tag(team="search" if number % 2 else "ads", user=f"u{number}"):
            requests.post(server.url + "/v1/chat")
    recost.init(enabled=False)
    print(sum(server.log))
"""
    code = code.replace(
        "start(", "recost.init(project_id='shop', local_dir=folder, transports=['file', 'otlp'], "
    )
    done = run(code, loopback, tmp_path, receiver)
    tokens = int(done.stdout)
    series = receiver.series("recost.cost")
    assert {each["recost.tag.team"] for each in series} == {"search", "ads"}
    assert not any("recost.tag.user" in each for each in series)
    assert {each["gen_ai.request.model"] for each in series} == {"house-model-1"}
    assert {each["recost.cost.source"] for each in series} == {"computed"}
    assert receiver.total("recost.tokens", gen_ai__token__type="input") == tokens
    assert receiver.total("gen_ai.client.inference.usage.input_tokens") == tokens
    assert receiver.histogram("gen_ai.client.inference.operation.input_tokens").total == tokens
    assert receiver.histogram("gen_ai.client.operation.duration").count == 6
    calls, _, usd = recorded(tmp_path)
    assert calls == 6
    assert abs(receiver.total("recost.cost") - usd) <= Fraction(1, 10**9)


def test_init_imports_nothing_of_opentelemetry_before_the_first_export() -> None:
    done = run_script(
        """
        import sys
        import recost
        recost.init(local_dir="/nonexistent/never-written")
        assert not [name for name in sys.modules if name.startswith(("opentelemetry", "google"))]
        assert not [name for name in sys.modules if name.startswith("recost.delivery.transports.otlp")]
        recost.init(local_dir="/nonexistent/never-written", transports=["otlp"])
        found = [name for name in sys.modules if getattr(sys.modules[name], "__file__", None)]
        assert not [name for name in found if name.startswith(("opentelemetry", "google", "requests"))]
        """
    )
    assert (done.returncode, complaints(done)) == (0, []), done.stderr


def test_without_the_packages_init_says_what_to_install() -> None:
    done = run_script(
        """
        import sys
        sys.modules["opentelemetry"] = None
        import recost
        try:
            recost.init(transports=["otlp"])
        except ValueError as error:
            print(error)
        """
    )
    assert 'pip install "recost[otlp]"' in done.stdout


def _dedented(code: str) -> str:
    import textwrap

    return textwrap.dedent(code)
