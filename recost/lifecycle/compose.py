"""The wiring of the SDK: the one place that goes from settings to concrete classes.

`recost.init`, `recost.testing` and the pytest plugin build through `Composition`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Final, Optional

from recost._version import __version__
from recost.aggregation.aggregator import UnlockedAggregator
from recost.aggregation.window import Window
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
    from recost.budgets.enforcer import BudgetEnforcer

__all__ = ["TRANSPORTS", "Composition", "UnrecordedTransport"]

_MAX_FRAMES: Final = 1000
_MAX_FRAME_BYTES: Final = 8 * 1024 * 1024


def _file(settings: Settings, report: Reporter) -> Transport:  # noqa: ARG001
    from recost.delivery.transports.file import FileTransport  # noqa: PLC0415 - only what is used is imported

    return FileTransport(
        settings.local_dir,
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
"""Factory of each kind of transport."""


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


class Composition:
    """The wiring of one SDK: rules and budgets, which all its processes share, and the parts of each process.

    Args:
        settings: The result of `recost.config.resolve`.
        report: Receives recost's own errors.
        transport: A destination instead of the one that the settings name.
        budgets: False: calls are neither refused nor counted against budgets.
        files: False: budgets read and write no file.

    Raises:
        ValueError: ``providers_file`` is unreadable, or a rule or a budget's provider is invalid.
    """

    def __init__(
        self,
        settings: Settings,
        report: Reporter,
        *,
        transport: Optional[Transport] = None,
        budgets: bool = True,
        files: bool = True,
    ) -> None:
        self._settings = settings
        self._report = report
        self._transport = transport
        self._registry = _registry(settings)
        wanted = budgets and bool(settings.budgets)
        self.enforcer = _enforcer(settings, self._registry, report, files=files) if wanted else None
        """The budgets of this process and of those that are forked from it. None without budgets."""
        self._routes = Routes(
            self._registry,
            reads_requests=settings.read_requests,
            models_first=self.enforcer is not None and self.enforcer.refuses_models,
        )

    def runtime(self) -> Runtime:
        """Return a worker and a delivery for this process. No thread is started."""
        settings, report, enforcer = self._settings, self._report, self.enforcer
        delivery = self._delivery()
        if settings.capture_usage:
            self._registry.prepare()  # each call asks it, on its own thread, what to read of the response
        meter = Meter(
            self._routes,
            report=report,
            reads=settings.capture_usage,
            price_list=ListPlace.of(settings.prices_file),
        )
        if enforcer is not None and enforcer.refuses and settings.capture_usage:
            meter.prepare()  # now, rather than while a call waits for permission
        on_capture = partial(_log_capture, report) if settings.debug else None
        pipeline = self.pipeline(on_capture, delivery.put, meter=meter, metered=settings.capture_usage)
        return Runtime(
            self._worker(pipeline, delivery, meter),
            delivery,
            report=report,
            cost_of=pipeline.cost_of,
            metered=self._routes.find if settings.capture_usage else None,
            model_asked=meter.model_asked,
            route_of=self._routes.of,
            enforcer=enforcer,
            timed=on_capture is not None,
        )

    def pipeline(
        self,
        on_capture: Optional[Callable[[RawEvent], Any]],
        on_full: Callable[[Window], Any],
        *,
        meter: Optional[Meter] = None,
        metered: bool = False,
    ) -> Pipeline:
        """Return a pipeline with these settings. The arguments are those of `Pipeline`."""
        settings = self._settings
        aggregator = UnlockedAggregator(
            project_id=settings.project_id or "",
            environment=settings.environment,
            sdk_version=__version__,
            max_buckets=settings.max_buckets,
            max_tag_sets=settings.max_tag_sets,
        )
        return Pipeline(
            self._routes,
            aggregator,
            exclude_patterns=settings.exclude_patterns,
            exclude_hosts=settings.exclude_hosts,
            meter=meter,
            metered=metered,
            template_paths=settings.template_paths,
            on_capture=on_capture,
            on_full=on_full,
            report=self._report,
        )

    def _delivery(self) -> Delivery:
        settings, report = self._settings, self._report
        transport = self._transport
        if transport is None:
            transport = UnrecordedTransport(TRANSPORTS[settings.transport](settings, report))
        outbox = None
        if settings.transport == "ws":
            outbox = Outbox(max_windows=_MAX_FRAMES, max_bytes=_MAX_FRAME_BYTES, merge=False)
        return Delivery(
            transport,
            report=report,
            on_sent=partial(_log_sent, report) if settings.debug else None,
            outbox=outbox,
        )

    def _worker(self, pipeline: Pipeline, delivery: Delivery, meter: Meter) -> Worker:
        settings, report = self._settings, self._report

        def on_interval() -> None:
            delivery.retry()
            try:
                meter.refresh()
            except Exception as error:  # noqa: BLE001 - the worker must live on, whatever a file contains
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


def _registry(settings: Settings) -> ProviderRegistry:
    """Return the rules: those given in code, those of ``providers_file``, and the built-in ones."""
    if settings.providers_file is None:
        return ProviderRegistry(settings.custom_providers)
    from recost.pricing.rules_file import load_rules  # noqa: PLC0415 - only where it is needed

    return ProviderRegistry([*settings.custom_providers, *load_rules(settings.providers_file)])


def _enforcer(
    settings: Settings, registry: ProviderRegistry, report: Reporter, *, files: bool
) -> BudgetEnforcer:
    from recost.budgets.enforcer import BudgetEnforcer  # noqa: PLC0415 - only what is used is imported
    from recost.budgets.retries import end_retries  # noqa: PLC0415
    from recost.endpoints import templating as _templating  # noqa: F401, PLC0415 - else imported during a call

    local = files and settings.mode == "local"
    return BudgetEnforcer(
        settings.budgets if files else [replace(budget, file=None) for budget in settings.budgets],
        registry=registry,
        report=report,
        local_file=f"{settings.local_dir}/{settings.project_id or 'default'}.budgets.json" if local else None,
        live_folder=str(settings.local_dir) if files else None,
        on_refusal=partial(end_retries, interception.patches),
        call=report.call,
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
