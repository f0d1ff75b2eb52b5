"""A signal handler or finaliser may call recost at any point of recost's own code, on any thread."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.scripts import environment, run_script

PROGRAM = Path(__file__).with_name("interruptions.py")

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or os.environ.get("COVERAGE_RUN") is not None, reason="needs signals and tracing"
)
each_line_of_its_threads = pytest.mark.timeout(300)
"""More than 1,000 rounds, many of which wait for a moment: two minutes on a busy machine."""


def check(action: str, handler: str, where: str, folder: Path, fewest_places: int) -> None:
    result = run_script(
        f"import runpy; runpy.run_path({str(PROGRAM)!r}, run_name='__main__')",
        action,
        handler,
        where,
        folder,
        env=environment(),
        timeout_s=240,
    )
    assert result.returncode == 0, result.stderr[-4000:]
    found = json.loads(result.stdout)
    assert found["raised"] == []
    assert found["slow"] == []
    assert found["wrong"] == []
    assert found["places"] >= fewest_places, "the program has not tried recost's lines"


@pytest.mark.parametrize("handler", ["flush", "dispose", "price"])
@pytest.mark.parametrize("action", ["flush", "dispose"])
def test_the_main_thread_is_interrupted_at_each_line(action: str, handler: str, tmp_path: Path) -> None:
    check(action, handler, "main", tmp_path, 50)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("action", "handler"),
    [("init", "flush"), ("init", "init"), ("call", "flush"), ("price", "price"), ("dispose", "init")],
)
def test_it_is_interrupted_at_each_line_of_anything_else(action: str, handler: str, tmp_path: Path) -> None:
    check(action, handler, "main", tmp_path, 100)


@pytest.mark.slow
def test_a_program_that_can_start_no_thread_is_interrupted_at_each_line(tmp_path: Path) -> None:
    check("flush", "flush", "no threads", tmp_path, 100)


@pytest.mark.slow
@each_line_of_its_threads
def test_a_finaliser_ends_recost_at_each_line_of_its_own_threads(tmp_path: Path) -> None:
    check("flush", "dispose", "own threads", tmp_path, 100)


@pytest.mark.slow
@each_line_of_its_threads
@pytest.mark.parametrize(
    ("action", "handler"),
    [
        ("flush", "flush"),
        ("flush", "price"),
        ("flush", "init"),
        ("dispose", "flush"),
        ("dispose", "dispose"),
        ("dispose", "init"),
    ],
)
def test_a_finaliser_runs_at_each_line_of_its_own_threads(action: str, handler: str, tmp_path: Path) -> None:
    check(action, handler, "own threads", tmp_path, 100)
