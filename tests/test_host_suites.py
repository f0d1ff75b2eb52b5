"""Running other people's test suites under recost: what is counted, and what makes a run fail."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from textwrap import dedent
from typing import Optional

import pytest

from tests.host_suites.environments import Environment, stage
from tests.host_suites.runs import Run, compare, run
from tests.host_suites.suites import QUICKEST, SUITES, Suite
from tests.loopback import Loopback

pytestmark = pytest.mark.slow

_SUITE = Suite("a suite", options=("test_it.py",))


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stage(tmp_path_factory.mktemp("host_suites") / "staged")


def _run(
    folder: Path, staged: Path, source: str, *, recorded: bool = True, garbage: Optional[int] = None
) -> Run:
    (folder / "test_it.py").write_text(dedent(source), encoding="utf-8")
    environment = Environment("1.0", folder, Path(sys.executable))
    return run(_SUITE, environment, staged, recorded=recorded, garbage=garbage)


def test_the_calls_of_a_suite_are_recorded(tmp_path: Path, staged: Path, server: Loopback) -> None:
    result = _run(
        tmp_path,
        staged,
        f"""
        import urllib.request, pytest

        @pytest.mark.parametrize("number", range(3))
        def test_asks(number):
            with urllib.request.urlopen("{server.url}/plain") as response:
                assert response.status == 200
        """,
    )
    assert (result.recorded, result.passed, result.errors, result.status) == (3, 3, (), 0), result.log
    assert len(server.log) == 3
    assert "3 calls recorded" in result.log


def test_a_bare_run_has_nothing_of_recost(tmp_path: Path, staged: Path) -> None:
    source = """
        import sys

        def test_alone():
            assert "recost" not in sys.modules
    """
    bare = _run(tmp_path, staged, source, recorded=False)
    recorded = _run(tmp_path, staged, source)
    assert (bare.outcomes, bare.errors) == ({"test_it.py::test_alone": "passed"}, ())
    assert compare([bare], [recorded]).different == {
        "test_it.py::test_alone": "bare passed; under recost failed"
    }
    assert "assert 'recost' not in" in recorded.reasons["test_it.py::test_alone"]


def test_an_error_inside_recost_fails_the_run(tmp_path: Path, staged: Path) -> None:
    result = _run(
        tmp_path,
        staged,
        """
        from recost.interceptors import interception

        def test_passes():
            interception.report(RuntimeError("of recost's own"))
        """,
    )
    assert result.outcomes == {"test_it.py::test_passes": "passed"}
    assert result.status == 1
    assert "1 errors inside recost" in result.log
    (error,) = result.errors
    assert "RuntimeError: of recost's own" in error
    assert "test_it.py::test_passes" in error


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_an_error_in_a_forked_child_fails_the_run(tmp_path: Path, staged: Path) -> None:
    result = _run(
        tmp_path,
        staged,
        """
        import os
        from recost.interceptors import interception

        def test_forks():
            pid = os.fork()
            if not pid:
                interception.report(RuntimeError("in the child"))
                os._exit(0)
            os.waitpid(pid, 0)
        """,
    )
    assert result.status == 1
    assert ["in the child" in error for error in result.errors] == [True]


def test_an_event_that_is_not_well_formed_fails_the_run(tmp_path: Path, staged: Path) -> None:
    result = _run(
        tmp_path,
        staged,
        """
        import host_suite_recost, recost

        def test_records():
            fields = dict(timestamp=1, method="get", url="http://h/p?q", host="h", path="/p?q", latency_ms=-1)
            event = recost.RawEvent(**fields, status_code=0, request_bytes=0, response_bytes=0, error=True)
            host_suite_recost._calls(event)
        """,
    )
    assert result.status == 1
    (error,) = result.errors
    assert "not well formed, method, url, latency:" in error


def test_a_run_that_is_broken_off_is_an_error(tmp_path: Path, staged: Path) -> None:
    result = _run(tmp_path, staged, "import os\n\ndef test_leaves():\n    os._exit(7)\n", recorded=False)
    assert result.outcomes == {}
    assert [error.splitlines()[0] for error in result.errors] == ["pytest left with 7:"]


def test_the_garbage_collector_runs_when_the_run_wants_it(tmp_path: Path, staged: Path) -> None:
    source = """
        import gc

        def test_runs_after_as_many():
            collected = []
            gc.callbacks.append(lambda phase, info: collected.append(phase))
            kept = [[] for _ in range(1000)]
            gc.callbacks.pop()
            assert not collected
    """
    often = _run(tmp_path, staged, source, recorded=False, garbage=100)
    seldom = _run(tmp_path, staged, source, recorded=False, garbage=1_000_000)
    assert (often.passed, often.status, seldom.passed, seldom.status) == (0, 1, 1, 0)


def test_each_test_has_the_worst_of_its_outcomes(tmp_path: Path, staged: Path) -> None:
    result = _run(
        tmp_path,
        staged,
        """
        import pytest

        @pytest.fixture
        def breaks():
            yield
            raise ValueError

        def test_error(breaks): pass
        def test_failed(): assert False
        def test_skipped(): pytest.skip()
        @pytest.mark.xfail
        def test_xfailed(): assert False
        @pytest.mark.xfail
        def test_xpassed(): pass
        """,
        recorded=False,
    )
    assert {name.partition("::test_")[2]: outcome for name, outcome in result.outcomes.items()} == {
        outcome: outcome for outcome in ("error", "failed", "skipped", "xfailed", "xpassed")
    }


def test_runs_are_compared_test_by_test() -> None:
    first = Run({"same": "passed", "bad": "failed", "worse": "passed", "shaky": "passed", "gone": "passed"})
    second = Run({**first.outcomes, "shaky": "error"})
    under = Run({"same": "passed", "bad": "failed", "worse": "failed", "shaky": "passed", "new": "passed"})
    compared = compare([first, second], [under])
    assert compared.failed_both == ("bad",)
    assert compared.different == {
        "worse": "bare passed, passed; under recost failed",
        "gone": "bare passed, passed; under recost not run",
        "new": "bare not run, not run; under recost passed",
    }
    assert compared.unsteady == {"shaky": "bare passed, error; under recost passed"}


def test_what_does_not_come_out_again_is_unsteady() -> None:
    bare = Run({"shaky": "passed"})
    compared = compare([bare, bare, bare], [Run({"shaky": "failed"}), bare])
    assert compared.different == {}
    assert compared.unsteady == {"shaky": "bare passed, passed, passed; under recost failed, passed"}


def test_the_quickest_suites_exist() -> None:
    named = {suite.name: suite for suite in SUITES}
    assert len(named) == len(SUITES)
    assert len(QUICKEST) == 3
    assert all(named[name].has_tests for name in QUICKEST)
