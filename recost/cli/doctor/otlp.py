"""A check of the receiver of metrics."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from recost._text import printable
from recost.cli.doctor.findings import CheckLines
from recost.delivery.transports.base import SendError
from recost.delivery.transports.otlp.exporter import make_exporter

if TYPE_CHECKING:
    from recost.config import Settings

__all__ = ["check_otlp"]

_WAIT_S: Final = 5.0


def check_otlp(settings: Settings) -> CheckLines:
    """Send an empty request to the receiver that the environment names."""
    names = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"
    name = next((each for each in names if os.environ.get(each)), None)
    found = CheckLines()
    if name is None:
        found.lines.append("receiver  the default of OpenTelemetry (OTEL_EXPORTER_OTLP_ENDPOINT is not set)")
    else:
        found.lines.append(printable(f"receiver  {_origin(os.environ[name])} (from {name})"))
    found.lines.append(f"series    at most {settings.otlp_max_series} a metric, {settings.otlp_semconv}")
    reported: list[BaseException] = []
    try:
        exporter = make_exporter(reported.append)
        from opentelemetry.sdk.metrics.export import MetricsData  # noqa: PLC0415 - an extra

        exporter.export(MetricsData([]), _WAIT_S)
        exporter.close()
    except SendError as failure:
        found.problems.append(printable(str(failure.error)))
    if not found.problems:
        found.lines.append("request   an empty one was accepted")
    return found


def _origin(url: str) -> str:
    """Return scheme, host and port of a URL: the rest may be secret."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "?", parts.port
    except ValueError:
        return "an invalid URL"
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")
