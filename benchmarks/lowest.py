"""The lowest of many short rounds, on one thread of this process."""

from __future__ import annotations

import gc
import time
from typing import Any, Callable

__all__ = ["lowest_s"]


def lowest_s(run: Callable[[Any], object], rounds: int, prepare: Callable[[], Any] = lambda: None) -> float:
    """Return the least CPU time that ``run(prepare())`` took, in seconds, of which preparing is no part."""
    lowest = float("inf")
    for _ in range(rounds):
        given = prepare()
        gc.collect()
        before = time.process_time()
        run(given)
        lowest = min(lowest, time.process_time() - before)
    return lowest
