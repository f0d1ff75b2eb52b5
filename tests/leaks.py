"""Count what many calls leave behind: ``python -m tests.leaks --calls 100000 --cycles 1000``.

Each kind of call runs in a process of its own with recost on: objects, descriptors, threads and resident
memory after a warm-up, and again after all the calls. Plain calls and streams are answered from memory, as in
the benchmarks; those that end otherwise by a server on loopback, a tenth as often.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Callable, Final

from tests.integration.clients import installed
from tests.loopback import loopback, refused_port
from tests.random_programs.programs import ASYNC_CLIENTS, SYNC_CLIENTS, Step
from tests.scripts import ROOT, environment

__all__ = ["CYCLES", "Left", "kinds", "measure"]

CYCLES: Final = "init and dispose"
IN_MEMORY: Final = (
    "httpx", "httpx async", "httpx2", "httpx2 async", "aiohttp", "requests", "urllib3", "urllib.request",
)  # fmt: skip
ODD_ENDS: Final = {
    "early": ("plain?n=70000", "early"),
    "unread": ("plain?n=70000", "never"),
    "404": ("status/404", "all"),
    "reset": ("reset", "all"),
    "refused": ("refused", "all"),
}
"""Ends of a call that need a server: what it does, and how its answer is read."""
_WARM_UP: Final = 0.2
_MOST_MEMORY_KB: Final = 4096
_MOST_OBJECTS: Final = 400
"""More than caches that fill up with use, and far less than one a call."""


@dataclass(frozen=True)
class Left:
    """What is there after the calls that was not there after the warm-up."""

    kind: str
    calls: int
    recorded: int
    objects: int
    descriptors: int
    threads: int
    memory_kb: int

    @property
    def flat(self) -> bool:
        """Whether nothing grows with the number of calls."""
        still = self.descriptors <= 0 and self.threads <= 0 and self.recorded == self.calls
        return still and self.objects <= _MOST_OBJECTS and self.memory_kb <= _MOST_MEMORY_KB


def kinds() -> Iterator[str]:
    """Yield every kind of call, and the cycles."""
    for client in IN_MEMORY:
        if installed(client.split()[0]):
            yield from (f"{client} plain", f"{client} stream")
    for client, flavour in [
        *((name, "") for name in SYNC_CLIENTS),
        *((name, " async") for name in ASYNC_CLIENTS),
    ]:
        if installed(client):
            yield from (f"{client}{flavour} {end}" for end in ODD_ENDS)
    yield CYCLES


def measure(kind: str, count: int) -> Left:
    """Run a kind of call in a process of its own."""
    with loopback() as server:
        done = subprocess.run(
            [sys.executable, "-m", "tests.leaks", "--inside", kind, str(count), str(server.port)],
            env=environment(PYTHONPATH=f"{ROOT}{os.pathsep}{ROOT / 'benchmarks'}"),
            capture_output=True, text=True, timeout=3000, check=False,
        )  # fmt: skip
    if done.returncode:
        raise AssertionError(f"{kind}: {done.stderr}")
    return Left(**json.loads(done.stdout))


def _inside(kind: str, count: int, port: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        left = _cycles(count, folder) if kind == CYCLES else _calls(kind, count, port, folder)
    print(json.dumps(asdict(left)))


def _calls(kind: str, count: int, port: int, folder: str) -> Left:
    import recost

    make = _made(kind, port)
    handle = recost.init(local_dir=folder, capture_usage=True, local_max_bytes=1 << 20)
    warm_up = int(count * _WARM_UP)
    make(warm_up)
    before = _now(handle, folder)
    before_count = _recorded(folder)
    make(count)
    after = _now(handle, folder)
    recorded = _recorded(folder) - before_count
    handle.dispose()
    return Left(kind, count, recorded, *(late - early for early, late in zip(before, after)))


def _cycles(count: int, folder: str) -> Left:
    import recost

    make = _made("urllib3 plain", 0)

    def cycles(many: int) -> None:
        for _ in range(many):
            handle = recost.init(local_dir=folder, capture_usage=True)
            make(1)
            handle.dispose()

    cycles(int(count * _WARM_UP))
    before, before_count = _now(None, folder), _recorded(folder)
    cycles(count)
    after = _now(None, folder)
    recorded = _recorded(folder) - before_count
    return Left(CYCLES, count, recorded, *(late - early for early, late in zip(before, after)))


def _made(kind: str, port: int) -> Callable[[int], None]:
    """Return what makes so many calls of a kind."""
    client, _, way = kind.rpartition(" ")
    if way in {"plain", "stream"}:
        import clients  # type: ignore[import-not-found,unused-ignore]

        made: Callable[[int], None] = clients.make(client, None, stream=way == "stream")
        return made
    return _on_loopback(client, *ODD_ENDS[way], port)


def _on_loopback(client: str, answer: str, read: str, port: int) -> Callable[[int], None]:
    import asyncio

    from tests.random_programs.calls import ASYNC_CALLERS, CALLERS

    nobody = refused_port()
    url = f"http://127.0.0.1:{nobody if answer == 'refused' else port}/{answer}"
    step = Step(0, "GET", answer, None, read, 20.0)

    def sync_calls(many: int) -> None:
        with CALLERS[client](None) as call:
            for _ in range(many):
                with suppress(Exception):  # resets and refusals
                    call(step, url, [])

    async def async_calls(many: int) -> None:
        async with ASYNC_CALLERS[client.removesuffix(" async")](None) as call:
            for _ in range(many):
                with suppress(Exception):  # resets and refusals
                    await call(step, url, [])

    if client.endswith(" async"):
        return lambda many: asyncio.run(async_calls(many))
    return sync_calls


def _now(handle: Any, folder: str) -> tuple[int, int, int, int]:
    if handle is not None:
        handle.flush_blocking(10)
        _wait_for_numbers(Path(folder))
    gc.collect()
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
    return (
        len(gc.get_objects()),
        len(list(Path("/proc/self/fd").iterdir())),
        threading.active_count(),
        resident,
    )


def _wait_for_numbers(folder: Path) -> None:
    """Wait until the file for ``recost doctor`` is there and rests: it is written after a flush."""
    ends, before = time.monotonic() + 10, None
    while time.monotonic() < ends:
        now = [path.stat().st_ino for path in folder.glob("*.stats") if path.exists()]
        if now and now == before:
            return
        before = now
        time.sleep(0.2)


def _recorded(folder: str) -> int:
    """Return how many calls the files hold."""
    return sum(
        metric["requestCount"]
        for path in Path(folder).glob("*.jsonl*")
        for line in path.read_text().splitlines()
        for metric in json.loads(line)["metrics"]
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.leaks")
    parser.add_argument(
        "--calls", type=int, default=100_000, metavar="N", help="of each kind (default: 100000)"
    )
    parser.add_argument(
        "--cycles", type=int, default=1000, metavar="N", help="init and dispose (default: 1000)"
    )
    parser.add_argument("--inside", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        kind, count, port = arguments.inside
        _inside(kind, int(count), int(port))
        return 0
    print(f"{'kind':<28}{'calls':>9}{'recorded':>10}{'objects':>9}{'fds':>5}{'threads':>9}{'memory kB':>11}")
    held = True
    for kind in kinds():
        many = arguments.cycles if kind == CYCLES else arguments.calls
        left = measure(kind, many // 10 if kind.rpartition(" ")[2] in ODD_ENDS else many)
        held = held and left.flat
        print(
            f"{kind:<28}{left.calls:>9,}{left.recorded:>10,}{left.objects:>+9,}{left.descriptors:>+5}"
            f"{left.threads:>+9}{left.memory_kb:>+11,}{'' if left.flat else '  GROWS'}",
            flush=True,
        )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
