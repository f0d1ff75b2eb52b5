"""From settings to a running SDK: the one place that reads the configuration and names concrete classes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Final, Optional

from recost._version import __version__
from recost.aggregation.aggregator import UnlockedAggregator
from recost.config import Settings
from recost.delivery.delivery import Delivery
from recost.delivery.outbox import Outbox
from recost.delivery.transports.base import Transport
from recost.events import RawEvent, WindowSummary
from recost.interceptors import interception
from recost.interceptors.context import SUPPRESSED, current
from recost.lifecycle.reporting import Reporter, StderrLines
from recost.lifecycle.runtime import Runtime
from recost.lifecycle.worker import INBOX_LIMIT, Schedule, Worker
from recost.metering import Meter
from recost.pipeline import Pipeline
from recost.pricing.list_place import ListPlace
from recost.pricing.registry import ProviderRegistry
from recost.pricing.route import Routes

if TYPE_CHECKING:
    from recost.budgets.keeper import Keeper

__all__ = ["TRANSPORTS", "build_keeper", "build_registry", "build_runtime", "build_transport"]

_MAX_FRAMES: Final = 1000
_MAX_FRAME_BYTES: Final = 8 * 1024 * 1024


def _file(settings: Settings, report: Reporter) -> Transport:  # noqa: ARG001
    from recost.delivery.transports.file import FileTransport  # noqa: PLC0415 - only what is used is imported

    return FileTransport(
        Path(settings.local_dir),
        settings.project_id or "default",
        max_bytes=settings.local_max_bytes,
        backups=settings.local_backups,
        own_directory=settings.origins["local_dir"] == "default",
    )


def _websocket(settings: Settings, report: Reporter) -> Transport:  # noqa: ARG001
    from recost.delivery.transports.websocket import WebSocketTransport  # noqa: PLC0415

    return WebSocketTransport(settings.local_port)


def _cloud(settings: Settings, report: Reporter) -> Transport:
    from recost.delivery.transports.cloud import CloudTransport  # noqa: PLC0415

    return CloudTransport(
        settings.base_url,
        settings.project_id or "",
        settings.api_key or "",
        max_retries=settings.max_retries,
        max_consecutive_auth_failures=settings.max_consecutive_auth_failures,
        max_metrics=settings.max_buckets,
        stderr=StderrLines(report),
    )


TRANSPORTS: Final[dict[str, Callable[[Settings, Reporter], Transport]]] = {
    "file": _file,
    "ws": _websocket,
    "cloud": _cloud,
}
"""What makes the transport of each kind."""


def build_transport(settings: Settings, report: Reporter) -> Transport:
    """Return the transport that the settings ask for, hidden from the interceptors."""
    return UnrecordedTransport(TRANSPORTS[settings.transport](settings, report))


class UnrecordedTransport:
    """A transport whose own requests are not recorded as the application's."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.retry = transport.retry
        self.spacing_s = transport.spacing_s
        self.max_metrics = transport.max_metrics
        self.gave_up = transport.gave_up

    def send(self, summary: WindowSummary, timeout_s: float) -> None:
        """Deliver one window."""
        with _unrecorded():
            self._transport.send(summary, timeout_s)

    def close(self) -> None:
        """Close the transport."""
        with _unrecorded():
            self._transport.close()


@contextmanager
def _unrecorded() -> Iterator[None]:
    outer = current.get()
    current.set(SUPPRESSED)
    try:
        yield
    finally:
        current.set(outer)


def build_registry(settings: Settings) -> ProviderRegistry:
    """Return the rules in force: those given in code, those of ``providers_file``, and the built-in ones.

    Raises:
        ValueError: The file can't be read, or a rule in it is not valid.
    """
    if settings.providers_file is None:
        return ProviderRegistry(settings.custom_providers)
    from recost.pricing.rules_file import load_rules  # noqa: PLC0415 - only where it is needed

    return ProviderRegistry([*settings.custom_providers, *load_rules(settings.providers_file)])


