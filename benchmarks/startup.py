"""Time of ``import recost`` and of ``init()``, each in a fresh interpreter, in turn with a bare one."""

from __future__ import annotations

from typing import Any, Final

from programs import output

__all__ = ["measure", "table"]

_CLIENTS: Final = ("httpx", "httpx2", "urllib3", "aiohttp", "requests", "http.client")
_ALL_CLIENTS: Final = """
for client in CLIENTS:
    try:
        __import__(client)
    except ImportError:
        pass
import recost
"""
_STEPS: Final = {
    "nothing": ("", "pass"),
    "import recost": ("", "import recost"),
    "init()": ("import recost", "recost.init(auto_shutdown_handlers=False)"),
    "init() after wrapt": ("import recost, wrapt", "recost.init(auto_shutdown_handlers=False)"),
    "init() after all clients": (_ALL_CLIENTS, "recost.init(auto_shutdown_handlers=False)"),
}
"""What is done before the clock starts, and while it runs.

wrapt imports asyncio, which many applications have."""

_PROGRAM: Final = """
import sys, time
CLIENTS = {clients!r}
{before}
present = set(sys.modules)
start = time.perf_counter()
{step}
took = time.perf_counter() - start
new = sorted(name for name in CLIENTS if name in sys.modules and name not in present)
print(took * 1000, time.process_time() * 1000, ", ".join(new) or "none", sep=";")
"""
"""Imports as little as it can: what recost needs of the standard library counts as its own."""


def measure(runs: int) -> dict[str, dict[str, Any]]:
    """Return the lowest wall and CPU time of each step, in milliseconds, and the clients that it imported."""
    results: dict[str, dict[str, Any]] = {}
    for _ in range(runs):
        for name, (before, step) in _STEPS.items():
            wall, process_cpu, clients = output(
                _PROGRAM.format(clients=_CLIENTS, before=before, step=step)
            ).split(";")
            known = results.setdefault(name, {"wall_ms": float("inf"), "process_cpu_ms": float("inf")})
            known["wall_ms"] = min(known["wall_ms"], float(wall))
            known["process_cpu_ms"] = min(known["process_cpu_ms"], float(process_cpu))
            known["imports"] = clients.strip()
    return results


def table(results: dict[str, dict[str, Any]]) -> list[list[str]]:
    """Return the rows of the table, headings first."""
    rows = [["step", "ms", "HTTP clients imported by it"]]
    rows += [
        [name, f"{result['wall_ms']:.2f}", result["imports"]]
        for name, result in results.items()
        if name != "nothing"
    ]
    over = results["import recost"]["process_cpu_ms"] - results["nothing"]["process_cpu_ms"]
    return [*rows, ["import recost, CPU of the process over bare", f"{over:.2f}", ""]]
