"""What is usual, of histories whose truth is known; what is put among them is found, and little else."""

from __future__ import annotations

import random
from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from recost.analytics.anomalies import ReviewPeriod, Usual, review
from recost.analytics.timeseries import Series
from tests.analytics.histories import WEEK, hours_of

START = datetime(2026, 1, 5)  # noqa: DTZ001 - local time, a Monday
HOUR = timedelta(hours=1)


def series(kind: str, days: int, seed: int, peaks: Collection[int] = ()) -> Series:
    costs = hours_of(kind, days, random.Random(seed))
    return Series(
        {
            START + HOUR * index: Decimal(repr(cost * 6 + 5 if index in peaks else cost))
            for index, cost in enumerate(costs)
            if cost or index in peaks
        }
    )


def span(since_day: int, until_day: int) -> ReviewPeriod:
    until = START + timedelta(days=until_day)
    return ReviewPeriod(START + timedelta(days=since_day), until, until + HOUR)


def test_a_weekday_has_its_own_usual() -> None:
    days = [[20 * WEEK[index % 7] * random.Random(index).lognormvariate(0, 0.05)] for index in range(28)]
    for weekday in range(7):  # the day after is a Monday: the days are moved to have it on another
        moved = days[weekday:] + days[:weekday]
        assert Usual(moved, weekday).cost(0) == pytest.approx(20 * WEEK[weekday], rel=0.15)


def test_hours_have_their_own_usual_and_outliers_no_weight() -> None:
    chance = random.Random(1)
    days = [
        [chance.lognormvariate(0, 0.1) * (10 if 9 <= hour < 17 else 1) for hour in range(24)]
        for _ in range(28)
    ]
    plain = Usual(days, 0)
    assert plain.cost(12) == pytest.approx(10, rel=0.1)
    assert plain.cost(3) == pytest.approx(1, rel=0.1)
    assert abs(plain.deviations(12, 11)) < 3 < 5 < plain.deviations(12, 30)
    assert plain.deviations(3, 10) > 5, "at night, what is usual by day is not"
    assert plain.deviations(12, 1) < -5
    days[20][12] = 10_000
    assert Usual(days, 0).cost(12) == pytest.approx(10, rel=0.1)
    assert Usual(days, 0).deviations(12, 30) > 5


def test_costs_that_never_vary() -> None:
    usual = Usual([[4.0]] * 20, 0)
    assert usual.deviations(0, 4.0) == 0
    assert abs(usual.deviations(0, 4.1)) < 5 < usual.deviations(0, 8.0)
    assert Usual([[0.0]] * 20, 0).deviations(0, 1.0) == float("inf")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["week", "weekend", "trend"])
def test_peaks_are_found_and_little_else(kind: str) -> None:
    peaks = random.Random(9).sample(range(30 * 24, 58 * 24), 6)
    found = review(series(kind, 58, 1, peaks), span(30, 58), Decimal(1)).anomalies
    hit = [any(each.start <= START + HOUR * peak < each.end for each in found) for peak in peaks]
    assert sum(hit) >= 4
    assert len(found) <= sum(hit) + 2
    quiet = review(series(kind, 58, 2), span(30, 58), Decimal(1))
    assert quiet.buckets == "hours"
    assert len(quiet.anomalies) <= 2


def test_hours_in_a_row_are_one_and_exact() -> None:
    peaks = [40 * 24 + hour for hour in (10, 11, 12)]
    calls = series("week", 42, 3, peaks)
    (found,) = review(calls, span(40, 42), Decimal(1)).anomalies
    assert (found.start, found.end) == (START + HOUR * peaks[0], START + HOUR * (peaks[-1] + 1))
    assert found.actual_usd == sum((calls.hours[START + HOUR * peak] for peak in peaks), Decimal(0))
    assert found.usual_usd < found.actual_usd / 3
    assert not review(calls, span(40, 42), found.actual_usd).anomalies, "below the floor"


def test_calls_that_stop() -> None:
    calls = series("week", 42, 4)
    calls.hours = {hour: cost for hour, cost in calls.hours.items() if hour < START + timedelta(days=40)}
    found = review(calls, span(40, 42), Decimal(1)).anomalies
    assert found
    assert all(each.deviations < -5 and not each.actual_usd for each in found)


@pytest.mark.parametrize(("days", "buckets"), [(15, None), (16, "hours")])
def test_too_few_days(days: int, buckets: object) -> None:
    found = review(series("week", days, 5), span(days - 1, days), Decimal(0))
    assert found.buckets == buckets, "the first day may be part of one, and the last is what is compared"


def test_few_calls_are_compared_by_day_and_very_few_not() -> None:
    costs = {START + timedelta(days=day, hours=9): Decimal(10 + day % 3) for day in range(40)}
    rare = {hour: cost for hour, cost in costs.items() if hour.day % 4 == 0}
    costs[START + timedelta(days=38, hours=20)] = Decimal(90)
    found = review(Series(costs), span(38, 40), Decimal(1))
    assert found.buckets == "days"
    (day,) = found.anomalies
    assert (day.start, day.end - day.start) == (START + timedelta(days=38), timedelta(days=1))
    assert (day.actual_usd, day.usual_usd) == (Decimal(102), Decimal(11))
    assert review(Series(rare), span(38, 40), Decimal(1)).buckets is None


def test_an_hour_that_runs_may_be_too_dear_but_not_too_cheap() -> None:
    calls = series("week", 40, 6)
    now = START + timedelta(days=39, hours=12, minutes=5)
    calls.hours = {hour: cost for hour, cost in calls.hours.items() if hour <= now}
    running = START + timedelta(days=39, hours=12)
    calls.hours[running] = Decimal("0.01")
    assert not review(calls, ReviewPeriod(now - HOUR, now, now), Decimal(1)).anomalies
    calls.hours[running] = Decimal(300)
    (found,) = review(calls, ReviewPeriod(now - HOUR, now, now), Decimal(1)).anomalies
    assert found.running
    assert found.start == running
