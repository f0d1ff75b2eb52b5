"""Whatever fails inside recost, the application's call is what it would be without."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any

import httpx
import pytest

import recost
from recost.interceptors.context import current
from recost.interceptors.exchange import unfinished
from recost.pricing.model import ProviderDef
from tests.interceptors import faults
from tests.loopback import Loopback, wait_until

BOUNDARY = {"contain", "_comes_from_outside", "_signal_handlers", "_is_raise", "end", "call"}
"""The boundary itself, and ``call``: the wrapper that runs the original for one with an unusual call."""
REPORTING = {"report", "__call__", "_internal", "log_debug", "wake_up", "<lambda>"}
"""Functions that report errors, or wake the thread that does, whose own errors are not reported.

Errors in reading a response (``pricing/usage``) are not reported either: its cost is estimated then.
"""
EVENT = {"clean_path", "origin", "is_error", "latency_ms", "to_event", "__call__", "__init__"}
"""Functions that make the event for the callback of ``recost.install``, which an interruption prevents."""
ERRORS = (
    RuntimeError("own"),
    MemoryError("own"),
    RecursionError("own"),
    KeyboardInterrupt("own"),
    SystemExit("own"),
)


@pytest.fixture
def bare_calls(server: Loopback) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Calls by name, and what each gives without recost."""
    assert not recost.is_installed()
    calls = faults.scenarios(server.url)
    yield calls, {name: faults.outcome(call) for name, call in calls.items()}
    unfinished.clear()  # calls whose end could not be recorded


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Collect what interrupted clients have left open now, and not in the midst of another test."""
    yield
    gc.collect()


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Nothing is collected: a finaliser of an earlier call must not take the interruption of this one."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[list[Exception]]:
    """The errors that recost reports while all its features are on."""
    errors: list[Exception] = []
    rule = ProviderDef("127.0.0.1", "house", "/", "any", usage="openai", cost_per_request_cents=0.01)
    handle = recost.init(
        local_dir=str(tmp_path),
        capture_usage=True,
        custom_providers=[rule],
        budgets=[recost.Budget(1000, "day", on_exceed="raise")],
        on_error=errors.append,
    )
    recost.install(lambda event: None)
    try:
        with recost.tag(feature="faults"), recost.track():
            yield errors
    finally:
        recost.uninstall()
        handle.dispose()


def _reached(calls: dict[str, Any]) -> dict[CodeType, list[str]]:
    """Return the functions of recost below the doors, and the calls that reach each."""
    doors: set[CodeType] = set()
    found: dict[CodeType, list[str]] = {}
    for name, call in calls.items():
        opened, functions = faults.doors_and_functions(call)
        doors |= opened
        for code in functions:
            found.setdefault(code, []).append(name)
    return {
        code: names for code, names in found.items() if code not in doors and code.co_name not in BOUNDARY
    }


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("turn", [0, *(pytest.param(turn, marks=pytest.mark.slow) for turn in (1, 2, 3, 4))])
def test_every_function_below_the_doors_fails_in_turn(
    bare_calls: Any, heard: list[Exception], turn: int
) -> None:
    """Each turn raises one kind of error in each function, and all turns raise every kind."""
    calls, bare = bare_calls
    reached = _reached(calls)
    assert len(reached) > 60
    wrong, unheard = [], []
    functions = faults.functions_of(reached)
    for index, (code, names) in enumerate(sorted(reached.items(), key=lambda item: faults.place(item[0]))):
        error = ERRORS[(index + turn) % len(ERRORS)]
        heard.clear()
        with faults.failing(code, functions[code], faults.raising(error)) as count:
            for name in _some(names):
                seen = faults.outcome(calls[name])
                if seen != bare[name]:
                    wrong.append(f"{faults.place(code)}: {error!r}: {name}\n  {bare[name]}\n  {seen}")
        reported = code.co_name not in REPORTING and "pricing/usage/" not in faults.place(code)
        if count and reported and not wait_until(lambda: bool(heard)):  # reported on a thread of recost's
            unheard.append(f"{faults.place(code)}: {error!r}")
        assert current.get() is None
    assert not wrong, f"{len(wrong)} of {len(reached)}\n" + "\n".join(wrong[:40])
    assert not unheard, "\n".join(unheard)


def _some(names: list[str]) -> list[str]:
    """Return at most three of the calls, as different as possible."""
    return names[:: max(len(names) // 3, 1)][:3]


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("client", ["httpx", "requests", "urllib.request"])
def test_ctrl_c_in_any_function_is_the_applications(bare_calls: Any, server: Loopback, client: str) -> None:
    calls, bare = bare_calls
    events: list[Any] = []
    recost.install(events.append)
    name = f"{client} whole /plain?n=2000"
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        reached = _reached({name: calls[name]})
        functions = faults.functions_of(reached)
        unrecorded = []
        for code in reached:
            assert wait_until(server.settled)  # what was interrupted last may still be on its way
            server.log.clear()
            events.clear()
            with faults.failing(
                code, functions[code], partial(signal.raise_signal, signal.SIGINT), once=True
            ) as count:
                seen = faults.outcome(calls[name])
            if not count:
                continue
            assert seen[0] == "raised", faults.place(code)
            assert seen[1][0] == "KeyboardInterrupt", faults.place(code)
            assert current.get() is None
            if len(server.log) > len(events) and code.co_name not in EVENT:
                unrecorded.append(faults.place(code))
            assert faults.outcome(calls[name]) == bare[name], "the next call is as ever"
        assert not unrecorded
    finally:
        signal.signal(signal.SIGINT, before)
        recost.uninstall()


@pytest.mark.usefixtures("uncollected")
def test_what_a_signal_handler_raises_is_the_applications(bare_calls: Any, server: Loopback) -> None:
    # A time-out by SIGALRM, as job queues have it, is an ordinary exception.
    calls, _ = bare_calls
    name = "httpx whole /plain?n=2000"

    def late(number: int, frame: Any) -> None:
        raise TimeoutError("the job took too long")

    before = signal.signal(signal.SIGALRM, late)
    recost.install(lambda event: None)
    try:
        reached = _reached({name: calls[name]})
        functions = faults.functions_of(reached)
        for code in reached:
            with faults.failing(code, functions[code], partial(signal.raise_signal, signal.SIGALRM)) as count:
                seen = faults.outcome(calls[name])
            if count:
                assert seen[1][:2] == ("TimeoutError", ["the job took too long"]), faults.place(code)
            assert current.get() is None
    finally:
        signal.signal(signal.SIGALRM, before)
        recost.uninstall()


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_near_the_limit_of_recursion(server: Loopback) -> None:
    """A call near the recursion limit loses only the few frames that recost needs."""

    def deep(left: int) -> Any:
        return (
            deep(left - 1) if left else httpx.Client(trust_env=False).get(server.url + "/plain").status_code
        )

    def room() -> int:
        """Return how deep the application may be at most."""
        low, high = 0, sys.getrecursionlimit()
        while high - low > 1:
            middle = (low + high) // 2
            try:
                assert deep(middle) == 200
                low = middle
            except RecursionError:
                high = middle
        return low

    bare = room()
    recost.install(lambda event: None)
    try:
        assert bare - room() <= 8
    finally:
        recost.uninstall()
    assert current.get() is None
