"""Counting, refusing and telling, with a clock that the test turns."""

from __future__ import annotations

import json
import os
import pickle
import threading
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, Optional

import pytest

from recost import Budget, Cost, ProviderDef, ProviderRegistry, RecostBudgetExceededError, _files
from recost.budgets.enforcer import BudgetEnforcer
from recost.interceptors.context import CostScope
from recost.interceptors.exchange import Exchange
from recost.pricing.route import Routes
from tests.exchanges import begun

RULES = [
    ProviderDef("acme.test", "acme", endpoint_category="chat"),
    ProviderDef("acme.test", "acme", path_prefix="/free", endpoint_category="free"),
]
REGISTRY = ProviderRegistry([RULES[1], RULES[0]])


class Bench:
    """An enforcer, and calls that the test lets begin and end."""

    def __init__(
        self,
        *budgets: Budget,
        at: str = "2026-11-21T12:00",
        local_file: Optional[str] = None,
        live_folder: Optional[Path] = None,
    ) -> None:
        self.elapsed_s = 0.0
        self.told: list[tuple[Any, ...]] = []
        self.errors: list[BaseException] = []
        self.recorded: list[Exchange] = []
        self.now(at)
        self.enforcer = BudgetEnforcer(
            budgets,
            registry=REGISTRY,
            report=self.errors.append,
            call=lambda function, *arguments: function(*arguments),
            local_file=local_file,
            live_folder=None if live_folder is None else str(live_folder),
            clock=lambda: self._now,
            monotonic=lambda: self.elapsed_s,
        )
        self.sink = self.enforcer.bind(self._cost_of, self.recorded.append, Routes(REGISTRY))

    def now(self, text: str) -> None:
        self._now = datetime.fromisoformat(text).replace(tzinfo=timezone.utc)

    def begin(self, path: str = "/chat", host: str = "acme.test", **tags: str) -> Exchange:
        exchange = begun(self.sink, "test", ("https", host, 443, path, "POST"))
        exchange.scope = CostScope(tuple(sorted(tags.items())))
        self.enforcer.gate(exchange)
        return exchange

    def call(self, usd: Any = "0.1", *, model: Optional[str] = None, **where: str) -> None:
        self.end(self.begin(**where), usd, model=model)

    def end(self, exchange: Exchange, usd: Any = "0.1", *, model: Optional[str] = None) -> None:
        known = None if usd is None else Decimal(usd)
        exchange.costs = {self: Cost(known, "computed", self._provider(exchange), model)}
        exchange.finish()

    def calls_until_refused(self, usd: Any = "0.1", **where: Any) -> tuple[int, RecostBudgetExceededError]:
        for number in range(1000):
            try:
                self.call(usd, **where)
            except RecostBudgetExceededError as error:  # noqa: PERF203
                return number, error
        raise AssertionError("never refused")

    def _provider(self, exchange: Exchange) -> str:
        match = REGISTRY.lookup(exchange.host, exchange.path)
        return "unknown" if match is None else match.provider

    def _cost_of(self, exchange: Exchange) -> Optional[Cost]:
        if exchange.host == "excluded.test":
            return None
        if exchange.costs is not None:
            return exchange.costs[self]  # type: ignore[no-any-return]
        return Cost(None, "unknown", self._provider(exchange), complete=False)


def raising(limit: Any = 1, **options: Any) -> Budget:
    return Budget(limit, on_exceed="raise", **options)


def telling(told: list[Any], limit: Any = 1, **options: Any) -> Budget:
    return Budget(limit, callback=lambda budget, spent, fraction: told.append((spent, fraction)), **options)


def test_the_cut_off_is_exact() -> None:
    bench = Bench(raising())
    number, error = bench.calls_until_refused()
    assert number == 10
    assert (error.spent_usd, error.limit_usd) == (Decimal("1.0"), Decimal(1))
    assert error.resets_at == datetime(2026, 11, 22, tzinfo=timezone.utc)
    assert len(bench.recorded) == 10
    assert bench.errors == []


