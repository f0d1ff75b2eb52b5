"""One application, bare or with recost, in a process of its own.

A heartbeat thread wants the interpreter every 50 us and notes how late it gets it, while two other threads
make calls. Of a gap, only the CPU time that recost's threads spent in it counts against recost, as other
processes of a busy machine make gaps, too. A line of JSON tells of the longest ones. Linux only.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import sys
import threading
import time
from decimal import Decimal
from typing import Any, Callable, Final, Optional

_BEAT_S: Final = 50e-6
_BEAT_NS: Final = 50_000
_NOTICED_NS: Final = 200_000
_LOOK_EVERY_NS: Final = 2_000_000
"""Interval between two looks for new threads."""
_BUCKETS: Final = 2000
_TAG_SETS: Final = 100
_FOREIGN: Final = ("recv_events", "recv")
"""Names of the functions that the WebSocket library's thread runs, which recost's connection starts."""


class Heartbeat:
    """Delays of a thread that wants to run all the time."""

    def __init__(self) -> None:
        self.longest_ns = 0
        self.held_ns = 0
        self.collecting_ns = 0
        self.going = True
        self.watched: set[int] = set()
        """Threads that are recost's own for now, by the system's number."""
        self._collections = 0
        gc.callbacks.append(self._note_collection)
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._begun = threading.Event()

    def start(self) -> None:
        """Start, and return when the heart beats."""
        self._thread.start()
        self._begun.wait()

    def stop(self) -> dict[str, float]:
        """Return the longest gap, and the longest that recost's threads made, in milliseconds."""
        self.going = False
        self._thread.join(10)
        figures = {"gap": self.longest_ns, "held": self.held_ns, "collecting": self.collecting_ns}
        return {f"{name}_ms": found / 1e6 for name, found in figures.items()}

    def _note_collection(self, phase: str, info: dict[str, int]) -> None:
        # Noted before: what is done at its end may not be seen by a thread that has waited for that.
        if phase == "start" and info["generation"]:
            self._collections += 1

    def _run(self) -> None:
        _hurry(2)
        now_ns, sleep = time.perf_counter_ns, time.sleep
        clocks: dict[int, int] = {}
        spent_ns = 0
        looked = last = now_ns()
        self._begun.set()
        while self.going:
            sleep(_BEAT_S)
            now = now_ns()
            gap = now - last - _BEAT_NS
            before, spent_ns = spent_ns, self._spent_ns(clocks)
            if gap > _NOTICED_NS:
                self.longest_ns = max(self.longest_ns, gap)
                held = min(gap, spent_ns - before)
                if self._collections:  # of all objects, the application's too
                    self.collecting_ns = max(self.collecting_ns, held)
                else:
                    self.held_ns = max(self.held_ns, held)
            self._collections = 0
            if now - looked > _LOOK_EVERY_NS:
                looked = now
                clocks = {thread: _clock(thread) for thread in self._own()}
                spent_ns = self._spent_ns(clocks)
            last = now_ns()

    def _own(self) -> set[int]:
        own = set(self.watched)
        for thread in list(threading._active.values()):  # type: ignore[attr-defined]  # noqa: SLF001 - no lock
            target = getattr(thread, "_target", None)
            is_own = thread.name.startswith("recost") or getattr(target, "__name__", "") in _FOREIGN
            if is_own and thread.native_id is not None:
                own.add(thread.native_id)
        return own

    @staticmethod
    def _spent_ns(clocks: dict[int, int]) -> int:
        total = 0
        for clock in clocks.values():
            with contextlib.suppress(OSError):  # it has ended
                total += time.clock_gettime_ns(clock)
        return total


def _hurry(priority: int) -> None:
    """Have this thread, and those that it starts, run before all other programs' if that is allowed.

    A thread that another program keeps from running may have the interpreter, which would count as a stall.
    """
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))


def _clock(thread: int) -> int:
    """Return Linux's clock of a thread's CPU time: unlike Python's function, an ended thread does no harm."""
    return (~thread << 3) | 6


