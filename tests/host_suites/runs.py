"""One run of a suite, and the comparison of several."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Optional

from tests.host_suites.environments import Environment
from tests.host_suites.suites import Suite

__all__ = ["Comparison", "Run", "compare", "run"]

_OPTIONS: Final = (
    *("-o", "addopts=", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist", "-p", "no:recost"),
    *("--timeout=120", "-q", "-p", "host_suite_outcomes"),
)
"""Of every run: in the order of the files, in one process."""
_LIMIT_S: Final = 3600
_DROPPED: Final = (
    *("pytest_", "python", "cov_", "coverage_", "recost_", "host_suite_", "virtual_env", "ssl_cert_"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle"),
)
"""How names in the environment begin, in lower case, that change what some of the tests see."""
_FAILURES: Final = ("failed", "error")
_ABSENT: Final = "not run"


@dataclass(frozen=True)
class Run:
    """What came out of one run."""

    outcomes: dict[str, str]
    """By test id: passed, failed, error, skipped, xfailed or xpassed."""
    reasons: dict[str, str] = field(default_factory=dict)
    """Why, for those that failed."""
    recorded: int = 0
    """Calls."""
    errors: tuple[str, ...] = ()
    """Of recost's own, or of the run as a whole."""
    status: int = 0
    """How pytest left."""
    seconds: float = 0
    log: str = ""
    """What pytest printed."""

    @property
    def passed(self) -> int:
        """How many tests passed."""
        return sum(outcome == "passed" for outcome in self.outcomes.values())


@dataclass(frozen=True)
class Comparison:
    """Bare runs beside runs under recost: test ids, with the outcomes that were seen."""

    failed_both: tuple[str, ...]
    different: dict[str, str]
    """The same outcome in all bare runs, and another one in all runs under recost."""
    unsteady: dict[str, str]
    """More than one outcome in runs of the same kind."""


def compare(bare: Sequence[Run], recorded: Sequence[Run]) -> Comparison:
    """Compare the outcomes of every test that any of the runs knows."""
    failed, different, unsteady = [], {}, {}
    for name in dict.fromkeys(name for run in (*bare, *recorded) for name in run.outcomes):
        without = [run.outcomes.get(name, _ABSENT) for run in bare]
        under = [run.outcomes.get(name, _ABSENT) for run in recorded]
        seen = f"bare {', '.join(without)}; under recost {', '.join(under)}"
        if len(set(without)) > 1 or len(set(under)) > 1:
            unsteady[name] = seen
        elif without[0] != under[0]:
            different[name] = seen
        elif without[0] in _FAILURES:
            failed.append(name)
    return Comparison(tuple(failed), different, unsteady)


def run(
    suite: Suite, environment: Environment, staged: Path, *, recorded: bool, garbage: Optional[int] = None
) -> Run:
    """Run a suite, bare or under recost; with ``garbage``, that many objects make the collector run."""
    # Not python -m pytest, which would put the sources in front of what is installed.
    pytest = "pytest.exe" if os.name == "nt" else "pytest"
    command = [environment.python.parent.absolute() / pytest, *_OPTIONS]
    command += ["-p", "host_suite_recost"] if recorded else []
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder) / name.lower() for name in ("OUTCOMES", "REPORT", "ERRORS")}
        began = time.monotonic()
        environ = {**_environ(staged, files), **_trust(suite, environment)}
        if garbage is not None:
            environ["HOST_SUITE_GARBAGE"] = str(garbage)
        status, log = _pytest([*command, *suite.options], environment, environ, Path(folder) / "log")
        seconds = time.monotonic() - began
        written, report = _read(files["OUTCOMES"]), _read(files["REPORT"])
    errors = list(report.get("errors", ()))
    if status not in (0, 1):  # all passed, some failed
        errors.append(f"pytest left with {status}:\n{log[-3000:]}")
    if recorded and not report.get("installed"):
        errors.append("recost was not installed any more at the end of the run")
    return Run(
        written.get("outcomes", {}),
        written.get("reasons", {}),
        report.get("recorded", 0),
        tuple(errors),
        status,
        seconds,
        log,
    )


def _environ(staged: Path, files: dict[str, Path]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name != "CI" and not name.lower().startswith(_DROPPED)
    }
    ours = {f"HOST_SUITE_{name}": str(path) for name, path in files.items()}
    return {**kept, **ours, "PYTHONPATH": str(staged), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}


def _trust(suite: Suite, environment: Environment) -> dict[str, str]:
    if not suite.authority:
        return {}
    packages = environment.python.parent.parent.glob("[Ll]ib/**/site-packages")
    return {"REQUESTS_CA_BUNDLE": str(next(packages).absolute() / suite.authority)}


def _pytest(
    command: Sequence[object], environment: Environment, environ: dict[str, str], log: Path
) -> tuple[int, str]:
    """Run pytest in a session of its own, which is ended as a whole when it takes too long."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=environment.sources,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = process.wait(_LIMIT_S)
        except subprocess.TimeoutExpired:
            status = -9
            output.write(f"\nended after {_LIMIT_S} s\n".encode())
        finally:
            _end(process)
    return status, log.read_text(encoding="utf-8", errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)  # everything that it has started
        else:
            process.kill()
        process.wait()


def _read(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found