def test_what_is_under_way_is_let_through_and_counted() -> None:
    bench = Bench(raising())
    under_way = [bench.begin() for _ in range(12)]
    for exchange in under_way:
        bench.end(exchange)
    number, error = bench.calls_until_refused()
    assert (number, error.spent_usd) == (0, Decimal("1.2"))


@pytest.mark.parametrize(
    ("zone", "before", "after", "resets_at"),
    [
        ("Europe/Berlin", "2026-03-29T21:59:59", "2026-03-29T22:00", "2026-03-30T00:00:00+02:00"),
        ("Europe/Berlin", "2026-10-25T22:59:59", "2026-10-25T23:00", "2026-10-26T00:00:00+01:00"),
        ("America/New_York", "2026-03-09T03:59:59", "2026-03-09T04:00", "2026-03-09T00:00:00-04:00"),
        ("America/New_York", "2026-11-02T04:59:59", "2026-11-02T05:00", "2026-11-02T00:00:00-05:00"),
    ],
)
def test_a_day_ends_at_the_zones_midnight_when_the_clocks_change(
    zone: str, before: str, after: str, resets_at: str
) -> None:
    bench = Bench(raising(timezone=zone), at=before)
    number, error = bench.calls_until_refused()
    assert number == 10
    assert error.resets_at is not None
    assert error.resets_at.isoformat() == resets_at
    bench.now(after)
    assert bench.calls_until_refused()[0] == 10


def test_a_month_ends_with_its_last_day() -> None:
    bench = Bench(raising(per="month"), at="2026-11-21T12:00")
    assert bench.calls_until_refused()[0] == 10
    bench.now("2026-11-30T23:59:59")
    assert bench.calls_until_refused()[0] == 0
    bench.now("2026-12-01T00:00")
    number, error = bench.calls_until_refused()
    assert number == 10
    assert error.resets_at == datetime(2027, 1, 1, tzinfo=timezone.utc)


def test_a_total_never_resets() -> None:
    bench = Bench(raising(per="total"))
    assert bench.calls_until_refused()[0] == 10
    bench.now("2036-11-21T12:00")
    number, error = bench.calls_until_refused()
    assert (number, error.resets_at) == (0, None)


def test_a_clock_that_is_put_back_resets_nothing() -> None:
    bench = Bench(raising(), at="2026-11-22T00:00:01")
    assert bench.calls_until_refused()[0] == 10
    bench.now("2026-11-21T23:59:59")
    assert bench.calls_until_refused()[0] == 0
    bench.now("2026-11-22T00:00:02")
    assert bench.calls_until_refused()[0] == 0


@pytest.mark.parametrize("per", ["hour", "day", "week", "month"])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("restarted", [False, True])
def test_no_period_has_more_than_its_limit_however_the_clock_is_put(
    per: Any, shared: bool, restarted: bool, tmp_path: Path
) -> None:
    file = str(tmp_path / "b.json")
    budget = raising(per=per, file=file if shared else None)

    def started(at: str) -> Bench:
        return Bench(budget, at=at, local_file=None if shared else file)

    counts = []
    bench = started("2026-11-30T23:59:50")
    for at in (
        "2026-11-30T23:59:51", "2026-12-01T00:00:01", "2026-11-30T23:59:59", "2026-12-01T00:00:02",
        "2026-11-29T23:00", "2026-11-30T23:59:58", "2026-12-01T00:00:05", "2026-11-30T22:30",
        "2026-12-01T00:01",
    ):  # fmt: skip
        if restarted:
            bench.enforcer.turn(everything=True)
            bench = started(at)
        bench.now(at)
        counts.append(bench.calls_until_refused()[0])
        bench.enforcer.turn(everything=True)
        bench.elapsed_s += 2
    assert counts[0] == 10
    # A week from Monday to Monday holds both sides of midnight: the 30th of November 2026 is a Monday.
    assert counts[1] == (0 if per == "week" else 10)
    assert sum(counts[2:]) == 0
    assert not bench.errors


