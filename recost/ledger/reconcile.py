"""The comparison of billed and recorded amounts, by provider, UTC day and model or key.

Coverage is the sum of ``min(seen, billed)`` over all cells, as a share of what was billed. A quotient of
totals would hide a day that was missed behind a day that was priced too high.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timezone
from decimal import Decimal
from functools import partial
from typing import Any, Final, Literal, NamedTuple, Optional

from recost._money import EXACT
from recost.analytics.periods import Period
from recost.analytics.query import Question, exactly
from recost.analytics.report import add_up, ask
from recost.analytics.sql import is_like
from recost.analytics.store import Readings
from recost.ledger.model_names import ModelNames
from recost.ledger.store import LedgerFile, parse_amount, parse_count, parse_name

__all__ = [
    "DIMENSIONS",
    "Billed",
    "Cell",
    "CellKey",
    "Comparison",
    "Sums",
    "Verdict",
    "billed",
    "compare",
    "is_within",
    "matching",
    "seen",
]

DIMENSIONS: Final = ("provider", "day", "model", "key")
"""The dimensions of a comparison. Models and keys cannot be crossed: windows have each by itself."""
Verdict = Literal[
    "seen", "traffic elsewhere", "price differs", "over", "not billed", "not final", "incomplete", "no ledger"
]
_TOLERANCE: Final = Decimal("0.01")
"""The share by which two amounts or counts may differ and still agree."""
_USD: Final = "USD"
_COMPARED: Final = ("billed", "usage")
_APART: Final = ("byok", "credit")
"""Kinds of rows, see `recost.ledger.model.Basis`."""
_ZERO: Final = Decimal()


class CellKey(NamedTuple):
    """A cell of the comparison."""

    provider: str
    day: date
    name: Optional[str]
    """The model or the key. None if one side does not name it."""


@dataclass
class Cell:
    """Both sides of one place."""

    billed_usd: Decimal = _ZERO
    seen_usd: Decimal = _ZERO
    billed_requests: Optional[int] = None
    """None if the provider does not count requests."""
    seen_requests: int = 0
    unpriced: int = 0
    """The recorded calls without a known cost."""


State = Literal["judged", "not final", "incomplete", "no ledger"]
"""The state of a provider's day. Only days that are judged have a verdict of their own."""


@dataclass(frozen=True)
class Sums:
    """The sums of some cells, all in the same state."""

    state: State = "judged"

    billed_usd: Decimal = _ZERO
    seen_usd: Decimal = _ZERO
    both_usd: Decimal = _ZERO
    billed_requests: Optional[int] = None
    seen_requests: int = 0
    both_requests: int = 0
    unpriced: int = 0

    @property
    def unseen_usd(self) -> Decimal:
        """The billed amount that was not recorded."""
        return EXACT.subtract(self.billed_usd, self.both_usd)

    @property
    def over_usd(self) -> Decimal:
        """The recorded amount that was not billed."""
        return EXACT.subtract(self.seen_usd, self.both_usd)

    @property
    def coverage(self) -> Optional[Decimal]:
        """The share of the bill that was recorded, 0 to 1. None if nothing was billed."""
        return EXACT.divide(self.both_usd, self.billed_usd) if self.billed_usd > 0 else None

    @property
    def requests_coverage(self) -> Optional[Decimal]:
        """The share of the billed requests that was recorded, 0 to 1. None if they are not counted."""
        return Decimal(self.both_requests) / self.billed_requests if self.billed_requests else None

    @property
    def verdict(self) -> Verdict:
        """The probable reason for the difference."""
        if self.state != "judged":
            return self.state
        if not self.billed_usd:
            return "seen" if not self.seen_usd else "not billed"
        if _agree(self.both_usd, self.billed_usd):
            return "over" if not _agree(self.seen_usd, self.billed_usd) else "seen"
        if self.billed_requests is not None and _agree(
            Decimal(self.both_requests), Decimal(self.billed_requests)
        ):
            return "price differs"
        return "traffic elsewhere"


