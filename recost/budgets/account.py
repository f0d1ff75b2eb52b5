"""Spending of one budget in its current period, as this process knows it. Not locked."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple, Optional

from recost._money import EXACT
from recost.budgets.calendar import Period, load_zone, period_at
from recost.budgets.model import Budget
from recost.budgets.store import Entry, Terms
from recost.errors import RecostBudgetExceededError
from recost.pricing.paths import model_in_path

__all__ = ["ZERO", "Account", "BudgetedCall", "Notice"]

_MAX_TARGETS: Final = 1000
_KEPT: Final = 8
"""Periods whose sums are kept, in case the clock is put back."""
_NEAR: Final = timedelta(days=7)
"""If the clock is put back by more, it was wrong before, and spending is not carried over."""
_NO_RULE: Final = "unknown"
ZERO: Final = Decimal(0)


class BudgetedCall(NamedTuple):
    """The facts of a call that a budget depends on."""

    provider: str
    target: str
    """Provider and endpoint."""
    path: str
    tags: tuple[tuple[str, str], ...]
    model: Optional[str] = None
    """Model that responded. None before the response."""
    usd: Optional[Decimal] = None
    """Cost of the call. None before the response, or if unknown."""
    asked: Optional[str] = None
    """Model that the request names. None if unknown."""


class Notice(NamedTuple):
    """A fraction of a budget has been reached."""

    budget: Budget
    spent: Decimal
    fraction: float


class Account:
    """The sums of one budget, and the decision to refuse a call.

    Args:
        budget: The budget.
        now: The current time.
        shared: True if other processes add to the spending. With a file of the budget's own they always do.
    """

    def __init__(self, budget: Budget, now: datetime, *, shared: bool = False) -> None:
        self.budget: Final = budget
        self.name: Final = budget.name or ""
        self.shared: Final = shared or budget.file is not None
        self.spent = ZERO
        """Spending in this period by this process, and by those that share its file when it was last read."""
        self.unsaved = ZERO
        """The part of ``spent`` that is not in the file yet."""
        self.unpublished = ZERO
        """The part of ``spent`` that other processes on this machine can't see yet."""
        self.may_hide = ZERO
        """Upper limit of ``unpublished`` while calls begin without a look at what the others spend."""
        self.unknown_since: Optional[float] = None
        """Time since when the spending of others can't be read. None while it can."""
        self._seen = ZERO
        """Spending in this period by all processes of this machine, when last seen."""
        self._left: dict[str, tuple[Decimal, Decimal]] = {}
        """Spent and unsaved amounts of earlier periods, by label."""
        self._stored: dict[str, Decimal] = {}
        """Amounts in the file when last read, by period. They never shrink."""
        self._limit = budget.limit
        self._terms = Terms(budget.limit, budget.on_exceed, budget.timezone)
        self._amounts = tuple(
            (fraction, EXACT.multiply(Decimal(repr(fraction)), budget.limit)) for fraction in budget.fractions
        )
        self._zone = load_zone(budget.timezone)
        self._tags = frozenset(budget.tags.items())
        self._noticed = ZERO
        """Amount up to which fractions have been reported."""
        self._responding: set[str] = set()
        """Targets that have responded as the budget's model."""
        self._named: set[str] = set()
        """Those of them that a file may name, because their provider has a rule."""
        self._unpriced: set[str] = set()
        """Targets whose calls had no price."""
        self._matching: dict[Optional[str], bool] = {}
        """For models of responses: True if the budget is for them."""
        self._noted: Optional[tuple[str, str, Optional[str]]] = None
        """Target, path and model asked of the latest call that is in ``_responding``."""
        self.period: Period = period_at(budget.per, self._zone, now)

    def current(self, now: datetime) -> bool:
        """Return True if ``now`` is in the current period."""
        start, end = self.period
        return start is None or end is None or start <= now < end

    def roll(self, now: datetime) -> None:
        """Switch to the period that ``now`` is in. An earlier period continues with its own sums.

        If the clock was put back to an unknown period, the spending is carried over.
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
        """Return the amounts that are not in the file yet, by period."""
        found = {label: unsaved for label, (_, unsaved) in self._left.items() if unsaved}
        if self.unsaved:
            found[self.period.label] = self.unsaved
        return found

    @property
    def known(self) -> Decimal:
        """Spending in this period that this process can see."""
        return max(self.spent, self._seen)

    def room(self, *, published: bool) -> Optional[Decimal]:
        """Return US dollars that this process may spend before the limit must be looked at, or None.

        Args:
            published: True if other processes see the spending as calls begin. Then it is at most what may be
                hidden from them.
        """
        spent = max(self.spent, self._seen)
        if spent >= self._limit or self.budget.unpriced == "refuse" or self.unknown_since is not None:
            return None
        left = EXACT.subtract(self._limit, spent)
        return min(left, EXACT.subtract(self.may_hide, self.unpublished)) if published else left

    def hide(self, part: Decimal) -> None:
        """Limit what this process spends without publishing it to this part of what is left now."""
        self.may_hide = EXACT.multiply(EXACT.subtract(self._limit, self.known), part)

    @property
    def refusing(self) -> bool:
        """False while no call can be refused."""
        if self.budget.on_exceed != "raise":
            return False
        return self.known >= self._limit or self.budget.unpriced == "refuse"

    def refusal(self, call: BudgetedCall, *, unknown: bool = False) -> Optional[RecostBudgetExceededError]:
        """Return the error that refuses a call, or None if it is allowed.

        Args:
            call: The call.
            unknown: True if the spending of others could not be read for too long.
        """
        if not self._covers(call) or not self._may_match_model(call):
            return None
        if unknown or self.known >= self._limit:
            # A host that no rule knows costs nothing that would count here.
            free = call.provider == _NO_RULE and self.budget.unpriced == "ignore"
            return None if free else self._error(unknown=self.known < self._limit)
        if self.budget.unpriced == "refuse" and (call.provider == _NO_RULE or call.target in self._unpriced):
            return self._error(unpriced=True)
        return None

    def add(self, call: BudgetedCall, times: int = 1) -> list[Notice]:
        """Count a call that has ended, and return the fractions that are reached.

        For a shared account `saved` returns them.

        Args:
            call: The call.
            times: Number of calls that are equal to it.
        """
        if (self.budget.provider is not None or self._tags) and not self._covers(call):
            return []
        if self.budget.model is not None:
            matches = self._matching.get(call.model)
            if not (self._matches_model(call.model) if matches is None else matches):
                return []
            if self._noted != (call.target, call.path, call.asked):
                self._note_target(call)
        usd = call.usd
        if usd is None:
            if self.budget.unpriced == "refuse":
                _note(self._unpriced, call.target)
            usd = self.budget.unpriced if isinstance(self.budget.unpriced, Decimal) else ZERO
        if times != 1:
            usd = EXACT.multiply(usd, times)
        self.spent = EXACT.add(self.spent, usd)
        self.unsaved = EXACT.add(self.unsaved, usd)
        self.unpublished = EXACT.add(self.unpublished, usd)
        return [] if self.shared or self.budget.callback is None else self._reached(ZERO, self.spent)

    def _matches_model(self, model: Optional[str]) -> bool:
        found = self._matching.get(model)
        if found is None:
            if len(self._matching) >= _MAX_TARGETS:
                self._matching.clear()
            found = self._matching[model] = self.budget.matches_model(model)
        return found

    def _note_target(self, call: BudgetedCall) -> None:
        """Note that a target has responded as the budget's model."""
        for key in dict.fromkeys((_key(call), _key(call._replace(asked=None)))):
            _note(self._responding, key)
            if call.provider != _NO_RULE:  # without a rule the target has a host, which no file may name
                _note(self._named, key)
        self._noted = call.target, call.path, call.asked

    def restore(self, entry: Entry) -> None:
        """Start from the spending in a file, of this period and of others."""
        if entry.per != self.budget.per:
            return
        label, sums = self.period.label, entry.sums()
        start = self.period.start
        if label not in sums and start is not None and _is_near(start, entry.period):
            sums[label] = entry.spent  # the clock was put back since
        self._stored.update(sums)
        self.spent = self._noticed = sums.pop(label, ZERO)
        self._left.update({other: (spent, ZERO) for other, spent in sums.items()})
        self._responding.update(entry.targets)
        self._named.update(entry.targets)

    def entry(self, stored: Optional[Entry]) -> Entry:
        """Return the entry that replaces the stored one."""
        if stored is None or stored.per != self.budget.per:
            stored = Entry(self.budget.per, self.period.label, ZERO)
        sums = stored.sums()
        for label, (_, unsaved) in {**self._left, self.period.label: (self.spent, self.unsaved)}.items():
            had = max(sums.get(label, ZERO), self._stored.get(label, ZERO))
            sums[label] = EXACT.add(had, unsaved)
        latest, *others = sorted(sums, reverse=True)[:_KEPT]
        targets = sorted(self._named.union(stored.targets))[:_MAX_TARGETS]
        earlier = tuple((label, sums[label]) for label in others)
        return Entry(self.budget.per, latest, sums[latest], tuple(targets), earlier, self._terms)

    def saved(self, before: Optional[Entry], after: Entry, written: dict[str, Decimal]) -> list[Notice]:
        """Record that the file was written, and return the fractions that this process's part reaches.

        Args:
            before: Entry of the file before.
            after: Entry of the file now.
            written: Result of `pending` when ``after`` was made.
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
        self._responding.update(after.targets)
        if label not in sums:
            return []
        self.spent = EXACT.add(sums[label], self.unsaved)
        since = ZERO
        if before is not None and before.per == after.per:
            since = before.sums().get(label, ZERO)
        return self._reached(since, sums[label])

    def seen(self, spent: Decimal) -> None:
        """Record the spending of all processes of this machine, including this one."""
        self._seen = spent

    def published(self) -> None:
        """Record that all processes can see the spending of this one."""
        self.unpublished = ZERO

    def not_saved(self) -> list[Notice]:
        """Return the fractions reached by this process alone, because the file can't be written."""
        return self._reached(ZERO, self.spent)

    def after_fork_in_child(self) -> None:
        """Leave unsaved amounts to the parent process."""
        self.unsaved = self.unpublished = ZERO
        self._left = {label: (spent, ZERO) for label, (spent, _) in self._left.items()}

    def _covers(self, call: BudgetedCall) -> bool:
        provider = self.budget.provider
        return (provider is None or call.provider == provider) and self._tags.issubset(call.tags)

    def _may_match_model(self, call: BudgetedCall) -> bool:
        """Return True if the request names the budget's model, or its target has responded as that model."""
        if self.budget.model is None:
            return True
        named = model_in_path(call.path) or call.asked
        if named is not None and self.budget.matches_model(named):
            return True
        return _key(call) in self._responding

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
    """Return True if a period begins after ``now``, but by no more than `_NEAR`."""
    return now < datetime.fromisoformat(label) <= now + _NEAR


def _key(call: BudgetedCall) -> str:
    """Return the target of a call with the deployment or model that it names."""
    named = model_in_path(call.path) or call.asked
    return call.target if named is None else f"{call.target} {named}"


def _note(targets: set[str], target: str) -> None:
    if len(targets) < _MAX_TARGETS:
        targets.add(target)
