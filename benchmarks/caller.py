"""One client under one observer, in a process of its own, making calls when it is told to.

Reads the number of calls of a round from each line of standard input, and replies with the CPU time that the
round took the whole process, all threads and the flush included, in nanoseconds. At the end of its input it
replies with the number of calls that it has made and the number that the observer has seen.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time

import clients
from observers import OBSERVERS
from payload import HOST

GROUP = 100


def main() -> None:
    """Set up, and take orders."""
    parser = argparse.ArgumentParser()
    parser.add_argument("client", choices=clients.CLIENTS)
    parser.add_argument("observer", choices=list(OBSERVERS))
    parser.add_argument("--port", type=int, help="of the server on loopback; in memory without")
    parser.add_argument("--host", default=HOST, help="in memory: the host that is called")
    options = parser.parse_args()
    observer = OBSERVERS[options.observer](clients.module_of(options.client))
    calls = clients.make(options.client, options.port, host=options.host)
    made = 0
    print("ready", flush=True)
    for line in sys.stdin:
        gc.collect()
        groups = int(line) // GROUP
        before = time.process_time_ns()
        for _ in range(groups):
            with observer.group():
                calls(GROUP)
        observer.flush()
        print(time.process_time_ns() - before, flush=True)
        made += groups * GROUP
    print(made, observer.seen(), flush=True)


if __name__ == "__main__":
    main()
