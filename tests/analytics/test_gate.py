"""A baseline holds what the answer says, to the last digit; limits are compared exactly."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost.analytics.gate import BaselineError, Limits, baseline_of, content_of, judge, parse_baseline
from recost.analytics.query import Question
from recost.analytics.report import Figures, Group, Report
from recost.cli._shared.output import exact_json
from tests.analytics.corpora import EXACT, Plain, corpora, few
from tests.analytics.test_report import answer, written

NOW = datetime(2026, 4, 1, tzinfo=timezone.utc)
amounts = st.decimals(0, 10**9, places=20, allow_nan=False)


def costing(dollars: Decimal, unpriced: int = 0) -> Report:
    total = Group((), Figures(calls=3, cost_usd=dollars, unpriced=unpriced))
    return Report(Question(by=("provider", "model")), [], None, 0, total, 0, 0)


def reread(found: Report) -> Any:
    return json.loads(exact_json(content_of(found, NOW)), parse_float=Decimal)


@few
@given(corpora)
def test_what_is_written_is_what_is_read(lines: list[bytes]) -> None:
    pytest.importorskip("duckdb")
    with written(lines) as (folder, data):
        found = answer(folder, Question(by=("provider", "model")))
    kept = parse_baseline(reread(found), "x")
    assert kept == baseline_of(found, NOW)
    assert kept.cost_usd == Plain.of(data).total().cost_usd


@given(amounts, amounts, st.decimals(0, 10, places=4))
def test_limits_are_exact(cost: Decimal, before: Decimal, share: Decimal) -> None:
    baseline = baseline_of(costing(before), NOW)
    verdicts = judge(costing(cost), Limits(before, baseline, share))
    assert [held for held, _ in verdicts] == [
        cost <= before,
        cost <= EXACT.multiply(before, EXACT.add(share, Decimal(1))),
    ]


def test_the_budget_itself_is_within_and_a_digit_more_is_over() -> None:
    five = Decimal(5)
    assert judge(costing(five), Limits(five)) == [(True, "$5.00 is within the budget of $5.00")]
    more = Decimal("5.000000000000000000000001")
    assert judge(costing(more), Limits(five)) == [(False, f"${more} is over the budget of $5")]


def test_a_baseline_of_nothing_allows_nothing() -> None:
    baseline = baseline_of(costing(Decimal(0)), NOW)
    assert not judge(costing(Decimal("0.01")), Limits(baseline=baseline, share=Decimal(9)))[0][0]
    assert judge(costing(Decimal(0)), Limits(baseline=baseline))[0][0]


def test_unpriced_calls() -> None:
    assert judge(costing(Decimal(0), 3), Limits(priced=True)) == [(False, "3 calls without a known price")]
    assert judge(costing(Decimal(0)), Limits(priced=True)) == [(True, "each call has a price")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"recost_baseline": 2}, "format 2"),
        ({"recost_baseline": None}, "is not a baseline"),
        ({"total": 7}, "is damaged"),
        ({"total": {"calls": 1, "unpriced": 0, "cost_usd": "x"}}, "is damaged"),
        ({"total": {"calls": 1, "unpriced": 0, "cost_usd": -1}}, "is damaged"),
        ({"until": "2026-01-01"}, "is damaged"),
        ({"until": 7}, "is damaged"),
        ({"groups": [{}]}, "is damaged"),
        ({"filters": []}, "is damaged"),
    ],
)
def test_what_is_no_baseline(change: dict[str, Any], words: str) -> None:
    with pytest.raises(BaselineError, match=words):
        parse_baseline({**reread(costing(Decimal(1))), **change}, "x")


def test_something_else_is_no_baseline() -> None:
    with pytest.raises(BaselineError, match="is not a baseline"):
        parse_baseline([], "x")
