"""Sums by model and chosen tags together: they add up to the metric, whatever is merged and limited."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from typing import Any, Optional

import pytest

from recost.aggregation.aggregator import CallRecord, UnlockedAggregator
from recost.aggregation.breakdown import Facts
from recost.aggregation.cells import CrossedTags
from recost.aggregation.window import Window
from recost.events import MetricEntry, WindowSummary

NAMES = frozenset({"team", "route"})


def some_call(draw: random.Random) -> tuple[CallRecord, Facts]:
    call = CallRecord()
    call.provider, call.method = draw.choice(["openai", "xai"]), "POST"
    call.endpoint_category = draw.choice(["chat", "embeddings"])
    call.latency_ms, call.error = draw.random(), draw.random() < 0.2
    tags = {name: draw.choice("abc") for name in ("route", "team", "user") if draw.random() < 0.5}
    facts = Facts(
        draw.choice([None, Decimal(0), Decimal(draw.randrange(10**12)).scaleb(-9)]),
        metered=draw.random() < 0.8,
        source=draw.choice(["computed", "estimated"]),
        model=draw.choice([None, "m1", "m2"]),
        tokens=draw.choice([{}, {"input": draw.randrange(100), "output": draw.randrange(100)}]),
        tags=tuple(sorted(tags.items())),
        error=call.error,
    )
    return call, facts if facts.metered else facts._replace(model=None, tokens={})


def filled(draw: random.Random, number: int, limit: int = 1000) -> tuple[Window, list[Any]]:
    aggregator = UnlockedAggregator(crossed=CrossedTags(NAMES, limit), max_tag_sets=3)
    calls = [some_call(draw) for _ in range(number)]
    for call, facts in calls:
        aggregator.ingest(call, facts.cost_cents, facts)
    window = aggregator.take()
    assert window is not None
    return window, calls


def expected(calls: list[Any]) -> dict[Any, Any]:
    """Return count, errors, unpriced, cost and tokens by provider, endpoint, model and chosen tags."""
    sums: dict[Any, Any] = {}
    for call, facts in calls:
        tags = tuple(pair for pair in facts.tags if pair[0] in NAMES)
        key = call.provider, call.endpoint_category, facts.model, tags
        known = sums.setdefault(key, [0, 0, 0, Counter[str](), Counter[str]()])
        known[0] += 1
        known[1] += call.error
        known[2] += facts.cost_cents is None
        known[3][facts.source] += facts.cost_cents or 0
        known[4].update(facts.tokens)
    return {key: [*counts, +costs, +tokens] for key, (*counts, costs, tokens) in sums.items()}


def found(summary: WindowSummary) -> dict[Any, Any]:
    return {
        (metric.provider, metric.endpoint, each.model, each.tags): [
            each.request_count,
            each.error_count,
            each.unpriced_count,
            Counter(each.cost_cents),
            Counter(each.tokens),
        ]
        for metric in summary.metrics
        for each in metric.cells or ()
    }


@pytest.mark.parametrize("seed", range(5))
def test_cells_are_the_sums_of_the_calls(seed: int) -> None:
    window, calls = filled(random.Random(seed), 300)
    assert found(window.summary()) == expected(calls)


@pytest.mark.parametrize("seed", range(5))
def test_cells_of_merged_windows(seed: int) -> None:
    draw = random.Random(seed)
    window, calls = filled(draw, 200)
    for _ in range(3):
        other, more = filled(draw, draw.choice([1, 5, 200]))
        window.merge(other)
        calls += more
    assert found(window.summary()) == expected(calls)
    parts = window.split(2)
    assert len(parts) == 2
    assert {key: sums for part in parts for key, sums in found(part.summary()).items()} == expected(calls)


def test_the_limit_is_that_of_a_window_and_sums_are_kept() -> None:
    draw = random.Random(1)
    window, calls = filled(draw, 300, limit=4)
    for _ in range(3):
        other, more = filled(draw, 300, limit=4)
        window.merge(other)
        calls += more
    cells = [each for metric in window.summary().metrics for each in metric.cells or ()]
    keys = {(each.model, each.tags) for each in cells}
    assert len([each for each in cells if each.model != "other" and (each.model or each.tags)]) == 4
    assert ("other", ()) in keys
    assert sum(each.request_count for each in cells) == 1200
    assert sum((sum(each.cost_cents.values()) for each in cells), Decimal(0)) == sum(
        (facts.cost_cents or 0 for _, facts in calls), Decimal(0)
    )


def of_plain_window(facts: Optional[Facts]) -> MetricEntry:
    aggregator = UnlockedAggregator()
    call, _ = some_call(random.Random(1))
    aggregator.ingest(call, Decimal(1), facts)
    summary = aggregator.flush()
    assert summary is not None
    return summary.metrics[0]


def test_nothing_is_kept_where_nobody_asks() -> None:
    assert of_plain_window(None).cells is None
    assert of_plain_window(Facts(Decimal(1), model="m", tags=(("team", "a"),))).cells is None


def test_calls_without_facts_are_in_the_rest() -> None:
    aggregator = UnlockedAggregator(crossed=CrossedTags(NAMES, 9))
    call, _ = some_call(random.Random(1))
    aggregator.ingest(call, Decimal(2), Facts(Decimal(2), model="m", source="reported"))
    aggregator.ingest(call, Decimal(1))
    summary = aggregator.flush()
    assert summary is not None
    cells = summary.metrics[0].cells or ()
    assert {each.model: each.cost_cents for each in cells} == {
        "m": {"reported": Decimal(2)},
        None: {"unknown": Decimal(1)},
    }


def test_cells_are_not_sent() -> None:
    window, _ = filled(random.Random(1), 50)
    summary = window.summary()
    assert all(metric.cells for metric in summary.metrics)
    assert "cells" not in str(summary.to_dict())
