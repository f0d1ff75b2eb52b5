"""How long a loop and a thread stand still: ``python -m tests.integration.heartbeat URL SECONDS OPTIONS``.

The program makes calls for a while, on an event loop and on threads, while a heartbeat on each of them notes
its longest delay. OPTIONS is what `recost.init` gets, as JSON; ``null``: the program runs without recost;
with ``"blocking_ms"`` something of that length happens in each call, to show that the heartbeats notice it.
Importing a library holds every thread up, in any program: what recost imports when it first sends is imported
before the measurement, with and without recost.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Optional

from tests.integration.clients import ASYNC_SENDERS, SENDERS, AsyncSender, Call, Sender

BEAT_S = 0.001
SLICE_S = 0.1
TASKS = 4
THREADS = 2
PAUSE_S = 0.005
"""Between two calls of one task or thread: a machine with no time left has stalls of its own."""


class Heartbeat:
    """Measures how late something is that should happen every `BEAT_S` seconds."""

    def __init__(self) -> None:
        self.worst_ms: list[float] = []
        """The longest delay of each slice of `SLICE_S` seconds."""
        self._last = 0.0
        self._slice_ends = 0.0

    def start(self) -> None:
        self._last = time.perf_counter()

    def beat(self) -> None:
        now = time.perf_counter()
        late_ms = (now - self._last - BEAT_S) * 1000
        self._last = now
        if now >= self._slice_ends:
            self._slice_ends = now + SLICE_S
            self.worst_ms.append(late_ms)
        else:
            self.worst_ms[-1] = max(self.worst_ms[-1], late_ms)


class Program:
    """The application."""

    def __init__(self, url: str, seconds: float) -> None:
        self._call = Call("GET", f"{url}/plain/beat")
        self._seconds = seconds
        self._until = 0.0
        self.loop = Heartbeat()
        self.thread = Heartbeat()
        self.calls = 0

    async def run(self) -> None:
        """Work on the loop and on threads at the same time."""
        async with ASYNC_SENDERS["httpx"]() as async_send:
            with SENDERS["urllib3"]() as send:
                # What is imported and opened at the first call is no stall.
                await async_send(self._call)
                send(self._call)
                self._until = time.monotonic() + self._seconds
                threads = [threading.Thread(target=self._beat_on_a_thread)]
                threads += [
                    threading.Thread(target=self._work_on_a_thread, args=(send,)) for _ in range(THREADS)
                ]
                for thread in threads:
                    thread.start()
                await asyncio.gather(self._beat(), *(self._work(async_send) for _ in range(TASKS)))
                for thread in threads:
                    thread.join()

    def _going(self) -> bool:
        return time.monotonic() < self._until

    async def _beat(self) -> None:
        self.loop.start()
        while self._going():
            await asyncio.sleep(BEAT_S)
            self.loop.beat()

    async def _work(self, send: AsyncSender) -> None:
        while self._going():
            await send(self._call)
            self.calls += 1
            await asyncio.sleep(PAUSE_S)

    def _beat_on_a_thread(self) -> None:
        self.thread.start()
        while self._going():
            time.sleep(BEAT_S)
            self.thread.beat()

    def _work_on_a_thread(self, send: Sender) -> None:
        while self._going():
            send(self._call)
            self.calls += 1
            time.sleep(PAUSE_S)


@contextmanager
def _recorded(options: Optional[dict[str, Any]]) -> Iterator[None]:
    if options is None:
        yield
        return
    import recost

    blocking_ms = options.pop("blocking_ms", None)
    with recost.init(**options):
        if blocking_ms is not None:
            recost.install(lambda _: time.sleep(blocking_ms / 1000))
        yield


def main(url: str, seconds: str, options: str) -> None:
    """Run, and print the figures as JSON."""
    for module in ("urllib.request", "websockets.sync.client"):
        with suppress(ImportError):
            importlib.import_module(module)
    with _recorded(json.loads(options)):
        program = Program(url, float(seconds))
        asyncio.run(program.run())
        figures = {
            "loop_ms": program.loop.worst_ms,
            "thread_ms": program.thread.worst_ms,
            "calls": program.calls,
        }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
