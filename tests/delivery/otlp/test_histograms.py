from __future__ import annotations

import math
from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.metrics._internal.exponential_histogram.mapping.exponent_mapping import ExponentMapping
from opentelemetry.sdk.metrics._internal.exponential_histogram.mapping.logarithm_mapping import (
    LogarithmMapping,
)

from recost.delivery.transports.otlp.histograms import ExplicitHistogram, ExponentialHistogram

BOUNDS = (0.01, 0.1, 1.0, 10.0)
VALUES = st.one_of(
    st.floats(0, 1e9),
    st.sampled_from([0.0, 1e-320, 2.0**-40, 0.5, 1.0, 2.0, 4.0, 1024.0, *BOUNDS, 1e300]),
)


@given(st.lists(st.lists(VALUES)))
def test_merged_fixed_buckets_are_those_of_all_values(parts: list[list[float]]) -> None:
    whole, merged = ExplicitHistogram(BOUNDS), ExplicitHistogram(BOUNDS)
    for part in parts:
        other = ExplicitHistogram(BOUNDS)
        for value in part:
            whole.record(value)
            other.record(value)
        merged.merge(other)
    values = [value for part in parts for value in part]
    expected = [0] * 5
    for value in values:
        expected[bisect_left(BOUNDS, value)] += 1
    assert whole.counts == merged.counts == expected
    assert merged.count == len(values)
    assert (merged.lowest, merged.highest) == (min(values, default=math.inf), max(values, default=-math.inf))
    assert merged.total == pytest.approx(math.fsum(values))


@given(st.lists(st.lists(VALUES)))
def test_merged_exponential_buckets_are_those_of_all_values(parts: list[list[float]]) -> None:
    merged = ExponentialHistogram()
    for part in parts:
        other = ExponentialHistogram()
        for value in part:
            other.record(value)
        check(other, part)
        merged.merge(other)
    check(merged, [value for part in parts for value in part])


def check(found: ExponentialHistogram, values: list[float]) -> None:
    """Check that each value is in the bucket that the SDK's own mapping gives it, and that there are few."""
    positive = [value for value in values if value >= 2.3e-308]
    assert found.zeros == len(values) - len(positive)
    mapping = LogarithmMapping(found.scale) if found.scale > 0 else ExponentMapping(found.scale)
    expected: dict[int, int] = {}
    for value in positive:
        index = mapping.map_to_index(value)
        expected[index] = expected.get(index, 0) + 1
    assert found.buckets == expected
    offset, counts = found.dense()
    assert sum(counts) == len(positive)
    assert len(counts) <= 160
    assert not counts or (offset == min(expected) and counts[0] and counts[-1])
    assert found.count == len(values)


def test_few_values_have_narrow_buckets() -> None:
    found = ExponentialHistogram()
    for value in (0.1, 0.11, 0.3, 0.9):
        found.record(value)
    assert found.scale >= 5  # at most 2.2 % wide
