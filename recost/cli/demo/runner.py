"""The thread that makes the calls of the demo."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Optional

from recost.cli.demo.calls import shares
from recost.cli.demo.routing import UNREACHABLE
from recost.interceptors import install, uninstall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recost.cli.demo.calls import Call
    from recost.cli.demo.clients import Client
    from recost.cli.demo.routing import Routing
    from recost.events import RawEvent

__all__ = ["Runner"]

_POLL_S: Final = 0.2
"""Time between polls. An endless wait for a queue can't be interrupted on every platform."""


class Runner:
    """The clients' turns, one after the other.

    Attributes:
        refused: Number of calls that were refused as planned.
        failures: Unplanned failures, a line each.
    """

    def __init__(self, clients: Sequence[Client], routing: Routing) -> None:
        self.refused = 0
        self.failures: list[str] = []
        self._clients = clients
        self._routing = routing
        self._turn = ""
        self._captured: queue.SimpleQueue[Optional[tuple[str, RawEvent]]] = queue.SimpleQueue()

    def run(self) -> Iterator[tuple[str, RawEvent]]:
        """Make all calls, and yield each with the client's label when recost has captured it."""
        install(self._capture)
        thread = threading.Thread(target=self._work, name="recost-demo", daemon=True)
        try:
            thread.start()
            yield from self._arriving()
            thread.join()
        finally:
            uninstall()

    def _arriving(self) -> Iterator[tuple[str, RawEvent]]:
        while True:
            try:
                item = self._captured.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if item is None:
                return
            yield item

    def _capture(self, event: RawEvent) -> None:
        # On the thread of the call, which must not wait for the terminal.
        self._captured.put((self._turn, event))

    def _work(self) -> None:
        try:
            for client, calls in zip(self._clients, shares(len(self._clients))):
                self._turn = client.label
                with self._contained(client.label):
                    self._take_turn(client, calls)
        finally:
            self._captured.put(None)

    def _take_turn(self, client: Client, calls: Sequence[Call]) -> None:
        if client.asynchronous:
            asyncio.run(self._fetch_together(client.session(self._routing), calls))
            return
        with client.session(self._routing) as fetch:
            for call in calls:
                with self._planned(call):
                    fetch(call)

    async def _fetch_together(self, session: Any, calls: Sequence[Call]) -> None:
        async with session as fetch:
            await asyncio.gather(*(self._fetch_one(fetch, call) for call in calls))

    async def _fetch_one(self, fetch: Any, call: Call) -> None:
        with self._planned(call):
            await fetch(call)

    @contextmanager
    def _planned(self, call: Call) -> Iterator[None]:
        """Count a planned refusal, note any other failure, and go on with the next call."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - each client has its own exceptions
            if call.host == UNREACHABLE:
                self.refused += 1
            else:
                self._note(f"{self._turn}: {call.method} {call.url}", error)

    @contextmanager
    def _contained(self, label: str) -> Iterator[None]:
        """Note the failure of a whole turn, such as an unsupported version of a client."""
        try:
            yield
        except Exception as error:  # noqa: BLE001
            self._note(label, error)

    def _note(self, what: str, error: Exception) -> None:
        self.failures.append(f"{what}: {type(error).__name__}: {error}")
