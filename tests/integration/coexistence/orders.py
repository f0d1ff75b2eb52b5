"""``python -m tests.integration.coexistence.orders``: run the orders on stdin, print what came of each.

Each order runs in a process forked from this one, which has imported the clients and the tools and has
installed none. The servers run in the forked process: their logs are this order's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import IO, Any

from tests.api import Api
from tests.integration.coexistence import calls, originals
from tests.integration.coexistence.tools import QUIET, TOOLS, Tool
from tests.loopback import loopback, wait_until
from tests.scripts import ROOT, environment


@dataclass(frozen=True)
class Order:
    """Who is installed when, and taken off when."""

    install: tuple[str, ...]
    uninstall: tuple[str, ...]

    def without(self, tool: str) -> Order:
        """Return the order of the others."""
        return Order(
            tuple(name for name in self.install if name != tool),
            tuple(name for name in self.uninstall if name != tool),
        )


@dataclass
class Outcome:
    """What came of an order."""

    served: dict[str, int] = field(default_factory=dict)
    """``phase/client``, and how often it reached the server."""
    phases: dict[str, list[str]] = field(default_factory=dict)
    """The tools that are installed, phase by phase; one round of calls in each."""
    seen: dict[str, dict[str, int]] = field(default_factory=dict)
    """By tool: ``phase/client``, or ``component phase/client``, and how often."""
    crumbs: dict[str, dict[str, int]] = field(default_factory=dict)
    posts: int = 0
    """That recost made, and the API accepted."""
    strangers: dict[str, list[str]] = field(default_factory=dict)
    """By tool: what it saw that was none of the application's calls."""
    raised: dict[str, str] = field(default_factory=dict)
    """By tool: what it failed with when it was taken off."""
    left: dict[str, list[str]] = field(default_factory=dict)
    """Methods that are not the originals in the end."""
    error: str = ""


def run(order: Order) -> Outcome:
    """Run one order in this process, from which there is no way back to a clean one."""
    outcome = Outcome()
    with Api() as api, loopback() as server:
        tools = {name: TOOLS[name](api.url) for name in order.install}
        for tool in tools.values():
            tool.prepare()
        before = originals.snapshot()
        installed: list[str] = []
        for name in order.install:
            tools[name].install()
            installed.append(name)
            _phase(outcome, f"with-{name}", installed, tools, server.url)
        for name in order.uninstall:
            try:
                tools[name].uninstall()
            except AttributeError as error:  # it took another's wrapper for its own
                outcome.raised[name] = str(error)
            installed.remove(name)
            _phase(outcome, f"left-{name}", installed, tools, server.url)
        outcome.left = originals.changed(before)
        for name, tool in tools.items():
            _sort(outcome, name, tool.seen(), tool.crumbs())
        outcome.posts = len(api.windows)
        if "recost" in tools:
            recorded = Counter({key[1]: count for key, (count, _) in api.totals().items()})
            _sort(outcome, "recost", list(recorded.elements()), [])
        outcome.served = dict(Counter(_own(entry.path) for entry in server.log))
        outcome.error = "; ".join(api.problems)
    return outcome


def _phase(outcome: Outcome, name: str, installed: list[str], tools: dict[str, Tool], base: str) -> None:
    outcome.phases[name] = sorted(installed)
    for tool in installed:
        tools[tool].phase_begins()
    calls.make(base, name)
    for tool in sorted(installed, key=lambda tool: tool != "recost"):
        tools[tool].phase_ends()


def _own(path: str) -> str:
    return path.replace("/plain/", "", 1)


def _sort(outcome: Outcome, tool: str, seen: list[str], crumbs: list[str]) -> None:
    for found, into in ((seen, outcome.seen), (crumbs, outcome.crumbs)):
        own = [_own(path) for path in found if "/plain/" in path]
        into[tool] = dict(Counter(own))
        outcome.strangers.setdefault(tool, []).extend(path for path in found if "/plain/" not in path)


def _forked(order: Order) -> Outcome:
    """Run one order in a child of this process."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            outcome = run(order)
        except BaseException:  # noqa: BLE001 - the parent tells
            outcome = Outcome(error=traceback.format_exc())
        with os.fdopen(writing, "w") as pipe:
            pipe.write(json.dumps(asdict(outcome)))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return Outcome(**json.loads(text)) if text else Outcome(error="the process died")


def drive(orders: list[Order], workers: int = 1) -> Iterator[Outcome]:
    """Run orders, in that many processes side by side, and yield what came out, in order."""
    if not hasattr(os, "fork"):
        raise NotImplementedError("the orders run in forked processes")
    with tempfile.TemporaryFile("w+") as log:
        running = [_start(orders[index::workers], log) for index in range(workers)]
        try:
            for index in range(len(orders)):
                line = running[index % workers].stdout.readline()
                yield Outcome(**json.loads(line)) if line else Outcome(error=_end_of(log))
        finally:
            for process in running:
                process.kill()
                process.communicate()


def _end_of(log: IO[str]) -> str:
    log.seek(0)
    return f"the process that runs orders died: {log.read()[-3000:]}"


def _start(orders: list[Order], log: IO[str]) -> Any:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.coexistence.orders"],
        cwd=ROOT,
        env=environment(**QUIET),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,  # Datadog tells there what it has not sent
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write("".join(json.dumps([order.install, order.uninstall]) + "\n" for order in orders))
    process.stdin.close()
    process.stdin = None
    return process


def main() -> None:
    """Run the orders that stand on stdin."""
    orders = [Order(*map(tuple, json.loads(line))) for line in sys.stdin]
    warnings.simplefilter("ignore")  # of the tools' own making
    for name in sorted({name for order in orders for name in order.install}):
        TOOLS[name]("http://127.0.0.1:9").prepare()
    with loopback() as server:
        calls.make(server.url, "bare")  # imports what the clients import when they are used
    assert wait_until(lambda: threading.active_count() == 1), threading.enumerate()
    for order in orders:
        print(json.dumps(asdict(_forked(order))), flush=True)


if __name__ == "__main__":
    main()
