"""How many windows a collector stores: `python benchmarks/collector.py [--windows N] [--rate N]`.

One collector with files, or the empty database of ``--store URL``, as ``recost collector`` starts it. One
process sends over connections that are kept alive. First as fast as responses come, then at a steady rate: a
POST's time begins when it is due.

``--minutes N`` sends at the rate for so long, and prints the memory each quarter of it. ``--instructions``
prints the machine instructions of a window instead, which other work on the machine does not change: the
difference of two rounds under valgrind.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

CONNECTIONS = 64
METRICS = 3
ID = b"00000000-0000-0000-0000-000000000000"


def window() -> dict[str, Any]:
    metric = {
        "provider": "openai", "method": "POST", "requestCount": 30, "errorCount": 1,
        "totalLatencyMs": 24125.25,
        "p50LatencyMs": 801.2, "p95LatencyMs": 910.0, "totalRequestBytes": 51200, "totalResponseBytes": 93100,
        "estimatedCostCents": 6.25, "costSource": {"computed": 6.25}, "unpricedCount": 0, "attempts": 31,
        "tokens": {"input": 12000, "output": 3000},
        "models": [{"model": "gpt-4o", "requestCount": 30, "estimatedCostCents": 6.25, "unpricedCount": 0,
                    "inputTokens": 12000, "outputTokens": 3000}],
    }  # fmt: skip
    return {
        "protocolVersion": "1.2", "windowId": ID.decode(), "environment": "production",
        "sdkLanguage": "python", "sdkVersion": "0.2.0",
        "windowStart": "2026-11-21T10:00:00.000Z", "windowEnd": "2026-11-21T10:00:30.000Z",
        "metrics": [{**metric, "endpoint": f"endpoint_{number}"} for number in range(METRICS)],
    }  # fmt: skip


class Sender:
    def __init__(self, port: int, key: str) -> None:
        self.port = port
        body = json.dumps(window(), separators=(",", ":")).encode()
        head = (
            f"POST /projects/shop/telemetry HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.before, self.after = (head.encode() + body).split(ID)
        self.size = len(body)
        self.times: list[float] = []

    async def post(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, due: float) -> None:
        writer.write(self.before + str(uuid.uuid4()).encode() + self.after)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 202"), head
        await reader.readexactly(int(re.findall(rb"content-length: (\d+)", head)[0]))
        self.times.append(time.perf_counter() - due)

    async def run(self, windows: int, rate: Optional[float]) -> float:
        """Send and return the seconds that it took."""
        self.times.clear()
        begun, numbers = time.perf_counter(), iter(range(windows))

        async def connection() -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            for number in numbers:
                due = time.perf_counter() if rate is None else begun + number / rate
                await asyncio.sleep(max(due - time.perf_counter(), 0))
                await self.post(reader, writer, due)
            writer.close()

        await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
        return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--windows", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--instructions", action="store_true")
    parser.add_argument("--store", metavar="URL", help="a database in place of files")
    asked = parser.parse_args()
    if asked.instructions:
        few, many = (instructions(windows) for windows in (500, 1500))
        print(f"{(many - few) / 1000:,.0f} instructions a window")
        return
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:  # a temporary directory may be in memory
        with collector(folder, store=asked.store) as (sender, pid):
            if asked.minutes:
                hold(sender, pid, asked.minutes, asked.rate)
                return
            measure(sender, pid, asked.windows, asked.rate)
        if asked.store is not None:
            return
        size = (Path(folder) / "shop.jsonl").stat().st_size
        index = (Path(folder) / ".collector" / "ids.sqlite").stat().st_size
        print(
            f"on disk: {size / 2 / asked.windows:,.0f} bytes a window, {index / 2 / asked.windows:,.0f} an id"
        )


@contextlib.contextmanager
def collector(folder: str, *under: str, store: Optional[str] = None) -> Iterator[tuple[Sender, int]]:
    """Serve a folder or a database, and yield a client and the collector's process id."""
    command = [sys.executable, "-m", "recost", "collector", "--dir", folder]
    options = ["keys", "add", "--project", "shop", "--posts-per-hour", "10000000"]
    key = subprocess.run([*command, *options], capture_output=True, text=True, check=True).stdout.strip()
    options = ["--listen", "127.0.0.1:0", *([] if store is None else ["--store", store])]
    with subprocess.Popen([*under, *command, *options], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = int(re.findall(r":(\d+) ", server.stdout.readline())[0])
        try:
            yield Sender(port, key), server.pid
        finally:
            server.terminate()


def instructions(windows: int) -> int:
    """Return the instructions of a collector that gets some windows, from its start to its end."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        counts = Path(folder) / "counts"
        valgrind = ("valgrind", "--tool=callgrind", "--quiet", f"--callgrind-out-file={counts}")
        with collector(folder, *valgrind) as (sender, _):
            asyncio.run(sender.run(windows, None))
        (total,) = re.findall(r"^totals: (\d+)$", counts.read_text(encoding="utf-8"), re.MULTILINE)
        return int(total)


def hold(sender: Sender, pid: int, minutes: float, rate: float) -> None:
    """Send for some minutes, and print the memory and the times of each quarter."""
    for quarter in range(4):
        asyncio.run(sender.run(int(rate * minutes * 15), rate))
        at = f"{minutes * (quarter + 1) / 4:g} min at {rate:,.0f} a second"
        print(f"{at}: {resident_mb(pid, 'VmRSS'):,.0f} MB, {quantiles(sender.times)}")


def measure(sender: Sender, pid: int, windows: int, rate: float) -> None:
    asyncio.run(sender.run(500, None))
    before_s = cpu_s(pid)
    took_s = asyncio.run(sender.run(windows, None))
    used_s = cpu_s(pid) - before_s
    print(f"window: {METRICS} metrics, {sender.size:,} bytes; {CONNECTIONS} connections")
    print(f"as fast as it can: {windows / took_s:,.0f} windows a second, {quantiles(sender.times)}")
    print(
        f"CPU of the collector: {1e6 * used_s / windows:,.0f} µs a window, {windows / used_s:,.0f} a second"
    )
    asyncio.run(sender.run(windows, rate))
    print(f"at {rate:,.0f} a second: {quantiles(sender.times)}")
    if Path(f"/proc/{pid}/status").exists():
        print(f"memory: {resident_mb(pid, 'VmHWM'):,.0f} MB at most")


def resident_mb(pid: int, name: str) -> float:
    """Return the memory of a process: VmRSS now, or VmHWM at most."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition(f"{name}:")[2].split()[0]) / 1024


def cpu_s(pid: int) -> float:
    """Return the CPU time of a process, which other load on the machine changes little."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def quantiles(times: list[float]) -> str:
    ordered = sorted(times)
    found = {name: ordered[int(len(ordered) * share)] for name, share in (("p50", 0.5), ("p99", 0.99))}
    return ", ".join(f"{name} {1000 * value:,.1f} ms" for name, value in found.items())


if __name__ == "__main__":
    main()
