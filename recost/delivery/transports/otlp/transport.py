"""The transport: adds windows to exact sums, and exports the sums.

A window counts as sent once an export has been accepted after it was added. Until then the delivery keeps it
and gives it again, and it is known by its id. So sums from the start of the process are exact, whatever is
lost on the way. Differences are exact unless a response is lost: they are then sent again.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Collection
from contextlib import suppress
from types import ModuleType
from typing import TYPE_CHECKING, Callable, Final, NamedTuple, Optional

from recost._late import compiled_text, importing
from recost._pacing import rest, short_turns
from recost.delivery.transports.base import RetryPolicy
from recost.delivery.transports.otlp.conventions import Conventions, Semconv
from recost.delivery.transports.otlp.counters import Counters
from recost.delivery.transports.otlp.recorder import Recorder, Recordings

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

    from recost.delivery.transports.otlp.exporter import Exporter
    from recost.delivery.transports.otlp.points import Batch
    from recost.events import WindowSummary

__all__ = ["OtlpTransport"]

_MODULES: Final = (
    "email.parser",
    "http.client",
    "urllib3",
    "charset_normalizer",
    "requests",
    "google.protobuf.descriptor_pool",
    "google.protobuf.text_format",
    "opentelemetry.proto.collector.metrics.v1.metrics_service_pb2",
    "opentelemetry.trace",
    "opentelemetry.metrics",
    "opentelemetry.sdk.resources",
    "opentelemetry.sdk.metrics.export",
    "opentelemetry.exporter.otlp.proto.http.metric_exporter",
)
"""Modules that the exporter needs, each behind what it imports."""
_KIND_VARIABLE: Final = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"


class _Receiver(NamedTuple):
    exporter: Exporter
    resource: Resource
    points: ModuleType
    """`recost.delivery.transports.otlp.points`, which imports the SDK."""


class OtlpTransport:
    """A transport to an OpenTelemetry receiver. Needs the extra ``otlp``. One for each process.

    The receiver is that of the variables ``OTEL_EXPORTER_OTLP_*``, the resource that of
    ``OTEL_RESOURCE_ATTRIBUTES`` and ``OTEL_SERVICE_NAME``.

    Args:
        project_id: Name of the service, unless the environment sets it.
        environment: The resource's ``deployment.environment.name``, unless the environment sets it.
        max_series: Number of sets of attributes of each metric. The rest is counted under ``other``.
        semconv: The conventions of GenAI.
        report: Receives errors of data that was accepted in part.
        clock_ns: Nanoseconds since the epoch.

    Attributes:
        recorder: Receives calls and makes histograms of them.
    """

    def __init__(
        self,
        project_id: str = "",
        environment: str = "development",
        *,
        max_series: int = 2000,
        semconv: Semconv = "classic",
        report: Callable[[BaseException], None],
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        import concurrent.futures.thread  # noqa: F401, PLC0415 - the SDK needs it, and it can't be imported at exit

        self.retry = RetryPolicy(retries=2, first_s=1.0, longest_s=5.0)
        self.spacing_s = 5.0
        self.max_metrics: Optional[int] = None
        conventions = Conventions(semconv)
        kind = os.environ.get(_KIND_VARIABLE, "").strip().lower()
        exponential = kind == "base2_exponential_bucket_histogram"
        self.recorder = Recorder(conventions, max_series, exponential=exponential)
        self._counters = Counters(conventions, max_series)
        self._semconv: Semconv = semconv
        self._given = {"service.name": project_id, "deployment.environment.name": environment}
        self._report = report
        self._clock_ns = clock_ns
        self._since_ns = clock_ns()
        """Start of the sums: of this process, or the end of the last export of differences."""
        self._receiver: Optional[_Receiver] = None
        self._resource: Optional[Resource] = None

    def __repr__(self) -> str:
        return f"OtlpTransport({self._semconv!r})"

    def send(self, summary: WindowSummary, timeout_s: float) -> None:
        """Add one window to the sums, unless that was done before, and export them.

        Raises:
            SendError: The export was not accepted, or packages are missing.
        """
        deadline = time.monotonic() + timeout_s
        receiver = self._receiver or self._connect()
        self._counters.add(summary)
        self._export(receiver, deadline)

    def gave_up(self) -> Optional[Exception]:
        """Return None: windows wait for the next flush."""
        return None

    def close(self) -> None:
        """Release connections. A later `send` makes others."""
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.exporter.close()

    def _connect(self) -> _Receiver:
        _import_in_steps()
        with importing(), short_turns():
            from recost.delivery.transports.otlp.exporter import make_exporter  # noqa: PLC0415 - an extra

            exporter = make_exporter(self._report)
            from recost.delivery.transports.otlp import points  # noqa: PLC0415 - it imports the SDK

            self._resource = self._resource or _resource(self._given)
        self._receiver = _Receiver(exporter, self._resource, points)
        return self._receiver

    def _export(self, receiver: _Receiver, deadline: float) -> None:
        points, cumulative = receiver.points, receiver.exporter.cumulative
        interval = points.Interval(self._since_ns, max(self._clock_ns(), self._since_ns + 1))
        taken = self.recorder.take()
        done: list[Batch] = []
        try:
            for batch in points.batches(self._counters.rows, taken):
                with short_turns():
                    data = points.metrics_data(
                        batch, interval, receiver.resource, cumulative=cumulative, semconv=self._semconv
                    )
                receiver.exporter.export(data, max(deadline - time.monotonic(), 0.05))
                done.append(batch)
        finally:
            if not cumulative:
                self._forget(done, taken)
            self.recorder.put_back(taken)
        if not cumulative:
            self._since_ns = interval.end_ns

    def _forget(self, done: Collection[Batch], taken: Recordings) -> None:
        """Remove what has been exported: only what comes from now on is exported next time."""
        for batch in done:
            self._counters.forget(batch.rows)
            for name, attributes, _ in batch.histograms:
                del taken[name][attributes]


def _import_in_steps() -> None:
    """Import what the exporter needs. Others that import, or fork, wait for one step only."""
    from importlib import import_module  # noqa: PLC0415 - later than `init`

    for name in _MODULES:
        with importing(), short_turns(), suppress(ImportError):  # reported by what needs the module
            import_module(name)
        rest()
    compiled_text()


def _resource(given: dict[str, str]) -> Resource:
    """Return the resource of the environment, completed by what it does not say.

    The instance is that of this transport, so that its sums are a series of their own: a process that is
    forked, or calls ``init()`` again, begins at 0.
    """
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415 - imported by now

    variables = OTELResourceDetector().detect()
    try:
        found = Resource.create()
    except RuntimeError:  # the interpreter ends, and the SDK's detectors can't have a thread any more
        found = variables
    known = dict(found.attributes)
    if str(known.get("service.name", "")).startswith("unknown_service"):
        del known["service.name"]
    ours = {name: text for name, text in given.items() if text and name not in known}
    instance = str(uuid.uuid4())
    if "service.instance.id" not in variables.attributes:
        ours["service.instance.id"] = instance
    return found.merge(Resource({**ours, "recost.instance.id": instance}))
