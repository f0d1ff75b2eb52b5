"""A window that several destinations have: whatever one of them does with it, the others don't see it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from recost.aggregation.aggregator import UnlockedAggregator
from recost.aggregation.breakdown import Facts
from recost.aggregation.window import Window
from recost.delivery.outbox import Outbox
from recost.delivery.shared import SharedWindow
from recost.events import RawEvent, WindowSummary

Call = tuple[str, float, int, int]
calls = st.lists(
    st.tuples(
        st.sampled_from("abc"), st.floats(0, 1e6), st.sampled_from([200, 500]), st.sampled_from([1, 1, 300])
    ),
    min_size=1,
    max_size=12,
)


def closed(made: list[Call]) -> Window:
    """Return a window of these calls: endpoint, latency, status, and how often it was made."""
    aggregator = UnlockedAggregator(clock=lambda: 1_700_000_000.0)
    for number, (endpoint, latency_ms, status, times) in enumerate(made):
        url = f"https://h/{endpoint}"
        event = RawEvent(1.0, "GET", url, "h", f"/{endpoint}", status, latency_ms, 3, 5, error=status >= 400)
        model, tags = f"m{number % 2}", (("team", endpoint),) if number % 3 else ()
        facts = Facts(None, source="computed", model=model, tokens={"input": 2}, tags=tags)
        for _ in range(times):
            aggregator.ingest(event, 0.25, facts)
    window = aggregator.take()
    assert window is not None
    return window


def content(summary: WindowSummary) -> WindowSummary:
    return replace(summary, window_id=None)


@given(calls, calls)
def test_merged_by_one_it_is_what_it_was_for_the_other(first: list[Call], second: list[Call]) -> None:
    one, two = closed(first), closed(second)
    one.freeze()
    two.freeze()
    before = one.summary(), two.summary()
    mine, theirs = ([SharedWindow(one, "id-1"), SharedWindow(two, "id-2")] for _ in range(2))
    mine[0].merge(mine[1])
    assert (theirs[0].summary(), theirs[1].summary()) == before
    together = closed(first)
    together.merge(closed(second))
    assert content(mine[0].summary()) == content(together.summary())
    assert mine[0].call_count == theirs[0].call_count + theirs[1].call_count
    assert [mine[0].window_id, *(each.window_id for each in theirs)] == ["", "id-1", "id-2"]
    theirs[0].merge(theirs[1])
    assert theirs[0].summary() == mine[0].summary()
    assert (one.summary(), two.summary()) == before


@given(calls, calls)
def test_split_by_one_it_is_whole_for_the_other(first: list[Call], second: list[Call]) -> None:
    window = closed(first)
    window.freeze()
    before = window.summary()
    mine, theirs = SharedWindow(window, "id"), SharedWindow(window, "id")
    parts = mine.split(1)
    assert [metric for part in parts for metric in part.summary().metrics] == list(before.metrics)
    if len(parts) > 1:
        other = closed(second)
        other.freeze()
        parts[1].merge(SharedWindow(other, "other"))
        assert {part.window_id for part in parts} == {""}
    assert theirs.summary() == before
    assert theirs.window_id == "id"


def test_reading_it_changes_nothing() -> None:
    window = closed([("a", 1.5, 200, 500), ("b", 2.5, 500, 2)])
    window.freeze()
    bucket = window.buckets["unknown", "/a", "GET"]
    state = bucket.unit_count, len(bucket.samples), window.nbytes
    window.summary()
    window.copy().merge(window.copy())
    window.split(1)
    assert (bucket.unit_count, len(bucket.samples), window.nbytes) == state == (0, 0, window.nbytes)


def test_it_is_first_sent_with_the_id_that_it_came_with_and_merged_with_another() -> None:
    outbox = Outbox(max_windows=2, max_bytes=10**7)
    for number in range(3):
        window = closed([("a", float(number), 200, 1)])
        window.freeze()
        outbox.put(SharedWindow(window, f"id-{number}"))
    first = outbox.head(None)
    assert first is not None
    assert first.call_count == 2
    assert outbox.id_of(first) not in ("", "id-0", "id-1")
    outbox.pop(first)
    last = outbox.head(None)
    assert last is not None
    assert outbox.id_of(last) == "id-2"
