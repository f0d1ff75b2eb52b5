from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost.aggregation.quantiles import EXACT, Latencies

VALUES = st.floats(min_value=0, max_value=1e12) | st.sampled_from([0.0, -0.0, 5e-324, 0.001, 1.0, 1e8, 1e12])
REGULAR = st.floats(min_value=0.001, max_value=1e8)


def nearest_rank(values: list[float], percent: int) -> float:
    return sorted(values)[max(math.ceil(percent * len(values) / 100), 1) - 1]


def made_of(values: list[float]) -> Latencies:
    latencies = Latencies()
    for value in values:
        latencies.add(value)
    return latencies


def state(latencies: Latencies) -> tuple[object, ...]:
    """What can be seen of it, but for the sum, whose rounding depends on the order."""
    return (latencies.count, *(latencies.percentile(percent) for percent in range(0, 101, 5)))


def many(values: st.SearchStrategy[float]) -> st.SearchStrategy[list[float]]:
    """Lists on both sides of the limit: a few values that Hypothesis chose, each several times."""
    return st.builds(
        lambda chosen, times: chosen * times, st.lists(values, min_size=1, max_size=40), st.integers(1, 30)
    )


@given(st.lists(VALUES, min_size=1, max_size=EXACT), st.integers(0, 100))
def test_few_values_are_exact(values: list[float], percent: int) -> None:
    assert made_of(values).percentile(percent) == nearest_rank(values, percent)


@given(many(REGULAR), st.integers(0, 100))
def test_many_values_are_at_most_one_percent_off(values: list[float], percent: int) -> None:
    assert made_of(values).percentile(percent) == pytest.approx(nearest_rank(values, percent), rel=0.01)


@given(many(VALUES), st.integers(0, 100))
def test_tiny_and_huge_values_stay_within_what_was_seen(values: list[float], percent: int) -> None:
    found = made_of(values).percentile(percent)
    assert min(values) <= found <= max(values)


@pytest.mark.parametrize("size", [255, 256, 257, 258, 384, 385, 1000, 70_000])
def test_a_likely_distribution(size: int) -> None:
    chance = random.Random(size)
    values = [chance.lognormvariate(5, 1) for _ in range(size)]
    latencies = made_of(values)
    for percent in (0, 1, 50, 95, 99, 100):
        wanted = nearest_rank(values, percent)
        error = abs(latencies.percentile(percent) - wanted) / wanted
        assert error == 0 if size <= EXACT else error < 0.01
    assert latencies.count == size
    assert latencies.total == pytest.approx(sum(values))


def test_values_that_are_all_the_same_are_exact() -> None:
    latencies = made_of([123.456] * 1000)
    assert latencies.percentile(50) == latencies.percentile(95) == 123.456


def test_zeros_are_zero() -> None:
    latencies = made_of([0.0] * 600 + [100.0] * 400)
    assert latencies.percentile(50) == 0
    assert latencies.percentile(95) == 100


def test_only_zeros() -> None:
    assert made_of([0.0] * 1000).percentile(95) == 0


def test_nothing() -> None:
    latencies = Latencies()
    latencies.fold()
    assert (latencies.count, latencies.total, latencies.percentile(95)) == (0, 0, 0)


@given(many(VALUES), st.randoms(use_true_random=False), st.lists(st.integers(0, 1200), max_size=4))
def test_order_and_merging_make_no_difference(
    values: list[float], chance: random.Random, cuts: list[int]
) -> None:
    wanted = state(made_of(values))
    chance.shuffle(values)
    ends = [0, *sorted(cut for cut in cuts if cut < len(values)), len(values)]
    parts = [made_of(values[start:end]) for start, end in zip(ends, ends[1:])]
    chance.shuffle(parts)
    merged = Latencies()
    for part in parts:
        merged.merge(part)
    assert state(merged) == wanted
    assert merged.total == pytest.approx(sum(values), rel=1e-9)


def test_it_can_be_added_to_after_a_merge() -> None:
    first, second = made_of([1.0] * 200), made_of([3.0] * 200)
    first.merge(second)
    for _ in range(400):
        first.add(2.0)
    assert first.count == 800
    found = [first.percentile(percent) for percent in (20, 50, 90)]
    assert found == pytest.approx([1.0, 2.0, 3.0], rel=0.01)


def test_merging_nothing_changes_nothing() -> None:
    latencies, nothing = made_of([5.0] * 300), Latencies()
    wanted = state(latencies)
    latencies.merge(Latencies())
    nothing.merge(latencies)
    assert state(latencies) == state(nothing) == wanted


@given(st.lists(VALUES, max_size=50))
def test_memory_is_bounded(values: list[float]) -> None:
    latencies = made_of(values * 40)
    assert latencies.bin_bytes <= 5000
    assert len(latencies.samples) <= EXACT


def test_memory_of_a_likely_distribution() -> None:
    chance = random.Random(1)
    latencies = made_of([chance.lognormvariate(5, 1) for _ in range(20_000)])
    assert 0 < latencies.bin_bytes <= 2048


def test_counts_beyond_those_of_small_bins() -> None:
    latencies = made_of([10.0] * 40_000)
    other = made_of([10.0] * 40_000)
    latencies.merge(other)
    for _ in range(1000):
        latencies.add(20.0)
    assert latencies.count == 81_000
    assert latencies.percentile(98) == pytest.approx(10, rel=0.01)
    assert latencies.percentile(99) == 20
