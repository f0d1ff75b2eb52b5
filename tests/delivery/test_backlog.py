"""A long outage: windows that were never sent are merged exactly, and few POSTs catch up."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from recost.aggregation.window import Window, WindowTags
from recost.delivery.delivery import Delivery
from recost.delivery.outbox import Outbox
from recost.delivery.transports.base import Disposition, SendError
from recost.delivery.transports.cloud import CloudTransport
from recost.delivery.transports.memory import MemoryTransport
from recost.errors import RecostError
from tests.api import Answer, Api, answer
from tests.delivery.test_delivery import Window as Counts

DAY_S = 86_400
INTERVAL_S = 30
ENDPOINTS = 200
START_S = 1_778_760_000.0
DOWN: dict[str, Answer] = {
    "429": answer(429),
    "429 with an hour": answer(429, retry_after=3600),
    "503": answer(503),
    "500": answer(500),
    "504": answer(504),
}


class Clock:
    def __init__(self) -> None:
        self.now = START_S

    def __call__(self) -> float:
        return self.now


def closed_window(start_s: float, number: int) -> Window:
    """Return half a minute of calls to some of the endpoints."""
    tags = WindowTags("proj-1", "test", "0.2.0")
    window = Window(tags, start_s * 1000)
    for index in range(5):
        key = ("openai", f"e{(number * 5 + index) % ENDPOINTS}", "POST")
        bucket = window.add_bucket(key)
        bucket.samples.extend([100.0 + index])
        bucket.charge(0.1)
        bucket.request_bytes += 10
        window.call_count += 1
    window.close((start_s + INTERVAL_S) * 1000)
    return window


@pytest.mark.parametrize("kind", DOWN)
def test_a_day_of_outage_is_caught_up_in_sixty_posts(kind: str) -> None:
    clock, errors = Clock(), list[BaseException]()
    with Api(clock=clock) as api:
        transport = CloudTransport(api.url, api.project, api.key, max_retries=0, clock=clock)
        delivery = Delivery(transport, report=errors.append, clock=clock, monotonic=clock)
        windows = DAY_S // INTERVAL_S
        for number in range(windows):
            if number % 120 == 0:
                api.script(*[DOWN[kind]] * (2 - api.steps_left))
                delivery.pump()
            delivery.put(closed_window(clock.now, number))
            clock.now += INTERVAL_S
        assert delivery.pending_calls == windows * 5
        next(iter([api.next_step() for _ in range(api.steps_left)]), None)
        before = len(api.posts)
        clock.now += 3600
        for _ in range(4):
            delivery.pump()
            clock.now += INTERVAL_S
        assert len(api.windows) <= len(api.posts) - before <= 60
        assert delivery.pending_calls == 0
        assert api.total("requestCount") == windows * 5
        assert api.total("totalRequestBytes") == windows * 50
        assert round(api.total("estimatedCostCents"), 6) == windows * 5 / 10
        starts = sorted(each["windowStart"] for each in api.windows)
        assert starts[0][:13] == "2026-05-14T12"
        assert starts[-1][:10] == "2026-05-15"
        hours = {each[:13] for each in starts}
        assert len(hours) >= 20  # evenly: not a day in one window, and half an hour in the others
        assert len({each["windowId"] for each in api.windows}) == len(api.windows)
        delivery.close()


def test_what_was_sent_is_frozen_and_what_was_not_is_merged_evenly() -> None:
    transport = MemoryTransport([SendError(None, Disposition.WAIT)])
    delivery = Delivery(transport, report=lambda error: None, outbox=Outbox(max_windows=8, max_bytes=10**6))
    delivery.put(Counts(a=1))
    delivery.pump()
    for _ in range(70):
        delivery.put(Counts(a=1))
    delivery.pump()
    assert transport.windows[0] == transport.attempts[0]
    counts = [each.metrics[0].request_count for each in transport.windows]
    assert counts[0] == 1
    assert sum(counts) == 71
    assert len(counts) == 8
    assert max(counts) <= 16


def test_a_window_that_may_have_been_accepted_is_not_halved() -> None:
    """A gateway that gives up says nothing of what is behind it: halves would count twice."""

    class Gateway(MemoryTransport):
        def send(self, summary: Any, timeout_s: float) -> None:
            if len(summary.metrics) > 2:
                self.attempts.append(summary)
                raise SendError(RecostError("504"), Disposition.WAIT, responded=True, uncertain=True)
            super().send(summary, timeout_s)

    transport = Gateway()
    delivery = Delivery(transport, report=lambda error: None)
    delivery.put(Counts(a=1, b=1, c=1))
    for _ in range(12):
        delivery.put(Counts(z=1))
        delivery.pump()
    large = [each for each in transport.attempts if len(each.metrics) == 3]
    assert len(large) > 5
    assert large == [large[0]] * len(large)
    assert len(transport.windows) == 12
    assert (delivery.pending_calls, delivery.lost.calls) == (3, 0)


@pytest.mark.parametrize(
    ("first", "uncertain"), [(502, True), (504, True), (500, False), (503, False), ("reset", True)]
)
def test_after_an_answer_that_says_nothing_a_window_stays_uncertain(first: Any, uncertain: bool) -> None:
    with Api() as api:
        api.script(first, 500)
        transport = CloudTransport(api.url, api.project, api.key, max_retries=1)
        delivery = Delivery(transport, report=lambda error: None)
        delivery.put(Counts(a=1, b=1))
        delivery.pump()
        entry: Optional[Any] = delivery._outbox._entries[0]
        assert entry is not None
        assert entry.uncertain is uncertain
        delivery.close()
