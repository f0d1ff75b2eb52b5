"""What has been spent of one budget in its current period, as far as this process knows. Not locked."""

from __future__ import annotations

from datetime import datetime
from decimal import Context, Decimal
from typing import Final, NamedTuple, Optional

from recost.budgets.model import Budget
from recost.budgets.periods import Period, load_zone, period_at
from recost.budgets.store import Entry
from recost.errors import RecostBudgetExceededError
from recost.pricing.paths import model_in_path

__all__ = ["Account", "Call", "Notice"]

_EXACT: Final = Context(prec=60)
_MAX_TARGETS: Final = 1000
_NO_RULE: Final = "unknown"
_ZERO: Final = Decimal(0)


class Call(NamedTuple):
    """What a budget may look at."""

    provider: str
    target: str
    """Provider and endpoint."""
    path: str
    tags: tuple[tuple[str, str], ...]
    model: Optional[str] = None
    """That answered; None before it has."""
    usd: Optional[Decimal] = None
    """What it cost; None before it has, and where that isn't known."""


class Notice(NamedTuple):
    """A fraction of a budget has been reached."""

    budget: Budget
    spent: Decimal
    fraction: float


class Account:
    """Adds up, and says which calls are to be refused.

    Args:
        budget: Whose account it is.
        now: The time.
    """

    def __init__(self, budget: Budget, now: datetime) -> None:
        self.budget: Final = budget
        self.name: Final = budget.name or ""
        self.shared: Final = budget.file is not None
        self.spent = _ZERO
        """In this period, by this process and, as far as it knows, by those that it shares a file with."""
        self.unsaved = _ZERO
        """Of that, what the file doesn't have yet."""
        self._limit = budget.limit
        self._amounts = tuple(
            (fraction, _EXACT.multiply(Decimal(repr(fraction)), budget.limit))
            for fraction in budget.fractions
        )
        self._zone = load_zone(budget.timezone)
        self._tags = frozenset(budget.tags.items())
        self._told = _ZERO
        """Fractions of up to here have been noticed."""
        self._answering: set[str] = set()
        """Targets that have answered as the budget's model."""
        self._unpriced: set[str] = set()
        """Targets that have answered without a price."""
        self.period: Period = period_at(budget.per, self._zone, now)

    def current(self, now: datetime) -> bool:
        """Tell whether ``now`` is in the current period."""
        start, end = self.period
        return start is None or end is None or start <= now < end

    def roll(self, now: datetime) -> None:
        """Begin the period that ``now`` is in. Where the clock was put back, the spending is kept."""
        if self.current(now):
            return
        end, self.period = self.period.end, period_at(self.budget.per, self._zone, now)
        if end is not None and now >= end:
            self.spent = self.unsaved = self._told = _ZERO
            self._unpriced.clear()

    @property
    def refusing(self) -> bool:
        """False while no call can be refused."""
        if self.budget.on_exceed != "raise":
            return False
        return self.spent >= self._limit or self.budget.unpriced == "refuse"

    def refusal(self, call: Call) -> Optional[RecostBudgetExceededError]:
        """Return why a call is not to be made; None when it may be."""
        if not self._covers(call) or not self._may_answer_as_model(call):
            return None
        if self.spent >= self._limit:
            # A host that no rule knows costs nothing that would count here.
            free = call.provider == _NO_RULE and self.budget.unpriced == "ignore"
            return None if free else self._error(unpriced=False)
        if self.budget.unpriced == "refuse" and (call.provider == _NO_RULE or call.target in self._unpriced):
            return self._error(unpriced=True)
        return None

    def add(self, call: Call) -> list[Notice]:
        """Count a call that has ended; returns the fractions that this reaches, unless the file tells."""
        if not self._covers(call) or not self.budget.answers_as(call.model):
            return []
        if self.budget.model is not None:
            _note(self._answering, _key(call))
        usd = call.usd
        if usd is None:
            if self.budget.unpriced == "refuse":
                _note(self._unpriced, call.target)
            usd = self.budget.unpriced if isinstance(self.budget.unpriced, Decimal) else _ZERO
        self.spent = _EXACT.add(self.spent, usd)
        self.unsaved = _EXACT.add(self.unsaved, usd)
        return [] if self.shared else self._reached(_ZERO, self.spent)

    def restore(self, entry: Entry) -> None:
        """Take over what a file says was spent, if it was in this period."""
        if (entry.per, entry.period) == (self.budget.per, self.period.label):
            self.spent = self._told = entry.spent
            self._answering.update(entry.targets)

    def entry(self, stored: Optional[Entry]) -> Entry:
        """Return what a file is to have in the place of what it has.

        Where it isn't shared, several processes may write it all the same: the one that has spent most
        counts.
        """
        label = self.period.label
        if stored is None or stored.per != self.budget.per or stored.period < label:
            stored = Entry(self.budget.per, label, _ZERO)
        elif stored.period > label:
            return stored  # the clocks of two processes differ
        spent = _EXACT.add(stored.spent, self.unsaved) if self.shared else max(stored.spent, self.spent)
        targets = sorted(self._answering.union(stored.targets))
        return Entry(self.budget.per, label, spent, tuple(targets[:_MAX_TARGETS]))

    def saved(self, before: Optional[Entry], after: Entry, unsaved: Decimal) -> list[Notice]:
        """Take note of what the file had and has; returns the fractions that this process's part reaches."""
        if after.period != self.period.label:
            return []
        self.unsaved = _EXACT.subtract(self.unsaved, unsaved)
        if not self.shared:
            return []
        self.spent = _EXACT.add(after.spent, self.unsaved)
        self._answering.update(after.targets)
        since = _ZERO
        if before is not None and (before.per, before.period) == (after.per, after.period):
            since = before.spent
        return self._reached(since, after.spent)

    def not_saved(self) -> list[Notice]:
        """Return the fractions that are reached as far as this process knows: the file can't be written."""
        return self._reached(_ZERO, self.spent) if self.shared else []

    def after_fork_in_child(self) -> None:
        """Leave what isn't saved to the parent."""
        self.unsaved = _ZERO

    def _covers(self, call: Call) -> bool:
        provider = self.budget.provider
        return (provider is None or call.provider == provider) and self._tags.issubset(call.tags)

    def _may_answer_as_model(self, call: Call) -> bool:
        """Tell whether the budget's model may answer; the request's body, which knows, isn't looked at."""
        if self.budget.model is None:
            return True
        named = model_in_path(call.path)
        if named is not None and self.budget.answers_as(named):
            return True
        return _key(call) in self._answering

    def _reached(self, since: Decimal, upto: Decimal) -> list[Notice]:
        since, self._told = max(since, self._told), max(upto, self._told)
        if self.budget.callback is None:
            return []
        return [
            Notice(self.budget, upto, fraction)
            for fraction, amount in self._amounts
            if since < amount <= upto
        ]

    def _error(self, *, unpriced: bool) -> RecostBudgetExceededError:
        end = self.period.end
        resets_at = None if end is None else end.astimezone(self._zone)
        return RecostBudgetExceededError(self.name, self.spent, self._limit, resets_at, unpriced=unpriced)


def _key(call: Call) -> str:
    """Return the target of a call, with the deployment or model that its path names."""
    named = model_in_path(call.path)
    return call.target if named is None else f"{call.target} {named}"


def _note(targets: set[str], target: str) -> None:
    if len(targets) < _MAX_TARGETS:
        targets.add(target)
