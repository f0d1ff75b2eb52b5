"""No collector, however odd, makes a call vanish: each one arrives, waits, or is reported as lost."""

from __future__ import annotations

import re
from typing import Any, Callable, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recost.delivery.delivery import Delivery
from recost.delivery.outbox import Outbox
from recost.delivery.transports.base import Disposition, RetryPolicy, SendError
from recost.delivery.transports.cloud import CloudTransport
from recost.errors import RecostError
from recost.events import WindowSummary
from tests.api import Api
from tests.delivery.test_delivery import Window

KEY = "rc-0123456789abcdef"
Verdict = Callable[[WindowSummary], Optional[SendError]]


class Judging:
    """A destination that looks at each window."""

    retry = RetryPolicy(retries=0, first_s=0.001, longest_s=0.002)
    spacing_s = 0.0
    max_metrics: Optional[int] = None

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.calls = self.posts = 0

    def send(self, summary: WindowSummary, timeout_s: float) -> None:
        self.posts += 1
        failure = self.verdict(summary)
        if failure is not None:
            raise failure
        self.calls += sum(metric.request_count for metric in summary.metrics)

    def gave_up(self) -> Optional[Exception]:
        return None

    def close(self) -> None: ...


def broken() -> SendError:
    return SendError(RecostError("500"), Disposition.WAIT, responded=True)


def refused() -> SendError:
    return SendError(RecostError("422"), Disposition.SPLIT)


def test_a_window_that_breaks_the_collector_holds_up_nothing() -> None:
    transport = Judging(lambda summary: broken() if len(summary.metrics) > 10 else None)
    errors: list[BaseException] = []
    delivery = Delivery(transport, report=errors.append)
    delivery.put(Window(**{f"k{number}": 1 for number in range(35)}))
    delivery.pump()
    for _ in range(12):
        delivery.put(Window(a=1))
        delivery.pump()
    assert transport.calls == 35 + 12
    assert transport.posts < 40
    assert delivery.lost.calls == delivery.pending_calls == 0
    assert errors


def test_one_metric_that_breaks_the_collector_is_given_up_in_the_end() -> None:
    poison = [0]

    def verdict(summary: WindowSummary) -> Optional[SendError]:
        poison[0] += any(metric.endpoint == "/bad" for metric in summary.metrics)
        return broken() if any(metric.endpoint == "/bad" for metric in summary.metrics) else None

    transport, errors = Judging(verdict), list[BaseException]()
    delivery = Delivery(transport, report=errors.append)
    delivery.put(Window(bad=7, **{f"k{number}": 1 for number in range(31)}))
    for _ in range(40):
        delivery.put(Window(a=1))
        delivery.pump()
    assert transport.calls == 31 + 40
    assert (delivery.lost.calls, delivery.pending_calls) == (7, 0)
    assert poison[0] < 20


def test_of_a_window_that_is_refused_only_the_bad_metric_is_lost() -> None:
    def verdict(summary: WindowSummary) -> Optional[SendError]:
        return refused() if any(metric.endpoint == "/bad" for metric in summary.metrics) else None

    transport, errors = Judging(verdict), list[BaseException]()
    delivery = Delivery(transport, report=errors.append)
    delivery.put(Window(bad=7, **{f"k{number}": 1 for number in range(1999)}))
    delivery.put(Window(a=1))
    delivery.pump()
    assert transport.calls == 2000
    assert delivery.lost.calls == 7
    assert transport.posts <= 2 * 11 + 2
    assert [str(error) for error in errors] == [
        "422",
        "422: 7 calls dropped",
    ]  # the window, and the metric that is lost


def test_a_collector_that_refuses_everything_is_not_asked_without_end() -> None:
    transport, errors = Judging(lambda _: refused()), list[BaseException]()
    delivery = Delivery(transport, report=errors.append, monotonic=lambda: 0.0)
    for _ in range(50):
        delivery.put(Window(**{f"k{number}": 1 for number in range(100)}))
        delivery.pump()
    assert transport.posts <= 50 + 2 * 64
    assert delivery.lost.calls == 5000
    delivery.close()


VERDICTS = st.lists(
    st.sampled_from(["ok", "ok", "500", "500", "422", "reject", "wait", "down"]), min_size=1, max_size=60
)
ROUNDS = st.lists(st.lists(st.integers(1, 40), max_size=4), min_size=1, max_size=12)


@settings(max_examples=150, deadline=None)
@given(VERDICTS, ROUNDS, st.integers(2, 5), st.integers(300, 20_000), st.booleans())
def test_every_call_is_in_the_ledger(
    verdicts: list[str], rounds: list[list[int]], most: int, room: int, merge: bool
) -> None:
    made: dict[str, Callable[[], Optional[SendError]]] = {
        "ok": lambda: None,
        "500": broken,
        "422": refused,
        "reject": lambda: SendError(RecostError("no"), Disposition.REJECT),
        "wait": lambda: SendError(RecostError("later"), Disposition.WAIT),
        "down": lambda: SendError(RecostError("reset"), Disposition.WAIT),
    }
    script = iter(verdicts * 40)
    transport = Judging(lambda _: made[next(script, "ok")]())
    errors: list[BaseException] = []
    outbox = Outbox(max_windows=most, max_bytes=room, merge=merge)
    delivery = Delivery(transport, report=errors.append, outbox=outbox)
    put = 0
    for sizes in rounds:
        for size in sizes:
            delivery.put(Window(**{f"k{number}": 1 for number in range(size)}))
            put += size
        delivery.pump()
        waiting = delivery.pending_calls + delivery._outbox.loss.calls
        assert transport.calls + delivery.lost.calls + waiting == put
    delivery.close()
    assert transport.calls + delivery.lost.calls == put


@pytest.mark.parametrize("merge", [True, False])
def test_what_is_reported_adds_up_to_what_was_dropped(merge: bool) -> None:
    down = [True]
    transport = Judging(lambda _: SendError(None, Disposition.WAIT) if down[0] else None)
    errors: list[BaseException] = []
    outbox = Outbox(max_windows=3, max_bytes=1500, merge=merge)
    delivery = Delivery(transport, report=errors.append, outbox=outbox)
    put = 0
    for episode in range(2):
        down[0] = True
        for number in range(20):
            delivery.put(Window(**{f"e{episode}n{number}k{key}": 1 for key in range(4)}))
            put += 4
            delivery.pump()
        down[0] = episode == 1
        delivery.pump()
    delivery.close()
    told = sum(int(found[1]) for error in errors if (found := re.search(r"(\d+) calls", str(error))))
    assert told == delivery.lost.calls == put - transport.calls > 0


def test_a_real_server_that_can_not_take_large_windows(tmp_path: Any) -> None:
    with Api(key=KEY) as api:
        api.most_metrics = 100
        errors: list[BaseException] = []
        cloud = CloudTransport(api.url, api.project, KEY, max_retries=0)
        delivery = Delivery(cloud, report=errors.append)
        delivery.put(Window(**{f"k{number}": 1 for number in range(900)}))
        delivery.put(Window(a=5))
        delivery.pump()
        assert (api.total("requestCount"), delivery.lost.calls) == (905, 0)
        assert [str(error).partition(" (")[0][-24:] for error in errors] == ["the payload is too large"]
        assert "900 metrics, 900 calls" in str(errors[0])
        delivery.close()
