from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from recost.delivery.outbox import Outbox
from recost.events import WindowSummary


@dataclass
class Calls:
    """A window that knows only how many calls each key had."""

    counts: dict[str, int] = field(default_factory=dict)
    unit: int = 100

    @property
    def bucket_count(self) -> int:
        return len(self.counts)

    @property
    def call_count(self) -> int:
        return sum(self.counts.values())

    @property
    def nbytes(self) -> int:
        return self.unit * len(self.counts)

    def merge(self, other: Any) -> None:
        for key, count in other.counts.items():
            self.counts[key] = self.counts.get(key, 0) + count

    def split(self, limit: int) -> list[Calls]:
        items = list(self.counts.items())
        return [Calls(dict(items[i : i + limit])) for i in range(0, len(items), limit)]

    def summary(self) -> WindowSummary:
        raise NotImplementedError


def drain(outbox: Outbox, max_metrics: int | None = None) -> list[Calls]:
    out: list[Calls] = []
    while True:
        window: Any = outbox.head(max_metrics)
        if window is None:
            return out
        out.append(window)
        outbox.pop(window)


def test_windows_come_out_in_order() -> None:
    outbox = Outbox(max_windows=10, max_bytes=10_000)
    for number in range(1, 5):
        outbox.put(Calls({"k": number}))
    assert [window.call_count for window in drain(outbox)] == [1, 2, 3, 4]


def test_a_backlog_is_merged_and_no_call_is_lost() -> None:
    outbox = Outbox(max_windows=3, max_bytes=10_000)
    for _ in range(50):
        outbox.put(Calls({"a": 1, "b": 2}))
    assert len(outbox) == 3
    assert outbox.call_count == 150
    assert outbox.loss.take() is None


def test_without_merging_the_oldest_is_dropped_and_counted() -> None:
    outbox = Outbox(max_windows=3, max_bytes=10_000, merge=False)
    for number in range(1, 6):
        outbox.put(Calls({"k": number}))
    loss = outbox.loss.take()
    assert loss is not None
    assert loss.windows == 2
    assert loss.calls + outbox.call_count == 15


def test_too_many_bytes_drop_windows_and_count_them() -> None:
    outbox = Outbox(max_windows=100, max_bytes=1_000)
    for number in range(100):
        outbox.put(Calls({f"distinct-{number}": 1}))
    loss = outbox.loss.take()
    assert loss is not None
    assert loss.calls + outbox.call_count == 100
    assert sum(window.nbytes for window in drain(outbox)) <= 1_000


def test_a_backlog_of_large_windows_with_the_same_keys_loses_nothing() -> None:
    outbox = Outbox(max_windows=60, max_bytes=1_000)
    for _ in range(50):
        outbox.put(Calls(dict.fromkeys("abcde", 1)))  # 500 bytes each, and as much when merged
    assert outbox.call_count == 250
    assert outbox.loss.take() is None
    assert sum(window.nbytes for window in drain(outbox)) <= 1_000


def test_a_window_that_is_under_way_is_neither_merged_nor_dropped() -> None:
    outbox = Outbox(max_windows=60, max_bytes=1_000)
    outbox.put(Calls(dict.fromkeys("abcde", 1)))
    head = outbox.head(None)
    for _ in range(50):
        outbox.put(Calls(dict.fromkeys("abcde", 1)))
    assert head is not None
    assert head.call_count == 5
    assert outbox.call_count == 255
    outbox.put_back()
    outbox.put(Calls(dict.fromkeys("abcde", 1)))
    # What was sent once stays as it is, at every try; what was never sent becomes one.
    assert [window.call_count for window in drain(outbox)] == [5, 255]
    assert outbox.loss.take() is None


def test_a_large_window_leaves_in_parts_that_add_up() -> None:
    outbox = Outbox(max_windows=10, max_bytes=1_000_000)
    outbox.put(Calls({f"k{i}": i for i in range(25)}))
    outbox.put(Calls({"next": 7}))
    parts = drain(outbox, max_metrics=10)
    assert [part.bucket_count for part in parts] == [10, 10, 5, 1]
    assert sum(part.call_count for part in parts) == sum(range(25)) + 7


def test_a_window_is_found_by_its_sequence_number_until_it_is_gone() -> None:
    outbox = Outbox(max_windows=10, max_bytes=10_000)
    outbox.put(Calls({"a": 1}))
    first = outbox.last_seq
    outbox.put(Calls({"b": 1}))
    assert outbox.holds_up_to(first)
    head = outbox.head(None)
    assert head is not None
    outbox.pop(head)
    assert not outbox.holds_up_to(first)


@given(
    st.lists(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 9)), max_size=60), st.integers(2, 8)
)
def test_calls_in_are_calls_out_or_counted_as_lost(windows: list[dict[str, int]], limit: int) -> None:
    outbox = Outbox(max_windows=limit, max_bytes=1_500)
    total = 0
    for counts in windows:
        total += sum(counts.values())
        outbox.put(Calls(dict(counts)))
    loss = outbox.loss.take()
    assert outbox.call_count + (loss.calls if loss else 0) == total
