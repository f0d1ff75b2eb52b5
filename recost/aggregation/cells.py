"""Exact sums of a bucket by model and by chosen tags together, for destinations that keep series of numbers.

They are kept only where such a destination is used. Windows as they are sent in JSON don't have them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Final, NamedTuple, Optional

from recost._money import LENIENT
from recost.aggregation.breakdown import NOTHING, OTHER, Detail, Facts, Tags, TagSets
from recost.events import CellEntry

__all__ = ["CrossedTagSets", "CrossedTags"]

_CELL_BYTES: Final = 900
_Key = tuple[Optional[str], Tags]
_OTHERS: Final[_Key] = (OTHER, ())


class CrossedTags(NamedTuple):
    """Settings of the cells of a window.

    Attributes:
        names: Names of the tags that are kept.
        limit: Number of cells in one window. The rest counts under the model ``other``.
    """

    names: Collection[str]
    limit: int

    def tag_sets(self, limit: int) -> CrossedTagSets:
        """Return the sets of tags and the cells of a new window. ``limit`` is that of sets."""
        return CrossedTagSets(limit, self)


class CrossedTagSets(TagSets):
    """The tag sets and the number of cells that one window keeps apart."""

    def __init__(self, limit: int, crossed: CrossedTags) -> None:
        super().__init__(limit)
        self.names = crossed.names
        self._left = crossed.limit

    def detail(self) -> Detail:
        """Return the breakdowns of a new bucket."""
        return CrossedDetail()

    def admit_cell(self) -> bool:
        """Return True if there is room for another cell."""
        self._left -= 1
        return self._left >= 0


class _Cell:
    __slots__ = ("costs", "count", "errors", "tokens", "unpriced")

    def __init__(self) -> None:
        self.count = self.errors = self.unpriced = 0
        self.costs: dict[str, Decimal] = {}
        self.tokens: dict[str, int] = {}

    def add(self, facts: Facts, count: int) -> None:
        self.count += count
        self.errors += facts.error * count
        for kind, number in facts.tokens.items():
            self.tokens[kind] = self.tokens.get(kind, 0) + number * count
        if facts.cost_cents is None:
            self.unpriced += count
        elif facts.cost_cents:
            cost = LENIENT.multiply(facts.cost_cents, count)
            self.costs[facts.source] = LENIENT.add(self.costs.get(facts.source, NOTHING), cost)

    def merge(self, other: _Cell) -> None:
        self.count += other.count
        self.errors += other.errors
        self.unpriced += other.unpriced
        for source, cost in other.costs.items():
            self.costs[source] = LENIENT.add(self.costs.get(source, NOTHING), cost)
        for kind, number in other.tokens.items():
            self.tokens[kind] = self.tokens.get(kind, 0) + number


class CrossedDetail(Detail):
    """The breakdowns of one bucket, with cells. A call without a model and chosen tags has no cell."""

    __slots__ = ("_cells",)

    def __init__(self) -> None:
        super().__init__()
        self._cells: dict[_Key, _Cell] = {}

    @property
    def nbytes(self) -> int:
        """Approximate size in memory."""
        return super().nbytes + _CELL_BYTES * len(self._cells)

    def add(self, facts: Facts, tag_sets: TagSets, count: int = 1) -> int:
        """Add one call, or a number of calls with the same facts. Return the bytes of memory that it took."""
        grown = super().add(facts, tag_sets, count)
        if not isinstance(tag_sets, CrossedTagSets):
            return grown
        names = tag_sets.names
        key = facts.model, tuple([pair for pair in facts.tags if pair[0] in names])
        if key == (None, ()):
            return grown
        before = len(self._cells)
        self._cell(key, tag_sets).add(facts, count)
        return grown + (len(self._cells) - before) * _CELL_BYTES

    def merge(self, other: Detail) -> None:
        """Add the calls of another breakdown, which must not be used afterwards."""
        super().merge(other)
        if isinstance(other, CrossedDetail):
            for key, cell in other._cells.items():  # noqa: SLF001 - of the same class
                self._cells.setdefault(key, _Cell()).merge(cell)

    def bound_tags(self, tag_sets: TagSets) -> None:
        """Count what is beyond the limits under ``other``: a merge may have made too many."""
        super().bound_tags(tag_sets)
        if isinstance(tag_sets, CrossedTagSets):
            cells, self._cells = self._cells, {}
            for key, cell in cells.items():
                self._cell(key, tag_sets).merge(cell)

    def cells(self, count: int, errors: int, cost_cents: Decimal) -> tuple[CellEntry, ...]:
        """Return cells that add up to the bucket.

        Args:
            count: Number of calls of the bucket.
            errors: Number of them that failed.
            cost_cents: Their cost.
        """
        rest = _Cell()
        rest.count, rest.errors, rest.unpriced = count, errors, self.unpriced()
        rest.costs, rest.tokens = dict(self._costs), dict(self._tokens)
        found = []
        for key, cell in self._cells.items():
            found.append(_entry(key, cell, cell.costs))
            rest.count -= cell.count
            rest.errors -= cell.errors
            rest.unpriced -= cell.unpriced
            for source, cost in cell.costs.items():
                rest.costs[source] = LENIENT.subtract(rest.costs.get(source, NOTHING), cost)
            for kind, number in cell.tokens.items():
                rest.tokens[kind] = rest.tokens.get(kind, 0) - number
        if rest.count:
            found.append(_entry((None, ()), rest, _with_unknown(rest.costs, cost_cents, self._costs)))
        return tuple(found)

    def _cell(self, key: _Key, tag_sets: CrossedTagSets) -> _Cell:
        cell = self._cells.get(key)
        if cell is None:
            key = key if key == _OTHERS or tag_sets.admit_cell() else _OTHERS
            cell = self._cells.setdefault(key, _Cell())
        return cell


def _with_unknown(
    costs: dict[str, Decimal], cost_cents: Decimal, all_costs: Mapping[str, Decimal]
) -> dict[str, Decimal]:
    """Return the costs with what the bucket has beyond the sources: calls that were added without facts."""
    extra = cost_cents
    for cost in all_costs.values():
        extra = LENIENT.subtract(extra, cost)
    if extra > 0:
        costs["unknown"] = LENIENT.add(costs.get("unknown", NOTHING), extra)
    return costs


def _entry(key: _Key, cell: _Cell, costs: Mapping[str, Decimal]) -> CellEntry:
    model, tags = key
    return CellEntry(
        model=model,
        tags=tags,
        request_count=cell.count,
        error_count=cell.errors,
        unpriced_count=cell.unpriced,
        cost_cents={source: cost for source, cost in sorted(costs.items()) if cost > 0},
        tokens={kind: number for kind, number in sorted(cell.tokens.items()) if number > 0},
    )