def test_a_clock_that_was_years_ahead_blocks_nothing_when_it_is_right_again() -> None:
    bench = Bench(raising(), at="2026-11-21T12:00")
    bench.call("0.4")
    bench.enforcer.charge()
    bench.now("2099-01-01T00:00")
    assert bench.calls_until_refused()[0] == 10
    bench.now("2026-11-21T12:01")
    assert bench.calls_until_refused()[0] == 6
    bench.now("2026-11-22T00:00")
    assert bench.calls_until_refused()[0] == 10


def test_what_was_spent_before_the_clock_was_put_is_saved_under_its_day(tmp_path: Path) -> None:
    budget = raising(file=tmp_path / "b.json")
    bench = Bench(budget, at="2026-11-21T23:59")
    bench.call("0.3")
    bench.enforcer.charge()
    bench.now("2026-11-22T00:01")
    bench.call("0.5")
    bench.enforcer.turn(everything=True)
    other = Bench(budget, at="2026-11-21T23:59")
    assert other.calls_until_refused()[0] == 7
    other = Bench(budget, at="2026-11-22T00:02")
    assert other.calls_until_refused()[0] == 5


def test_the_sums_that_are_kept_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    bench = Bench(raising(limit=1000, per="hour", file=path), at="2026-11-21T00:00")
    for day in range(1, 29):
        for hour in (3, 1, 2, 5, 4):
            bench.now(f"2026-11-{day:02}T{hour:02}:00")
            bench.call()
    bench.enforcer.turn(everything=True)
    account = bench.enforcer._accounts[0]
    assert max(len(account._left), len(account._stored)) <= 9
    assert len(json.loads(path.read_text())["budgets"][account.name]["earlier"]) == 7


def test_each_fraction_is_told_once_in_a_period() -> None:
    told: list[Any] = []
    bench = Bench(telling(told))
    for _ in range(12):
        bench.call()
        bench.enforcer.turn()
    assert told == [(Decimal("0.5"), 0.5), (Decimal("0.8"), 0.8), (Decimal("1.0"), 1.0)]
    bench.now("2026-11-22T00:00")
    bench.call("0.9")
    bench.enforcer.turn()
    assert told[3:] == [(Decimal("0.9"), 0.5), (Decimal("0.9"), 0.8)]


def test_a_callback_that_fails_is_reported_and_the_next_one_called() -> None:
    told: list[Any] = []
    failing = Budget(1, name="failing", callback=lambda *notice: 1 / 0)
    bench = Bench(failing, telling(told))
    bench.call(1)
    bench.enforcer.turn()
    assert [fraction for _, fraction in told] == [0.5, 0.8, 1.0]
    assert [type(error) for error in bench.errors] == [ZeroDivisionError] * 3


def test_a_callback_alone_refuses_nothing() -> None:
    bench = Bench(telling([]))
    for _ in range(30):
        bench.call()
    assert len(bench.recorded) == 30


def test_calls_wait_for_the_thread_in_bounded_number() -> None:
    bench = Bench(telling([]))
    for _ in range(5000):
        bench.call()
    assert len(bench.enforcer._pending) <= 1001


def test_provider_and_tags() -> None:
    bench = Bench(raising(provider="acme", tags={"tenant": "a"}))
    for _ in range(20):
        bench.call(tenant="b")
        bench.call(host="api.stripe.com", path="/v1/charges", tenant="a")
    assert bench.calls_until_refused(tenant="a", feature="search")[0] == 10
    bench.call(tenant="b")
    bench.call()


def test_excluded_calls_are_neither_counted_nor_refused() -> None:
    bench = Bench(raising())
    for _ in range(20):
        bench.call(host="excluded.test")
    assert bench.calls_until_refused()[0] == 10
    bench.call(host="excluded.test")


def test_hosts_that_no_rule_knows_are_not_refused_where_they_do_not_count() -> None:
    bench = Bench(raising())
    assert bench.calls_until_refused()[0] == 10
    bench.call(None, host="127.0.0.1")


def test_unpriced_calls_may_count_as_an_amount() -> None:
    bench = Bench(raising(unpriced="0.25"))
    assert bench.calls_until_refused(None)[0] == 4
    with pytest.raises(RecostBudgetExceededError):
        bench.call(host="127.0.0.1")


