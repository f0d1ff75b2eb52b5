"""The way of a counted call from the pipeline to the histograms of OpenTelemetry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from recost.aggregation.breakdown import Facts
from recost.aggregation.cells import CrossedTags
from recost.delivery.transports.otlp.recorder import FinishedCall, Recorder
from recost.interceptors.exchange import Exchange
from recost.interceptors.targets import shown_method
from recost.pipeline import Counted
from recost.pricing.route import Route

if TYPE_CHECKING:
    from recost.config import Settings

__all__ = ["crossed_tags", "recorded_by"]


def recorded_by(recorder: Recorder) -> Counted:
    """Return what the pipeline gives each counted call to."""

    def record(exchange: Exchange, route: Route, facts: Optional[Facts]) -> None:
        recorder.record(
            FinishedCall(
                host=route.host,
                port=exchange.port,
                method=shown_method(exchange.method),
                provider=route.provider,
                endpoint=route.endpoint or "/",
                status=exchange.status,
                duration_s=max(exchange.ended_ns - exchange.started_ns, 0) / 1e9,
                model=None if facts is None else facts.model,
                tokens={} if facts is None else facts.tokens,
            )
        )

    return record


def crossed_tags(settings: Settings) -> CrossedTags:
    """Return what windows keep by model and tags together, for the series of metrics."""
    return CrossedTags(frozenset(settings.otlp_tags), settings.otlp_max_series)
