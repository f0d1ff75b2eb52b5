"""One client, bare, with recost, or with recost metering, in a process of its own, on the network in memory.

Reads a number of calls from each line of standard input, and replies with the CPU time that they took the
calling thread, in nanoseconds.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import time
from typing import Any

_WARM = 4
"""A round begins with this part of it, which doesn't count: the responses of the round before have been read
meanwhile, and that has taken the processor's caches."""


def main(client: str, mode: str, response: str) -> None:
    """Set up, and take orders."""
    os.environ["BENCHMARK_RESPONSE"] = response
    import clients  # noqa: PLC0415 - reads the environment

    with tempfile.TemporaryDirectory() as folder:
        handle = None
        if mode != "bare":
            import recost  # noqa: PLC0415 - not where it is not to be

            # What recost's threads do is not asked here: they rest while a round goes on.
            options: dict[str, Any] = {"flush_interval_ms": 600_000, "max_batch_size": 1_000_000}
            handle = recost.init(local_dir=folder, capture_usage=mode == "on", **options)
        calls = clients.make(client, None, stream=response == "events")
        print("ready", flush=True)
        for line in sys.stdin:
            gc.collect()
            calls(max(int(line) // _WARM, 1))
            before = time.thread_time_ns()
            calls(int(line))
            took = time.thread_time_ns() - before
            if handle is not None:
                handle.flush_blocking()
            print(took, flush=True)
        if handle is not None:
            handle.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
