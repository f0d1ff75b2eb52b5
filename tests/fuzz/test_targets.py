"""Every target, on its seeds, on damaged seeds and on any bytes; and a short sweep with atheris."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import Target, targets
from tests.scripts import ROOT, environment

ALL = targets()
_NEED_DUCKDB = {"two-parsers", "two-parsers-values"}


@st.composite
def damaged(draw: st.DrawFn, target: Target) -> bytes:
    """Make an input: any bytes, or a seed of which a part was replaced, dropped or written twice."""
    seed = draw(st.sampled_from(list(target.seeds) or [b""]))
    start = draw(st.integers(0, len(seed)))
    end = draw(st.integers(start, min(start + 64, len(seed))))
    middle = draw(st.one_of(st.binary(max_size=8), st.just(seed[start:end] * 2), st.just(b"")))
    return draw(st.one_of(st.binary(max_size=64), st.just(seed[:start] + middle + seed[end:])))


@pytest.mark.parametrize("name", ALL)
def test_target(name: str) -> None:
    if name in _NEED_DUCKDB:
        pytest.importorskip("duckdb")
    target = ALL[name]
    for seed in target.seeds:
        target.run(seed)

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(damaged(target))
    def run(data: bytes) -> None:
        target.run(data)

    run()


def test_the_command_finds_what_a_target_raises() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "nothing"],
        cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "atheris" in done.stderr or "invalid target 'nothing'" in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris has no wheels for this Python")
def test_a_short_sweep() -> None:
    names = ["line", "line-values", "budgets", "baseline", "rules-json", "rules-toml", "last-lines", "gzip"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--runs", "2000", "--seconds", "5", *names],
        cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert [row.split()[0] for row in done.stdout.splitlines()[1:]] == names
