"""A receiver of OpenTelemetry's protocol: a real HTTP server that decodes the published protobufs.

    with Receiver() as receiver:
        receiver.script(503, "hang")
        ...
        assert receiver.total("recost.calls") == 3

Each POST takes the next step of the script; when none is left, it is accepted. What does not follow the data
model is in `Receiver.violations`.
"""

from __future__ import annotations

import gzip
import threading
import zlib
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Union

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

Step = Union[int, str, tuple[int, Mapping[str, str], bytes]]
"""A status, a whole response, or one of

    "accept"           what happens without a script
    "accept, reset"    the data is accepted, and the connection closed before a response
    "reset"            the connection is closed before a response
    "hang"             no response until `Receiver.release` is set
    "trickle"          a status line that takes a byte every 50 ms
    "garbage"          something that is not HTTP
    "reject"           accepted in part: 7 data points are rejected
"""
_CUMULATIVE: Final = 2
Series = tuple[str, str, tuple[tuple[str, Any], ...]]
"""Instance, metric and attributes."""


@dataclass
class Histogram:
    """What a series of a histogram has received."""

    count: int = 0
    total: float = 0.0
    buckets: dict[tuple[int, int], int] = field(default_factory=dict)
    """Counts by scale and index, or by 0 and the index of the bound."""
    bounds: tuple[float, ...] = ()


