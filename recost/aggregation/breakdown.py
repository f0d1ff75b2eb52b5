"""Breakdowns of a bucket: costs by source, tokens, and calls by model and by tags."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple, Optional, Protocol, TypeVar

from recost._money import LENIENT
from recost.events import CellEntry, ModelEntry, TagEntry

__all__ = ["MAX_MODELS", "NOTHING", "OTHER", "Crossed", "Detail", "Facts", "TagSets", "Tags"]

NOTHING: Final = Decimal(0)
MAX_MODELS: Final = 50
"""Models kept apart in one bucket. The rest is ``other``."""
OTHER: Final = "other"
"""Model or tags of calls beyond a limit."""
_ROW_BYTES: Final = 400
_MAX_TOKENS: Final = 2**62

_K = TypeVar("_K")

Tags = tuple[tuple[str, str], ...]
"""Names and values, sorted by name."""


class Facts(NamedTuple):
    """The cost, model, tokens and tags of one call."""

    cost_cents: Optional[Decimal]
    """None: unknown."""
    metered: bool = True
    """False where responses are not read: only costs and tags are added up."""
    source: str = "unknown"
    """Source of the cost: ``reported``, ``computed``, ``estimated``, ``unknown``."""
    model: Optional[str] = None
    tokens: Mapping[str, int] = {}
    """By kind: ``input``, ``output``, ``cache_read``, ``cache_write``, ``reasoning``."""
    tags: Tags = ()
    attempts: int = 1
    error: bool = False


class TagSets:
    """The tag sets that one window keeps apart."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: set[Tags] = set()

    def admit(self, tags: Tags) -> Optional[Tags]:
        """Return the tags if there is room for them, or None if they count under ``other``."""
        if tags in self._known:
            return tags
        if len(self._known) >= self._limit:
            return None
        self._known.add(tags)
        return tags

    def __contains__(self, tags: Tags) -> bool:
        return tags in self._known

    def detail(self) -> Detail:
        """Return the breakdowns of a new bucket."""
        return Detail()


class Crossed(Protocol):
    """Settings of sums by model and chosen tags together: a `recost.aggregation.cells.CrossedTags`."""

    def tag_sets(self, limit: int) -> TagSets:
        """Return the sets of tags, at most ``limit``, of a new window."""
        ...


class _Row:
    """Sums of the calls with one model or one tag set."""

    __slots__ = ("cost", "count", "errors", "tokens_in", "tokens_out", "unpriced")

    def __init__(self) -> None:
        self.count = self.errors = self.unpriced = self.tokens_in = self.tokens_out = 0
        self.cost = NOTHING

    def add(self, facts: Facts, count: int, cost: Decimal) -> None:
        self.count += count
        self.errors += facts.error * count
        self.tokens_in += facts.tokens.get("input", 0) * count
        self.tokens_out += facts.tokens.get("output", 0) * count
        if facts.cost_cents is None:
            self.unpriced += count
        else:
            self.cost = LENIENT.add(self.cost, cost)

    def merge(self, other: _Row) -> None:
        self.count += other.count
        self.errors += other.errors
        self.unpriced += other.unpriced
        self.tokens_in += other.tokens_in
        self.tokens_out += other.tokens_out
        self.cost = LENIENT.add(self.cost, other.cost)