def test_unpriced_calls_may_be_refused_where_that_is_known() -> None:
    bench = Bench(raising(unpriced="refuse"))
    with pytest.raises(RecostBudgetExceededError, match="price isn't known") as caught:
        bench.call(host="127.0.0.1")
    assert caught.value.unpriced
    bench.call(None)
    with pytest.raises(RecostBudgetExceededError, match="price isn't known"):
        bench.call()
    bench.call(path="/free")  # another endpoint
    bench.now("2026-11-22T00:00")
    bench.call()


def test_a_model_is_refused_where_it_has_answered() -> None:
    bench = Bench(raising(model="big"))
    for _ in range(20):
        bench.call(model="small")
    assert bench.calls_until_refused(model="big-20261101")[0] == 10
    bench.call(path="/free")  # where it never answered


def test_a_model_that_the_path_names_is_known_before() -> None:
    bench = Bench(raising(model="big"))
    assert bench.calls_until_refused(path="/models/big:generate", model="big")[0] == 10
    bench.call(path="/models/small:generate", model="small")
    with pytest.raises(RecostBudgetExceededError):
        bench.call(path="/models/big-001:stream")


def test_a_deployment_whose_name_is_not_its_models() -> None:
    bench = Bench(raising(model="big"))
    assert bench.calls_until_refused(path="/openai/deployments/mine/chat", model="big")[0] == 10
    bench.call(path="/openai/deployments/other/chat", model="small")


def test_what_goes_wrong_inside_lets_the_call_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(raising())
    bench.call(5)
    monkeypatch.setattr(bench.enforcer, "_cost_of", lambda exchange: 1 / 0)
    bench.call()
    assert {type(error) for error in bench.errors} == {ZeroDivisionError}
    assert len(bench.recorded) == 2


def test_a_call_made_while_the_same_thread_prices_another_is_let_through() -> None:
    """A finaliser may make a call at any moment."""
    bench = Bench(raising())
    cost_of = bench.enforcer._cost_of
    nested: list[int] = []

    def pricing(exchange: Exchange) -> Optional[Cost]:
        if exchange.finished and not nested:
            nested.append(1)
            bench.call(None, host="127.0.0.1")
        return cost_of(exchange)

    bench.enforcer._cost_of = pricing
    for exchange in [bench.begin() for _ in range(3)]:
        bench.end(exchange)
    assert bench.calls_until_refused()[0] == 7
    assert nested == [1]
    assert bench.errors == []


def test_what_was_spent_is_there_after_a_restart(tmp_path: Path) -> None:
    file = str(tmp_path / "p.budgets.json")
    told: list[Any] = []

    def budgets() -> list[Budget]:
        return [raising(), telling(told, name="tell"), raising(per="hour", provider="acme")]

    bench = Bench(*budgets(), local_file=file)
    for _ in range(6):
        bench.call()
    bench.enforcer.turn(everything=True)
    assert [fraction for _, fraction in told] == [0.5]
    bench = Bench(*budgets(), local_file=file)
    assert bench.calls_until_refused()[0] == 4
    bench.enforcer.turn(everything=True)
    assert [fraction for _, fraction in told] == [0.5, 0.8, 1.0]
    assert Bench(*budgets(), local_file=file).calls_until_refused()[0] == 0
    assert Bench(*budgets(), local_file=file, at="2026-11-22T00:00").calls_until_refused()[0] == 10


def test_a_restart_keeps_where_a_model_answers(tmp_path: Path) -> None:
    file = str(tmp_path / "p.budgets.json")
    bench = Bench(raising(model="big"), local_file=file)
    assert bench.calls_until_refused(model="big")[0] == 10
    bench.enforcer.turn(everything=True)
    assert Bench(raising(model="big"), local_file=file).calls_until_refused(model="big")[0] == 0


