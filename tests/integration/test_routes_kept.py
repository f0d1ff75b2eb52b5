"""How often rules are looked up for a target, and how many functions one call runs through."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
import pytest

import recost
from recost.pricing.registry import ProviderRegistry
from recost.pricing.route import LONGEST_REMEMBERED
from recost.testing import capture_windows
from tests.metered import Metered, metered_server

MOST: int = 120
"""Functions of recost that a metered call with a budget runs through."""
BUDGETS = (
    recost.Budget(1000, on_exceed="raise"),
    recost.Budget(900, on_exceed="raise", model="house-model-1"),
)
PACKAGE = str(Path(recost.__file__).parent)


@pytest.fixture
def server() -> Iterator[Metered]:
    with metered_server() as running:
        yield running


@pytest.fixture
def lookups(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the paths that the rules are asked about from now on."""
    found: list[str] = []
    resolve = ProviderRegistry.resolve

    def counted(registry: ProviderRegistry, host: str, path: str) -> Any:
        if host == "127.0.0.1":  # another host's is asked about beforehand, to load what the first call needs
            found.append(path)
        return resolve(registry, host, path)

    monkeypatch.setattr(ProviderRegistry, "resolve", counted)
    return found


def started(server: Metered, folder: Path, **options: Any) -> recost.RecostHandle:
    settings = {"custom_providers": server.rules(), "capture_usage": True, "budgets": BUDGETS, **options}
    return recost.init(local_dir=str(folder), **settings)


def post(server: Metered, path: str, times: int = 1) -> None:
    with httpx.Client(trust_env=False) as client:
        for _ in range(times):
            client.post(f"{server.url}{path}", json={"model": "m-1"})


def test_the_rules_are_asked_once_about_a_new_target(
    server: Metered, tmp_path: Path, lookups: list[str]
) -> None:
    with started(server, tmp_path) as handle:
        post(server, "/v1/chat?as=sse", 5)
        post(server, "/v1/chat", 5)
        assert handle.flush_blocking()
        post(server, "/v1/chat#again", 5)
        post(server, "/v1/others", 5)
        assert handle.flush_blocking()
    assert lookups == ["/v1/chat", "/v1/others"]


