"""How long `recost report` takes, against reading the same files with Python's json in the same run.

python benchmarks/reports.py --rows 1000000
python benchmarks/reports.py --rows 10000000 --folder /var/tmp/corpus   # 3 GB, kept for the next run
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Final, Optional

from recost import wire
from recost.events import MetricEntry, ModelEntry, TagEntry, WindowSummary

METRICS: Final = 2_000
"""Of a window: as many as the SDK puts into one."""
POOL: Final = 100
"""Windows that differ; they repeat with other times."""
FILE_BYTES: Final = 64 << 20
"""At which the SDK begins another file."""
YEAR_MS: Final = 365 * 86_400_000
START_MS: Final = datetime(2025, 11, 1, tzinfo=timezone.utc).timestamp() * 1000
PROVIDERS: Final = (
    "openai", "anthropic", "stripe", "unknown", "aws", "github", "mistral", "twilio", "sendgrid", "cohere",
)  # fmt: skip
MODELS: Final = {
    "openai": ("gpt-4o-2024-08-06", "gpt-4o-mini", "o3"),
    "anthropic": ("claude-sonnet-4-5", "claude-haiku-4-5"),
}
NOUNS: Final = ("customers", "charges", "messages", "objects", "users", "items", "orders", "search", "files")

READER: Final = """
import json, sys
metrics = 0
for name in sys.argv[1:]:
    with open(name, "rb") as file:
        for line in file:
            try:
                metrics += len(json.loads(line)["metrics"])
            except ValueError:
                pass