class Detail:
    """The breakdowns of one bucket. Not locked."""

    __slots__ = ("_attempts", "_costs", "_metered", "_models", "_tags", "_tokens", "_unpriced")

    def __init__(self) -> None:
        self._metered = False
        self._attempts = 0
        self._unpriced = 0
        self._costs: dict[str, Decimal] = {}
        self._tokens: dict[str, int] = {}
        self._models: dict[str, _Row] = {}
        self._tags: dict[Optional[Tags], _Row] = {}

    @property
    def nbytes(self) -> int:
        """Approximate size in memory."""
        return _ROW_BYTES * (1 + len(self._models) + len(self._tags))

    def add(self, facts: Facts, tag_sets: TagSets, count: int = 1) -> int:
        """Add one call, or a number of calls with the same facts. Return the bytes of memory that it took."""
        cost = self.add_costs(facts, count)
        models, tags = self._models, self._tags
        rows = len(models) + len(tags)
        if facts.tags:
            admitted = tag_sets.admit(facts.tags)
            (tags.get(admitted) or _row(tags, admitted)).add(facts, count, cost)
        if facts.metered:
            self._add_usage(facts, count, cost)
        return (len(models) + len(tags) - rows) * _ROW_BYTES

    def _add_usage(self, facts: Facts, count: int, cost: Decimal) -> None:
        self._metered = True
        self._attempts += facts.attempts * count
        for kind, number in facts.tokens.items():
            self._tokens[kind] = self._tokens.get(kind, 0) + number * count
        if facts.model is not None:
            row = self._models.get(facts.model)
            if row is None:
                row = _row(self._models, facts.model if len(self._models) < MAX_MODELS else OTHER)
            row.add(facts, count, cost)

    def add_costs(self, facts: Facts, count: int) -> Decimal:
        """Add the cost of one call, or of a number of calls with the same facts. Return the sum."""
        cost = facts.cost_cents
        if cost is None:
            self._unpriced += count
            return NOTHING
        if count != 1:
            cost = LENIENT.multiply(cost, count)
        if cost or facts.source != "unknown":
            self._costs[facts.source] = LENIENT.add(self._costs.get(facts.source, NOTHING), cost)
        return cost

    def merge(self, other: Detail) -> None:
        """Add the calls of another breakdown, which must not be used afterwards."""
        self._metered = self._metered or other._metered
        self._attempts += other._attempts
        self._unpriced += other._unpriced
        for source, cost in other._costs.items():
            self._costs[source] = LENIENT.add(self._costs.get(source, NOTHING), cost)
        for kind, count in other._tokens.items():
            self._tokens[kind] = self._tokens.get(kind, 0) + count
        for model, row in other._models.items():
            known = model in self._models or len(self._models) < MAX_MODELS
            _row(self._models, model if known else OTHER).merge(row)
        for tags, row in other._tags.items():
            _row(self._tags, tags).merge(row)

    def bound_tags(self, tag_sets: TagSets) -> None:
        """Count the tag sets beyond the limit under ``other``: a merge may have made too many."""
        for tags in [tags for tags in self._tags if tags is not None and tag_sets.admit(tags) is None]:
            _row(self._tags, None).merge(self._tags.pop(tags))

    def cells(self, count: int, errors: int, cost_cents: Decimal) -> Optional[tuple[CellEntry, ...]]:  # noqa: ARG002
        """Return the calls by model and chosen tags together. None if they are not kept, as here."""
        return None

    def metric_fields(self, count: int, errors: int, cost_cents: Decimal) -> dict[str, Any]:
        """Return the optional fields of a `MetricEntry`. The arguments are sums of the bucket."""
        return {
            "cost_source": self.cost_source(),
            "unpriced_count": self.unpriced(),
            "attempts": self.attempts(),
            "tokens": self.tokens(),
            "models": self.models(),
            "tags": self.tags(),
            "cells": self.cells(count, errors, cost_cents),
        }

    def cost_source(self) -> dict[str, float]:
        """Return the cost in US cents by source."""
        return {name: float(cost) for name, cost in sorted(self._costs.items())}

    def attempts(self) -> Optional[int]:
        """Return the number of requests that were sent, retries included."""
        return self._attempts if self._metered else None

    def unpriced(self) -> int:
        """Return the number of calls whose cost is unknown."""
        return self._unpriced

    def tokens(self) -> Optional[dict[str, int]]:
        """Return tokens by kind."""
        return {kind: min(n, _MAX_TOKENS) for kind, n in sorted(self._tokens.items())} or None

    def models(self) -> Optional[tuple[ModelEntry, ...]]:
        """Return the calls by model."""
        return (
            tuple(
                ModelEntry(
                    model,
                    row.count,
                    float(row.cost),
                    row.unpriced,
                    min(row.tokens_in, _MAX_TOKENS),
                    min(row.tokens_out, _MAX_TOKENS),
                )
                for model, row in self._models.items()
            )
            or None
        )

    def tags(self) -> Optional[tuple[TagEntry, ...]]:
        """Return the calls by tag set."""
        return (
            tuple(
                TagEntry(None if tags is None else tags, row.count, row.errors, float(row.cost), row.unpriced)
                for tags, row in self._tags.items()
            )
            or None
        )


def _row(rows: dict[_K, _Row], key: _K) -> _Row:
    row = rows.get(key)
    if row is None:
        row = rows[key] = _Row()
    return row
