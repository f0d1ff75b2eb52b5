"""A collector that takes its time holds nobody up: neither an event loop nor a thread.

The same program runs with and without recost, in turn. Other programs on the machine hold both up now and
then, so two figures are compared: the typical longest stall of a tenth of a second, which a collector that
holds callers up raises in every slice; and the longest of all, in the round where the two differ least.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any, Callable, Optional

import pytest

from tests.api import Api
from tests.loopback import Loopback
from tests.scripts import ROOT, environment

ALLOWED_MS = 5.0
ROUNDS = 5
NAMES = ("loop_ms", "thread_ms")
EARLY: dict[str, Any] = {"max_batch_size": 10, "flush_interval_ms": 100, "shutdown_flush_timeout_ms": 100}
"""Flushes come often, so that the collector is busy all the time."""


@dataclass
class Comparison:
    """How much longer things stand still with recost than without, in milliseconds."""

    typical_ms: float
    longest_ms: float
    """Of the round in which the sides differ least."""

    @property
    def small(self) -> bool:
        """Within what is allowed."""
        return self.typical_ms <= ALLOWED_MS and self.longest_ms <= ALLOWED_MS


def _run(url: str, seconds: float, options: Optional[dict[str, Any]]) -> dict[str, Any]:
    result = subprocess.run(
        [sys.executable, "-m", "tests.integration.heartbeat", url, str(seconds), json.dumps(options)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    figures: dict[str, Any] = json.loads(result.stdout)
    assert figures["calls"] >= 20 * seconds
    return figures


def _compare(
    url: str, seconds: float, options: dict[str, Any], enough: Callable[[Comparison], bool]
) -> Comparison:
    """Run both sides in turn until their comparison is as expected, or there have been enough rounds."""
    bare: dict[str, list[float]] = {name: [] for name in NAMES}
    recorded: dict[str, list[float]] = {name: [] for name in NAMES}
    longest_ms = float("inf")
    for _ in range(ROUNDS):
        round_bare, round_recorded = _run(url, seconds, None), _run(url, seconds, options)
        extra = [max(round_recorded[name]) - max(round_bare[name]) for name in NAMES]
        longest_ms = min(longest_ms, max(extra))
        for name in NAMES:
            bare[name] += round_bare[name]
            recorded[name] += round_recorded[name]
            print(
                f"{name}: typical {median(bare[name]):.1f} bare, {median(recorded[name]):.1f} recorded; "
                f"longest {max(round_bare[name]):.1f} bare, {max(round_recorded[name]):.1f} recorded"
            )
        typical_ms = max(median(recorded[name]) - median(bare[name]) for name in NAMES)
        comparison = Comparison(typical_ms, longest_ms)
        if enough(comparison):
            break
    return comparison


def _small(comparison: Comparison) -> bool:
    return comparison.small


@contextmanager
def _slow_api(delay_s: float) -> Iterator[tuple[dict[str, Any], Callable[[], bool]]]:
    """Yield options for a collector of the cloud that takes so long to answer, and whether it was called."""
    with Api() as api:
        api.delay_s = delay_s
        options = {"api_key": api.key, "project_id": api.project, "base_url": api.url}
        yield options, lambda: bool(api.posts)


@contextmanager
def _silent_collector(delay_s: float) -> Iterator[tuple[dict[str, Any], Callable[[], bool]]]:
    """Yield options for a WebSocket's address where connections are accepted and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        options = {"local_transport": "ws", "local_port": listener.getsockname()[1]}
        yield options, lambda: _has_visitor(listener)


def _has_visitor(listener: socket.socket) -> bool:
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


COLLECTORS = {"cloud": _slow_api, "WebSocket": _silent_collector}


@pytest.mark.parametrize("collector", COLLECTORS)
def test_a_slow_collector_holds_nobody_up(collector: str, server: Loopback) -> None:
    with COLLECTORS[collector](3.0) as (options, called):
        comparison = _compare(server.url, 1.0, {**options, **EARLY}, _small)
        assert called()
    # Who waits for the collector waits for seconds; the noise of the machine stays far below that.
    assert comparison.longest_ms < 1000, comparison


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_collector_that_takes_ten_seconds_holds_nobody_up(server: Loopback) -> None:
    with _slow_api(10.0) as (options, called):
        comparison = _compare(server.url, 12.0, {**options, **EARLY}, _small)
        assert called()
    assert comparison.longest_ms < 1000, comparison


def test_the_heartbeat_notices_what_holds_a_loop_up(server: Loopback, tmp_path: Any) -> None:
    options = {"local_dir": str(tmp_path), "blocking_ms": 30, **EARLY}
    comparison = _compare(server.url, 1.0, options, lambda found: found.typical_ms > ALLOWED_MS)
    assert comparison.typical_ms > ALLOWED_MS