class Receiver:
    """The server, and the sums that a back end would have."""

    def __init__(self, port: int = 0) -> None:
        self.release = threading.Event()
        self.requests: list[ExportMetricsServiceRequest] = []
        """Those that were accepted."""
        self.headers: list[dict[str, str]] = []
        """Headers of all requests."""
        self.violations: list[str] = []
        self.resources: dict[str, dict[str, Any]] = {}
        """Attributes of resources by instance."""
        self.sums: dict[Series, Fraction] = {}
        self.histograms: dict[Series, Histogram] = {}
        self._points: dict[tuple[str, str, Any], tuple[int, int]] = {}
        self._steps: deque[Step] = deque()
        self._lock = threading.Lock()
        self._server: Any = _Server(("127.0.0.1", port), _Handler)
        self._server.receiver = self
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Receiver:  # noqa: PYI034 - Self is from Python 3.11 on
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def script(self, *steps: Step) -> None:
        self._steps.extend(steps)

    def total(self, metric: str, **wanted: Any) -> Fraction:
        """Return the sum of all series of a metric, or of those with some attributes (``__``: a point)."""
        named = {name.replace("__", "."): value for name, value in wanted.items()}
        with self._lock:
            return sum(
                (
                    value
                    for (_, name, attributes), value in self.sums.items()
                    if name == metric and named.items() <= dict(attributes).items()
                ),
                Fraction(0),
            )

    def series(self, metric: str) -> list[dict[str, Any]]:
        """Return the attributes of the series of a metric."""
        with self._lock:
            found = {**self.sums, **self.histograms}
            return [dict(attributes) for _, name, attributes in found if name == metric]

    def histogram(self, metric: str) -> Histogram:
        """Return the sum of all series of a histogram."""
        with self._lock:
            found = [value for (_, name, _), value in self.histograms.items() if name == metric]
            total = Histogram(sum(each.count for each in found), sum(each.total for each in found))
            for each in found:
                total.bounds = each.bounds
                for index, count in each.buckets.items():
                    total.buckets[index] = total.buckets.get(index, 0) + count
            return total

    def next_step(self) -> Step:
        with self._lock:
            return self._steps.popleft() if self._steps else "accept"

    def accept(self, request: ExportMetricsServiceRequest) -> None:
        """Add what a request says, as a back end does."""
        with self._lock:
            self.requests.append(request)
            for resource_metrics in request.resource_metrics:
                attributes = _attributes(resource_metrics.resource.attributes)
                instance = str(attributes.get("service.instance.id"))
                self.resources[instance] = attributes
                for scope_metrics in resource_metrics.scope_metrics:
                    for metric in scope_metrics.metrics:
                        self._add(instance, metric)

    def _add(self, instance: str, metric: Any) -> None:
        kind = metric.WhichOneof("data")
        data = getattr(metric, kind)
        if kind == "sum" and not data.is_monotonic:
            self.violations.append(f"{metric.name} is not monotonic")
        seen = set()
        for point in data.data_points:
            attributes = tuple(sorted(_attributes(point.attributes).items()))
            series = instance, metric.name, attributes
            if attributes in seen:
                self.violations.append(f"{metric.name} has two points of {attributes}")
            seen.add(attributes)
            self._check_time(series, point, cumulative=data.aggregation_temporality == _CUMULATIVE)
            if kind == "sum":
                self._add_number(series, point, cumulative=data.aggregation_temporality == _CUMULATIVE)
            else:
                self._add_histogram(series, kind, point, data.aggregation_temporality == _CUMULATIVE)

    def _check_time(self, series: Series, point: Any, *, cumulative: bool) -> None:
        start, end = point.start_time_unix_nano, point.time_unix_nano
        if not 0 < start < end:
            self.violations.append(f"{series}: from {start} to {end}")
        known = self._points.get(series)
        if known is not None and cumulative and known[0] != start:
            self.violations.append(f"{series}: another start")
        if known is not None and end < known[1]:
            self.violations.append(f"{series}: goes back")
        self._points[series] = start, end

    def _add_number(self, series: Series, point: Any, *, cumulative: bool) -> None:
        value = Fraction(getattr(point, point.WhichOneof("value")))  # exact, of a double as well
        known = self.sums.get(series, Fraction(0))
        if cumulative and value < known:
            self.violations.append(f"{series}: {known} fell to {value}")
        self.sums[series] = value if cumulative else known + value

    def _add_histogram(self, series: Series, kind: str, point: Any, cumulative: bool) -> None:
        known = Histogram() if cumulative else self.histograms.get(series, Histogram())
        known.count += point.count
        known.total += point.sum
        if kind == "histogram":
            known.bounds = tuple(point.explicit_bounds)
            counts, scale, offset = point.bucket_counts, 0, 0
            zeros = 0
        else:
            counts, scale, offset = point.positive.bucket_counts, point.scale, point.positive.offset
            zeros = point.zero_count
        if sum(counts) + zeros != point.count:
            self.violations.append(f"{series}: {sum(counts)} in buckets of {point.count}")
        for index, count in enumerate(counts, offset):
            if count:
                known.buckets[scale, index] = known.buckets.get((scale, index), 0) + count
        self.histograms[series] = known


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    receiver: Receiver

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        receiver = self.server.receiver
        receiver.headers.append({name.lower(): value for name, value in self.headers.items()})
        body = self.rfile.read(int(self.headers["Content-Length"]))
        step = receiver.next_step()
        if isinstance(step, str) and step.startswith(("accept", "reject")):
            if self.path != "/v1/metrics" or self.headers["Content-Type"] != "application/x-protobuf":
                receiver.violations.append(f"{self.path} {self.headers['Content-Type']}")
            receiver.accept(_decoded(body, self.headers.get("Content-Encoding", "")))
        self._answer(step)

    def _answer(self, step: Step) -> None:
        if isinstance(step, int):
            self._respond(step, {}, b"scripted")
        elif isinstance(step, tuple):
            self._respond(*step)
        elif step == "accept":
            kind = {"Content-Type": "application/x-protobuf"}
            self._respond(200, kind, ExportMetricsServiceResponse().SerializeToString())
        elif step == "reject":
            response = ExportMetricsServiceResponse()
            response.partial_success.rejected_data_points = 7
            self._respond(200, {"Content-Type": "application/x-protobuf"}, response.SerializeToString())
        elif step == "garbage":
            self.wfile.write(b"\x00\xff\x00garbage\r\n\r\n" * 10)
            self.close_connection = True
        elif step == "hang":
            self.server.receiver.release.wait(60)
            self.close_connection = True
        elif step == "trickle":
            with suppress(OSError):
                while not self.server.receiver.release.wait(0.05):
                    self.wfile.write(b"H")
            self.close_connection = True
        else:
            assert step in {"reset", "accept, reset"}, step
            self.close_connection = True

    def _respond(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        with suppress(OSError):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Print nothing."""


def _decoded(body: bytes, coding: str) -> ExportMetricsServiceRequest:
    if coding == "gzip":
        body = gzip.decompress(body)
    elif coding == "deflate":
        body = zlib.decompress(body)
    request: ExportMetricsServiceRequest = ExportMetricsServiceRequest.FromString(body)
    return request


def _attributes(found: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in found}
