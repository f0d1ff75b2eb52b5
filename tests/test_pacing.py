"""Long work gives other threads the interpreter, even where they would wait for it for ever."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, Callable

import pytest

from recost import _pacing
from recost._pacing import free, rest, short_turns
from recost.aggregation.breakdown import Facts
from recost.aggregation.window import Window, WindowTags
from recost.events import MetricEntry, WindowSummary
from recost.wire import encode_window
from tests.scripts import run_script

_FACTS = Facts(None, metered=False, tags=(("team", "a"),))


@pytest.fixture
def no_switching() -> Iterator[None]:
    """Let a thread have the interpreter until it gives it away."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(600)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def steps_of_another_thread(work: Callable[[], Any]) -> int:
    """Return how often another thread had the interpreter during some work."""
    steps, going, begun = 0, True, threading.Event()

    def other() -> None:
        nonlocal steps
        begun.set()
        while going:
            time.sleep(0)
            steps += 1

    thread = threading.Thread(target=other)
    thread.start()
    begun.wait()
    try:
        before = steps
        work()
        return steps - before
    finally:
        going = False
        thread.join()


def busy(pause: Callable[[], Any]) -> None:
    for _ in range(50):
        sum(range(20_000))
        pause()


def window(buckets: int = 2000) -> Window:
    made = Window(WindowTags(), 0.0)
    for number in range(buckets):
        key = ("provider", f"/v1/{number}", "GET")
        made.add_bucket(key)
        counts = made.count_target(key, _FACTS, _FACTS)
        counts.calls = 1
        counts.bucket.samples.append(1.0)
        made.call_count += 1
    return made


def closed() -> Window:
    made = window()
    made.close(1.0)
    return made


def summary() -> WindowSummary:
    return closed().summary()


@pytest.mark.usefixtures("no_switching")
def test_rest_gives_the_interpreter_to_others() -> None:
    assert steps_of_another_thread(lambda: busy(lambda: None)) == 0
    assert steps_of_another_thread(lambda: busy(rest)) > 0


WORK: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "close": (window, lambda made: made.close(1.0)),
    "summary": (closed, lambda made: made.summary()),
    "split": (closed, lambda made: made.split(1000)),
    "merge": (lambda: (closed(), closed()), lambda both: both[0].merge(both[1])),
    "encode": (summary, encode_window),
}


@pytest.mark.usefixtures("no_switching")
@pytest.mark.parametrize("name", WORK)
def test_large_windows_are_worked_on_in_steps(name: str) -> None:
    prepare, work = WORK[name]
    given = prepare()
    assert steps_of_another_thread(lambda: work(given)) > 0


@pytest.mark.usefixtures("no_switching")
def test_many_objects_are_freed_in_steps() -> None:
    items: list[Any] = [{"a": [number]} for number in range(50_000)]
    assert steps_of_another_thread(lambda: free(items)) > 0
    assert items == []


def test_a_window_that_is_encoded_in_steps_is_one_line_of_json() -> None:
    metrics = tuple(
        MetricEntry("p", f"/\u00e9{number}\udc80", "GET", 1, 0, 1.0, 1.0, 1.0, 0, 0, 0.0)
        for number in range(3)
    )
    made = WindowSummary("", "", "python", "1", 0.0, 1.0, metrics)
    for count in (0, 1, 3):
        line = encode_window(WindowSummary("", "", "python", "1", 0.0, 1.0, metrics[:count]))
        assert b"\n" not in line
        assert [metric["endpoint"] for metric in json.loads(line)["metrics"]] == [
            f"/\u00e9{number}?" for number in range(count)
        ]
    assert made.metrics == metrics


def test_turns_are_short_for_a_while() -> None:
    before = sys.getswitchinterval()
    with short_turns():
        assert sys.getswitchinterval() == pytest.approx(_pacing.STRETCH_S)
        with short_turns():
            assert sys.getswitchinterval() == pytest.approx(_pacing.STRETCH_S)
        assert sys.getswitchinterval() == pytest.approx(_pacing.STRETCH_S)
    assert sys.getswitchinterval() == before


@pytest.mark.parametrize("seconds", [0.02, 0.00001])
def test_what_the_application_sets_meanwhile_stays(seconds: float) -> None:
    before = sys.getswitchinterval()
    try:
        with short_turns():
            sys.setswitchinterval(seconds)
        assert sys.getswitchinterval() == pytest.approx(seconds)
        sys.setswitchinterval(0.00001)
        with short_turns():
            assert sys.getswitchinterval() == pytest.approx(0.00001)
        assert sys.getswitchinterval() == pytest.approx(0.00001)
    finally:
        sys.setswitchinterval(before)


def test_turns_are_as_before_after_an_import_that_fails() -> None:
    before = sys.getswitchinterval()
    with pytest.raises(ImportError), short_turns():
        raise ImportError
    assert sys.getswitchinterval() == before


def test_greenlets_are_not_switched() -> None:
    code = (
        "import time; switched = []; sleep = time.sleep\n"
        "time.sleep = lambda seconds: switched.append(seconds)\n"  # as gevent's patching does
        "from recost._pacing import rest\n"
        "for _ in range(100):\n    sum(range(20_000)); rest()\n"
        "print(switched)"
    )
    assert run_script(code).stdout.strip() == "[]"
