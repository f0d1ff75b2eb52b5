"""Whatever fails once on recost's own threads, they live on, and what comes later is recorded."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
import urllib3

import recost
import recost._files
from recost.pricing.model import ProviderDef
from tests.interceptors import faults
from tests.loopback import Loopback, wait_until
from tests.scripts import calls, windows

ERRORS = (RuntimeError("own"), MemoryError("own"), RecursionError("own"), SystemExit("own"))
CALLS = 3
FLUSH_S = 2.0
LAST_RESORT = {
    "supervise", "start_thread", "_one", "_call_posted", "_serve", "run", "_run_thread",
    "_release", "release",
}  # fmt: skip
"""What contains the errors of all the rest, and what gives back a lock: so does the end of a locked file."""
TELLING = {
    "_tell",
    "_hand_over",
    "_log",
    "_internal",
    "__call__",
    "_write_log",
    "_is_logged",
    "post",
    "_idle",
}
"""What an error is told by: nobody hears of one in there."""
READING = {"_once", "_parse_int", "parse_decimal"}
"""Parts of the parser of the budgets' files: an error in there makes a file a damaged one."""


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    yield
    gc.collect()


class Application:
    """A program with recost."""

    def __init__(self, server: Loopback, folder: Path) -> None:
        self.heard: list[Exception] = []
        self._server = server
        self._folder = folder
        self._manager = urllib3.PoolManager()
        rule = ProviderDef("127.0.0.1", "house", "/", "any", usage="openai", cost_per_request_cents=0.01)
        self.handle = recost.init(
            local_dir=str(folder),
            capture_usage=True,
            custom_providers=[rule],
            budgets=[recost.Budget(1000, "day", on_exceed="raise", file=str(folder / "budget.json"))],
            on_error=self.heard.append,
            shutdown_flush_timeout_ms=10_000,
        )

    def call(self) -> None:
        for _ in range(CALLS):
            assert self._manager.request("GET", self._server.url + "/plain?n=20").status == 200

    def recorded(self) -> int:
        return sum(calls(windows(self._folder)).values())

    def close(self) -> None:
        self._manager.clear()
        self.handle.dispose()


def _on_ours() -> bool:
    return threading.current_thread().name.startswith("recost")


@pytest.fixture
def reached(server: Loopback, tmp_path: Path) -> set[CodeType]:
    """The functions of recost that its own threads call."""
    found: set[CodeType] = set()

    def seen(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(faults.ROOT):
            found.add(frame.f_code)

    threading.setprofile(seen)
    try:
        application = Application(server, tmp_path / "profiled")
        application.call()
        application.handle.flush_blocking(10)
        application.call()
        application.close()
    finally:
        threading.setprofile(None)
    return {
        code
        for code in found
        if code.co_name not in LAST_RESORT
        and not (code.co_name == "__exit__" and code.co_filename == recost._files.__file__)
    }


@pytest.mark.filterwarnings("ignore:Assigning a code object of non-matching type:DeprecationWarning")
@pytest.mark.parametrize("turn", [0, *(pytest.param(turn, marks=pytest.mark.slow) for turn in (1, 2, 3))])
def test_what_fails_on_our_threads_is_told_and_gone_on_after(
    server: Loopback, tmp_path: Path, reached: set[CodeType], turn: int
) -> None:
    """With one kind of error for each function; after all turns, with every kind."""
    assert len(reached) > 60
    functions = faults.functions_of(reached)
    wrong = []
    for index, code in enumerate(sorted(reached, key=faults.place)):
        error = ERRORS[(index + turn) % len(ERRORS)]
        with closing(Application(server, tmp_path / str(index))) as application:
            with faults.failing(
                code, functions[code], faults.raising(error), once=True, where=_on_ours
            ) as count:
                application.call()
                application.handle.flush_blocking(FLUSH_S)
            before = application.recorded()
            application.call()
            application.handle.flush_blocking(FLUSH_S)
            heard = application.heard
            told = (
                not count or code.co_name in TELLING | READING or wait_until(lambda heard=heard: bool(heard))
            )
        recorded = application.recorded()
        if not told or recorded - before < CALLS or recorded > 2 * CALLS:
            wrong.append(f"{faults.place(code)}: {error!r}: recorded {before} and {recorded}, told {told}")
    assert not wrong, f"{len(wrong)} of {len(reached)}\n" + "\n".join(wrong)
