"""The wiring of the SDK: the one place that goes from settings to concrete classes.

`recost.init`, `recost.testing` and the pytest plugin build through `Composition`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Optional

from recost.config import Settings
from recost.delivery.delivery import Delivery
from recost.delivery.destinations import Destinations
from recost.delivery.identity import Identity
from recost.delivery.outbox import Outbox
from recost.delivery.transports.base import Transport
from recost.interceptors.context import SUPPRESSED, current
from recost.lifecycle.destinations import DESTINATIONS
from recost.lifecycle.late import LatePipeline
from recost.lifecycle.reporting import Reporter
from recost.lifecycle.runtime import Runtime
from recost.lifecycle.threads import real_threads
from recost.lifecycle.worker import INBOX_LIMIT, Aggregation, Schedule, Worker

if TYPE_CHECKING:
    from recost.aggregation.window import Window
    from recost.budgets.enforcer import BudgetEnforcer
    from recost.delivery.pace import Pace
    from recost.delivery.spool import Spool
    from recost.delivery.stats_file import StatsFile
    from recost.delivery.transports.otlp.recorder import Recorder
    from recost.events import RawEvent, WindowSummary
    from recost.interceptors.keys import KeyLabels
    from recost.lifecycle.rules import Rules
    from recost.metering import Meter
    from recost.pipeline import Pipeline

__all__ = ["Composition", "UnrecordedTransport"]


class UnrecordedTransport:
    """A transport whose own requests are not recorded as the application's."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.retry = transport.retry
        self.spacing_s = transport.spacing_s
        self.max_metrics = transport.max_metrics
        self.gave_up = transport.gave_up

    @property
    def posts_per_hour(self) -> Optional[float]:
        """Limit that the destination has given, if it gives one."""
        limit: Optional[float] = getattr(self._transport, "posts_per_hour", None)
        return limit

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
        late: True: what no call waits for may be imported on recost's own thread, at its first turn.

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
        late: bool = False,
    ) -> None:
        self._settings = settings
        self._report = report
        self._transport = transport
        self._budgets = budgets
        self._files = files
        self._labels = _labels(settings)
        self._loaded: Optional[Rules] = None
        self._recorder: Optional[Recorder] = None
        """The histograms of the runtime that was made last, where a destination wants them."""
        if not late or _needs_rules(settings):
            self._rules()

    @property
    def enforcer(self) -> Optional[BudgetEnforcer]:
        """The budgets of this process and of those that are forked from it. None without budgets."""
        return None if self._loaded is None else self._loaded.enforcer

    def runtime(self) -> Runtime:
        """Return a worker and the deliveries of this process. No thread is started."""
        settings, report, rules = self._settings, self._report, self._loaded
        destinations = self._destinations()
        if rules is None:
            late = LatePipeline(partial(self._pipeline, destinations, self._recorder), report=report)
            worker = self._worker(late, destinations, late.refresh)
            return Runtime(
                worker,
                destinations,
                report=report,
                cost_of=late.cost_of,
                timed=settings.debug,
                labels=self._labels,
                stats_file=self._stats_file(),
            )
        pipeline, meter = self._pipeline(destinations, self._recorder)
        charged = None
        if rules.enforcer is not None:
            charged = partial(
                rules.enforcer.bind,
                pipeline.cost_of,
                routes=rules.routes,
                model_asked=meter.model_asked,
                highest_of=meter.highest_of,
                fixed_cost_of=pipeline.fixed_cost_of,
            )
        return Runtime(
            self._worker(pipeline, destinations, meter.refresh),
            destinations,
            report=report,
            cost_of=pipeline.cost_of,
            metered=rules.routes.find if settings.capture_usage else None,
            charged=charged,
            enforcer=rules.enforcer,
            timed=settings.debug,
            labels=self._labels,
            stats_file=self._stats_file(),
        )

    def pipeline(
        self, on_capture: Optional[Callable[[RawEvent], Any]], on_full: Callable[[Window], Any]
    ) -> Pipeline:
        """Return a pipeline without prices of usage. The arguments are those of `Pipeline`."""
        return self._rules().pipeline(on_capture, on_full)

    def _rules(self) -> Rules:
        if self._loaded is None:
            from recost.lifecycle.rules import Rules  # noqa: PLC0415 - slow to import

            self._loaded = Rules(self._settings, self._report, budgets=self._budgets, files=self._files)
        return self._loaded

    def _pipeline(
        self, destinations: Destinations, recorder: Optional[Recorder], since: Optional[float] = None
    ) -> tuple[Pipeline, Meter]:
        """Return the pipeline and the meter of one process. ``since`` is when its window began."""
        settings, rules = self._settings, self._rules()
        on_counted = crossed = None
        if recorder is not None:
            from recost.lifecycle.recording import crossed_tags, recorded_by  # noqa: PLC0415

            on_counted, crossed = recorded_by(recorder), crossed_tags(settings)
        meter = rules.meter()
        on_capture = partial(_log_capture, self._report) if settings.debug else None
        pipeline = rules.pipeline(
            on_capture,
            destinations.put,
            meter=meter,
            metered=settings.capture_usage,
            on_counted=on_counted,
            crossed=crossed,
            since=since,
        )
        return pipeline, meter

    def _destinations(self) -> Destinations:
        settings, identity = self._settings, Identity(self._settings.project_id or "")
        if self._transport is not None:
            return Destinations([self._delivery("", self._transport, identity, Outbox.usual())])
        kinds = sorted(settings.kinds, key=lambda kind: DESTINATIONS[kind].address is not None)
        return Destinations([self._to(kind, identity) for kind in kinds])

    def _to(self, kind: str, identity: Identity) -> Delivery:
        """Return the delivery to a kind of destination."""
        settings, report, destination = self._settings, self._report, DESTINATIONS[kind]
        outbox = destination.outbox(len(settings.kinds))
        made = destination.make(settings, report)
        self._recorder = getattr(made, "recorder", self._recorder)
        transport = UnrecordedTransport(made)
        spool = destination.spool(settings, report) if self._files else None
        pace = destination.pace(settings, report) if self._files else None
        return self._delivery(kind, transport, identity, outbox, spool, pace)

    def _delivery(
        self,
        kind: str,
        transport: Transport,
        identity: Identity,
        outbox: Outbox,
        spool: Optional[Spool] = None,
        pace: Optional[Pace] = None,
    ) -> Delivery:
        return Delivery(
            transport,
            report=self._report,
            on_sent=partial(_log_sent, self._report) if self._settings.debug else None,
            outbox=outbox,
            identity=identity,
            spool=spool,
            pace=pace,
            kind=kind,
        )

    def _stats_file(self) -> Optional[Callable[[], StatsFile]]:
        """Return the function that makes the file of numbers for ``recost doctor``."""
        settings, started_ms = self._settings, time.time() * 1000

        def make() -> StatsFile:
            from recost.delivery.stats_file import StatsFile  # noqa: PLC0415 - when the first window is sent

            folder, project = str(settings.local_dir), settings.project_id or "default"
            own = settings.origins["local_dir"] == "default"
            return StatsFile(folder, project, started_ms, own_folder=own)

        return make if self._files and self._transport is None else None

    def _worker(
        self, pipeline: Aggregation, destinations: Destinations, refresh: Callable[[], None]
    ) -> Worker:
        settings, report = self._settings, self._report

        def on_interval() -> None:
            destinations.retry()
            try:
                refresh()
            except Exception as error:  # noqa: BLE001 - the worker must live on, whatever a file contains
                report(error)

        return Worker(
            pipeline,
            schedule=Schedule(
                settings.flush_interval_s, settings.max_batch_size, destinations.spacing_s, time.monotonic()
            ),
            most_waiting=1 if settings.debug else INBOX_LIMIT // 4,
            report=report,
            put=destinations.put,
            on_interval=on_interval,
        )


def _labels(settings: Settings) -> Optional[KeyLabels]:
    labels = settings.key_labels
    if not isinstance(labels, Mapping) or not labels:
        return None
    from recost.interceptors.keys import KeyLabels  # noqa: PLC0415 - hashlib is slow to import

    return KeyLabels(labels)


def _needs_rules(settings: Settings) -> bool:
    """Return True if rules or prices may be invalid, are asked on the caller's thread, or would halt it.

    Where threads are greenlets, an import on one of them halts all the others.
    """
    own = settings.custom_providers or settings.providers_file or settings.prices_file
    return bool(own or settings.budgets or settings.capture_usage) or not real_threads()


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
