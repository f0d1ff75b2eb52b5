"""Run seeds: ``python -m tests.chaos --seeds 50 --seconds 60``. A number gives the same plan each time."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.chaos.run import run
from tests.scripts import ROOT


def _one(seed: int, seconds: float, keep: str) -> int:
    outcome = run(seed, seconds, keep=Path(keep, str(seed)) if keep else None)
    print(outcome.line(), flush=True)
    for problem in outcome.problems:
        print(f"  {problem}", flush=True)
    return 1 if outcome.problems else 0


def _in_a_process(seed: int, seconds: float, keep: str) -> bool:
    """Run a seed in a process of its own, as others run beside it. Return whether it is well."""
    command = [
        sys.executable,
        "-m",
        "tests.chaos",
        "--first",
        str(seed),
        "--seeds",
        "1",
        "--seconds",
        str(seconds),
    ]
    done = subprocess.run(
        [*command, *(["--keep", keep] if keep else [])],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    print(done.stdout, end="", flush=True)
    return done.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="number of runs (default: 5)")
    parser.add_argument(
        "--first", type=int, default=0, metavar="N", help="the first run's number (default: 0)"
    )
    parser.add_argument("--seconds", type=float, default=60, help="length of a run (default: 60)")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="runs at a time (default: 1)")
    parser.add_argument("--keep", default="", metavar="FOLDER", help="keep the files of the runs there")
    options = parser.parse_args()
    if options.seeds == 1:
        return _one(options.first, options.seconds, options.keep)
    began = time.monotonic()
    seeds = range(options.first, options.first + options.seeds)
    with ThreadPoolExecutor(options.jobs) as pool:
        well = list(pool.map(lambda seed: _in_a_process(seed, options.seconds, options.keep), seeds))
    failed = [seed for seed, passed in zip(seeds, well) if not passed]
    print(f"{len(well)} seeds, {len(failed)} failed {failed or ''}, {time.monotonic() - began:,.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
