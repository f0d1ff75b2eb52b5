"""Run a fleet: ``python -m tests.fleet --processes 50 --calls 2000``."""

from __future__ import annotations

import argparse
import sys

from tests.fleet.run import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fleet", description=__doc__)
    add = parser.add_argument
    add("--processes", type=int, default=50, metavar="N", help="processes, of four kinds (default: 50)")
    add("--calls", type=int, default=2000, metavar="N", help="calls of each process (default: 2000)")
    add("--kill-every", type=float, default=3, metavar="S", help="kill the collector (default: every 3 s)")
    add("--lose", type=float, default=0.2, metavar="SHARE", help="responses that are lost (default: 0.2)")
    add(
        "--pause",
        type=float,
        default=0.01,
        metavar="S",
        help="between two calls (default: 0.01)",
    )
    add("--limit", type=float, default=1800, metavar="S", help="time to wait at most (default: 1800)")
    options = parser.parse_args()
    outcome = run(
        options.processes,
        options.calls,
        every_s=options.kill_every,
        share=options.lose,
        pause_s=options.pause,
        limit_s=options.limit,
    )
    print(outcome.line())
    if not outcome.is_exact:
        for message, count in outcome.errors.most_common(20):
            print(f"  {count} times: {message}")
    return 0 if outcome.is_exact else 1


if __name__ == "__main__":
    sys.exit(main())
