"""The wiring of rules, prices and budgets, and of the pipeline that uses them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Optional

from recost._version import __version__
from recost.aggregation.aggregator import UnlockedAggregator
from recost.aggregation.breakdown import Crossed
from recost.aggregation.window import Window
from recost.config import Settings
from recost.events import RawEvent
from recost.interceptors import interception
from recost.lifecycle.reporting import Reporter
from recost.metering import Meter
from recost.pipeline import Counted, Pipeline
from recost.pricing.list_place import ListPlace
from recost.pricing.registry import ProviderRegistry
from recost.pricing.route import Routes

if TYPE_CHECKING:
    from recost.budgets.enforcer import BudgetEnforcer

__all__ = ["Rules"]


class Rules:
    """Rules and budgets, which all processes of one SDK share.

    Args:
        settings: The result of `recost.config.resolve`.
        report: Receives recost's own errors.
        budgets: False: calls are neither refused nor counted against budgets.
        files: False: budgets read and write no file.

    Raises:
        ValueError: ``providers_file`` is unreadable, or a rule or a budget's provider is invalid.
    """

    def __init__(self, settings: Settings, report: Reporter, *, budgets: bool, files: bool) -> None:
        self._settings = settings
        self._report = report
        self._registry = _registry(settings)
        wanted = budgets and bool(settings.budgets)
        self.enforcer = _enforcer(settings, self._registry, report, files=files) if wanted else None
        """The budgets of this process and of those that are forked from it. None without budgets."""
        self.routes = Routes(
            self._registry,
            reads_requests=settings.read_requests,
            models_first=self.enforcer is not None and self.enforcer.refuses_models,
        )

    def meter(self) -> Meter:
        """Return the meter of one process, ready for calls if they must wait for it."""
        settings, enforcer = self._settings, self.enforcer
        if settings.capture_usage:
            self._registry.prepare()  # each call asks it, on its own thread, what to read of the response
        meter = Meter(
            self.routes,
            report=self._report,
            reads=settings.capture_usage,
            price_list=ListPlace.of(settings.prices_file),
        )
        if enforcer is not None and enforcer.refuses and settings.capture_usage:
            meter.prepare()  # now, rather than while a call waits for permission
        return meter

    def pipeline(
        self,
        on_capture: Optional[Callable[[RawEvent], Any]],
        on_full: Callable[[Window], Any],
        *,
        meter: Optional[Meter] = None,
        metered: bool = False,
        on_counted: Optional[Counted] = None,
        crossed: Optional[Crossed] = None,
        since: Optional[float] = None,
    ) -> Pipeline:
        """Return a pipeline with these settings.

        The arguments are those of `Pipeline`, what windows keep by model and tags together, and the time at
        which the first one began if that is not now.
        """
        settings = self._settings
        aggregator = UnlockedAggregator(
            project_id=settings.project_id or "",
            environment=settings.environment,
            sdk_version=__version__,
            max_buckets=settings.max_buckets,
            max_tag_sets=settings.max_tag_sets,
            since=since,
            crossed=crossed,
        )
        return Pipeline(
            self.routes,
            aggregator,
            exclude_patterns=settings.exclude_patterns,
            exclude_hosts=settings.exclude_hosts,
            meter=meter,
            metered=metered,
            template_paths=settings.template_paths,
            on_capture=on_capture,
            on_counted=on_counted,
            on_full=on_full,
            report=self._report,
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
    from recost.budgets.store import FILE_SUFFIX  # noqa: PLC0415
    from recost.endpoints import templating as _templating  # noqa: F401, PLC0415 - else imported during a call

    local = files and settings.mode == "local"
    return BudgetEnforcer(
        settings.budgets if files else [replace(budget, file=None) for budget in settings.budgets],
        registry=registry,
        report=report,
        local_file=f"{settings.local_dir}/{settings.project_id or 'default'}{FILE_SUFFIX}" if local else None,
        live_folder=str(settings.local_dir) if files else None,
        on_refusal=partial(end_retries, interception.patches),
        call=report.call,
    )
