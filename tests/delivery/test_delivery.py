from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable, Optional

import pytest

from recost.delivery.delivery import Delivery
from recost.delivery.outbox import Outbox
from recost.delivery.transports.base import Disposition, RetryPolicy, SendError
from recost.errors import RecostError
from recost.events import MetricEntry, WindowSummary
from tests.loopback import wait_until


class Window:
    """A closed window of a number of calls to one endpoint, or to several."""

    def __init__(self, **counts: int) -> None:
        self.counts = dict(counts)

    @property
    def bucket_count(self) -> int:
        return len(self.counts)

    @property
    def call_count(self) -> int:
        return sum(self.counts.values())

    @property
    def nbytes(self) -> int:
        return 100 * len(self.counts)

    def merge(self, other: Any) -> None:
        for key, count in other.counts.items():
            self.counts[key] = self.counts.get(key, 0) + count

    def split(self, limit: int) -> list[Window]:
        items = list(self.counts.items())
        return [Window(**dict(items[i : i + limit])) for i in range(0, len(items), limit)]

    def summary(self) -> WindowSummary:
        metrics = tuple(
            MetricEntry("unknown", f"/{key}", "GET", count, 0, 1.0, 1.0, 1.0, 0, 0, 0.0)
            for key, count in self.counts.items()
        )
        return WindowSummary("p", "test", "python", "0", 1000.0, 2000.0, metrics)


class Scripted:
    """A destination that answers as it is told, then takes everything."""

    def __init__(self, *script: Optional[SendError], retry: Optional[RetryPolicy] = None) -> None:
        self.script = list(script)
        self.retry = retry or RetryPolicy(retries=0, first_s=0.001, longest_s=0.002)
        self.spacing_s = 0.0
        self.max_metrics: Optional[int] = None
        self.taken: list[WindowSummary] = []
        self.tries = 0
        self.timeouts: list[float] = []
        self.closed = 0
        self.gate = threading.Event()
        self.gate.set()

    def send(self, summary: WindowSummary, timeout_s: float) -> None:
        self.tries += 1
        self.timeouts.append(timeout_s)
        self.gate.wait(20)
        failure = self.script.pop(0) if self.script else None
        if failure is not None:
            raise failure
        self.taken.append(summary)

    def gave_up(self) -> Optional[Exception]:
        return RecostError("gave up")

    def close(self) -> None:
        self.closed += 1

    @property
    def calls(self) -> list[int]:
        return [sum(m.request_count for m in summary.metrics) for summary in self.taken]


def failure(disposition: Disposition, text: str = "no", after: Optional[float] = None) -> SendError:
    return SendError(RecostError(text), disposition, retry_after_s=after)


@contextmanager
def running(
    transport: Scripted,
    errors: list[BaseException],
    outbox: Optional[Outbox] = None,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Delivery]:
    delivery = Delivery(transport, report=errors.append, outbox=outbox, monotonic=clock)
    thread = threading.Thread(target=delivery.run, daemon=True)
    thread.start()
    yield delivery
    delivery.stop(clock() + 20)
    thread.join(10)
    assert not thread.is_alive()
    delivery.close()


def soon(seconds: float = 10) -> float:
    return time.monotonic() + seconds


def test_windows_arrive_in_order_and_the_status_says_so() -> None:
    transport, errors = Scripted(), list[BaseException]()
    with running(transport, errors) as delivery:
        for count in (1, 2, 3):
            delivery.put(Window(a=count))
        assert delivery.flush(soon())
        status = delivery.last_status
    assert transport.calls == [1, 2, 3]
    assert status is not None
    assert (status.status, status.window_size) == ("ok", 1)
    assert abs(status.timestamp / 1000 - time.time()) < 60
    assert not errors
    assert transport.closed == 1


def test_a_failed_window_waits_for_the_next_flush_and_keeps_its_place() -> None:
    transport, errors = Scripted(failure(Disposition.WAIT)), list[BaseException]()
    with running(transport, errors) as delivery:
        delivery.put(Window(a=1))
        assert wait_until(lambda: delivery.last_status is not None)
        assert delivery.last_status is not None
        assert delivery.last_status.status == "error"
        assert transport.taken == []
        delivery.put(Window(a=2))
        assert delivery.flush(soon())
    assert transport.calls == [1, 2]
    assert [str(error) for error in errors] == ["no"]