@dataclass(frozen=True)
class Comparison:
    """The groups of a comparison, and the total of the days that are final."""

    by: tuple[str, ...]
    groups: Mapping[tuple[Optional[str], ...], Sums]
    total: Sums
    other_currencies: Mapping[str, Decimal]
    """Billed amounts in other currencies, which are not compared."""
    apart: Mapping[str, Decimal]
    """Amounts that are not added up, in US dollars: ``byok`` and ``credit``."""
    not_judged: int
    """The number of a provider's days that are not final, or incomplete."""
    without_ledger_usd: Decimal
    """The recorded cost on days without a pulled ledger."""
    flat_usd: Decimal = Decimal(0)
    """The part of the recorded cost that is flat estimates, on all days."""


@dataclass
class Billed:
    """The amounts and days of the ledgers in a period."""

    cells: dict[CellKey, Cell] = field(default_factory=dict)
    days: dict[tuple[str, date], State] = field(default_factory=dict)
    """The state of each day of each provider."""
    other_currencies: dict[str, Decimal] = field(default_factory=dict)
    apart: dict[str, Decimal] = field(default_factory=dict)


def matching(files: Iterable[LedgerFile], providers: Sequence[str]) -> list[LedgerFile]:
    """Return the ledgers that the filters of a question match, or all without a filter."""
    return [
        file
        for file in files
        if not providers or any(is_like(file.provider, pattern) for pattern in providers)
    ]


def billed(files: Iterable[LedgerFile], period: Period, names: ModelNames, *, by_key: bool) -> Billed:
    """Add up the ledgers' days that begin in a period.

    Raises:
        OSError: A file can't be read.
    """
    found = Billed()
    for file in files:
        for day, stored in file.days().items():
            if not is_within(day, period):
                continue
            state: State = "incomplete" if not stored.complete else "judged" if stored.final else "not final"
            if found.days.get((file.provider, day), "judged") == "judged":
                found.days[file.provider, day] = state
            sums = file.read(day, partial(_DaySums, by_key=by_key))
            if sums is not None:
                _merge(found, file.provider, day, sums, None if by_key else names)
    return found


def is_within(day: date, period: Period) -> bool:
    """Return True if a UTC day begins in a period."""
    start = datetime.combine(day, time(), timezone.utc)
    return (period.since is None or period.since <= start) and (period.until is None or start < period.until)


class _DaySums:
    """The sums of the rows of one day, by model or key.

    Raises:
        TypeError, ValueError, KeyError, AttributeError: A row is malformed.
    """

    def __init__(self, rows: list[dict[str, Any]], *, by_key: bool) -> None:
        self.usd: dict[Optional[str], Decimal] = {}
        self.requests: dict[Optional[str], int] = {}
        self.others: dict[str, Decimal] = {}
        self.apart: dict[str, Decimal] = {}
        first, second = ("keyName", "keyId") if by_key else ("model", "model")
        usd, requests, add = self.usd, self.requests, EXACT.add
        for row in rows:
            basis, amount, count = row["basis"], row.get("amount"), row.get("requests")
            name = row.get(first) or row.get(second)
            if name is not None:
                parse_name(name)
            if basis in _COMPARED:
                if count is not None:
                    requests[name] = requests.get(name, 0) + parse_count(count)
                if amount is not None and row.get("currency") == _USD:
                    usd[name] = add(usd.get(name, _ZERO), parse_amount(amount))
                elif amount is not None:
                    _increase(self.others, parse_name(row.get("currency") or "unknown"), amount)
            elif basis in _APART and amount is not None:
                _increase(self.apart, basis, amount)


def _increase(sums: dict[str, Decimal], name: str, amount: Any) -> None:
    sums[name] = EXACT.add(sums.get(name, _ZERO), parse_amount(amount))


def _merge(found: Billed, provider: str, day: date, sums: _DaySums, models: Optional[ModelNames]) -> None:
    for name in {**sums.usd, **sums.requests}:
        place = CellKey(provider, day, name if models is None else models.of(provider, name))
        cell = found.cells.setdefault(place, Cell())
        cell.billed_usd = EXACT.add(cell.billed_usd, sums.usd.get(name, _ZERO))
        if name in sums.requests:
            cell.billed_requests = (cell.billed_requests or 0) + sums.requests[name]
    for totals, added in ((found.other_currencies, sums.others), (found.apart, sums.apart)):
        for name, amount in added.items():
            totals[name] = EXACT.add(totals.get(name, _ZERO), amount)


