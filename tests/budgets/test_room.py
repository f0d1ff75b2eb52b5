"""Calls that begin far from a limit, without a look at it: the cut-off stays exact."""

from __future__ import annotations

import threading
from decimal import Decimal
from pathlib import Path
from typing import Any, Optional

import pytest

from recost import Budget, Cost, RecostBudgetExceededError
from recost.interceptors.exchange import Exchange
from recost.pricing.route import Route, Routes
from tests.budgets.test_enforcer import REGISTRY, Bench, raising
from tests.exchanges import begun


class Priced(Bench):
    """Calls that begin as the interceptors have them begin, to routes of fixed prices."""

    def __init__(self, *budgets: Budget, usd: Any = "0.1", **options: Any) -> None:
        super().__init__(*budgets, **options)
        self.prices: dict[str, Optional[Decimal]] = {"/chat": Decimal(usd), "/free": Decimal(0)}
        self.asked = 0
        self.start()

    def start(self) -> None:
        self.sink = self.enforcer.bind(
            self._cost_of,
            self.recorded.append,
            Routes(REGISTRY),
            highest_of=self._highest_of,
            fixed_cost_of=self._fixed_cost_of,
        )

    def begin(self, path: str = "/chat", host: str = "acme.test", **tags: str) -> Exchange:
        exchange = begun(self.sink, "test", ("https", host, 443, path, "POST"))
        if not self.enforcer.allows(exchange):
            self.asked += 1
            self.enforcer.gate(exchange)
        return exchange

    def end(self, exchange: Exchange, usd: Any = None, *, model: Optional[str] = None) -> None:
        price = self.prices[exchange.path] if usd is None or exchange.path in self.prices else Decimal(usd)
        exchange.status = 200
        exchange.costs = {self: Cost(price, "computed", self._provider(exchange), model)}
        exchange.finish()

    def _highest_of(self, route: Route) -> Optional[Decimal]:
        return self.prices.get(route.path)

    def _fixed_cost_of(self, exchange: Exchange) -> Optional[Cost]:
        return Cost(self.prices[exchange.path], "computed", self._provider(exchange))


def test_far_from_the_limit_nobody_is_asked() -> None:
    bench = Priced(raising(1000))
    for _ in range(500):
        bench.call()
    assert bench.asked == 1  # at first, nothing is known
    bench.enforcer.turn()
    assert bench.enforcer._accounts[0].spent == 50
    assert len(bench.recorded) == 500


@pytest.mark.parametrize("turns", [False, True])
def test_the_cut_off_is_exact(turns: bool) -> None:
    bench = Priced(raising(5))
    for number in range(50):
        bench.call()
        if turns and number % 7 == 0:
            bench.enforcer.turn()
    assert bench.asked < 10
    number, error = bench.calls_until_refused()
    assert (number, error.spent_usd) == (0, Decimal(5))


def test_a_dearer_route_counts_from_its_first_call() -> None:
    bench = Priced(raising(1), usd="0.001")
    for _ in range(100):
        bench.call()
    bench.prices["/dear"] = Decimal("0.45")
    bench.call(path="/dear")
    bench.call(path="/dear")
    number, error = bench.calls_until_refused()
    assert (number, error.spent_usd) == (0, Decimal(1))


def test_calls_whose_cost_depends_on_the_response_are_charged_before_the_next_one() -> None:
    bench = Priced(raising(1))
    for _ in range(4):
        bench.call("0.2", path="/read")
    assert bench.asked == 1
    assert bench.enforcer._accounts[0].spent == Decimal("0.6")
    bench.call("0.2", path="/read")
    with pytest.raises(RecostBudgetExceededError):
        bench.begin(path="/read")


def test_the_amount_of_unpriced_calls_counts() -> None:
    bench = Priced(raising(1, unpriced="0.25"), usd="0.001")
    bench.prices["/unknown"] = Decimal(0)
    fixed_cost_of = bench._fixed_cost_of

    def unpriced(exchange: Exchange) -> Optional[Cost]:
        known = fixed_cost_of(exchange)
        return Cost(None, "unknown", "acme") if exchange.path == "/unknown" else known

    bench.enforcer._fixed_cost_of = unpriced
    for _ in range(4):
        bench.call(path="/unknown")
    with pytest.raises(RecostBudgetExceededError):
        bench.call()


def test_twenty_threads() -> None:
    bench = Priced(raising(20), usd="0.01")
    made: list[int] = []

    def spend() -> None:
        try:
            while True:
                bench.call()
                made.append(1)
        except RecostBudgetExceededError:
            return

    threads = [threading.Thread(target=spend) for _ in range(20)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        bench.enforcer.turn()
    for thread in threads:
        thread.join()
    assert 2000 <= len(made) <= 2000 + 19
    assert bench.errors == []


def test_a_forked_child_knows_what_calls_cost() -> None:
    bench = Priced(raising(5))
    for _ in range(30):
        bench.call()
    bench.enforcer.charge()
    bench.enforcer._pid = 0  # as in a child
    bench.start()
    assert bench.calls_until_refused()[0] == 20


def test_the_clock_is_looked_at_once_a_second_and_when_the_period_ends() -> None:
    bench = Priced(raising(5), at="2026-11-21T23:59:59.500000")
    for _ in range(10):
        bench.call()
    assert bench.asked == 1
    bench.now("2026-11-22T00:00:00.100000")
    bench.elapsed_s += 0.6
    assert bench.calls_until_refused()[0] == 50 - 10  # those of before are charged now
    bench.elapsed_s += 1.0
    bench.now("2026-11-23T00:00")
    bench.call()


def test_processes_see_what_others_spend_before_they_can_exceed_it(tmp_path: Path) -> None:
    """Each hides at most a small part of what is left. Near the limit that is less than a call."""
    first, second = (
        Priced(raising(100), usd="1", local_file=str(tmp_path / "b.json"), live_folder=tmp_path)
        for _ in range(2)
    )
    made = []

    def spend() -> None:
        for number in range(1000):
            (first, second)[number % 2].call()
            made.append(number)

    with pytest.raises(RecostBudgetExceededError):
        spend()
    assert 100 <= len(made) <= 101  # the other's latest call is charged when its next one begins


def test_processes_that_hide_a_little_publish_it_in_time(tmp_path: Path) -> None:
    first, second = (
        Priced(raising(1000), usd="0.01", local_file=str(tmp_path / "b.json"), live_folder=tmp_path)
        for _ in range(2)
    )
    for _ in range(2000):
        first.call()
    assert first.asked < 20
    first.enforcer.charge(looking=True)
    second.call()
    assert second.enforcer._accounts[0].known == 20


def test_an_error_inside_has_the_gate_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Priced(raising(5))
    monkeypatch.setattr(bench.enforcer, "_highest_of", lambda route: 1 / 0)
    bench.call()
    assert [type(error) for error in bench.errors] == [ZeroDivisionError]
    assert bench.asked == 1
