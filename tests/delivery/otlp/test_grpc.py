"""OTLP over gRPC, where the user has installed that exporter."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from recost.delivery.transports.base import SendError
from recost.delivery.transports.otlp.transport import OtlpTransport
from tests.delivery.otlp.test_transport import numbered
from tests.otlp_receiver import Receiver

grpc = pytest.importorskip("grpc")
pytest.importorskip("opentelemetry.exporter.otlp.proto.grpc")


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc

    class Servicer(metrics_service_pb2_grpc.MetricsServiceServicer):
        def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name of the service
            if found.next_step() != "accept":
                context.abort(grpc.StatusCode.PERMISSION_DENIED, "scripted")
            found.accept(request)
            return metrics_service_pb2.ExportMetricsServiceResponse()

    server = grpc.server(ThreadPoolExecutor(2))
    add: Any = metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server
    add(Servicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    with Receiver() as found:
        yield found
    server.stop(None).wait(5)
    assert found.violations == []


def test_grpc(receiver: Receiver) -> None:
    transport = OtlpTransport("shop", report=print)
    transport.send(numbered(1), 10)
    receiver.script(403)
    with pytest.raises(SendError) as caught:
        transport.send(numbered(2), 10)
    assert "the export failed" in str(caught.value.error)
    transport.send(numbered(2), 10)
    transport.close()
    assert receiver.total("recost.calls") == 6