def test_the_rules_are_asked_once_for_all_threads(
    server: Metered, tmp_path: Path, lookups: list[str]
) -> None:
    with started(server, tmp_path) as handle:
        post(server, "/v1/chat")
        threads = [threading.Thread(target=post, args=(server, "/v1/chat", 5)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert handle.flush_blocking()
    assert lookups == ["/v1/chat"]


def test_the_rules_are_asked_once_for_each_call_to_a_long_path(
    server: Metered, tmp_path: Path, lookups: list[str]
) -> None:
    """Such a path is not remembered, but each call keeps its own route."""
    path = "/v1/" + "x" * LONGEST_REMEMBERED
    with started(server, tmp_path) as handle:
        post(server, path, 3)
        assert handle.flush_blocking()
    assert lookups == [path] * 3


def test_new_rules_are_asked_anew(server: Metered, tmp_path: Path, lookups: list[str]) -> None:
    for rules in (server.rules(), [recost.ProviderDef("127.0.0.1", "other", usd_per_call=Decimal(1))]):
        with started(server, tmp_path, custom_providers=rules) as handle:
            post(server, "/v1/chat", 3)
            cost = recost.cost_for(httpx.post(f"{server.url}/v1/chat", trust_env=False))
            assert cost is not None
            assert cost.provider == rules[0].provider
            assert handle.flush_blocking()
    assert lookups == ["/v1/chat"] * 2


def test_without_metering_the_rules_are_asked_once(
    server: Metered, tmp_path: Path, lookups: list[str]
) -> None:
    with started(server, tmp_path, capture_usage=False) as handle:
        post(server, "/v1/chat", 3)
        assert handle.flush_blocking()
    assert lookups == ["/v1/chat"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_inherits_the_routes_of_its_parent(
    server: Metered, tmp_path: Path, lookups: list[str]
) -> None:
    with started(server, tmp_path) as handle:
        post(server, "/v1/chat", 2)
        assert handle.flush_blocking()
        child = os.fork()
        if not child:
            try:
                lookups.clear()
                post(server, "/v1/chat", 2)
                post(server, "/v1/others", 2)
                flushed = handle.flush_blocking()
                os._exit(0 if flushed and lookups == ["/v1/others"] else 1)
            finally:
                os._exit(2)
        assert os.waitpid(child, 0)[1] == 0
        post(server, "/v1/chat")
        assert handle.flush_blocking()
    assert lookups == ["/v1/chat"]


class Trace:
    """Counts the calls of recost's functions, on every thread that starts inside the block."""

    def __init__(self) -> None:
        self.counting = False
        self.calls: list[str] = []

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event == "call" and self.counting and code.co_filename.startswith(PACKAGE):
            where = f"{code.co_filename[len(PACKAGE) + 1 :]}:{code.co_firstlineno}"
            self.calls.append(f"{threading.current_thread().name:16} {where} {code.co_name}")

    @contextmanager
    def installed(self) -> Iterator[None]:
        threading.setprofile(self)
        sys.setprofile(self)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    def wait(self) -> None:
        """Wait until no function has been called for a while."""
        known = -1
        while known != len(self.calls):
            known = len(self.calls)
            time.sleep(0.3)


TIMES = 100


def check(calls: list[str], most: int) -> None:
    """Compare the mean number of functions that a call ran through, and print them."""
    by_function = Counter(calls).most_common()
    report = "\n".join(f"{count / TIMES:8.2f} {function}" for function, count in by_function)
    print(report)
    assert len(calls) / TIMES <= most, f"{len(calls) / TIMES} calls:\n{report}"


@pytest.mark.parametrize("metered", [False, True])
def test_a_call_to_a_known_path_runs_through_few_functions(server: Metered, metered: bool) -> None:
    """Count from the client to the bucket of the window, with a budget that no file keeps."""
    trace = Trace()
    budget = recost.Budget(1000, on_exceed="raise")
    with capture_windows(custom_providers=server.rules(), budgets=[budget], capture_usage=metered) as windows:
        runtime, budgets = windows._flush.args  # type: ignore[attr-defined]

        def turn() -> None:
            """Do what the threads would do."""
            budgets.turn()
            runtime.worker.turn()

        for _ in range(2):  # a target that is met again is counted in another way
            post(server, "/v1/chat?as=2kb", 25)  # the price of a model's tokens is found after a few calls
            turn()
        with trace.installed():
            trace.counting = True
            post(server, "/v1/chat?as=2kb", TIMES)
            turn()
            trace.counting = False
    check(trace.calls, MOST)


AT_INTERVALS = ("budgets/", "_files.py", "_folders.py", "_documents.py", "wire/")
"""Files with the functions that the budgets' thread runs at its intervals, whatever the number of calls."""


@pytest.mark.parametrize(("budgets", "most"), [(1, MOST), (2, 130)])
def test_a_call_with_a_budget_in_a_file_runs_through_few_functions(
    server: Metered, tmp_path: Path, budgets: int, most: int
) -> None:
    """Count all threads, metered. The second budget has a model, which is read from the request."""
    trace = Trace()
    with trace.installed(), started(server, tmp_path, budgets=BUDGETS[:budgets]) as handle:
        post(server, "/v1/chat?as=2kb", 25)
        assert handle.flush_blocking()
        trace.counting = True
        post(server, "/v1/chat?as=2kb", TIMES)
        assert handle.flush_blocking()
        trace.counting = False
    own = [
        call
        for call in trace.calls
        if not (call.startswith("recost-budgets") and call.split()[1].startswith(AT_INTERVALS))
    ]
    check(own, most)
