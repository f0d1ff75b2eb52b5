"""Exact counters by attributes, added up from windows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Optional

from recost._money import LENIENT, as_written
from recost._pacing import rest
from recost.delivery.transports.otlp.conventions import OTHER, Attributes, Conventions, text

if TYPE_CHECKING:
    from recost.events import CellEntry, MetricEntry, WindowSummary

__all__ = ["OTHERS", "Counters", "Row"]

OTHERS: Final[Attributes] = (
    ("http.request.method", "_OTHER"),
    ("otel.metric.overflow", True),
    ("recost.endpoint", OTHER),
    ("recost.provider", OTHER),
)
"""Attributes of the calls beyond the limit of series."""
_REMEMBERED: Final = 256
"""Windows whose ids are remembered: more than a queue holds."""
_NOTHING: Final = Decimal(0)


class Row:
    """Sums of the calls with the same attributes. Not changed once it is made."""

    __slots__ = ("calls", "costs", "errors", "tokens", "unpriced")

    def __init__(
        self, calls: int, errors: int, unpriced: int, costs: Mapping[str, Decimal], tokens: Mapping[str, int]
    ) -> None:
        self.calls = calls
        self.errors = errors
        self.unpriced = unpriced
        self.costs = costs
        """US dollars by source."""
        self.tokens = tokens
        """By kind."""

    def plus(self, other: Row) -> Row:
        """Return the sums of both."""
        costs, tokens = dict(self.costs), dict(self.tokens)
        for source, cost in other.costs.items():
            costs[source] = LENIENT.add(costs.get(source, _NOTHING), cost)
        for kind, number in other.tokens.items():
            tokens[kind] = tokens.get(kind, 0) + number
        return Row(
            self.calls + other.calls,
            self.errors + other.errors,
            self.unpriced + other.unpriced,
            costs,
            tokens,
        )


class Counters:
    """Sums of all windows by attributes. One thread at a time.

    A window is added once, however often it is given: those that were added are known by their ids. Whatever
    interrupts this, a window is in the sums as a whole or not at all.

    Args:
        conventions: Names of the attributes.
        limit: Number of different sets of attributes. The rest is counted under `OTHERS`.
    """

    def __init__(self, conventions: Conventions, limit: int) -> None:
        self._conventions = conventions
        self._limit = limit
        self._state: tuple[dict[Attributes, Row], tuple[str, ...]] = ({}, ())
        """The sums, and the ids of the latest windows in them. Replaced as one."""

    @property
    def rows(self) -> Mapping[Attributes, Row]:
        """The sums by attributes."""
        return self._state[0]

    def add(self, summary: WindowSummary) -> None:
        """Add a window, unless it has been added."""
        rows, ids = self._state
        window_id = summary.window_id
        if window_id is not None:
            if window_id in ids:
                return
            ids = (*ids[-_REMEMBERED:], window_id)
        rows = dict(rows)
        for attributes, row in self._rows_of(summary.metrics):
            key = attributes if attributes in rows or len(rows) < self._limit else OTHERS
            known = rows.get(key)
            rows[key] = row if known is None else known.plus(row)
            rest()
        self._state = rows, ids

    def forget(self, keys: Iterable[Attributes]) -> None:
        """Remove rows that have been exported, where differences are exported."""
        rows, ids = self._state
        gone = set(keys)
        self._state = {key: row for key, row in rows.items() if key not in gone}, ids

    def _rows_of(self, metrics: Collection[MetricEntry]) -> Iterator[tuple[Attributes, Row]]:
        for metric in metrics:
            base = {
                "recost.provider": text(metric.provider),
                "recost.endpoint": text(metric.endpoint),
                "http.request.method": self._conventions.method(metric.method),
            }
            if metric.cells is None:
                yield self._key(metric, base, None, (), used=bool(metric.tokens)), _whole(metric)
                continue
            for cell in metric.cells:
                yield self._key(metric, base, cell.model, cell.tags, used=bool(cell.tokens)), _of_cell(cell)

    def _key(
        self,
        metric: MetricEntry,
        base: Mapping[str, str],
        model: Optional[str],
        tags: tuple[tuple[str, str], ...],
        *,
        used: bool,
    ) -> Attributes:
        conventions = self._conventions
        genai = conventions.genai(metric.provider, metric.endpoint, model=model, used=used)
        named = {} if genai is None else conventions.of_genai(genai, model)
        return tuple(sorted({**base, **named, **conventions.chosen(tags)}.items()))


def _of_cell(cell: CellEntry) -> Row:
    costs = {source: LENIENT.scaleb(cost, -2) for source, cost in cell.cost_cents.items()}
    return Row(cell.request_count, cell.error_count, cell.unpriced_count, costs, cell.tokens)


def _whole(metric: MetricEntry) -> Row:
    """Return the sums of a metric without cells. Its cost is what windows have as JSON."""
    costs: dict[str, Decimal] = {}
    rest_cents = as_written(float(metric.estimated_cost_cents))
    for source, cents in (metric.cost_source or {}).items():
        part = min(as_written(float(cents)), rest_cents)
        rest_cents = LENIENT.subtract(rest_cents, part)
        if part:
            costs[source] = LENIENT.scaleb(part, -2)
    if rest_cents > 0:
        costs["unknown"] = LENIENT.add(costs.get("unknown", _NOTHING), LENIENT.scaleb(rest_cents, -2))
    unpriced, tokens = metric.unpriced_count or 0, metric.tokens or {}
    return Row(metric.request_count, metric.error_count, unpriced, costs, tokens)
