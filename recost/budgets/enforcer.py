"""Enforcement of a process's budgets: charges ended calls, refuses new ones, notifies and saves.

A call that ends is only appended to a list, because it may end in a finaliser. It is priced when the next
call begins, if a budget may refuse that one, or else on the budgets' thread. Callbacks run and files are
written on that thread only, so neither delays a call or recost's other work.

Far from all limits, a call that begins compares a few numbers and takes no lock (`BudgetEnforcer.allows`).
Calls whose highest cost is known before they are made wait for the thread to be priced.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timezone
from decimal import Decimal
from functools import partial
from itertools import repeat, starmap
from typing import Any, Callable, Final, Optional

from recost._validate import invalid, suggest
from recost._waiting import wake_up
from recost.budgets.account import Account, BudgetedCall, Notice
from recost.budgets.files import AccountFiles
from recost.budgets.model import Budget
from recost.budgets.room import TAKEN, Room, recorder
from recost.errors import RecostBudgetExceededError
from recost.interceptors.exchange import Exchange, Sink
from recost.pricing.cost import Cost
from recost.pricing.registry import ProviderRegistry
from recost.pricing.route import UNKNOWN_PROVIDER, Route, Routes

__all__ = ["BudgetEnforcer"]

CostOf = Callable[[Exchange], Optional[Cost]]
HighestOf = Callable[[Route], Optional[Decimal]]
ModelAsked = Callable[[Exchange], Optional[str]]
Report = Callable[[BaseException], Any]

_MANY: Final = 1000
_LONGEST_WAIT_S: Final = 1.0
"""Wait for another thread that is pricing. A call that a finaliser makes meanwhile waits this long."""
_REST_S: Final = 0.05
"""Pause of the thread between turns. Calls that end meanwhile are charged together."""


class BudgetEnforcer:
    """The active budgets. Thread-safe.

    Args:
        budgets: At least one.
        registry: The active rules.
        report: Receives errors. Only `gate` raises, and only RecostBudgetExceededError.
        call: Calls a callback with its arguments, on any thread.
        local_file: Keeps the spending of budgets without their own file, for all processes that are given
            the same path. If None, each process counts alone.
        live_folder: Folder in which processes of this machine publish their spending as a call begins. If
            None, they see it when a file is next read.
        on_refusal: Called before a call is refused.
        clock: Returns the current time in UTC.
    """

    def __init__(
        self,
        budgets: Sequence[Budget],
        *,
        registry: ProviderRegistry,
        report: Report,
        call: Callable[..., Any],
        local_file: Optional[str] = None,
        live_folder: Optional[str] = None,
        on_refusal: Callable[[], Any] = lambda: None,
        clock: Callable[[], datetime] = partial(datetime.now, timezone.utc),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        _check_providers(budgets, registry)
        self._report = report
        self._on_refusal = on_refusal
        self._call_back = call
        self._clock = clock
        self._monotonic = monotonic
        now = clock()
        self._accounts = tuple(Account(budget, now, shared=local_file is not None) for budget in budgets)
        self._raising = tuple(account for account in self._accounts if account.budget.on_exceed == "raise")
        self._by_target = any(budget.model or budget.unpriced == "refuse" for budget in budgets)
        self._files = AccountFiles(
            self._accounts, local_file, live_folder, report=report, monotonic=monotonic
        )
        self._room = Room(self._raising, self._files, clock, monotonic)
        self._notices: deque[Notice] = deque()
        self._pid = os.getpid()
        self.bind(lambda exchange: None, lambda exchange: None, Routes(registry))  # noqa: ARG005
        self._files.open()

    @property
    def refuses(self) -> bool:
        """True if a budget may refuse calls."""
        return bool(self._raising)

    @property
    def refuses_models(self) -> bool:
        """True if a budget may refuse calls by the model that they request."""
        return any(account.budget.model is not None for account in self._raising)

    def bind(
        self,
        cost_of: CostOf,
        record: Sink,
        routes: Routes,
        model_asked: ModelAsked = lambda exchange: None,  # noqa: ARG005
        highest_of: HighestOf = lambda route: None,  # noqa: ARG005
        fixed_cost_of: Optional[CostOf] = None,
    ) -> Sink:
        """Start in this process, and return the sink that collects calls and passes them to ``record``.

        A forked child continues from the parent's spending. Calls that the parent had not yet charged or
        saved stay with the parent.

        Args:
            cost_of: Prices a call, or returns None for an excluded one. On any thread.
            record: Receives each call that has ended.
            routes: Resolves the targets of calls.
            model_asked: Returns the model that a request names, or None if unknown. On any thread.
            highest_of: Returns the highest cost of a call of a route in US dollars, or None if that depends
                on more than the route. On any thread.
            fixed_cost_of: Returns what ``cost_of`` returns, for a call of such a route. On any thread.
        """
        if self._pid != os.getpid():
            self._pid = os.getpid()
            for account in self._accounts:
                account.after_fork_in_child()
        self._cost_of = cost_of
        self._routes = routes
        self._model_asked = model_asked
        self._highest_of = highest_of
        self._fixed_cost_of = fixed_cost_of or cost_of
        self._lock = threading.RLock()
        self._charging = False
        self._pending: deque[Exchange] = deque()
        """Calls that have ended and are not charged. They are before the next call begins."""
        self._bounded: deque[Exchange] = deque()
        """Those that have a highest cost. They are charged by the thread, unless the room gets narrow."""
        self._room.forget()
        self._notices.clear()
        self._wake = threading.Lock()
        self._wake.acquire()  # held: nobody has called
        self._rest = threading.Event()
        self._stopping = self._pausing = self._running = False
        self._state = threading.RLock()
        self._files.bind(self._lock)
        self.allows: Callable[[Exchange], bool] = self._allowing()
        """Returns True if a call may begin, and False if `gate` must decide. Reports errors."""
        return recorder(self._pending, self._bounded, routes, self._wake, record)

    def _allowing(self) -> Callable[[Exchange], bool]:
        """Return `allows` for this process. It runs in each call, so it looks up as little as possible."""
        pending, bounded, room, routes = self._pending, self._bounded, self._room, self._routes
        if not self._raising:
            return lambda exchange: len(pending) + len(bounded) <= _MANY  # noqa: ARG005
        find, monotonic = routes.find, self._monotonic

        def allows(exchange: Exchange) -> bool:
            try:
                route = exchange.route
                if route is None:
                    target = exchange.target
                    route = exchange.route = find((target[1], target[3], target[4]))
                elif route.routes is not routes:
                    route = routes.of(exchange)
                if route.highest < 0:
                    self._find_highest(route)
                if pending:
                    self.charge(publishing=False)
                # In this order: another thread that charges calls takes the room away before it begins.
                waiting = len(bounded)
                return waiting * room.highest < room.usd and waiting < _MANY and monotonic() < room.until_s
            except Exception as error:  # noqa: BLE001 - `gate` is asked
                self._report(error)
                return False

        return allows

    def _find_highest(self, route: Route) -> None:
        """Find out what a call of a route may cost."""
        highest = self._highest_of(route)
        with self._lock:
            self._room.bound(route, highest)

    def gate(self, exchange: Exchange) -> None:
        """Allow a call to begin.

        Raises:
            RecostBudgetExceededError: A budget refuses it.
        """
        try:
            refusal = self._consider(exchange)
            if refusal is not None:
                self._on_refusal()
        except Exception as error:  # noqa: BLE001 - whatever goes wrong in here, the call is made
            self._report(error)
            return
        if refusal is not None:
            raise refusal

    def charge(
        self, timeout_s: float = _LONGEST_WAIT_S, *, looking: bool = False, publishing: bool = True
    ) -> None:
        """Charge the calls that have ended, and publish what they cost to other processes.

        Args:
            timeout_s: Longest wait for another thread that does so, in seconds.
            looking: Also read what other processes have spent.
            publishing: False: leave the publishing to the thread.
        """
        # The lock is needed even if nothing is pending: another thread may be pricing earlier calls.
        if not self._lock.acquire(timeout=timeout_s):
            return
        try:
            if not self._charging:  # else this very thread is in here, and a finaliser of its makes a call
                self._charging = True
                self._room.usd = TAKEN
                try:
                    self._add_up()
                    if publishing:
                        self._files.exchange(looking=looking)
                        if looking:
                            self._room.look()
                    self._room.measure()
                finally:
                    self._charging = False
        finally:
            self._lock.release()

    def run(self) -> None:
        """Run turns until `stop` or `pause` is called. The body of the thread."""
        while self._goes_on():
            self._wake.acquire(timeout=self._files.wait_s())
            self.turn()
            self._rest.wait(_REST_S)
        if self._stopping:
            self.turn(everything=True)

    def turn(self, *, everything: bool = False, timeout_s: float = _LONGEST_WAIT_S) -> None:
        """Charge, save and notify."""
        self.save(everything=everything, timeout_s=timeout_s)
        while self._notices:
            try:
                notice = self._notices.popleft()
            except IndexError:  # another thread notifies as well
                return
            self._notify(notice)

    def save(self, *, everything: bool = True, timeout_s: float = _LONGEST_WAIT_S) -> None:
        """Charge ended calls, and write the files that are due, or all of them."""
        try:
            self.charge(min(timeout_s, _LONGEST_WAIT_S), looking=bool(self._raising))
            self._notices.extend(self._files.save(everything=everything, timeout_s=timeout_s))
            with self._lock:
                if not self._charging:
                    self._room.measure()  # what others have spent is known now
        except Exception as error:  # noqa: BLE001 - the thread must live on
            self._report(error)
        if self._notices:
            wake_up(self._wake)

    def resume(self) -> bool:
        """Continue. Return True if the caller must start a thread that calls `run`."""
        with self._state:
            self._pausing = False
            self._rest.clear()
            idle, self._running = not self._running, True
            return idle

    def pause(self) -> None:
        """Make `run` return soon, until `resume`."""
        self._pausing = True
        self._rest.set()
        wake_up(self._wake)

    def stop(self) -> None:
        """Make `run` return soon, after saving everything."""
        self._stopping = True
        self._rest.set()
        wake_up(self._wake)

    def _consider(self, exchange: Exchange) -> Optional[RecostBudgetExceededError]:
        if not self._raising:
            if len(self._pending) + len(self._bounded) > _MANY:  # the thread is busy with callbacks
                self.charge()
            return None
        self.charge(looking=True)
        if self._files.stale():
            wake_up(self._wake)
        now = self._clock()
        refusing = [account for account in self._raising if self._refuses_at(account, now)]
        if not refusing:
            return None
        cost = self._cost_of(exchange)
        if cost is None:
            return None
        call = self._described(exchange, cost)
        errors = (account.refusal(call, unknown=self._files.unknown(account)) for account in refusing)
        return next((error for error in errors if error is not None), None)

    def _refuses_at(self, account: Account, now: datetime) -> bool:
        if not account.current(now):
            with self._lock:
                account.roll(now)
        return account.refusing or self._files.unknown(account)

    def _add_up(self) -> None:
        now = self._clock()
        for account in self._accounts:
            start, end = account.period
            if start is not None and end is not None and not start <= now < end:
                account.roll(now)
        # By number: a finaliser may add a call at any point, also while this thread is in here.
        pending, bounded = self._pending, self._bounded
        for _ in range(len(pending)):
            self._add(pending.popleft(), self._cost_of)
        if bounded:
            self._add_bounded(len(bounded))

    def _add_bounded(self, number: int) -> None:
        """Add calls whose cost depends on their target and their failure only: equal ones at once."""
        bounded = self._bounded
        equal: dict[Any, list[Any]] = {}
        try:
            for exchange in starmap(bounded.popleft, repeat((), number)):
                scope = exchange.scope
                failed = not 0 < exchange.status < 400
                key = exchange.target, failed, () if scope is None else scope.tags
                asked = self._model_asked(exchange) if self._by_target else None
                group = equal.setdefault((key, asked), [exchange, 0])
                group[1] += 1
        finally:
            for exchange, times in equal.values():
                self._add(exchange, self._fixed_cost_of, times)

    def _add(self, exchange: Exchange, cost_of: CostOf, times: int = 1) -> None:
        try:
            cost = cost_of(exchange)
            if cost is not None:
                call = self._described(exchange, cost)
                for account in self._accounts:
                    notices = account.add(call, times)
                    if notices:
                        self._notices.extend(notices)
        except Exception as error:  # noqa: BLE001 - the next call must still be charged
            self._report(error)

    def _described(self, exchange: Exchange, cost: Cost) -> BudgetedCall:
        tags = () if exchange.scope is None else exchange.scope.tags
        target, asked = "", None
        if self._by_target:
            route = exchange.route
            if route is None or route.routes is not self._routes:
                route = self._routes.of(exchange)
            name = route.provider if route.rule is not None else route.host
            target = f"{name} {route.template if route.category is None else route.category}"
            asked = None if exchange.request is None else self._model_asked(exchange)
        return BudgetedCall(cost.provider, target, exchange.target[3], tags, cost.model, cost.usd, asked)

    def _notify(self, notice: Notice) -> None:
        callback = notice.budget.callback
        try:
            if callback is not None:
                self._call_back(callback, *notice)
        except Exception as error:  # noqa: BLE001 - the callback is the user's
            self._report(error)

    def _goes_on(self) -> bool:
        with self._state:
            self._running = not (self._stopping or self._pausing)
            return self._running


def _check_providers(budgets: Sequence[Budget], registry: ProviderRegistry) -> None:
    """Reject a budget that would never apply because its provider is misspelt."""
    known = {rule.provider for rule in registry.list()} | {UNKNOWN_PROVIDER}
    for budget in budgets:
        if budget.provider is not None and budget.provider not in known:
            expected = f"the provider of a rule: {suggest(budget.provider, sorted(known))}"
            raise invalid("Budget.provider", budget.provider, expected)
