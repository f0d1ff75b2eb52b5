"""How many of recost's functions a plain call runs on the caller's thread, so that it doesn't creep up."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path

import pytest

from tests.scripts import ROOT, environment, run_script

PROGRAM = """
    import os, sys, threading
    sys.path.insert(0, sys.argv[1])
    import clients
    import recost

    recost.init(local_dir=sys.argv[3], flush_interval_ms=2**31 - 1, max_batch_size=2**31 - 1)
    calls = clients.make(sys.argv[2], None)
    calls(50)
    folder, called = os.path.dirname(recost.__file__), []

    def profile(frame, event, argument):
        if event == "call" and frame.f_code.co_filename.startswith(folder):
            called.append(frame.f_code.co_name)

    sys.setprofile(profile)
    calls(100)
    sys.setprofile(None)
    print(len(called) / 100, *called[-20:])
"""
"""The network is in memory, so that the body is complete when the client returns."""
URLLIB3_2 = int(importlib.metadata.version("urllib3").partition(".")[0]) >= 2
"""Its usual case is written out; the calls of earlier versions take each step."""


@pytest.mark.parametrize(
    ("client", "most"),
    [
        ("httpx", 8),
        ("httpx async", 20),
        ("aiohttp", 8),
        ("requests", 8 if URLLIB3_2 else 40),
        ("urllib3", 4 if URLLIB3_2 else 32),
        ("urllib.request", 12),
    ],
)
def test_a_plain_call_runs_few_functions(client: str, most: int, tmp_path: Path) -> None:
    if importlib.util.find_spec(client.split(maxsplit=1)[0].split(".", maxsplit=1)[0]) is None:
        pytest.skip(f"{client} is not installed")
    done = run_script(PROGRAM, ROOT / "benchmarks", client, tmp_path, env=environment())
    assert done.returncode == 0, done.stderr
    count, *names = done.stdout.split()
    assert float(count) <= most, names