print(metrics)
"""


@dataclass(frozen=True)
class Run:
    seconds: float
    cpu_seconds: float
    peak_mb: float
    output: str


def metric(chance: random.Random, index: int) -> MetricEntry:
    provider = PROVIDERS[index % len(PROVIDERS)]
    calls, latency = chance.randint(1, 400), chance.uniform(20, 900)
    cost = 0.0 if provider == "unknown" else calls * chance.choice((0.02, 0.5, 0.0004))
    plain = MetricEntry(
        provider, f"/v1/{NOUNS[index % len(NOUNS)]}/{{id}}/{index // len(NOUNS)}", ("GET", "POST")[index % 2],
        calls, chance.randint(0, calls // 20), calls * latency, latency * 0.9, latency * 2.1,
        chance.randint(0, 10**6), chance.randint(0, 10**7), cost,
    )  # fmt: skip
    extra: dict[str, object] = {}
    if provider == "unknown":
        extra = {"unpriced_count": calls, "attempts": calls}
    elif provider in MODELS and chance.random() < 0.3:
        cost = calls * chance.uniform(0.0001, 0.2)
        model = ModelEntry(chance.choice(MODELS[provider]), calls, cost, 0, calls * 900, calls * 80)
        extra = {
            "estimated_cost_cents": cost, "cost_source": {"computed": cost}, "models": (model,),
            "tokens": {"input": calls * 900, "output": calls * 80},
        }  # fmt: skip
    if chance.random() < 0.02:
        extra["tags"] = (TagEntry((("tenant", f"t{chance.randint(0, 30)}"),), calls, 0, cost, 0),)
    return MetricEntry(**{**vars(plain), **extra})


def windows(rows: int, torn: float) -> Iterator[bytes]:
    chance = random.Random(1)
    count = max(1, rows // METRICS)
    size = min(rows, METRICS)
    pool = [tuple(metric(chance, index) for index in range(size)) for _ in range(min(POOL, count))]
    encoded: list[list[bytes]] = []
    for metrics in pool:
        line = wire.encode_window(WindowSummary("", "production", "python", "0.2.0", 0, 30_000, metrics))
        encoded.append(line.split(b'"1970-01-01T00:00:00.000Z","windowEnd":"1970-01-01T00:00:30.000Z"'))
    for number in range(count):
        start = START_MS + YEAR_MS * number // count
        head, tail = encoded[number % len(encoded)]
        times = f'"{wire.format_timestamp(start)}","windowEnd":"{wire.format_timestamp(start + 30_000)}"'
        line = head + times.encode() + tail
        yield (line[: len(line) // 2] if chance.random() < torn else line) + b"\n"


def write(folder: Path, rows: int, torn: float) -> None:
    paths: list[Path] = []
    done = folder / f".complete-{rows}-{torn}"
    if done.exists():
        return
    for old in folder.glob("*.jsonl"):
        old.unlink()
    file = None
    for line in windows(rows, torn):
        if file is None or file.tell() >= FILE_BYTES:
            if file is not None:
                file.close()
            paths.append(folder / f"shop.{len(paths) + 1}.jsonl")
            file = paths[-1].open("wb")
        file.write(line)
    if file is not None:
        file.close()
    done.touch()


def run(command: Sequence[str], folder: Path) -> Run:
    env = {**os.environ, "RECOST_LOCAL_DIR": str(folder)}
    begin = time.perf_counter()
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begin
    if process.returncode:
        raise SystemExit(f"{' '.join(command[:5])}: exit code {process.returncode}")
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit, output)


def forget(folder: Path) -> None:
    for path in (folder / ".cache").glob("*"):
        path.unlink()


@contextmanager
def place(folder: Optional[str]) -> Iterator[Path]:
    if folder is not None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        yield Path(folder).absolute()
        return
    with tempfile.TemporaryDirectory(prefix="recost-reports-") as name:
        yield Path(name)


def measure(folder: Path, paths: Sequence[Path]) -> list[tuple[str, Run]]:
    report = [sys.executable, "-m", "recost", "report"]
    forget(folder)
    found = [("Python's json", run([sys.executable, "-c", READER, *map(str, paths)], folder))]
    found.append(("first report", run([*report, "--json"], folder)))
    for label, options in (
        ("later, by provider", []),
        ("later, by model", ["--by", "model"]),
        ("later, by day and provider", ["--by", "day,provider", "--tz", "Europe/Berlin"]),
        ("later, by tag", ["--by", "tag:tenant"]),
        ("later, last 30 days, compared", ["--since", "2026-10-01", "--until", "2026-10-31", "--compare"]),
    ):
        found.append((label, run([*report, "--json", *options], folder)))
    with paths[-1].open("ab") as file:
        file.write(next(windows(METRICS, 0)))
    found.append(("after one more window", run([*report, "--json"], folder)))
    return found


def small(folder: Path) -> Run:
    (folder / "small").mkdir(exist_ok=True)
    (folder / "small" / "shop.jsonl").write_bytes(b"".join(windows(40, 0)))
    run([sys.executable, "-m", "recost", "report"], folder / "small")
    runs = [run([sys.executable, "-m", "recost", "report"], folder / "small") for _ in range(5)]
    return sorted(runs, key=lambda each: each.seconds)[2]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="metrics (1,000,000)")
    parser.add_argument("--torn", type=float, default=0.0, help="share of lines that are torn (0)")
    parser.add_argument("--folder", help="kept, and used again when it has such files (a temporary one)")
    options = parser.parse_args()
    with place(options.folder) as folder:
        # In another process: what it takes would count as the peak of every process that is started here.
        maker = multiprocessing.get_context("spawn").Process(
            target=write, args=(folder, options.rows, options.torn)
        )
        maker.start()
        maker.join()
        paths = sorted(folder.glob("shop.*.jsonl"))
        size = sum(path.stat().st_size for path in paths)
        print(
            f"{options.rows:,} metrics, {size / 1e6:,.0f} MB in {len(paths)} files, {os.cpu_count()} cores\n"
        )
        print("|  | seconds | of Python's json | CPU seconds | peak MB |\n|---|---:|---:|---:|---:|")
        results = measure(folder, paths)
        base = results[0][1].seconds
        for label, each in [*results, ("small file, second report", small(folder))]:
            cells = (
                f"{each.seconds:.2f}",
                f"{each.seconds / base:.3f}",
                f"{each.cpu_seconds:.2f}",
                f"{each.peak_mb:.0f}",
            )
            print(f"| {label} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
