"""pytest plugin: writes the outcome of each test, by its id, to the file named by ``HOST_SUITE_OUTCOMES``.

``HOST_SUITE_GARBAGE`` is how many objects make the garbage collector run, where it isn't the interpreter's
own number.
"""

from __future__ import annotations

import gc
import json
import os
from pathlib import Path
from typing import Any, Final

_RANK: Final = ("skipped", "xfailed", "passed", "xpassed", "failed", "error")
"""A test that has several reports (setup, call, teardown, subtests) has the last of these."""
_KEPT: Final = 6000

if "HOST_SUITE_GARBAGE" in os.environ:
    gc.set_threshold(int(os.environ["HOST_SUITE_GARBAGE"]), *gc.get_threshold()[1:])

_outcomes: dict[str, str] = {}
_reasons: dict[str, str] = {}


def pytest_runtest_logreport(report: Any) -> None:
    """Take note of one report on one test."""
    if report.passed and report.when != "call":
        return
    _note(report, _outcome(report))


def pytest_collectreport(report: Any) -> None:
    """Take note of a file that can't be collected."""
    if report.failed:
        _note(report, "error")


def pytest_sessionfinish() -> None:
    """Write everything down."""
    written = {"outcomes": _outcomes, "reasons": _reasons}
    Path(os.environ["HOST_SUITE_OUTCOMES"]).write_text(json.dumps(written), encoding="utf-8")


def _outcome(report: Any) -> str:
    expected = hasattr(report, "wasxfail")
    if report.failed:
        return "failed" if report.when == "call" else "error"
    if report.skipped:
        return "xfailed" if expected else "skipped"
    return "xpassed" if expected else "passed"


def _note(report: Any, outcome: str) -> None:
    name = report.nodeid
    before = _outcomes.get(name)
    if before is None or _RANK.index(outcome) > _RANK.index(before):
        _outcomes[name] = outcome
    if report.failed:
        _reasons[name] = (_reasons.get(name, "") + str(report.longrepr))[-_KEPT:]
