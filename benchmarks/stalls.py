"""How long recost's threads keep all others from running, in every state of a collector and of the process.

The same application runs bare and with recost in turn, several rounds, each in a process of its own.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import ssl
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, Final, Optional

from programs import one_line, start

__all__ = ["STATES", "measure", "missing", "table"]

_OBSERVERS: Final = ("bare", "recost")


@dataclass(frozen=True)
class _State:
    name: str
    collector: str = ""
    """Behaviour of the collector. Windows go to a local file without one."""
    response: str = "small"
    compiled: bool = True
    """False: no module has been compiled before, as in an image that was built without that."""


STATES: Final = {
    state.name: state
    for state in (
        _State("file"),
        _State("cloud", "accepting"),
        _State("cloud, closing", "closing"),
        _State("cloud, slow", "slow"),
        _State("cloud, 5xx", "5xx"),
        _State("cloud, refusing", "refusing"),
        _State("cloud, hung", "hung"),
        _State("WebSocket", "WebSocket"),
        _State("buckets", "accepting"),
        _State("metered, 1 MB", "accepting", "1 MB"),
        _State("metered, 1 MB of numbers", "accepting", "1 MB of numbers"),
        _State("fork", "accepting"),
        _State("first turn", "accepting"),
        _State("first turn, no bytecode", "accepting", compiled=False),
        _State("exit", "accepting"),
    )
}
"""What is measured, by name."""


def missing() -> Optional[str]:
    """Return the name of a package that is needed and not installed."""
    return next((name for name in ("httpx", "trustme", "websockets") if find_spec(name) is None), None)


def measure(
    rounds: int, seconds: float, chosen: list[str], tree: Optional[Path] = None
) -> list[dict[str, Any]]:
    """Return the longest gaps of each state, in milliseconds: of every round, bare and with recost."""
    return [_measured(state, rounds, seconds, tree) for name, state in STATES.items() if name in chosen]


def _measured(state: _State, rounds: int, seconds: float, tree: Optional[Path]) -> dict[str, Any]:
    found: dict[str, list[dict[str, float]]] = {observer: [] for observer in _OBSERVERS}
    variables = {"PYTHONDONTWRITEBYTECODE": "" if state.compiled else "1"}
    with _folder() as folder, start("server", state.response) as server:
        trust = str(folder / "trust.pem")
        variables.update(SSL_CERT_FILE=trust, PYTHONPYCACHEPREFIX=str(folder / "bytecode"))
        url = f"http://127.0.0.1:{one_line(server)}"
        with contextlib.ExitStack() as stack:
            collector = ""
            if state.collector:
                collector = one_line(stack.enter_context(start("stalls_collector", state.collector, trust)))
            for number in range(rounds + 1):
                for observer in _OBSERVERS:
                    program = start(
                        "stalls_caller",
                        state.name,
                        observer,
                        url,
                        collector,
                        seconds,
                        variables=variables,
                        tree=tree,
                    )
                    with program:
                        figures = json.loads(one_line(program))
                    if number:  # the first round compiles
                        found[observer].append(figures)
    return {
        "state": state.name,
        "held_ms": [figures["held_ms"] for figures in found["recost"]],
        "collecting_ms": [figures["collecting_ms"] for figures in found["recost"]],
        "gap_ms": [figures["gap_ms"] for figures in found["recost"]],
        "bare_gap_ms": [figures["gap_ms"] for figures in found["bare"]],
    }


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """Yield a folder with the system's certificates, which collectors append theirs to."""
    with tempfile.TemporaryDirectory(prefix="recost-benchmarks-") as name:
        system = ssl.get_default_verify_paths().cafile
        if system is not None:
            shutil.copyfile(system, Path(name, "trust.pem"))
        yield Path(name)


def table(results: list[dict[str, Any]]) -> list[list[str]]:
    """Return the rows of the table, headings first."""
    head = ["state", "held by recost", "in every round", "collecting", "longest gap", "bare"]
    return [head] + [
        [
            result["state"],
            f"{median(result['held_ms']):.2f}",
            f"{min(result['held_ms']):.2f}",
            f"{max(result['collecting_ms']):.1f}",
            f"{median(result['gap_ms']):.1f}",
            f"{median(result['bare_gap_ms']):.1f}",
        ]
        for result in results
    ]
