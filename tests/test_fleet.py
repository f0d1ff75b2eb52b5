"""Exactly once, from servers, workers and scripts to a collector that is killed: see `tests.fleet`."""

from __future__ import annotations

import sys

import pytest

for _name in ("celery", "duckdb", "gunicorn", "starlette", "uvicorn"):
    pytest.importorskip(_name)
pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="signals and forks"),
    pytest.mark.slow,
    pytest.mark.timeout(900),
]


def test_what_a_fleet_spends_is_reported_exactly() -> None:
    from tests.fleet.run import run

    outcome = run(8, 100, every_s=3.0, share=0.2, pause_s=0.01, limit_s=400)
    assert outcome.is_exact, outcome.line()
    assert outcome.kills > 1
    assert outcome.lost_responses > 0
