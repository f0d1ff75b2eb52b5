"""Budgets are checked when they are made."""

from __future__ import annotations

import pickle
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import recost
from recost import Budget, RecostBudgetExceededError


def tell(budget: Budget, spent: Decimal, fraction: float) -> None:
    pass


def test_what_is_left_out() -> None:
    budget = Budget(50, callback=tell)
    assert budget.limit_usd == Decimal(50)
    assert isinstance(budget.limit_usd, Decimal)
    assert (budget.per, budget.on_exceed, budget.fractions) == ("day", "callback", (0.5, 0.8, 1.0))
    assert (budget.timezone, budget.unpriced, budget.file) == ("UTC", "ignore", None)
    assert hash(budget) == hash(Budget(50, callback=tell))


@pytest.mark.parametrize(
    ("given", "settled"), [(0.1, "0.1"), ("2.50", "2.50"), (Decimal("1e-6"), "0.000001"), (7, "7")]
)
def test_an_amount_is_the_number_that_was_written(given: Any, settled: str) -> None:
    assert Budget(given, on_exceed="raise").limit == Decimal(settled)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"limit_usd": 0}, "Budget.limit_usd: got 0, expected an amount of US dollars above 0"),
        ({"limit_usd": -1}, "Budget.limit_usd: got -1"),
        ({"limit_usd": True}, "Budget.limit_usd: got True"),
        ({"limit_usd": "fifty"}, "Budget.limit_usd: got 'fifty'"),
        ({"limit_usd": float("nan")}, "Budget.limit_usd: got nan"),
        ({"limit_usd": float("inf")}, "Budget.limit_usd: got inf"),
        ({"limit_usd": None}, "Budget.limit_usd: got None"),
        ({"per": "year"}, "Budget.per: got 'year', expected one of hour, day, week, month, total"),
        ({"name": " "}, "Budget.name: got ' '"),
        ({"provider": 5}, "Budget.provider: got 5"),
        ({"model": "m" * 201}, "Budget.model: got 'mmm"),
        ({"tags": "tenant"}, "Budget.tags: got 'tenant'"),
        ({"tags": {"tenant": ""}}, "Budget.tags: got ''"),
        ({"on_exceed": "stop"}, "Budget.on_exceed: got 'stop', expected 'callback' or 'raise'"),
        (
            {"callback": None},
            "Budget.callback: got None, expected a function, because",
        ),
        ({"callback": "print"}, "Budget.callback: got 'print'"),
        ({"fractions": 0.5}, "Budget.fractions: got 0.5"),
        ({"fractions": (0.5, 0)}, "Budget.fractions: got 0,"),
        (
            {"timezone": "Mars/Olympus"},
            "Budget.timezone: got 'Mars/Olympus', expected the name of a",
        ),
        ({"timezone": []}, "Budget.timezone: got []"),
        ({"unpriced": "guess"}, "Budget.unpriced: got 'guess', expected 'ignore', 'refuse', or an amount"),
        ({"unpriced": "refuse"}, "Budget.unpriced: got 'refuse', expected 'ignore' or an amount, unless"),
        ({"file": ""}, "Budget.file: got ''"),
    ],
)
def test_what_is_not_valid(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="recost: ") as caught:
        Budget(**{"limit_usd": 1, "callback": tell, **options})
    assert message in str(caught.value)


def test_a_zone_where_the_system_knows_none(monkeypatch: pytest.MonkeyPatch) -> None:
    import zoneinfo

    from recost.budgets.calendar import load_zone

    load_zone.cache_clear()
    monkeypatch.setattr(zoneinfo, "TZPATH", ())
    monkeypatch.setattr(zoneinfo, "ZoneInfo", _no_zone)
    monkeypatch.setattr(zoneinfo, "available_timezones", set)
    with pytest.raises(ValueError, match="pip install tzdata"):
        Budget(1, on_exceed="raise", timezone="Europe/Berlin")
    assert Budget(1, on_exceed="raise", timezone="UTC").timezone == "UTC"


def _no_zone(name: str) -> None:
    import zoneinfo

    raise zoneinfo.ZoneInfoNotFoundError(name)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({}, "per day"),
        ({"per": "total"}, "in total"),
        ({"provider": "openai", "model": "gpt-4o", "per": "month"}, "openai gpt-4o per month"),
        ({"tags": {"tenant": "acme"}, "timezone": "Europe/Berlin"}, "tenant=acme per day (Europe/Berlin)"),
        ({"name": "mine"}, "mine"),
    ],
)
def test_the_name(options: dict[str, Any], name: str) -> None:
    assert Budget(1, on_exceed="raise", **options).name == name


def test_the_limit_is_not_in_the_name_so_that_raising_it_forgets_nothing() -> None:
    assert Budget(1, on_exceed="raise").name == Budget(2, on_exceed="raise").name


@pytest.mark.parametrize(
    ("model", "answered", "same"),
    [
        ("gpt-4o", "gpt-4o", True),
        ("gpt-4o", "GPT-4o-2024-08-06", True),
        ("gpt-4o", "gpt-4o-mini", False),
        ("gpt-4o", "chatgpt-4o-latest", False),
        ("gpt-4", "gpt-4-0613", True),
        ("claude-3-5-sonnet", "claude-3-5-sonnet-20241022", True),
        ("claude-3-5-sonnet", "claude-3-5-sonnet@20240620", True),
        ("gemini-1.5-pro", "gemini-1.5-pro-002", True),
        ("gpt-4o*", "gpt-4o-mini", True),
        ("gpt-4o", None, False),
        (None, "anything", True),
        (None, None, True),
    ],
)
def test_the_model(model: Any, answered: Any, same: bool) -> None:
    assert Budget(1, on_exceed="raise", model=model).matches_model(answered) is same


def test_the_file_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Budget(1, on_exceed="raise", file=Path("b.json")).file == str(tmp_path / "b.json")
    assert Budget(1, on_exceed="raise", file="~/b.json").file == str(tmp_path / "b.json")


@pytest.mark.parametrize(
    ("budgets", "message"),
    [
        (5, "budgets: got 5, expected a list of recost.Budget"),
        ([5], "budgets: got 5, expected a list of recost.Budget"),
        (
            [Budget(1, on_exceed="raise"), Budget(2, on_exceed="raise")],
            "expected budgets with different names, and 'per day' is a duplicate: pass name=…",
        ),
        ([Budget(1, on_exceed="raise", provider="open-ai")], "did you mean 'openai'?"),
    ],
)
def test_what_init_refuses(budgets: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="recost: ") as caught:
        recost.init(budgets=budgets, local_dir=tmp_path)
    assert message in str(caught.value)


def test_the_error_says_everything_and_survives_pickling() -> None:
    resets_at = datetime(2026, 11, 22, tzinfo=timezone.utc)
    error = RecostBudgetExceededError("llm", Decimal("1E-7"), Decimal(1), resets_at)
    again = pickle.loads(pickle.dumps(error))
    for each in (error, again):
        assert (each.budget, each.spent_usd, each.limit_usd) == ("llm", Decimal("1E-7"), Decimal(1))
        assert (each.resets_at, each.unpriced) == (resets_at, False)
        assert str(each) == (
            "recost: the budget 'llm' is used up ($0.0000001 of $1 spent; "
            "it resets at 2026-11-22T00:00:00+00:00), so the call was not made"
        )
    unpriced = RecostBudgetExceededError("llm", Decimal(0), Decimal(1), unpriced=True)
    assert "refuses calls whose price isn't known" in str(pickle.loads(pickle.dumps(unpriced)))
