"""One line as it comes, for `recost tail` and `recost top`; `recost.analytics.answer` adds up files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, Final, Optional

from recost.analytics.answer import EXACT, add_up

__all__ = ["Metric", "Model", "Window", "parse_instant", "parse_window"]

_OURS: Final = re.compile(r"1\.\d+")


@dataclass(frozen=True)
class Model:
    """The calls of a metric that used one model."""

    name: str
    calls: int
    unpriced: int
    cost_usd: Decimal
    """US dollars, exact."""


@dataclass(frozen=True)
class Metric:
    """The calls to one endpoint in a window."""

    provider: str
    endpoint: str
    method: str
    calls: int
    errors: int
    unpriced: int
    cost_usd: Decimal
    """US dollars, exact."""
    p50_ms: Optional[float]
    p95_ms: Optional[float]
    models: Sequence[Model] = ()
    """Of some of the calls; the others tell no model."""


@dataclass(frozen=True)
class Window:
    """What a line holds."""

    project: str
    environment: str
    started: datetime
    metrics: Sequence[Metric]
    bad_metrics: int
    """Metrics that lack a name, a count or a cost."""
    ended: datetime
    """At the start, where the line tells no end."""

    @property
    def cost_usd(self) -> Decimal:
        """US dollars, exact."""
        return add_up(metric.cost_usd for metric in self.metrics)

    def by_provider(self) -> list[tuple[str, int]]:
        """Return providers and their calls, those with the most first."""
        calls: dict[str, int] = {}
        for metric in self.metrics:
            calls[metric.provider] = calls.get(metric.provider, 0) + metric.calls
        return sorted(calls.items(), key=lambda each: (-each[1], each[0]))


def parse_window(line: bytes, project: str) -> Optional[Window]:
    """Return the window of a line; None when it is none: torn, or another program's."""
    try:
        content = json.loads(line, parse_float=Decimal)
        if not _OURS.fullmatch(content["protocolVersion"]) or not isinstance(content["metrics"], list):
            return None
        started = parse_instant(content["windowStart"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    if started.year < 1970:
        return None
    metrics = [_metric(entry) for entry in content["metrics"]]
    good = [metric for metric in metrics if metric is not None]
    return Window(
        project,
        str(content.get("environment") or ""),
        started,
        good,
        len(metrics) - len(good),
        max(started, _end(content.get("windowEnd")) or started),
    )


def parse_instant(text: str) -> datetime:
    """Return the beginning or the end of a window, as a line tells it.

    Raises:
        ValueError: It is no time.
    """
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)


def _end(text: Any) -> Optional[datetime]:
    try:
        return parse_instant(text)
    except (ValueError, TypeError, AttributeError):
        return None


def _metric(entry: Any) -> Optional[Metric]:
    if not isinstance(entry, dict):
        return None
    names = [entry.get(name) for name in ("provider", "endpoint", "method")]
    calls, errors, cents = (_number(entry.get(name)) for name in _COUNTED)
    if calls is None or errors is None or cents is None or not all(isinstance(name, str) for name in names):
        return None
    provider, endpoint, method = map(str, names)
    dollars = EXACT.scaleb(cents, -2)
    unpriced = _number(entry.get("unpricedCount")) or Decimal(0)
    return Metric(
        provider, endpoint, method, int(calls), int(errors), int(unpriced), dollars,
        _float(entry.get("p50LatencyMs")), _float(entry.get("p95LatencyMs")),
        tuple(_models(entry.get("models"))),
    )  # fmt: skip


def _models(entries: Any) -> Iterator[Model]:
    for entry in entries if isinstance(entries, list) else ():
        name = entry.get("model") if isinstance(entry, dict) else None
        if isinstance(name, str):
            calls, unpriced, cents = (
                _number(entry.get(field)) or Decimal(0)
                for field in ("requestCount", "unpricedCount", "estimatedCostCents")
            )
            yield Model(name, int(calls), int(unpriced), EXACT.scaleb(cents, -2))


_COUNTED: Final = ("requestCount", "errorCount", "estimatedCostCents")


def _number(value: Any) -> Optional[Decimal]:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    number = Decimal(value)
    return number if 0 <= number < 10**18 else None


def _float(value: Any) -> Optional[float]:
    number = _number(value)
    return None if number is None else float(number)