def test_the_timer_sends_again_what_waits_although_nothing_new_comes() -> None:
    transport, errors = Scripted(failure(Disposition.WAIT)), list[BaseException]()
    with running(transport, errors) as delivery:
        delivery.put(Window(a=1))
        assert wait_until(lambda: transport.tries == 1)
        delivery.retry()
        assert wait_until(lambda: transport.calls == [1])


def test_flush_returns_false_at_once_when_the_destination_refuses() -> None:
    transport, errors = Scripted(*[failure(Disposition.WAIT)] * 9), list[BaseException]()
    with running(transport, errors) as delivery:
        delivery.put(Window(a=1))
        began = time.monotonic()
        assert delivery.flush(soon(60)) is False
        assert time.monotonic() - began < 30
        transport.script.clear()
        assert delivery.flush(soon()) is True


def test_flush_returns_false_when_the_time_is_over() -> None:
    transport, errors = Scripted(), list[BaseException]()
    transport.gate.clear()
    with running(transport, errors) as delivery:
        delivery.put(Window(a=1))
        assert delivery.flush(time.monotonic() + 0.05) is False
        transport.gate.set()
        assert delivery.flush(soon()) is True


def test_passing_failures_are_retried_as_often_as_the_policy_says() -> None:
    policy = RetryPolicy(retries=3, first_s=0.001, longest_s=0.002)
    transport = Scripted(*[failure(Disposition.RETRY)] * 3, retry=policy)
    errors: list[BaseException] = []
    with running(transport, errors) as delivery:
        delivery.put(Window(a=5))
        assert delivery.flush(soon())
    assert transport.tries == 4
    assert transport.calls == [5]
    assert not errors


def test_when_retries_run_out_the_window_waits_and_one_error_is_reported() -> None:
    policy = RetryPolicy(retries=2, first_s=0.001, longest_s=0.002)
    transport = Scripted(*[failure(Disposition.RETRY, "down")] * 3, retry=policy)
    errors: list[BaseException] = []
    with running(transport, errors) as delivery:
        delivery.put(Window(a=5))
        assert wait_until(lambda: errors)
        assert [str(error) for error in errors] == ["down"]
        assert transport.calls == []
        assert delivery.flush(soon()) is True
    assert transport.calls == [5]


def test_retries_that_run_out_may_suspend() -> None:
    policy = RetryPolicy(retries=2, first_s=0.001, longest_s=0.002, exhausted=Disposition.SUSPEND)
    transport = Scripted(*[failure(Disposition.RETRY)] * 3, retry=policy)
    errors: list[BaseException] = []
    with running(transport, errors) as delivery:
        delivery.put(Window(a=5))
        assert wait_until(lambda: delivery.suspended)
        delivery.put(Window(a=6))
        assert delivery.flush(soon()) is False
    assert transport.tries == 3
    assert str(errors[0]) == "gave up"
    assert "11 calls in 2 windows" in str(errors[-1])


def test_a_deferral_ends_by_itself() -> None:
    transport, errors = Scripted(failure(Disposition.DEFER, "429", after=0.05)), list[BaseException]()
    with running(transport, errors) as delivery:
        delivery.put(Window(a=1))
        assert wait_until(lambda: transport.calls == [1])


def test_a_deferral_is_waited_for() -> None:
    transport, errors = Scripted(failure(Disposition.DEFER, "429", after=3600.0)), list[BaseException]()
    late = [0.0]
    with running(transport, errors, clock=lambda: time.monotonic() + late[0]) as delivery:
        delivery.put(Window(a=1))
        assert wait_until(lambda: errors)  # it knows of the deferral
        delivery.put(Window(a=2))
        delivery.retry()
        assert delivery.flush(soon()) is False
        assert transport.tries == 1
        late[0] = 3601.0
        delivery.retry()  # the thread sleeps by the real clock
        assert wait_until(lambda: transport.calls == [1, 2])
    assert [str(error) for error in errors] == ["429"]


def test_a_deferral_does_not_outlive_the_process() -> None:
    transport, errors = Scripted(failure(Disposition.DEFER, after=3600.0)), list[BaseException]()
    with running(transport, errors) as delivery:
        delivery.put(Window(a=1))
        assert wait_until(lambda: transport.tries == 1)
    assert transport.calls == [1]


