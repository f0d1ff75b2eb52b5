from __future__ import annotations

import gc
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Optional

import pytest

from recost._pacing import rest
from recost.errors import RecostError
from recost.interceptors.exchange import Exchange
from recost.lifecycle.threads import start_thread
from recost.lifecycle.worker import Schedule, Worker
from tests.exchanges import begun
from tests.loopback import wait_until


class Counting:
    """Counts what it is given."""

    def __init__(self) -> None:
        self.size = self.excluded = 0
        self.total = 0
        self.fail_at: Optional[int] = None

    def drain(self, inbox: deque[Exchange], limit: int) -> None:
        for _ in range(min(len(inbox), limit)):
            inbox.popleft()
            self.total += 1
            if self.total == self.fail_at:
                raise KeyError("odd")
            self.size += 1

    def take(self) -> Any:
        size, self.size = self.size, 0
        return size or None


def exchange(worker: Worker) -> Exchange:
    return begun(worker.record, "httpx", ("http", "h", 80, "/", "GET"))


class Setup:
    def __init__(self, **options: Any) -> None:
        self.pipeline = Counting()
        self.windows: list[Any] = []
        self.errors: list[BaseException] = []
        self.ticks = 0
        batch = options.pop("batch_size", 100)
        self.now = 0.0
        interval = options.pop("interval_s", 3600.0)
        self.worker = Worker(
            self.pipeline,
            schedule=Schedule(interval, batch, options.pop("spacing_s", 1.0), now=0.0),
            most_waiting=options.pop("most_waiting", 10_000),
            report=self.errors.append,
            put=self.windows.append,
            on_interval=self._tick,
            monotonic=options.pop("monotonic", lambda: self.now),
            **options,
        )

    def _tick(self) -> None:
        self.ticks += 1


@contextmanager
def early_window_closed(most_waiting: int, spacing_s: float) -> Iterator[Setup]:
    """Yield a worker whose thread has closed a window of 10 calls early, and rests."""
    setup = Setup(batch_size=10, spacing_s=spacing_s, most_waiting=most_waiting)
    thread = start_thread(setup.worker.run, "test")
    assert thread is not None
    for _ in range(10):
        exchange(setup.worker).finish()
    assert wait_until(lambda: setup.windows == [10] and setup.worker._wake_at == most_waiting)
    yield setup
    setup.worker.stop()
    thread.join(10)
    assert not thread.is_alive()


class Slow(Counting):
    """Takes a tenth of a millisecond for each call, and rests as those that add up do."""

    def drain(self, inbox: deque[Exchange], limit: int) -> None:
        for _ in range(min(len(inbox), limit)):
            super().drain(inbox, 1)
            _work(0.0001)
            rest()


def _work(seconds: float) -> None:
    ends = time.thread_time() + seconds
    while time.thread_time() < ends:
        pass


def test_an_application_that_never_waits_leaves_the_thread_enough_of_the_interpreter() -> None:
    setup = Setup(most_waiting=100, inbox_limit=3_000)
    setup.pipeline = setup.worker._pipeline = Slow()
    thread = start_thread(setup.worker.run, "test")
    assert thread is not None
    for _ in range(6_000):
        exchange(setup.worker).finish()
        _work(0.0005)
    assert setup.worker.flush()
    assert (setup.pipeline.total, setup.worker.dropped) == (6_000, 0)
    setup.worker.stop()
    thread.join(10)


def test_what_comes_after_the_last_flush_is_left_to_the_next_handle() -> None:
    setup = Setup()
    thread = start_thread(setup.worker.run, "test")
    assert thread is not None
    assert wait_until(lambda: bool(setup.worker._server))
    with setup.worker._state:  # so that the thread can't end yet
        setup.worker.stop()
        assert setup.worker.flush()
        exchange(setup.worker).finish()
    thread.join(10)
    passed_on: list[Exchange] = []
    assert (setup.windows, setup.worker.hand_over(passed_on.append)) == ([], 1)
    assert len(passed_on) == 1


def test_a_window_closes_every_interval() -> None:
    schedule = Schedule(30.0, 100, 1.0, now=0.0)
    assert not schedule.due(29.9, 5)
    assert schedule.wait_s(29.9, 5) - 0.1 < 1e-9
    assert schedule.due(30.0, 5)
    assert not schedule.due(30.1, 5)
    assert schedule.due(60.2, 0)


def test_the_first_early_window_closes_at_once_and_the_next_ones_are_spaced() -> None:
    schedule = Schedule(30.0, 100, 5.0, now=0.0)
    assert schedule.due(1.0, 100)
    assert not schedule.due(1.1, 5000)
    assert schedule.wait_s(1.0, 5000) == 5.0
    assert schedule.due(6.0, 5000)