def test_processes_with_the_same_local_file_spend_together(tmp_path: Path) -> None:
    file = str(tmp_path / "p.budgets.json")
    first, second = (Bench(raising(), local_file=file, live_folder=tmp_path) for _ in range(2))
    for _ in range(6):
        first.call()
    for _ in range(3):
        second.call()
    first.enforcer.turn(everything=True)
    second.enforcer.turn(everything=True)
    assert second.calls_until_refused()[0] == 1
    assert first.calls_until_refused()[0] == 0
    third = Bench(raising(), local_file=file, live_folder=tmp_path)
    assert third.calls_until_refused()[0] == 0


def test_processes_that_share_a_file_spend_together(tmp_path: Path) -> None:
    told: list[Any] = []
    file = tmp_path / "shared.json"

    def budgets() -> list[Budget]:
        return [raising(file=file), telling(told, name="tell", file=file)]

    first, second = Bench(*budgets()), Bench(*budgets())
    for bench in (first, second, first):
        for _ in range(3):
            bench.call()
        bench.enforcer.turn(everything=True)
    assert told == [(Decimal("0.6"), 0.5), (Decimal("0.9"), 0.8)]
    second.enforcer._files._files[0].next_s = 0.0  # a second later
    second.enforcer.turn()
    assert second.calls_until_refused()[0] == 1
    second.enforcer.turn(everything=True)
    assert [fraction for _, fraction in told] == [0.5, 0.8, 1.0]
    first.enforcer._files._files[0].next_s = 0.0
    first.enforcer.turn()
    assert first.calls_until_refused()[0] == 0
    assert len(told) == 3


def test_a_shared_file_that_cannot_be_used_is_reported_once_and_the_process_counts_alone(
    tmp_path: Path,
) -> None:
    file = tmp_path / "notes.json"
    file.write_text('{"my": "notes"}')
    told: list[Any] = []
    bench = Bench(raising(file=file), telling(told, name="tell", file=file))
    for _ in range(3):
        bench.call("0.2")
        bench.enforcer.turn(everything=True)
    assert [str(error) for error in bench.errors] == [
        f"recost: cannot use {file}, where budgets are kept: it has another format, and is left as it is"
    ]
    assert file.read_text() == '{"my": "notes"}'
    assert [fraction for _, fraction in told] == [0.5]
    assert bench.calls_until_refused()[0] == 4


def damage(file: Path) -> Any:
    file.write_text("{")
    return None


def hold(file: Path) -> Any:
    held = os.open(f"{file}.lock", os.O_RDWR)
    assert _files.acquire(held)
    return held


