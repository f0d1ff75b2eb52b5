"""Rates of the last minutes, from windows as they arrive, for `recost top`.

A window counts as a whole, at the instant at which it ended. Rates are over a span that ends with the latest
window, because later calls are in windows that are still open. If no window arrives for a while, the span
moves on.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Final, Literal, Optional, Union

from recost._money import EXACT
from recost.wire.parsing import ParsedMetric, ParsedModel, ParsedWindow

__all__ = ["BUCKETS", "BY", "LEAST_SPAN", "By", "CallRates", "CallSums", "Recent"]

By = Literal["provider", "endpoint", "model", "project"]
BY: Final[tuple[By, ...]] = ("provider", "endpoint", "model", "project")
"""The dimensions that calls are grouped by. Endpoints are also grouped by provider."""
BUCKETS: Final = 60
"""The number of parts of the span. Windows are summed up by part, and expire part by part."""
LEAST_SPAN: Final = timedelta(minutes=1)
"""The minimum span for rates. In a shorter one, a single call would weigh too much."""
_OPEN: Final = timedelta(seconds=30)
"""The default length of a window."""
_LONGEST_OPEN: Final = timedelta(minutes=5)
_LEAST_USD: Final = Decimal("0.000001")
"""The minimum cost without a model. Less is a rounding error of float parts."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_Names = tuple[Optional[str], ...]


@dataclass
class CallSums:
    """The sums over some calls."""

    calls: int = 0
    unpriced: int = 0
    cost_usd: Decimal = Decimal(0)
    """US dollars, exact."""
    flat_usd: Decimal = Decimal(0)
    """The part of the cost that is flat estimates. Not recorded by model."""
    errors: int = 0
    timed: int = 0
    """Calls in metrics with latencies. Latencies and errors are not recorded by model."""
    weighted_p50: float = 0.0
    """The sum of the windows' percentiles times their calls, in milliseconds."""
    weighted_p95: float = 0.0

    def add(self, other: CallSums) -> None:
        """Add the sums of other calls."""
        self.calls += other.calls
        self.unpriced += other.unpriced
        self.cost_usd = EXACT.add(self.cost_usd, other.cost_usd)
        self.flat_usd = EXACT.add(self.flat_usd, other.flat_usd)
        self.errors += other.errors
        self.timed += other.timed
        self.weighted_p50 += other.weighted_p50
        self.weighted_p95 += other.weighted_p95

    @property
    def p50_ms(self) -> Optional[float]:
        """The mean of the windows' medians, weighted by calls. None if no latency is recorded."""
        return self.weighted_p50 / self.timed if self.timed else None

    @property
    def p95_ms(self) -> Optional[float]:
        """The mean of the windows' 95th percentiles, weighted by calls."""
        return self.weighted_p95 / self.timed if self.timed else None


