"""Forecasts of series whose truth is known."""

from __future__ import annotations

import random

import pytest

from recost.analytics.forecast import LEAST_DAYS, outlook
from tests.analytics.histories import WEEK, days_of

pytest.importorskip("statsmodels")


def test_fewer_days_are_too_few() -> None:
    with pytest.raises(ValueError, match="13 days are too few"):
        outlook([1.0] * (LEAST_DAYS - 1), 5)


@pytest.mark.parametrize(("day", "expected"), [(0.0, 0.0), (3.5, 3.5 * 4.25)])
def test_days_that_are_all_alike(day: float, expected: float) -> None:
    found = outlook([day] * 20, 5, share_of_first=0.25)
    assert (found.low, found.expected, found.high) == (expected, expected, expected)


@pytest.mark.slow
def test_the_same_days_give_the_same_forecast_in_any_unit() -> None:
    days = days_of("week", 60, random.Random(1))
    one, other = outlook(days, 10), outlook(days, 10)
    assert one == other
    small = outlook([day * 1e-6 for day in days], 10)
    assert small.expected == pytest.approx(one.expected * 1e-6, rel=0.01)


def test_the_season_of_a_week_is_seen() -> None:
    days = days_of("week", 63, random.Random(2))  # nine weeks: Monday is next
    assert outlook(days, 5).expected == pytest.approx(5 * 20 * 1.01 * 1.01, rel=0.1)
    weekend = outlook(days[:-2], 2).expected
    assert weekend == pytest.approx(20 * 0.75, rel=0.25)


def test_a_new_level_is_followed() -> None:
    days = days_of("shift", 60, random.Random(3), shift_at=40)
    found = outlook(days, 7)
    assert found.low < 7 * 45 * 0.83 < found.high
    assert found.low > 1.2 * 7 * 20 * 0.83, "not the old one"


def test_only_what_is_to_come_of_the_first_day() -> None:
    days = days_of("flat", 40, random.Random(4))
    whole, half = outlook(days, 3), outlook(days, 3, share_of_first=0.5)
    assert half.expected == pytest.approx(whole.expected * 2.5 / 3, rel=0.03)
    assert outlook(days, 1, share_of_first=0.0).high <= 1.0


def test_nothing_costs_less_than_nothing() -> None:
    found = outlook([*[20.0] * 10, *[0.0] * 30, 0.1], 10)
    assert 0 <= found.low <= found.expected <= found.high


def test_a_higher_level_is_wider() -> None:
    days = days_of("bursty", 40, random.Random(5))
    widths = [found.high - found.low for found in (outlook(days, 10, level) for level in (0.5, 0.8, 0.95))]
    assert widths == sorted(widths)
    assert widths[0] < widths[2] / 1.5


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["flat", "week", "bursty"])
def test_the_bounds_hold_about_as_often_as_they_say(kind: str) -> None:
    held = 0
    for seed in range(30):
        days = days_of(kind, 55, random.Random(seed))
        found = outlook(days[:40], 15, 0.8)
        held += found.low <= sum(days[40:]) <= found.high
    assert held >= 18, f"{held} of 30"
    assert held < 30 or kind == "bursty"


def test_days_before_a_lasting_shift_widen_nothing() -> None:
    for seed in range(5):
        days = days_of("shift", 80, random.Random(seed), shift_at=55)
        found, since = outlook(days, 14), outlook(days[-25:], 14)
        truth = 14 * 45 * sum(WEEK) / 7
        assert found.low < truth * 1.1
        assert found.high > truth * 0.9
        assert found.high - found.low < 0.5 * truth
        assert found.expected == pytest.approx(since.expected, rel=0.1)