@pytest.mark.parametrize("harm", [damage, hold])
def test_a_shared_file_that_cannot_be_used_for_5_s_refuses(harm: Any, tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    bench = Bench(raising(limit=100, file=file), telling([], name="tell", file=file))
    bench.call()
    bench.enforcer.turn(everything=True)
    held = harm(file)
    for _ in range(6):
        bench.elapsed_s += 1
        bench.call()
        bench.enforcer.save(everything=False, timeout_s=0)
    for _ in range(8):
        bench.elapsed_s += 1
        with pytest.raises(RecostBudgetExceededError, match="can't be checked") as caught:
            bench.call()
        assert pickle.loads(pickle.dumps(caught.value)).unknown
        bench.enforcer.save(everything=False, timeout_s=0)
    assert 4 <= len(bench.errors) <= 14  # each attempt that failed
    if held is None:
        file.unlink()
    else:
        _files.release(held)
        os.close(held)
    bench.elapsed_s += 5
    bench.enforcer.turn(everything=True)
    bench.call()
    bench.enforcer.turn(everything=True)
    assert json.loads(file.read_text())["budgets"]["per day"]["spent_usd"] == "0.8"


def test_one_error_each_second_at_most_and_later_each_half_minute(tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    bench = Bench(raising(file=file))
    damage(file)
    for _ in range(6000):
        bench.elapsed_s += 0.1
        bench.enforcer.turn()
    assert 12 + 15 <= len(bench.errors) <= 60 + 20
    assert len({str(error) for error in bench.errors}) == 1


def test_a_file_that_is_lost_gives_nothing_back(tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    bench = Bench(raising(file=file))
    assert bench.calls_until_refused()[0] == 10
    bench.enforcer.turn(everything=True)
    file.unlink()
    bench.elapsed_s += 2
    bench.enforcer.turn(everything=True)
    assert bench.calls_until_refused()[0] == 0
    assert Bench(raising(file=file)).calls_until_refused()[0] == 0


def test_the_file_names_no_host(tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    budget = raising(limit=100, model="m", file=file)
    bench = Bench(budget)
    bench.call(model="m")
    bench.call(model="m", host="secret.internal.example", path="/v1/x")
    bench.enforcer.turn(everything=True)
    assert "secret" not in file.read_text()
    assert json.loads(file.read_text())["budgets"][budget.name]["endpoints"] == ["acme chat"]
    assert bench.enforcer._accounts[0]._responding == {"acme chat", "secret.internal.example /v1/x"}


def test_hosts_that_an_earlier_version_has_noted_go(tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    old = {"per": "day", "period": "2026-11-21T00:00:00+00:00", "spent_usd": "1"}
    old["targets"] = ["acme chat", "secret.internal.example /v1/x", "ollama /api/chat"]  # type: ignore[assignment]
    file.write_text(json.dumps({"format": "recost budgets 1", "budgets": {"m": old}}))
    file.chmod(0o600)
    bench = Bench(raising(name="m", model="m", file=file))
    assert bench.calls_until_refused()[0] == 0
    bench.enforcer.turn(everything=True)
    bench.call(host="other.test", path="/v1/x")
    bench.elapsed_s += 2
    bench.enforcer.turn(everything=True)
    written = json.loads(file.read_text())["budgets"]["m"]
    assert (written["endpoints"], "targets" in written) == (["acme chat"], False)


def test_twenty_threads() -> None:
    bench = Bench(raising(limit=50))
    begun: list[int] = []

    def work() -> None:
        try:
            for _ in range(100):
                bench.call()
                begun.append(1)
        except RecostBudgetExceededError:
            return

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 500 <= len(begun) < 520
    with pytest.raises(RecostBudgetExceededError) as caught:
        bench.call()
    assert caught.value.spent_usd == Decimal("0.1") * len(begun)


def test_processes_of_a_project_see_each_others_calls_as_one_begins(tmp_path: Path) -> None:
    file = str(tmp_path / "budgets.json")
    first, second = (Bench(raising(), local_file=file, live_folder=tmp_path) for _ in range(2))
    for bench in (first, second) * 5:
        bench.call()
        bench.enforcer.charge()  # as its thread does
    assert [bench.calls_until_refused()[0] for bench in (first, second)] == [0, 0]
    third = Bench(raising(), local_file=file, live_folder=tmp_path)
    assert third.calls_until_refused()[0] == 0


def test_a_clock_that_is_put_back_gives_several_processes_nothing_anew(tmp_path: Path) -> None:
    file = str(tmp_path / "budgets.json")
    benches = [
        Bench(raising(), local_file=file, live_folder=tmp_path, at="2026-11-22T00:05") for _ in range(3)
    ]
    for bench in benches:
        bench.call("0.4")
        bench.enforcer.charge()
    for bench in benches:
        assert bench.calls_until_refused()[0] == 0
    for time in ("2026-11-21T23:55", "2026-11-22T00:05", "2026-11-21T23:55"):
        for bench in benches:
            bench.now(time)
            number, error = bench.calls_until_refused()
            assert (number, error.spent_usd) == (0, Decimal("1.2"))


def test_where_nothing_can_be_shown_others_are_seen_when_the_file_is_read(tmp_path: Path) -> None:
    file = str(tmp_path / "budgets.json")
    (tmp_path / "file").touch()
    first, second = (Bench(raising(), local_file=file, live_folder=tmp_path / "file") for _ in range(2))
    assert first.calls_until_refused()[0] == 10
    second.call()
    for bench in (first, second):
        bench.enforcer.save(everything=True)
        assert [str(error).endswith("a second later (reported once)") for error in bench.errors] == [True]
    number, error = second.calls_until_refused()
    assert (number, error.spent_usd) == (0, Decimal("1.1"))
