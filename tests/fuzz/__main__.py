"""``python -m tests.fuzz [TARGET ...] [--runs N]``: run targets with atheris, each in a process of its own.

A target that raises, takes longer than the time-out for one input, or takes more memory than the limit is a
finding: its input is kept in the folder that ``--keep`` names, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

_DONE = re.compile(r"Done (\d+) runs in")
_COUNT = re.compile(r"^#(\d+)", re.MULTILINE)


class Result(NamedTuple):
    target: str
    runs: int
    seconds: float
    findings: list[Path]
    output: str


def main() -> int:
    arguments = _arguments()
    if find_spec("atheris") is None:
        print(
            "fuzzing needs atheris: pip install 'atheris>=3' (Linux, Python 3.11 or later)", file=sys.stderr
        )
        return 2
    if arguments.one:
        return _fuzz(arguments)
    from tests.fuzz.targets import targets

    known = targets()
    unknown = [name for name in arguments.targets if name not in known]
    if unknown:
        print(f"invalid target {unknown[0]!r}: expected one of {', '.join(known)}", file=sys.stderr)
        return 2
    print(f"{'target':<16} {'runs':>9} {'seconds':>8} findings", flush=True)
    failed = False
    for name in arguments.targets or known:
        found = _run(name, arguments)
        failed |= bool(found.findings)
        print(f"{name:<16} {found.runs:>9,} {found.seconds:>8.1f} {len(found.findings)}", flush=True)
        for path in found.findings:
            print(f"  {path}")
        if found.findings:
            print(found.output[-4000:])
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="(default: all)")
    parser.add_argument("--runs", type=int, default=100_000, metavar="N", help="(default: 100000)")
    parser.add_argument("--seconds", type=int, default=180, metavar="S", help="at most (default: 180)")
    parser.add_argument("--timeout", type=int, default=10, metavar="S", help="for one input (default: 10)")
    parser.add_argument("--memory", type=int, default=2048, metavar="MB", help="(default: 2048)")
    parser.add_argument("--max-length", type=int, default=4096, metavar="BYTES", help="(default: 4096)")
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()), metavar="FOLDER")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _run(name: str, arguments: argparse.Namespace) -> Result:
    command = [sys.executable, "-m", "tests.fuzz", "--one", name]
    for option in ("runs", "seconds", "timeout", "memory", "max-length", "keep"):
        command += [f"--{option}", str(getattr(arguments, option.replace("-", "_")))]
    before = set(arguments.keep.glob(f"{name}-*"))
    started = time.monotonic()
    # Python code that never returns to libFuzzer is ended here.
    limit = arguments.seconds + 3 * arguments.timeout + 30
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
        output, code = done.stdout + done.stderr, done.returncode
    except subprocess.TimeoutExpired as error:
        output, code = f"{error}\n{error.stderr!r}", 1
    seconds = time.monotonic() - started
    counts = _DONE.findall(output) or _COUNT.findall(output) or ["0"]
    findings = sorted(set(arguments.keep.glob(f"{name}-*")) - before)
    if code and not findings:
        findings = [Path("(no input was kept)")]
    return Result(name, int(counts[-1]), seconds, findings, output)


def _fuzz(arguments: argparse.Namespace) -> int:
    import atheris

    with atheris.instrument_imports(include=["recost"]):
        from tests.fuzz.targets import targets

        target = targets()[arguments.targets[0]]
    with tempfile.TemporaryDirectory(prefix="recost-fuzz-") as corpus:
        for number, seed in enumerate(target.seeds):
            (Path(corpus) / str(number)).write_bytes(seed)
        options = [
            f"-runs={arguments.runs}",
            f"-max_total_time={arguments.seconds}",
            f"-timeout={arguments.timeout}",
            f"-rss_limit_mb={arguments.memory}",
            f"-max_len={arguments.max_length}",
            f"-artifact_prefix={arguments.keep / target.name}-",
            corpus,
        ]
        atheris.Setup([sys.argv[0], *options], target.run)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