def build_keeper(
    settings: Settings, registry: ProviderRegistry, report: Reporter, *, files: bool = True
) -> Optional[Keeper]:
    """Return what keeps the budgets, in this process and in those that are forked from it; None without any.

    Args:
        settings: What `recost.config.resolve` returned.
        registry: The rules in force.
        report: Receives what goes wrong inside.
        files: False: no file is read or written, whatever the budgets name.

    Raises:
        ValueError: A budget is for a provider that there is no rule for.
    """
    if not settings.budgets:
        return None
    from recost.budgets.keeper import Keeper  # noqa: PLC0415 - only what is used is imported
    from recost.budgets.retries import end_retries  # noqa: PLC0415

    local = files and settings.mode == "local"
    return Keeper(
        settings.budgets if files else [replace(budget, file=None) for budget in settings.budgets],
        registry=registry,
        report=report,
        local_file=f"{settings.local_dir}/{settings.project_id or 'default'}.budgets.json" if local else None,
        live_folder=str(settings.local_dir) if files else None,
        on_refusal=partial(end_retries, interception.patches),
        call=report.call,
    )


def build_runtime(
    settings: Settings,
    registry: ProviderRegistry,
    report: Reporter,
    transport: Optional[Transport] = None,
    keeper: Optional[Keeper] = None,
) -> Runtime:
    """Return a worker and a delivery for this process, with no thread started.

    Args:
        settings: What `recost.config.resolve` returned.
        registry: The rules in force.
        report: Takes what goes wrong inside.
        transport: The destination, in place of the one that the settings ask for.
        keeper: Keeps the budgets, where there are any.
    """
    delivery = _delivery(settings, report, transport)
    if settings.capture_usage:
        registry.prepare()  # each call asks it, on its own thread, what is to be read of the answer
    routes = Routes(
        registry,
        reads_requests=settings.read_requests,
        models_first=keeper is not None and keeper.refuses_models,
    )
    meter = Meter(
        routes,
        report=report,
        reads=settings.capture_usage,
        price_list=ListPlace.of(settings.prices_file),
    )
    if keeper is not None and keeper.refuses and settings.capture_usage:
        meter.prepare()  # now, rather than while a call waits to be let through
    pipeline = _pipeline(settings, routes, meter, delivery, report)
    return Runtime(
        _worker(settings, pipeline, delivery, report, meter),
        delivery,
        report=report,
        cost_of=pipeline.cost_of,
        metered=routes.find if settings.capture_usage else None,
        model_asked=meter.model_asked,
        route_of=routes.of,
        keeper=keeper,
    )


def _delivery(settings: Settings, report: Reporter, transport: Optional[Transport]) -> Delivery:
    frames = settings.transport == "ws"
    return Delivery(
        build_transport(settings, report) if transport is None else transport,
        report=report,
        on_sent=partial(_log_sent, report) if settings.debug else None,
        outbox=Outbox(max_windows=_MAX_FRAMES, max_bytes=_MAX_FRAME_BYTES, merge=False) if frames else None,
    )


def _pipeline(
    settings: Settings, routes: Routes, meter: Meter, delivery: Delivery, report: Reporter
) -> Pipeline:
    aggregator = UnlockedAggregator(
        project_id=settings.project_id or "",
        environment=settings.environment,
        sdk_version=__version__,
        max_buckets=settings.max_buckets,
        max_tag_sets=settings.max_tag_sets,
    )
    return Pipeline(
        routes,
        aggregator,
        exclude_patterns=settings.exclude_patterns,
        exclude_hosts=settings.exclude_hosts,
        meter=meter,
        metered=settings.capture_usage,
        template_paths=settings.template_paths,
        on_capture=partial(_log_capture, report) if settings.debug else None,
        on_full=delivery.put,
        report=report,
    )


def _worker(
    settings: Settings, pipeline: Pipeline, delivery: Delivery, report: Reporter, meter: Meter
) -> Worker:
    def on_interval() -> None:
        delivery.retry()
        try:
            meter.refresh()
        except Exception as error:  # noqa: BLE001 - the worker must live on, whatever a file has in it
            report(error)

    return Worker(
        pipeline,
        schedule=Schedule(
            settings.flush_interval_s, settings.max_batch_size, delivery.spacing_s, time.monotonic()
        ),
        most_waiting=1 if settings.debug else INBOX_LIMIT // 4,
        report=report,
        put=delivery.put,
        on_interval=on_interval,
    )


def _log_capture(report: Reporter, event: RawEvent) -> None:
    report.log(
        "captured %s %s%s -> %s in %.1f ms, %d bytes out, %d in (%s, %s)",
        event.method,
        event.host,
        event.path,
        event.status_code or "no response",
        event.latency_ms,
        event.request_bytes,
        event.response_bytes,
        event.provider,
        event.endpoint_category,
    )


def _log_sent(report: Reporter, summary: WindowSummary) -> None:
    calls = sum(metric.request_count for metric in summary.metrics)
    report.log("flushed a window of %d calls in %d metrics", calls, len(summary.metrics))
