"""CPU time per call of each client: bare, and under each observer in turn.

Each (client, observer) has a process of its own. Rounds are short and take turns, so that what disturbs the
machine disturbs all of them; the lowest round of each counts.
"""

from __future__ import annotations

import contextlib
import importlib.util
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Optional

import clients
from observers import OBSERVERS, UNSEEING
from programs import one_line, start

__all__ = ["Plan", "Results", "measure", "missing", "table"]

_NEEDS: Final = {
    "otel": ("opentelemetry.sdk", "opentelemetry.instrumentation"),
    "sentry": ("sentry_sdk",),
}
_GROUP: Final = 100
_PRICED: Final = ("api.stripe.com", "api.github.com", "api.anthropic.com")
"""Hosts whose rules have unit prices, for the network ``priced``. Its calls are answered from memory."""


Results = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """How long to measure."""

    rounds: int
    round_s: float
    restarts: int
    """Generations of processes that the rounds are spread over: where things lie in memory is drawn anew."""


@dataclass
class Measured:
    """One client on one network."""

    client: str
    network: str
    lowest_ns: dict[str, float] = field(default_factory=dict)
    """CPU time per call, by observer."""
    seen: dict[str, float] = field(default_factory=dict)
    """Share of the calls that the observer has seen: 1 when it has missed none."""

    def as_dict(self) -> Results:
        bare_us = self.lowest_ns["bare"] / 1000
        added = {name: ns / 1000 - bare_us for name, ns in self.lowest_ns.items() if name != "bare"}
        return {
            "client": self.client,
            "network": self.network,
            "bare_us": bare_us,
            "added_us": added,
            "seen": self.seen,
        }


def missing(names: Sequence[str]) -> dict[str, str]:
    """Return the observers and clients that can't be measured here, and the module that each lacks."""
    wanted = {name: _NEEDS.get(name, ()) for name in names}
    wanted.update({name: (clients.module_of(name),) for name in names if name in clients.CLIENTS})
    return {name: module for name, modules in wanted.items() for module in modules if not _found(module)}


def measure(
    chosen: Sequence[str], observers: Sequence[str], networks: Sequence[str], plan: Plan
) -> list[Results]:
    """Return the lowest round of each client and observer on each network."""
    results = []
    for client in chosen:
        hosts = _PRICED if client == chosen[0] else ()  # what is priced is the same for all
        for network in (each for name in networks for each in (hosts if name == "priced" else (name,))):
            results.append(_measured(client, tuple(observers), network, plan).as_dict())
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return results


def _measured(client: str, observers: tuple[str, ...], network: str, plan: Plan) -> Measured:
    result = Measured(client, network)
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(_server()) if network == "loopback" else None
        for _ in range(plan.restarts):
            _generation(result, observers, port, max(plan.rounds // plan.restarts, 1), plan.round_s)
    return result


def _generation(
    result: Measured, observers: tuple[str, ...], port: Optional[int], rounds: int, round_s: float
) -> None:
    address: list[object] = [] if port is None else ["--port", port]
    if result.network in _PRICED:
        address = ["--host", result.network]
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
            if name not in UNSEEING:
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


def table(results: list[Results]) -> list[list[str]]:
    """Return the rows of the table, headings first."""
    names = [name for name in OBSERVERS if name != "bare"]
    rows = [["client", "network", "bare us", *(f"{name} +us" for name in names), "recost/otel"]]
    for result in results:
        added = result["added_us"]
        ours, otel = added.get("recost"), added.get("otel")
        ratio = f"1/{otel / ours:.1f}" if ours and otel and ours > 0 < otel else "-"
        shown = (_shown(added.get(name), result["seen"].get(name)) for name in names)
        rows.append([result["client"], result["network"], f"{result['bare_us']:.1f}", *shown, ratio])
    return rows


def _shown(added_us: Optional[float], seen: Optional[float]) -> str:
    if added_us is None:
        return "-"
    return f"{added_us:+.1f}" if seen in {None, 1.0} else f"{added_us:+.1f} (saw {seen:.0%})"
