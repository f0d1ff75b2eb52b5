"""A program that interrupts recost at each of its lines, and has the interruption call recost again.

Arguments: what is interrupted, what interrupts it, on which threads, and a folder. Each place is tried once,
in a round of its own, with a real signal on the main thread, and as a finaliser would run on the others. A
round that hangs ends the program with a traceback of all threads. Each round writes into a folder of its own,
so that nothing that was there before is counted. Prints what was found as JSON.
"""

# ruff: noqa: PLW0603 - a trace function and a signal handler share what they know with the program

from __future__ import annotations

import faulthandler
import gc
import json
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any, Callable, Optional

import httpx

import recost
from recost.lifecycle import current_handle

ACTION, HANDLER, WHERE, FOLDER = sys.argv[1:5]
PACKAGE = str(Path(recost.__file__).parent)
HANGS_AFTER_S = 60
ENOUGH = 3
"""Rounds in a row with no new place: a busy machine may not let the threads come to one in a single round."""
BOUND_S = 15
SLOW_S = 10.0
"""Less than the bound, which something that waits for itself takes; and much, for a busy machine."""

client = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200)))
made = 0
folder = FOLDER
started: list[recost.RecostHandle] = []
wrong: list[str] = []
tried: set[tuple[str, int]] = set()
slow: list[str] = []
raised: list[str] = []
armed = False
fired = False
latest = "nowhere"
spend: Any = None


def call() -> None:
    global made
    client.get("http://api.example.com/plain")
    made += 1


def running() -> recost.RecostHandle:
    handle = current_handle()
    return start() if handle is None else handle


def start() -> recost.RecostHandle:
    handle = recost.init(
        local_dir=folder,
        flush_interval_ms=3_600_000,
        max_batch_size=1000,
        shutdown_flush_timeout_ms=BOUND_S * 1000,
    )
    started.append(handle)
    return handle


def price() -> None:
    global made
    with recost.track() as inner, recost.tag(feature="search"):
        response = client.get("http://api.example.com/plain")
    recost.cost_for(response)
    assert spend is None or spend.calls >= 0
    # None where recost has been ended; with those of an interruption, which count themselves.
    own = min(inner.calls, 1)
    made += own


DEEDS: dict[str, Callable[[], object]] = {
    "flush": lambda: running().flush_blocking(1.0),
    "dispose": lambda: running().dispose(),
    "init": start,
    "price": price,
    "call": call,
}


def interrupt(*_: object) -> None:
    began = time.monotonic()
    try:
        DEEDS[HANDLER]()
    except BaseException as error:  # noqa: BLE001 - shown by the test
        raised.append(repr(error))
    took_s = time.monotonic() - began
    if took_s > SLOW_S:
        slow.append(f"{took_s:.1f} s at {latest}")


def trace(frame: FrameType, event: str, _: Any) -> Optional[Callable[..., Any]]:
    global fired, latest
    if not armed or not frame.f_code.co_filename.startswith(PACKAGE):
        return None if event == "call" else trace
    place = (frame.f_code.co_filename, frame.f_lineno)
    if event == "line" and not fired and place not in tried:
        fired = True
        tried.add(place)
        latest = f"{place[0]}:{place[1]}"
        if threading.current_thread() is threading.main_thread():
            signal.raise_signal(signal.SIGUSR1)
        else:
            interrupt()
    return trace


def refuse(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def play() -> bool:
    """Do one round; False when there was no new place in it."""
    global armed, fired, spend, made, folder
    faulthandler.dump_traceback_later(HANGS_AFTER_S, exit=True)
    armed = fired = False
    made, folder = 0, tempfile.mkdtemp(dir=FOLDER)
    start()
    with recost.track() as spend:
        call()
        call()
        armed = True
        DEEDS[ACTION]()
        armed = False
    running().flush_blocking(10)
    running().dispose()
    while started:  # one that a finaliser has replaced may still be ending
        started.pop().dispose()
    recorded, repeated = read()
    if recorded != made or repeated:
        wrong.append(f"{made} calls made, {recorded} recorded, {repeated} windows twice, {latest}")
    return fired


def read() -> tuple[int, int]:
    """Return the number of calls that this round has recorded, and of the windows that were written twice."""
    lines = [line for path in Path(folder).glob("*.jsonl") for line in path.read_text().splitlines()]
    calls = sum(metric["requestCount"] for line in lines for metric in json.loads(line)["metrics"])
    return calls, len(lines) - len(set(lines))


signal.signal(signal.SIGUSR1, interrupt)
gc.disable()
if WHERE == "no threads":
    threading.Thread.start = refuse  # type: ignore[method-assign, assignment]
if WHERE == "own threads":
    threading.settrace(trace)
else:
    sys.settrace(trace)
idle = 0
while idle < ENOUGH:
    idle = 0 if play() else idle + 1
faulthandler.cancel_dump_traceback_later()  # what is left is the interpreter's: it has much to take down
sys.settrace(None)
threading.settrace(None)
print(json.dumps({"places": len(tried), "slow": slow, "raised": raised, "wrong": wrong}))