class Application:
    """Makes calls on threads of its own."""

    def __init__(self, url: str, *, seconds: float) -> None:
        import httpx  # noqa: PLC0415 - after the environment is complete

        self._client = httpx.Client(trust_env=False)
        self._url = url
        self._seconds = seconds
        self.calls = 0

    def call(self, path: str = "/v1/chat/completions") -> None:
        """Make one call."""
        self._client.post(self._url + path, content=b'{"model": "gpt-small"}').raise_for_status()
        self.calls += 1

    def work(self) -> None:
        """Make calls for a while, on two threads."""
        until = time.monotonic() + self._seconds
        threads = [threading.Thread(target=self._work, args=(until,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self, until: float) -> None:
        while time.monotonic() < until:
            self.call()
            time.sleep(0.002)

    def fill(self, tag: Optional[Callable[..., Any]]) -> None:
        """Make calls that are in as many buckets as a window may have, under many tags."""
        early, late = "abcdefghijklm", "nopqrstuvwxyz"
        words = [first + second + third for first in early for second in late for third in early]
        for index in range(_BUCKETS):
            tagged = tag(team=f"team {index % _TAG_SETS}") if tag else contextlib.nullcontext()
            with tagged:
                self.call(f"/v1/{words[index]}")


def _options(state: str, collector: str) -> dict[str, Any]:
    options: dict[str, Any] = {"on_error": lambda _: None}
    if state == "WebSocket":
        options.update(local_transport="ws", local_port=int(collector))
    elif collector:
        options.update(api_key="rc-benchmark", project_id="p", base_url=collector, max_retries=1)
    if state in ("buckets", "exit"):
        options.update(flush_interval_ms=3_600_000, max_batch_size=1_000_000)
    else:
        options.update(flush_interval_ms=100, max_batch_size=10)
    if state.startswith("metered"):
        import recost  # noqa: PLC0415 - not in the bare application

        rule = recost.ProviderDef(
            "127.0.0.1",
            "house",
            "/v1",
            "chat",
            usage="openai",
            usd_per_unit={"input_tokens": Decimal("1e-6"), "output_tokens": Decimal("2e-6")},
            price_source="this benchmark",
            price_date="2026-11-30",
        )
        options.update(capture_usage=True, custom_providers=[rule])
    return options


def _measured(heart: Heartbeat, act: Callable[[], Any]) -> dict[str, float]:
    heart.start()
    act()
    return heart.stop()


def _in_child(heart: Heartbeat, act: Callable[[], Any]) -> None:
    """Measure in a forked child, which prints."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    print(json.dumps(_measured(heart, act)), flush=True)
    os._exit(0)


def _begin_exit(heart: Heartbeat) -> None:
    """Measure until the application's own ``atexit`` functions run, which are registered first."""
    heart.start()
    heart.watched.add(threading.get_native_id())  # it does nothing of its own any more
    time.sleep(0.01)


def main(state: str, observer: str, url: str, collector: str, seconds: str) -> None:
    """Measure one state."""
    _hurry(1)
    heart = Heartbeat()
    application = Application(url, seconds=float(seconds))
    flush: Callable[[float], Any] = bool
    tag: Any = None
    if state == "exit":
        atexit.register(lambda: print(json.dumps(heart.stop()), flush=True))
    if observer != "bare":
        import recost  # noqa: PLC0415 - as above

        flush, tag = recost.init(**_options(state, collector)).flush_blocking, recost.tag
    if not state.startswith("first turn"):
        application.call()
        flush(5)
    if state in ("buckets", "exit"):
        application.fill(tag)
    if state == "exit":
        _begin_exit(heart)
        return
    act = application.work if state != "buckets" else lambda: flush(30)
    if state == "fork":
        _in_child(heart, act)
    else:
        print(json.dumps(_measured(heart, act)), flush=True)
    os._exit(0)  # the last flush has a state of its own


if __name__ == "__main__":
    main(*sys.argv[1:])