@dataclass(frozen=True)
class CallRates:
    """The sums over the calls of a span by group."""

    span: timedelta
    """The length of the span. At least `LEAST_SPAN`."""
    until: datetime
    groups: dict[_Names, CallSums]
    total: CallSums
    trends: dict[_Names, list[Decimal]]
    """The cost of each group in each part of the span."""

    def a_minute(self, amount: Union[int, Decimal]) -> Decimal:
        """Return an amount of the span per minute."""
        seconds = Decimal(self.span // timedelta(milliseconds=1)) / 1000
        return EXACT.divide(EXACT.multiply(Decimal(amount), Decimal(60)), seconds)


_Key = tuple[Optional[str], ...]


@dataclass
class _Part:
    """The calls of one part of the span."""

    endpoints: dict[_Key, CallSums] = field(default_factory=dict)
    """By project, provider and endpoint."""
    models: dict[_Key, CallSums] = field(default_factory=dict)
    """By provider and model. The model is None for calls without one."""


_NOTHING: Final = _Part()


class Recent:
    """The calls of the last minutes. The size is bounded by the number of names.

    Args:
        over: The length of the span.
    """

    def __init__(self, over: timedelta) -> None:
        self.over = over
        self.latest: Optional[datetime] = None
        """The end of the latest window."""
        self._step = over / BUCKETS
        self._parts: dict[int, _Part] = {}
        self._first: Optional[datetime] = None
        self._open = _OPEN

    def add(self, window: ParsedWindow, now: datetime) -> None:
        """Add a window. An end in the future, by a fast clock, counts as now."""
        ended = min(window.ended, now)
        started = min(window.started, ended)
        self._first = started if self._first is None else min(self._first, started)
        self.latest = ended if self.latest is None else max(self.latest, ended)
        self._open = min(max(self._open, ended - started), _LONGEST_OPEN)
        self._forget(now)
        if ended <= now - self.over:
            return
        part = self._parts.setdefault(self._index(ended), _Part())
        for metric in window.metrics:
            _add(part.endpoints, (window.project, metric.provider, metric.endpoint), _sums(metric))
            for model, sums in _by_model(metric):
                _add(part.models, (metric.provider, model), sums)

    def frozen(self) -> Recent:
        """Return a copy that does not change when windows are added."""
        return copy.deepcopy(self)

    def rates(self, by: By, now: datetime) -> CallRates:
        """Return the rates of the span that ends with the latest window, or now."""
        until = now if self.latest is None else min(max(self.latest, now - self._open), now)
        last = self._index(until)
        first = last - BUCKETS + 1
        since = _EPOCH + first * self._step
        if self._first is not None:
            since = max(since, min(self._first, until))
        groups: dict[_Names, CallSums] = {}
        trends: dict[_Names, list[Decimal]] = {}
        total = CallSums()
        for index in range(first, last + 1):
            part = self._parts.get(index, _NOTHING)
            for sums in part.endpoints.values():
                total.add(sums)
            for names, sums in _grouped(part, by):
                _add(groups, names, sums)
                trend = trends.setdefault(names, [Decimal(0)] * BUCKETS)
                trend[index - first] = EXACT.add(trend[index - first], sums.cost_usd)
        return CallRates(max(until - since, min(LEAST_SPAN, self.over)), until, groups, total, trends)

    def _index(self, moment: datetime) -> int:
        return (moment - _EPOCH) // self._step

    def _forget(self, now: datetime) -> None:
        oldest = self._index(now - self.over - _LONGEST_OPEN)
        for index in [index for index in self._parts if index < oldest]:
            del self._parts[index]


def _grouped(part: _Part, by: By) -> Iterator[tuple[_Names, CallSums]]:
    if by == "model":
        yield from part.models.items()
        return
    places = {"project": slice(0, 1), "provider": slice(1, 2), "endpoint": slice(1, 3)}[by]
    for names, sums in part.endpoints.items():
        yield names[places], sums


def _add(groups: dict[_Key, CallSums], names: _Key, sums: CallSums) -> None:
    groups.setdefault(names, CallSums()).add(sums)


def _sums(metric: ParsedMetric) -> CallSums:
    timed = 0 if metric.p95_ms is None else metric.calls
    return CallSums(
        metric.calls, metric.unpriced, metric.cost_usd, metric.flat_usd, metric.errors, timed,
        (metric.p50_ms or 0.0) * timed, (metric.p95_ms or 0.0) * timed,
    )  # fmt: skip


def _by_model(metric: ParsedMetric) -> Iterator[tuple[Optional[str], CallSums]]:
    """Yield the calls of each model, and the rest under None. Together they are the metric's calls."""
    rest = CallSums(metric.calls, metric.unpriced, metric.cost_usd)
    for model in metric.models:
        yield model.name, CallSums(model.calls, model.unpriced, model.cost_usd)
        rest.add(_negative(model))
    if rest.calls or rest.unpriced or rest.cost_usd >= _LEAST_USD or not metric.models:
        yield None, rest


def _negative(model: ParsedModel) -> CallSums:
    return CallSums(-model.calls, -model.unpriced, EXACT.minus(model.cost_usd))
