"""Waiting for another thread: woken, out of time, and where signals are handled."""

from __future__ import annotations

import threading
import time

from recost._waiting import Waiters

LONG_S = 30.0


def test_the_main_thread_waits_in_pieces_so_that_no_signal_comes_too_late() -> None:
    asked: list[float] = []

    def ready() -> bool:
        asked.append(time.monotonic())
        return len(asked) > 3

    assert Waiters().wait(ready, time.monotonic() + LONG_S)


def test_another_thread_sleeps_until_it_is_woken() -> None:
    waiters, asked, waiting, done = Waiters(), [], threading.Event(), threading.Event()

    def ready() -> bool:
        asked.append(done.is_set())
        waiting.set()
        return done.is_set()

    thread = threading.Thread(target=lambda: waiters.wait(ready))
    thread.start()
    assert waiting.wait(LONG_S)
    done.set()
    waiters.wake()
    thread.join(LONG_S)
    assert not thread.is_alive()
    assert asked == [False, True]


def test_what_is_not_ready_in_time_is_false() -> None:
    assert not Waiters().wait(lambda: False, time.monotonic())