def seen(readings: Readings, question: Question, names: ModelNames, *, by_key: bool) -> dict[CellKey, Cell]:
    """Add up what was recorded.

    Args:
        readings: The local files.
        question: Its period and filters. Its dimensions are ignored: days are UTC days.
        names: The common names of models.
        by_key: Whether cells are of keys, by the tag ``key``, and not of models.
    """
    found: dict[CellKey, Cell] = {}
    for provider in _providers(readings, question):
        within = replace(
            question,
            by=("day", "tag:key" if by_key else "model"),
            zone=timezone.utc,
            providers=(exactly(provider),),
        )
        for group in ask(readings, within).groups:
            day, name = group.names
            if day is None:
                continue
            place = CellKey(provider, date.fromisoformat(day), name if by_key else names.of(provider, name))
            cell = found.setdefault(place, Cell())
            cell.seen_usd = EXACT.add(cell.seen_usd, group.now.cost_usd)
            cell.seen_requests += group.now.calls
            cell.unpriced += group.now.unpriced
    return found


def compare(said: Billed, recorded: Mapping[CellKey, Cell], by: tuple[str, ...]) -> Comparison:
    """Hold both sides against each other.

    Args:
        said: What the ledgers say.
        recorded: What was recorded.
        by: Up to two of `DIMENSIONS`.
    """
    cells = _joined(said, recorded)
    groups: dict[tuple[Optional[str], ...], dict[State, list[Cell]]] = defaultdict(lambda: defaultdict(list))
    for place, cell in cells.items():
        names = {"provider": place.provider, "day": place.day.isoformat()}
        state = said.days.get((place.provider, place.day), "no ledger")
        groups[tuple(names.get(name, place.name) for name in by)][state].append(cell)
    alike = {names: _first(states) for names, states in groups.items()}
    judged = [cell for states in groups.values() for cell in states.get("judged", ())]
    without = (cell.seen_usd for states in groups.values() for cell in states.get("no ledger", ()))
    return Comparison(
        by=by,
        groups={names: sums for names, sums in alike.items() if sums.state != "no ledger" or sums.seen_usd},
        total=_sums(judged, "judged"),
        other_currencies=said.other_currencies,
        apart=said.apart,
        not_judged=sum(state != "judged" for state in said.days.values()),
        without_ledger_usd=add_up(without),
    )


def _first(states: Mapping[State, list[Cell]]) -> Sums:
    """Return the sums of the days that are judged, or without any, of the others."""
    for state in ("judged", "incomplete", "not final", "no ledger"):
        if states.get(state):
            return _sums(states[state], state)
    raise AssertionError("unreachable")


def _joined(said: Billed, recorded: Mapping[CellKey, Cell]) -> dict[CellKey, Cell]:
    """Return both sides of each place. A day whose bill names no model is one place."""
    named = {(place.provider, place.day) for place in said.cells if place.name is not None}
    cells = {place: replace(cell) for place, cell in said.cells.items()}
    for place, cell in recorded.items():
        day = (place.provider, place.day)
        where = place if day in named or day not in said.days else place._replace(name=None)
        both = cells.setdefault(where, Cell())
        both.seen_usd = EXACT.add(both.seen_usd, cell.seen_usd)
        both.seen_requests += cell.seen_requests
        both.unpriced += cell.unpriced
    return cells


def _sums(cells: Iterable[Cell], state: State) -> Sums:
    found = list(cells)
    counted = [cell for cell in found if cell.billed_requests is not None]
    return Sums(
        state=state,
        billed_usd=add_up(cell.billed_usd for cell in found),
        seen_usd=add_up(cell.seen_usd for cell in found),
        both_usd=add_up(max(_ZERO, min(cell.billed_usd, cell.seen_usd)) for cell in found),
        billed_requests=sum(cell.billed_requests or 0 for cell in counted) if counted else None,
        seen_requests=sum(cell.seen_requests for cell in found),
        both_requests=sum(min(cell.billed_requests or 0, cell.seen_requests) for cell in counted),
        unpriced=sum(cell.unpriced for cell in found),
    )


def _agree(one: Decimal, other: Decimal) -> bool:
    return abs(EXACT.subtract(one, other)) <= max(abs(one), abs(other)) * _TOLERANCE


def _providers(readings: Readings, question: Question) -> list[str]:
    groups = ask(readings, replace(question, by=("provider",))).groups
    return [name for group in groups if (name := group.names[0]) is not None]
