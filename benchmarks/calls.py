"""CPU time per call of each client: bare, and under each observer in turn.

Each (client, observer) has a process of its own. Rounds are short and take turns, so that what disturbs the
machine disturbs all of them; the lowest round of each counts.
"""

from __future__ import annotations

import contextlib
import importlib.util
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Optional

import clients
from observers import OBSERVERS
from programs import one_line, start

__all__ = ["measure", "missing", "table"]

_NEEDS: Final = {
    "otel": ("opentelemetry.sdk", "opentelemetry.instrumentation"),
    "sentry": ("sentry_sdk",),
}
_GROUP: Final = 100


@dataclass
class Measured:
    """One client on one network."""

    client: str
    network: str
    lowest_ns: dict[str, float] = field(default_factory=dict)
    """CPU time per call, by observer."""
    seen: dict[str, float] = field(default_factory=dict)
    """Share of the calls that the observer has seen; 1 when it has missed none."""

    def added_us(self, observer: str) -> Optional[float]:
        """Return what the observer adds to a call, in microseconds; None when it was not measured."""
        if observer not in self.lowest_ns:
            return None
        return (self.lowest_ns[observer] - self.lowest_ns["bare"]) / 1000

    def as_dict(self) -> dict[str, Any]:
        added = {name: self.added_us(name) for name in self.lowest_ns if name != "bare"}
        return {
            "client": self.client,
            "network": self.network,
            "bare_us": self.lowest_ns["bare"] / 1000,
            "added_us": added,
            "seen": self.seen,
        }


def missing(names: tuple[str, ...]) -> dict[str, str]:
    """Return the observers and clients that can't be measured here, and the module that each lacks."""
    wanted = {name: _NEEDS.get(name, ()) for name in names}
    wanted.update({name: (clients.module_of(name),) for name in names if name in clients.CLIENTS})
    return {name: module for name, modules in wanted.items() for module in modules if not _found(module)}


def measure(
    client: str, observers: tuple[str, ...], *, network: str, rounds: int, round_s: float, restarts: int
) -> Measured:
    """Return the lowest of ``rounds`` rounds of about ``round_s`` seconds for each observer.

    The rounds are spread over ``restarts`` generations of processes: where things lie in memory is drawn anew.
    """
    result = Measured(client, network)
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(_server()) if network == "loopback" else None
        for _ in range(restarts):
            _generation(result, observers, port, max(rounds // restarts, 1), round_s)
    return result


def _generation(
    result: Measured, observers: tuple[str, ...], port: Optional[int], rounds: int, round_s: float
) -> None:
    address = [] if port is None else ["--port", port]
    callers = {name: start("caller", result.client, name, *address) for name in observers}
    try:
        for caller in callers.values():
            one_line(caller)
            one_line(caller, str(_GROUP))
        per_call_s = float(one_line(callers["bare"], str(_GROUP))) / _GROUP / 1e9
        count = max(round(round_s / per_call_s / _GROUP), 1) * _GROUP
        for _ in range(rounds):
            for name, caller in callers.items():
                per_call_ns = float(one_line(caller, str(count))) / count
                result.lowest_ns[name] = min(per_call_ns, result.lowest_ns.get(name, per_call_ns))
        for name, caller in callers.items():
            made, seen = map(int, _last_line(caller).split())
            result.seen[name] = min(seen / made, result.seen.get(name, 1.0))
    finally:
        for caller in callers.values():
            _end(caller)


def _last_line(caller: subprocess.Popen[str]) -> str:
    assert caller.stdin is not None
    caller.stdin.close()
    return one_line(caller)


def _end(program: subprocess.Popen[str]) -> None:
    for pipe in (program.stdin, program.stdout):
        if pipe is not None:
            pipe.close()
    try:
        program.wait(20)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()


@contextlib.contextmanager
def _server() -> Iterator[int]:
    server = start("server")
    try:
        yield int(one_line(server))
    finally:
        _end(server)


def _found(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def table(results: list[Measured]) -> list[list[str]]:
    """Return the rows of the table, headings first."""
    names = [name for name in OBSERVERS if name not in {"bare", "again"}]
    head = ["client", "network", "bare us", *(f"{name} +us" for name in names), "null +us", "recost/otel"]
    rows = [head]
    for result in results:
        ours, otel = result.added_us("recost"), result.added_us("otel")
        rows.append(
            [
                result.client,
                result.network,
                f"{result.lowest_ns['bare'] / 1000:.1f}",
                *(_added(result, name) for name in names),
                _added(result, "again"),
                f"1/{otel / ours:.1f}" if ours and otel and ours > 0 else "-",
            ]
        )
    return rows


def _added(result: Measured, observer: str) -> str:
    added = result.added_us(observer)
    if added is None:
        return "-"
    missed = observer != "again" and result.seen[observer] != 1.0
    return f"{added:+.1f}" + (f" (saw {result.seen[observer]:.0%})" if missed else "")
