"""pytest plugin: the whole run is recorded by recost, and every event is looked at.

An error of recost's own, or an event that is not well formed, fails the run and is told in its summary. It
goes to the file named by ``HOST_SUITE_ERRORS`` as it is found, because processes that the tests fork, and
that leave as they like, report there, too. ``HOST_SUITE_REPORT`` gets the figures at the end.
"""

from __future__ import annotations

import json
import math
import os
import traceback
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest

import recost
from recost.interceptors import interception

_ERRORS: Final = Path(os.environ["HOST_SUITE_ERRORS"])
_SHOWN: Final = 20


class _Calls:
    """The callback: counts, and never raises."""

    def __init__(self) -> None:
        self.by_status: Counter[int] = Counter()
        self.recorded = 0

    def __call__(self, event: recost.RawEvent) -> None:
        self.recorded += 1
        try:
            self.by_status[int(event.status_code)] += 1  # a mock's may be an enumeration's
            faults = _faults(event)
        except Exception as error:  # noqa: BLE001 - a field that can't even be compared
            faults = [repr(error)]
        if faults:
            _found(f"not well formed, {', '.join(faults)}: {event!r} {event.url!r}")


def _faults(event: recost.RawEvent) -> list[str]:
    scheme, found, rest = event.url.partition("://")
    headers_ms = event.time_to_headers_ms
    checks = {
        "method": bool(event.method) and event.method == event.method.upper(),
        "url": bool(found) and scheme in {"http", "https", "ws", "wss"} and not set("?#") & set(event.url),
        "userinfo": "@" not in rest.partition("/")[0],
        "host": bool(event.host) and event.host == event.host.lower() and event.host.isascii(),
        "path": event.url.endswith(event.path) and bool(event.path),
        "status": event.status_code == 0 or 100 <= event.status_code <= 999,
        "latency": math.isfinite(event.latency_ms) and event.latency_ms >= 0,
        "timestamp": math.isfinite(event.timestamp),
        "sizes": event.request_bytes >= 0 and event.response_bytes >= 0,
        "attempts": event.attempts >= 1,
        "error": event.error == (event.status_code == 0 or event.status_code >= 400),
        "headers": headers_ms is None or 0 <= headers_ms <= event.latency_ms,
    }
    return [name for name, holds in checks.items() if not holds]


def _report(error: BaseException) -> None:
    _found("".join(traceback.format_exception(type(error), error, error.__traceback__)))


def _found(what: str) -> None:
    where = os.environ.get("PYTEST_CURRENT_TEST", "")
    line = json.dumps(f"{where}\n{what}") + "\n"
    file = os.open(_ERRORS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


def _errors() -> list[str]:
    lines = _ERRORS.read_text(encoding="utf-8").splitlines() if _ERRORS.exists() else []
    broken = [
        f"{client} could not be instrumented: {reason}" for client, reason in interception.broken.items()
    ]
    return broken + [json.loads(line) for line in lines]


_calls = _Calls()
interception.report = _report  # type: ignore[method-assign] # before anything is patched
recost.install(_calls)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: Any, exitstatus: int) -> None:
    """Fail a run in which recost itself failed."""
    errors = _errors()
    figures = {
        "recorded": _calls.recorded,
        "by_status": _calls.by_status,
        "errors": errors,
        "installed": recost.is_installed(),
        "patched": interception.patches.names(),
    }
    Path(os.environ["HOST_SUITE_REPORT"]).write_text(json.dumps(figures), encoding="utf-8")
    if errors and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many calls there were, and what went wrong inside recost."""
    errors = _errors()
    terminalreporter.section("recost", red=bool(errors), green=not errors)
    terminalreporter.line(f"{_calls.recorded} calls recorded, by status {dict(_calls.by_status)}")
    terminalreporter.line(f"{len(errors)} errors inside recost")
    for error in errors[:_SHOWN]:
        terminalreporter.line(error)
