"""Compare random programs, bare and recorded: ``python -m tests.random_programs --count 10000 --seed 1``."""

from __future__ import annotations

import argparse
import sys
import time

from tests.random_programs.compare import compare


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.random_programs")
    parser.add_argument("--count", type=int, default=200, metavar="N", help="programs (default: 200)")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="the first program's number (default: 0)"
    )
    arguments = parser.parse_args()
    began = time.monotonic()
    result = compare(arguments.seed, arguments.count, progress=True)
    for difference in result.differences:
        print(difference)
    print(
        f"{result.programs:,} programs, {result.calls:,} calls served, {result.recorded:,} recorded, "
        f"{result.unsteady:,} programs that differ without recost too (skipped), "
        f"{len(result.differences):,} differences, {time.monotonic() - began:,.0f} s"
    )
    return 1 if result.differences else 0


if __name__ == "__main__":
    sys.exit(main())
