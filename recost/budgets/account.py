"""What has been spent of one budget in its current period, as far as this process knows. Not locked."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple, Optional

from recost._money import EXACT
from recost.budgets.calendar import Period, load_zone, period_at
from recost.budgets.model import Budget
from recost.budgets.store import Entry
from recost.errors import RecostBudgetExceededError
from recost.pricing.paths import model_in_path

__all__ = ["ZERO", "Account", "BudgetedCall", "Notice"]

_MAX_TARGETS: Final = 1000
_KEPT: Final = 8
"""Periods whose sums are kept, for a clock that is put back."""
_NEAR: Final = timedelta(days=7)
"""A clock that is put back by more corrects one that was wrong: what was spent then isn't carried over."""
_NO_RULE: Final = "unknown"
ZERO: Final = Decimal(0)


class BudgetedCall(NamedTuple):
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
    asked: Optional[str] = None
    """The model that the request names; None where that isn't known."""


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
        shared: Other processes add to what is spent. With a file of the budget's own they always do.
    """

    def __init__(self, budget: Budget, now: datetime, *, shared: bool = False) -> None:
        self.budget: Final = budget
        self.name: Final = budget.name or ""
        self.shared: Final = shared or budget.file is not None
        self.spent = ZERO
        """In this period, by this process and, as far as it knows, by those that it shares a file with."""
        self.unsaved = ZERO
        """Of that, what the file doesn't have yet."""
        self.unpublished = ZERO
        """Of that, what processes on this machine can't see yet."""
        self.unknown_since: Optional[float] = None
        """When it was first not possible to see what others have spent; None while it is."""
        self._seen = ZERO
        """In this period, by all processes of this machine, as it was last seen."""
        self._left: dict[str, tuple[Decimal, Decimal]] = {}
        """Spent and unsaved in the periods that the clock has left, by their labels."""
        self._stored: dict[str, Decimal] = {}
        """What the file had last, by period: it never has less later."""
        self._limit = budget.limit
        self._amounts = tuple(
            (fraction, EXACT.multiply(Decimal(repr(fraction)), budget.limit)) for fraction in budget.fractions
        )
        self._zone = load_zone(budget.timezone)
        self._tags = frozenset(budget.tags.items())
        self._noticed = ZERO
        """Fractions of up to here have been noticed."""
        self._answering: set[str] = set()
        """Targets that have answered as the budget's model."""
        self._named: set[str] = set()
        """Those of them that a file may name: of providers that have a rule."""
        self._unpriced: set[str] = set()
        """Targets that have answered without a price."""
        self.period: Period = period_at(budget.per, self._zone, now)

    def current(self, now: datetime) -> bool:
        """Tell whether ``now`` is in the current period."""
        start, end = self.period
        return start is None or end is None or start <= now < end

    def roll(self, now: datetime) -> None:
        """Go to the period that ``now`` is in: one that was left before goes on with what it had.

        Where the clock was put back to a period that is not known, what was spent is carried over.
        """
        if self.current(now):
            return
        before, self.period = self.period, period_at(self.budget.per, self._zone, now)
        self._left[before.label] = (self.spent, self.unsaved)
        spent, self.unpublished, self._seen = self.known, ZERO, ZERO
        label = self.period.label
        known = self._left.pop(label, None)
        if known is None:
            self._unpriced.clear()
            carried = spent if _is_near(now, before.label) else ZERO
            known = (carried, ZERO)
            self._stored[label] = carried
        self.spent, self.unsaved = known
        self._noticed = self.spent
        for old in sorted(self._left, reverse=True)[_KEPT - 1 :]:
            del self._left[old]
            self._stored.pop(old, None)

    def pending(self) -> dict[str, Decimal]:
        """Return what a file doesn't have yet, by period."""
        found = {label: unsaved for label, (_, unsaved) in self._left.items() if unsaved}
        if self.unsaved:
            found[self.period.label] = self.unsaved
        return found

    @property
    def known(self) -> Decimal:
        """What was spent in this period, as far as this process can see."""
        return max(self.spent, self._seen)

    @property
    def refusing(self) -> bool:
        """False while no call can be refused."""
        if self.budget.on_exceed != "raise":
            return False
        return self.known >= self._limit or self.budget.unpriced == "refuse"

    def refusal(self, call: BudgetedCall, *, unknown: bool = False) -> Optional[RecostBudgetExceededError]:
        """Return why a call is not to be made; None when it may be.

        Args:
            call: What is known of it.
            unknown: What others have spent can't be seen for too long.
        """
        if not self._covers(call) or not self._may_answer_as_model(call):
            return None
        if unknown or self.known >= self._limit:
            # A host that no rule knows costs nothing that would count here.
            free = call.provider == _NO_RULE and self.budget.unpriced == "ignore"
            return None if free else self._error(unknown=self.known < self._limit)
        if self.budget.unpriced == "refuse" and (call.provider == _NO_RULE or call.target in self._unpriced):
            return self._error(unpriced=True)
        return None

    def add(self, call: BudgetedCall) -> list[Notice]:
        """Count a call that has ended; returns the fractions that this reaches, unless the file tells."""
        if not self._covers(call) or not self.budget.answers_as(call.model):
            return []
        if self.budget.model is not None:
            for key in dict.fromkeys((_key(call), _key(call._replace(asked=None)))):
                _note(self._answering, key)
                if call.provider != _NO_RULE:  # another's target has its host in it, which no file is told
                    _note(self._named, key)
        usd = call.usd
        if usd is None:
            if self.budget.unpriced == "refuse":
                _note(self._unpriced, call.target)
            usd = self.budget.unpriced if isinstance(self.budget.unpriced, Decimal) else ZERO
        self.spent = EXACT.add(self.spent, usd)
        self.unsaved = EXACT.add(self.unsaved, usd)
        self.unpublished = EXACT.add(self.unpublished, usd)
        return [] if self.shared else self._reached(ZERO, self.spent)

    def restore(self, entry: Entry) -> None:
        """Take over what a file says was spent, in this period and in others."""
        if entry.per != self.budget.per:
            return
        label, sums = self.period.label, entry.sums()
        start = self.period.start
        if label not in sums and start is not None and _is_near(start, entry.period):
            sums[label] = entry.spent  # the clock was put back since
        self._stored.update(sums)
        self.spent = self._noticed = sums.pop(label, ZERO)
        self._left.update({other: (spent, ZERO) for other, spent in sums.items()})
        self._answering.update(entry.targets)
        self._named.update(entry.targets)

    def entry(self, stored: Optional[Entry]) -> Entry:
        """Return what a file must have in the place of what it has."""
        if stored is None or stored.per != self.budget.per:
            stored = Entry(self.budget.per, self.period.label, ZERO)
        sums = stored.sums()
        for label, (_, unsaved) in {**self._left, self.period.label: (self.spent, self.unsaved)}.items():
            had = max(sums.get(label, ZERO), self._stored.get(label, ZERO))
            sums[label] = EXACT.add(had, unsaved)
        latest, *others = sorted(sums, reverse=True)[:_KEPT]
        targets = sorted(self._named.union(stored.targets))[:_MAX_TARGETS]
        earlier = tuple((label, sums[label]) for label in others)
        return Entry(self.budget.per, latest, sums[latest], tuple(targets), earlier)

    def saved(self, before: Optional[Entry], after: Entry, written: dict[str, Decimal]) -> list[Notice]:
        """Take note of what the file had and has; returns the fractions that this process's part reaches.

        Args:
            before: What the file had.
            after: What it has.
            written: What `pending` returned when ``after`` was made.
        """
        label, sums = self.period.label, after.sums()
        self.unsaved = EXACT.subtract(self.unsaved, written.get(label, ZERO))
        self.unpublished = min(self.unpublished, self.unsaved)  # the others see the rest in the file
        for other, (spent, unsaved) in self._left.items():
            self._left[other] = (spent, EXACT.subtract(unsaved, written.get(other, ZERO)))
        self._stored.update(
            {each: spent for each, spent in sums.items() if each in self._left or each == label}
        )
        for other, (_, unsaved) in self._left.items():
            if other in sums:
                self._left[other] = (EXACT.add(sums[other], unsaved), unsaved)
        self._answering.update(after.targets)
        if label not in sums:
            return []
        self.spent = EXACT.add(sums[label], self.unsaved)
        since = ZERO
        if before is not None and before.per == after.per:
            since = before.sums().get(label, ZERO)
        return self._reached(since, sums[label])

    def seen(self, spent: Decimal) -> None:
        """Take note of what all processes of this machine have spent, this one included."""
        self._seen = spent

    def published(self) -> None:
        """Take note that they all can see what this one has spent."""
        self.unpublished = ZERO

    def not_saved(self) -> list[Notice]:
        """Return the fractions that are reached as far as this process knows: the file can't be written."""
        return self._reached(ZERO, self.spent)

    def after_fork_in_child(self) -> None:
        """Leave what isn't saved to the parent."""
        self.unsaved = self.unpublished = ZERO
        self._left = {label: (spent, ZERO) for label, (spent, _) in self._left.items()}

    def _covers(self, call: BudgetedCall) -> bool:
        provider = self.budget.provider
        return (provider is None or call.provider == provider) and self._tags.issubset(call.tags)

    def _may_answer_as_model(self, call: BudgetedCall) -> bool:
        """Tell whether the budget's model may answer: it is asked for, or has answered what is asked for."""
        if self.budget.model is None:
            return True
        named = model_in_path(call.path) or call.asked
        if named is not None and self.budget.answers_as(named):
            return True
        return _key(call) in self._answering

    def _reached(self, since: Decimal, upto: Decimal) -> list[Notice]:
        since, self._noticed = max(since, self._noticed), max(upto, self._noticed)
        if self.budget.callback is None:
            return []
        return [
            Notice(self.budget, upto, fraction)
            for fraction, amount in self._amounts
            if since < amount <= upto
        ]

    def _error(self, *, unpriced: bool = False, unknown: bool = False) -> RecostBudgetExceededError:
        end = self.period.end
        resets_at = None if end is None else end.astimezone(self._zone)
        return RecostBudgetExceededError(
            self.name, self.known, self._limit, resets_at, unpriced=unpriced, unknown=unknown
        )


def _is_near(now: datetime, label: str) -> bool:
    """Tell whether a period begins later than ``now``, but not so much later that the clock was wrong."""
    return now < datetime.fromisoformat(label) <= now + _NEAR


def _key(call: BudgetedCall) -> str:
    """Return the target of a call, with the deployment or model that its path names."""
    named = model_in_path(call.path) or call.asked
    return call.target if named is None else f"{call.target} {named}"


def _note(targets: set[str], target: str) -> None:
    if len(targets) < _MAX_TARGETS:
        targets.add(target)
