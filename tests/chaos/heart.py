"""How long recost keeps a program's threads from running, so measured that a busy machine changes little.

A thread wants to run every millisecond. What of its delay counts is at most the CPU time that recost's
threads spent in it: delays that other programs cause are not in it, nor is the time in which the thread could
run and had no processor. Where others share the processor, it is slower, too: that is measured and taken off.
A call that waits inside recost is seen by its frames, and by its CPU clock, which stands.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import marshal
import os
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Final, Optional

from tests.chaos.producer import Said, say

__all__ = ["Heart"]

_BEAT_NS: Final = 1_000_000
_NOTICED_NS: Final = 3_000_000
_BLOCKED_NS: Final = 5_000_000
_AWAKE_NS: Final = 200_000
_OBJECTS: Final = marshal.dumps([(number, str(number)) for number in range(3000)])
_LOOK_EVERY_NS: Final = 20_000_000
_RECOST: Final = f"{Path(__file__).resolve().parents[2] / 'recost'}{os.sep}"


class Heart:
    """The thread that measures."""

    def __init__(self, name: str) -> None:
        self.calling: dict[int, tuple[float, int]] = {}
        """When the call of a thread began (monotonic), and the system's number of the thread."""
        self._name = name
        self._going = True
        self._held_ns = 0
        self._collections = 0
        self._watched: dict[int, tuple[FrameType, int, int, int]] = {}
        """Frame, instruction, CPU time and beginning of what a thread does inside recost."""
        gc.callbacks.append(self._note_collection)
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def start(self) -> None:
        _best_ns()
        self._thread.start()

    def stop(self) -> None:
        """Stop, and say what was seen."""
        self._going = False
        self._thread.join(5)
        say(Said(self._name, held_ms=self._held_ns / 1e6))

    def _note_collection(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start" and info["generation"]:
            self._collections += 1

    def _run(self) -> None:
        now_ns = time.perf_counter_ns
        clocks: dict[int, int] = {}
        looked = last = now_ns()
        spent, waited = 0, _waited_ns(threading.get_native_id())
        while self._going:
            time.sleep(_BEAT_NS / 1e9)
            now = now_ns()
            before, spent = spent, _spent_ns(clocks)
            gap = now - last - _BEAT_NS
            if gap > _NOTICED_NS:
                waited_before, waited = waited, _waited_ns(threading.get_native_id())
                if not self._collections:  # it visits the application's objects, whoever made it due
                    gap -= waited - waited_before
                    held = min(gap, spent - before)
                    if held > _NOTICED_NS:
                        held = round(held / _slowness())
                    self._held_ns = max(self._held_ns, held)
            self._collections = 0
            self._look_at_calls(now)
            if now - looked > _LOOK_EVERY_NS:
                looked = now
                clocks = {number: _clock(number) for number in _own_threads()}
                spent, waited = _spent_ns(clocks), _waited_ns(threading.get_native_id())
            last = now_ns()

    def _look_at_calls(self, now: int) -> None:
        begun = time.monotonic() - _BLOCKED_NS / 1e9
        calling = {ident: native for ident, (since, native) in list(self.calling.items()) if since < begun}
        frames = sys._current_frames() if calling else {}
        for ident, native in calling.items():
            frame = frames.get(ident)
            if frame is None or not _waits_in_recost(frame):
                self._watched.pop(ident, None)
                continue
            used = _spent_ns({0: _clock(native)})
            known = self._watched.get(ident)
            if (
                known is None
                or known[0] is not frame
                or known[1] != frame.f_lasti
                or used - known[2] > _AWAKE_NS
            ):
                self._watched[ident] = (frame, frame.f_lasti, used, now)
            elif now - known[3] > _BLOCKED_NS and not _is_runnable(native):
                code = frame.f_code
                say(Said(self._name, blocked=f"{code.co_filename}:{frame.f_lineno} {code.co_name}"))
                del self._watched[ident]
        for ident in set(self._watched) - set(calling):
            del self._watched[ident]


def _waits_in_recost(frame: FrameType) -> bool:
    """Return whether recost's code runs, and not at the end of the process in a signal handler."""
    if not frame.f_code.co_filename.startswith(_RECOST):
        return False
    above: Optional[FrameType] = frame
    while above is not None:
        if above.f_code.co_name == "_terminated":
            return False
        above = above.f_back
    return True


def _slowness() -> float:
    """Return how much slower the processor is at this moment than it was at its best in this process."""
    return max(_reading_ns() / _best_ns(), 1.0)


@functools.cache
def _best_ns() -> int:
    return min(_reading_ns() for _ in range(20))


def _reading_ns() -> int:
    """Return the CPU time of what an import does: it makes many small objects."""
    began = time.thread_time_ns()
    marshal.loads(_OBJECTS)
    return time.thread_time_ns() - began


def _own_threads() -> list[int]:
    threads = list(threading._active.values())  # type: ignore[attr-defined] # no lock
    return [each.native_id for each in threads if each.name.startswith("recost") and each.native_id]


def _spent_ns(clocks: dict[int, int]) -> int:
    total = 0
    for clock in clocks.values():
        with contextlib.suppress(OSError):  # it has ended
            total += time.clock_gettime_ns(clock)
    return total


def _waited_ns(thread: int) -> int:
    """Return how long a thread could run and had no processor. Linux only."""
    try:
        return int(Path(f"/proc/self/task/{thread}/schedstat").read_text().split()[1])
    except (OSError, IndexError):
        return 0


def _is_runnable(thread: int) -> bool:
    """Return whether a thread waits for a processor only."""
    try:
        return Path(f"/proc/self/task/{thread}/stat").read_text().rpartition(")")[2].split()[0] == "R"
    except OSError:
        return True


def _clock(thread: int) -> int:
    """Return Linux's clock of a thread's CPU time: unlike Python's function, an ended thread does no harm."""
    return (~thread << 3) | 6
