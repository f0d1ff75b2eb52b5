"""Lasting shifts of the level are found, and nothing else is taken for one."""

from __future__ import annotations

import random

import pytest

from recost.analytics.forecast import since_shift
from tests.analytics.histories import WEEK, days_of


@pytest.mark.parametrize("factor", [10.0, 2.0, 0.5, 0.05])
@pytest.mark.parametrize("known", [35, 60, 120])
def test_what_was_before_a_shift_is_dropped(factor: float, known: int) -> None:
    for seed in range(10):
        chance = random.Random(seed)
        days = [
            20 * WEEK[day % 7] * (factor if day >= known - 18 else 1) * chance.lognormvariate(0, 0.1)
            for day in range(known)
        ]
        assert abs(len(since_shift(days)) - 18) <= 4


def test_of_two_shifts_the_later_one_counts() -> None:
    chance = random.Random(1)
    levels = [20.0] * 30 + [60.0] * 30 + [15.0] * 25
    found = since_shift([level * chance.lognormvariate(0, 0.1) for level in levels])
    assert len(found) == 25


def test_an_application_that_was_started_and_one_that_was_stopped() -> None:
    assert len(since_shift([0.0] * 30 + [20.0] * 20)) == 20
    assert len(since_shift([20.0] * 30 + [0.0] * 20)) == 20


@pytest.mark.parametrize(
    "days",
    [[], [0.0] * 40, [5.0] * 13, [5.0] * 40, [5.0] * 30 + [50.0] * 6, [5.0] * 20 + [50.0] * 7 + [5.0] * 20],
)
def test_what_does_not_last_is_no_shift(days: list[float]) -> None:
    assert since_shift(days) == days


@pytest.mark.parametrize("kind", ["flat", "week", "trend", "sparse", "bursty"])
def test_seasons_trends_and_bursts_are_no_shifts(kind: str) -> None:
    dropped = 0
    for seed in range(60):
        days = days_of(kind, random.Random(seed).choice([40, 60, 120]), random.Random(seed))
        dropped += len(since_shift(days)) < len(days)
    assert dropped <= 4, f"{dropped} of 60"
