"""The SDK's exporter as recost uses it: one attempt at a time, bounded, quiet, traced by nobody.

The exporter reads all ``OTEL_EXPORTER_OTLP_*`` variables itself. Retries are left to recost's delivery, whose
waits can be ended. So its HTTP session raises an error that the exporter doesn't retry.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Callable, Final

from recost._pacing import short_turns
from recost.delivery.transports._http import untraced
from recost.delivery.transports.base import Disposition
from recost.delivery.transports.otlp.failures import failure
from recost.errors import RecostError

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricsData

__all__ = ["Exporter", "make_exporter"]

_LOGGERS: Final = (
    "opentelemetry.exporter.otlp.proto.http.metric_exporter",
    "opentelemetry.exporter.otlp.proto.grpc.exporter",
    "opentelemetry.exporter.otlp.proto.grpc.metric_exporter",
)
_CREDENTIALS: Final = (
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER",
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_METRICS_CREDENTIAL_PROVIDER",
)
"""Variables that make the exporter use a session of another package."""
_PIP: Final = 'pip install "recost[otlp]"'


class Exporter:
    """An exporter to one receiver. Made on recost's own thread, which imports the SDK for it.

    Args:
        exporter: The SDK's.
        session: The session that it sends with. None if it is another one, or gRPC.
        report: Receives what a receiver says of data that it accepted in part.
    """

    def __init__(self, exporter: Any, session: Any, report: Callable[[BaseException], None]) -> None:
        self._exporter = exporter
        self._session = session
        self._report = report
        self.cumulative: bool = exporter.is_cumulative()
        """True for sums from the start of the process, False for differences from one export to the next."""

    def export(self, data: MetricsData, timeout_s: float) -> None:
        """Export data within about ``timeout_s`` seconds.

        Raises:
            SendError: It was not accepted, or no response came.
        """
        from opentelemetry.sdk.metrics.export import MetricExportResult  # noqa: PLC0415 - imported by now

        session = self._session
        with ExitStack() as turns, untraced(), _quiet():
            if session is not None:
                turns.enter_context(short_turns())  # while the data is encoded
                session.prepare(timeout_s, before_send=turns.close)
            result = self._exported(data, timeout_s)
        if session is not None and session.rejected:
            self._report(RecostError(f"recost: the OTLP receiver rejected {session.rejected} data points"))
        if result is not MetricExportResult.SUCCESS:
            raise failure("the export failed", Disposition.WAIT) if session is None else session.failure

    def _exported(self, data: MetricsData, timeout_s: float) -> Any:
        try:
            return self._exporter.export(data, timeout_millis=timeout_s * 1000)
        except Exception as error:  # noqa: BLE001 - before 1.29 it raises the session's errors
            if self._session is None:
                raise failure(f"the export failed ({type(error).__name__})", Disposition.WAIT) from None
            return None

    def close(self) -> None:
        """Release connections."""
        with untraced(), _quiet():
            self._exporter.shutdown()


def make_exporter(report: Callable[[BaseException], None]) -> Exporter:
    """Return the exporter that the environment asks for.

    Raises:
        SendError: A package is missing, or a variable is invalid.
    """
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL") or os.environ.get(
        "OTEL_EXPORTER_OTLP_PROTOCOL", ""
    )
    protocol = protocol.strip().lower() or "http/protobuf"
    try:
        if protocol == "http/protobuf":
            with _quiet():
                return _http(report)
        if protocol == "grpc":
            with _quiet():
                return Exporter(_made(_grpc_class()), None, report)
    except ImportError:
        package = "opentelemetry-exporter-otlp-proto-grpc"
        pip = f"pip install {package}" if protocol == "grpc" else _PIP
        raise failure(f"OTLP needs packages that are not installed: {pip}", Disposition.SUSPEND) from None
    except Exception as error:  # noqa: BLE001 - a variable that the SDK can't read, or a foreign fault
        name = type(error).__name__
        message = f"the OTLP exporter can't be made ({name}): check the variables OTEL_EXPORTER_OTLP_*"
        raise failure(message, Disposition.SUSPEND) from None
    shown = re.sub(r"[^A-Za-z0-9/._-]", "", protocol)[:40]
    message = f"invalid OTEL_EXPORTER_OTLP_PROTOCOL '{shown}': expected http/protobuf or grpc"
    raise failure(message, Disposition.SUSPEND)


def _http(report: Callable[[BaseException], None]) -> Exporter:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415

    if any(os.environ.get(name) for name in _CREDENTIALS):
        return Exporter(_made(OTLPMetricExporter), None, report)
    from recost.delivery.transports.otlp.session import BoundedSession  # noqa: PLC0415 - of requests

    session = BoundedSession()
    return Exporter(_made(OTLPMetricExporter, session=session), session, report)


def _grpc_class() -> Any:
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter  # noqa: PLC0415

    return OTLPMetricExporter


def _made(base: Any, **options: Any) -> Any:
    from opentelemetry.metrics import NoOpMeterProvider  # noqa: PLC0415
    from opentelemetry.sdk.metrics import Counter  # noqa: PLC0415
    from opentelemetry.sdk.metrics.export import AggregationTemporality  # noqa: PLC0415

    class RecostExporter(base):  # type: ignore[misc]
        def is_cumulative(self) -> bool:
            preferred = self._preferred_temporality[Counter]
            return bool(preferred is AggregationTemporality.CUMULATIVE)

    try:  # else it may report its own metrics to the application's provider
        return RecostExporter(meter_provider=NoOpMeterProvider(), **options)
    except TypeError:  # before 1.42
        return RecostExporter(**options)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter from logging on this thread: errors are reported. Others' exporters go on logging."""
    thread = threading.get_ident()

    def is_of_others(record: logging.LogRecord) -> bool:
        return record.thread != thread

    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addFilter(is_of_others)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(is_of_others)