def test_calls_wake_the_thread_at_the_batch_size() -> None:
    setup = Setup(batch_size=10)
    thread = start_thread(setup.worker.run, "test")
    assert thread is not None
    for _ in range(10):
        exchange(setup.worker).finish()
    assert wait_until(lambda: setup.windows == [10])
    setup.worker.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_a_caller_that_never_waits_leaves_the_thread_time() -> None:
    setup = Setup(monotonic=time.monotonic, most_waiting=2500)
    thread = start_thread(setup.worker.run, "test")
    assert thread is not None
    before = sys.getswitchinterval()
    sys.setswitchinterval(3600.0)  # nobody makes it give the interpreter back, as on a machine that is busy
    try:
        for _ in range(30_000):
            exchange(setup.worker).finish()
            sum(range(500))  # the application's own work
    finally:
        sys.setswitchinterval(before)
    setup.worker.stop()
    thread.join(10)
    assert setup.worker.flush()
    assert setup.worker.dropped == 0
    assert sum(setup.windows) == 30_000


def test_between_two_early_windows_the_thread_is_left_alone() -> None:
    with early_window_closed(most_waiting=100, spacing_s=2.0) as setup:
        called: list[object] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("recost.lifecycle.worker.wake_up", called.append)
            for _ in range(99):
                exchange(setup.worker).finish()
        assert called == []
        setup.now = 2.0
        assert wait_until(lambda: setup.windows == [10, 99]), "the window that is due was not closed"


def test_between_two_early_windows_the_inbox_is_emptied_before_it_is_full() -> None:
    with early_window_closed(most_waiting=50, spacing_s=3600.0) as setup:
        for _ in range(50):
            exchange(setup.worker).finish()
        assert wait_until(lambda: setup.pipeline.total == 60)
        assert setup.windows == [10]


def test_after_a_pause_as_many_calls_wake_the_thread_as_are_missing() -> None:
    schedule = Schedule(30.0, 100, 5.0, now=0.0)
    assert schedule.missing(0.0, 0) == 100
    assert schedule.due(1.0, 100)
    assert schedule.missing(1.0, 0) is None
    assert schedule.wait_s(1.0, 0) == 5.0
    assert schedule.missing(6.0, 60) == 40
    assert schedule.wait_s(6.0, 60) == 24.0


def test_a_flush_takes_what_is_in_the_inbox() -> None:
    setup = Setup()
    for _ in range(7):
        exchange(setup.worker).finish()
    setup.worker.flush()
    setup.worker.flush()
    assert setup.windows == [7]


def test_a_full_inbox_refuses_counts_and_reports() -> None:
    setup = Setup(inbox_limit=5)
    for _ in range(12):
        exchange(setup.worker).finish()
    setup.worker.flush()
    assert setup.windows == [5]
    assert setup.worker.dropped == 7
    assert isinstance(setup.errors[0], RecostError)
    assert "7 calls" in str(setup.errors[0])
    setup.worker.flush()
    assert len(setup.errors) == 1
    exchange(setup.worker).finish()
    setup.worker.flush()
    assert setup.windows == [5, 1]


def test_one_odd_call_stops_nothing() -> None:
    setup = Setup()
    setup.pipeline.fail_at = 2
    for _ in range(5):
        exchange(setup.worker).finish()
    setup.worker.flush()
    setup.worker.flush()
    assert sum(setup.windows) == 4
    assert isinstance(setup.errors[0], KeyError)


def test_recording_inside_the_garbage_collector_while_the_lock_is_held() -> None:
    setup = Setup(batch_size=1)

    class Response:
        def __init__(self) -> None:
            self.itself = self
            self.exchange = exchange(setup.worker)

        def __del__(self) -> None:
            self.exchange.finish()

    done = threading.Event()

    def hold_and_collect() -> None:
        with setup.worker._lock:
            for _ in range(50):
                Response()
            gc.collect()
        done.set()

    thread = threading.Thread(target=hold_and_collect, daemon=True)
    thread.start()
    assert done.wait(10), "a finaliser waited for a lock that its own thread holds"
    setup.worker.flush()
    assert sum(setup.windows) == 50


def test_recording_from_many_threads_loses_nothing() -> None:
    setup = Setup(batch_size=50, inbox_limit=100_000)
    runner = start_thread(setup.worker.run, "test")
    assert runner is not None

    def record() -> None:
        for _ in range(500):
            exchange(setup.worker).finish()

    threads = [threading.Thread(target=record) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    setup.worker.stop()
    runner.join(10)
    setup.worker.flush()
    assert sum(setup.windows) == 4000
    assert not setup.errors


def test_a_call_that_resumes_the_thread_does_not_wait_for_its_work() -> None:
    began, release = threading.Event(), threading.Event()

    class Slow(Counting):
        def drain(self, inbox: deque[Exchange], limit: int) -> None:
            began.set()
            assert release.wait(60)
            super().drain(inbox, limit)

    setup = Setup()
    setup.worker._pipeline = Slow()
    setup.worker.resume()
    thread = start_thread(setup.worker.run, "worker")
    assert thread is not None
    setup.worker.pause()
    assert began.wait(60)
    caller = threading.Thread(target=setup.worker.resume, daemon=True)
    caller.start()
    caller.join(20)
    assert not caller.is_alive()
    release.set()
    setup.worker.stop()
    thread.join(60)