def test_a_window_that_is_refused_for_good_is_counted_and_the_next_one_goes_on() -> None:
    transport, errors = Scripted(failure(Disposition.REJECT, "422")), list[BaseException]()
    with running(transport, errors) as delivery:
        delivery.put(Window(a=4))
        delivery.put(Window(a=1))
        assert delivery.flush(soon())
        assert (delivery.lost.windows, delivery.lost.calls) == (1, 4)
    assert transport.calls == [1]
    assert [str(error) for error in errors] == ["422: 4 calls dropped"]


def test_a_window_larger_than_the_destination_takes_is_split() -> None:
    transport, errors = Scripted(None, failure(Disposition.WAIT)), list[BaseException]()
    transport.max_metrics = 2
    with running(transport, errors) as delivery:
        delivery.put(Window(a=1, b=2, c=4, d=8, e=16))
        assert wait_until(lambda: transport.tries == 2)
        delivery.retry()
        assert delivery.flush(soon())
    assert [len(summary.metrics) for summary in transport.taken] == [2, 2, 1]
    assert sum(transport.calls) == 31


def test_putting_never_waits_for_a_destination_that_hangs() -> None:
    transport, errors = Scripted(), list[BaseException]()
    transport.gate.clear()
    with running(transport, errors, Outbox(max_windows=3, max_bytes=10_000)) as delivery:
        for _ in range(100):
            delivery.put(Window(a=1))
        assert transport.taken == []
        assert delivery.pending_calls == 100
        transport.gate.set()
        assert delivery.flush(soon())
    assert sum(transport.calls) == 100
    assert not errors


def test_overflow_is_reported_once_an_episode_and_counted() -> None:
    transport, errors = Scripted(*[failure(Disposition.WAIT, "down")] * 99), list[BaseException]()
    with running(transport, errors, Outbox(max_windows=2, max_bytes=10_000, merge=False)) as delivery:
        for _ in range(2):
            for number in range(10):
                delivery.put(Window(**{f"k{number}": 1}))
            assert delivery.flush(soon()) is False
        overflows = [error for error in errors if "full" in str(error)]
        assert len(overflows) == 1
        transport.script.clear()
        assert delivery.flush(soon())
        assert delivery.lost.calls + sum(transport.calls) == 20


def test_the_last_round_respects_its_deadline() -> None:
    policy = RetryPolicy(retries=50, first_s=5.0, longest_s=60.0)
    transport, errors = (
        Scripted(*[failure(Disposition.RETRY, "down")] * 99, retry=policy),
        list[BaseException](),
    )
    delivery = Delivery(transport, report=errors.append)
    delivery.put(Window(a=3))
    began = time.monotonic()
    assert delivery.flush_here(began + 0.3) is False
    assert time.monotonic() - began < 5
    assert max(transport.timeouts) <= 0.3
    delivery.close()
    assert "3 calls in 1 windows" in str(errors[-1])


def test_without_a_thread_windows_are_delivered_on_the_calling_one() -> None:
    transport, errors = Scripted(), list[BaseException]()
    delivery = Delivery(transport, report=errors.append)
    delivery.put(Window(a=3))
    assert delivery.flush_here(soon())
    assert transport.calls == [3]
    delivery.close()
    assert not errors


def test_a_bug_in_a_transport_is_reported_and_the_window_kept() -> None:
    class Broken(Scripted):
        def send(self, summary: WindowSummary, timeout_s: float) -> None:
            if self.tries == 0:
                self.tries += 1
                raise KeyError("bug")
            super().send(summary, timeout_s)

    transport, errors = Broken(), list[BaseException]()
    with running(transport, errors) as delivery:
        delivery.put(Window(a=3))
        assert wait_until(lambda: errors)
        assert isinstance(errors[0], KeyError)
        assert delivery.flush(soon())
    assert transport.calls == [3]


@pytest.mark.parametrize("threads", [4])
def test_many_threads_putting_and_settling_lose_nothing(threads: int) -> None:
    transport, errors = Scripted(), list[BaseException]()
    with running(transport, errors) as delivery:

        def work() -> None:
            for _ in range(50):
                delivery.put(Window(a=1))
                delivery.flush(soon())

        workers = [threading.Thread(target=work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(30)
    assert sum(transport.calls) == 50 * threads
