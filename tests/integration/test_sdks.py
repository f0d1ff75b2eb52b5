"""The official SDKs: each call is recorded once, under the right provider and category."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.named_hosts import named_hosts, trust
from tests.integration.sdks import SDKS, load
from tests.scripts import ROOT, environment, windows

Key = tuple[str, str, str]


def _recorded(folder: Path) -> dict[Key, list[int]]:
    """Return calls, failed calls, request bytes and response bytes."""
    fields = ("requestCount", "errorCount", "totalRequestBytes", "totalResponseBytes")
    found: dict[Key, list[int]] = {}
    for window in windows(folder):
        for metric in window["metrics"]:
            key = metric["provider"], metric["endpoint"], metric["method"]
            sums = found.setdefault(key, [0] * len(fields))
            found[key] = [total + metric[name] for total, name in zip(sums, fields)]
    return found


def _run(name: str, port: int, folder: Path, when: str, bundle: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.integration.sdks", name, str(port), str(folder), when],
        cwd=ROOT,
        env=environment(**trust(bundle)),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", SDKS)
def test_an_sdk_is_recorded_call_by_call(name: str, when: str, tmp_path: Path) -> None:
    sdk: Any = load(name)
    if importlib.util.find_spec(sdk.PACKAGE) is None:
        pytest.skip(f"{sdk.PACKAGE} is not installed on this Python")
    folder = tmp_path / "telemetry"
    with named_hosts(sdk.HOSTS, sdk.answer, tmp_path) as (server, bundle):
        result = _run(name, server.port, folder, when, bundle)
    assert result.returncode == 0, result.stderr
    recorded = _recorded(folder)
    assert {key: (sums[0], sums[1]) for key, sums in recorded.items()} == sdk.EXPECTED
    assert sum(sums[0] for sums in recorded.values()) == len(server.log)
    assert sum(sums[1] for sums in recorded.values()) == sum(entry.status >= 400 for entry in server.log)
    assert sum(sums[2] for sums in recorded.values()) == sum(entry.request_bytes for entry in server.log)
    left = set().union(*sdk.LEFT.values())
    read = sum(sums[3] for key, sums in recorded.items() if key not in sdk.LEFT)
    assert read == sum(entry.response_bytes for entry in server.log if entry.path not in left)
